"""A tool's call from its name and arguments to its answer: within the caller's scope, and on record."""

import logging
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

from django.utils import timezone

from dashboard import row_security
from dashboard.isolation import isolated_in, visible_in
from dashboard.mcp.reading import Reader, ToolError
from dashboard.mcp.tools import TOOLS, find
from dashboard.web.outages import FOR_ASSISTANTS, is_outage

log = logging.getLogger(__name__)
Note = Callable[[str, Mapping[str, object]], None]


def answer(reader: Reader, name: str, arguments: Mapping[str, Any], *, note: Note) -> dict[str, Any] | str:
    """Return a tool's answer, or the sentence that says why there is none; `note` puts the call on record.

    Names in it are isolated (`dashboard.isolation`), and found again when an assistant takes them over into a call.
    The database shows nothing but the reader's scope meanwhile, and days are those of the account. What was noted
    stays, whatever came of the call.
    """
    try:
        tool = find(name)
        with row_security.within(reader.scope), timezone.override(reader.account.zone):
            note(f"tool {tool.name}", noted(arguments))
        with row_security.within(reader.scope), timezone.override(reader.account.zone):
            return isolated_in(tool.call(reader, visible_in(arguments)))
    except ToolError as error:
        return str(error)
    except Exception as error:
        if is_outage(error):
            log.warning("The tool %s could not answer: %s", name[:60], type(error).__name__)
            return FOR_ASSISTANTS
        # Whatever it is: the log has it whole, and the assistant is told without details.
        log.exception("The tool %s failed.", name[:60])
        return "500 Internal error. It is in Rollcall's log; try again later, or ask the administrator."


def noted(arguments: Mapping[str, Any]) -> dict[str, object]:
    """Return what a call asked for, for the audit log: numbers, flags, days and our own words; nothing typed."""
    return {
        "asked": {
            str(name)[:40]: value if is_plain(value) else "(typed)"
            for name, value in list(arguments.items())[:20]
            if value is not None
        }
    }


def is_plain(value: object) -> bool:
    """Return whether a value can be nobody's name: a number, a flag, a day, a status."""
    if isinstance(value, str):
        return value in _words() or _is_day(value)
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@cache
def _words() -> frozenset[str]:
    """Return every word that a tool's argument is one of."""
    arguments = [told for tool in TOOLS.values() for told in tool.input_schema.get("properties", {}).values()]
    return frozenset(word for told in arguments for word in told.get("enum", ()))
