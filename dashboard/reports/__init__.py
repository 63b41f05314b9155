"""Reports as PDF: five of them, each made from `dashboard.queries` in one reader's scope and set by Typst.

    made = make(Kind.DEPARTMENT, Question(scope, as_of=now, now=now), subject=7)

The same question on the same data gives the same bytes; see docs/reports.md.
"""

from dashboard.reports.document import Document, Question
from dashboard.reports.registry import Kind, describe, make
from dashboard.reports.rendering import Rendered, RenderingError

__all__ = ["Document", "Kind", "Question", "Rendered", "RenderingError", "describe", "make"]
