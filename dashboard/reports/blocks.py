"""Blocks of reports as plain data: sentences, figures, tables, bars. `templates/pdf` draws them."""

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from django.utils.translation import gettext as _

from dashboard.formats import NOTHING, number, percent, points
from dashboard.isolation import visible
from dashboard.metrics import Counts
from dashboard.metrics.registry import REGISTRY
from dashboard.rate import Rate

Block = dict[str, Any]
# A word so long would stick out of its column. An address is broken after its @; what is still too long, anywhere.
_LONGEST = 30
_ENDLESS = re.compile(rf"\S{{{_LONGEST + 1},}}")
BREAK = "\u200b"
Cell = str | dict[str, Any]


def sentence(text: str, tone: str = "fact") -> Block:
    """Return a part of the first sentence: a fact, what is "due" (red) or the "quiet" context."""
    return {"text": text, "tone": tone}


def lead(*parts: Block) -> list[Block]:
    """Return the first sentence from its parts, without empty ones."""
    return [part for part in parts if part["text"]]


def figure(title: str, value: str, note: str = "", *, is_worse: bool = False) -> Block:
    """Return one of the large figures."""
    return {"title": str(title), "value": value, "note": note, "is_worse": is_worse}


def rate_figure(title: str, now: Rate, before: Rate | None, when: str) -> Block:
    """Return a rate with how it moved since an earlier one; `when` names that: "30 Sep"."""
    change = now.points_since(before) if before is not None else None
    if change is None:
        return figure(title, percent(now))
    words = {"when": when, "change": points(change), "value": percent(before)}
    if not change:
        return figure(title, percent(now), _("As on %(when)s") % words)
    note = _("Up %(change)s since %(when)s") if change > 0 else _("Down %(change)s since %(when)s")
    return figure(title, percent(now), note % words, is_worse=change < 0)


def count_figure(title: str, now: int, before: int | None, when: str) -> Block:
    """Return a count of which less is better, with how it moved since an earlier one."""
    if before is None:
        return figure(title, number(now))
    words = {"when": when, "change": number(abs(now - before))}
    if now == before:
        return figure(title, number(now), _("As on %(when)s") % words)
    note = _("Up %(change)s since %(when)s") if now > before else _("Down %(change)s since %(when)s")
    return figure(title, number(now), note % words, is_worse=now > before)


def standing_figures(now: Counts, before: Counts | None, when: str) -> list[Block]:
    """Return the four figures of how people stand; an earlier standing in which nobody counts is not compared with."""
    then = before if before is not None and before.counted else None
    return [
        rate_figure(_("Completion rate"), now.completion_rate, then and then.completion_rate, when),
        rate_figure(_("On-time rate"), now.on_time_rate, then and then.on_time_rate, when),
        rate_figure(_("People compliant"), now.people_compliant_rate, then and then.people_compliant_rate, when),
        count_figure(_("People past due"), now.people_past_due, then.people_past_due if then else None, when),
    ]


def column(title: str, *, share: int = 0, right: bool = False) -> Block:
    """Return a column: as wide as its words, or a share of what is left."""
    return {"title": str(title), "share": share, "right": right}


def table(
    columns: Sequence[Block],
    rows: Iterable[Sequence[Cell]],
    *,
    empty: str,
    foot: Sequence[str] = (),
    note: str = "",
) -> Block:
    """Return a table; `empty` says why there are no rows."""
    return {
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "empty": empty,
        "foot": list(foot),
        "note": note,
    }


def section(finding: str, what: str, content: Block) -> Block:
    """Return a table under its finding."""
    return {"finding": finding, "what": what, "table": content}


def named(text: str, sub: str = "") -> Cell:
    """Return a cell with a second line."""
    return {"text": text, "sub": sub} if sub else text


def marked(mark: str, text: str, *, is_due: bool = False) -> Cell:
    """Return a status: its mark and its word."""
    return {"text": text, "mark": mark, "tone": "due" if is_due else ""}


def count(value: int) -> Cell:
    """Return a count; zero is quiet."""
    return number(value) if value else {"text": "0", "tone": "quiet"}


def late(value: int) -> Cell:
    """Return a count of what is past due: strong, and quiet when there is none."""
    return {"text": number(value), "strong": True} if value else {"text": "0", "tone": "quiet"}


def rate(value: Rate, target: float | None = None) -> Cell:
    """Return a rate; one under the target is red."""
    text = percent(value)
    is_under = target is not None and value.percent is not None and value.percent < target
    return {"text": text, "tone": "due"} if is_under else {"text": text, "tone": "quiet"} if text == NOTHING else text


def share(value: Rate, most: float) -> Cell:
    """Return a rate beside its bar, of which `most` is the longest, in percent."""
    return {"text": percent(value), "share": (value.percent or 0.0) / most if most else 0.0}


def definitions(*names: str) -> Block:
    """Return what numbers mean, by their names in the registry."""
    return {
        "title": _("How the figures are counted"),
        "items": [{"title": REGISTRY[name].title, "value": REGISTRY[name].sentence} for name in names],
    }


def cut(text: object, length: int = 90) -> str:
    """Return a text no longer than so many letters: a name without end must not push everything off a page."""
    words = visible(str(text))
    words = words if len(words) <= length else f"{words[: length - 1].rstrip()}…"
    return _ENDLESS.sub(lambda word: BREAK.join(_parts(word[0])), words)


def _parts(word: str) -> list[str]:
    parts = re.split("(?<=[@/])", word)
    return [piece for part in parts for piece in (wrap(part, 16) if len(part) > _LONGEST else [part]) if piece]
