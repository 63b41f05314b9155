"""Signals from the sync to the rest of the product, which the sync itself never imports."""

from django.dispatch import Signal

# Sent inside publish's transaction, after the mirror is merged and before the account is stamped.
# Arguments: sender (SyncRun), account, run, published_at. A receiver that raises rolls the whole publish back.
published = Signal()
