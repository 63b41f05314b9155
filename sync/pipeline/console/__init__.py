"""Importing the console's training CSV: preview, acceptance, withdrawal.

For an account that KnowBe4's API feeds, the file brings due dates: extensions, which only the console knows. For an
account whose plan has no API it is the whole source, and goes through the same staging, checks and publish as a sync.
"""

from sync.pipeline.console.acceptance import accept_import, give_back, withdraw_import
from sync.pipeline.console.preview import preview_import

__all__ = ["accept_import", "give_back", "preview_import", "withdraw_import"]
