"""Texts that a spreadsheet would run as formulas, made harmless by an apostrophe before them.

A text is dangerous that begins with one of = + - @, also in their full width, with a tab or a carriage return, or with
any of these after blanks. A dash alone and negative numbers are no formulas, and stay as they are. The same rule stands
twice, for rows written here and for those that the database writes; a test holds the two to each other.
"""

import re

# Blanks that spreadsheets pass over, written so that Python and Postgres read them alike.
_BLANKS = r"[ \t\r\n\v\f\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]*"
DANGEROUS = rf"^{_BLANKS}[-=+@\t\r\uff1d\uff0b\uff0d\uff20]"
HARMLESS = rf"^{_BLANKS}-([0-9]+([.,][0-9]+)?)?{_BLANKS}$"

_dangerous, _harmless = re.compile(DANGEROUS), re.compile(HARMLESS.replace("$", r"\Z"))


def is_dangerous(text: str) -> bool:
    """Return whether a spreadsheet could take the text for a formula."""
    # Most texts begin with a letter or a digit: looking at it is all they cost.
    first = text[:1]
    if first.isascii() and first.isalnum():
        return False
    return _dangerous.match(text) is not None and _harmless.match(text) is None


def neutral(text: str) -> str:
    """Return the text, with an apostrophe before it if a spreadsheet could take it for a formula."""
    return f"'{text}" if is_dangerous(text) else text


def neutral_sql(expression: str) -> str:
    """Return the SQL for the same, of a text expression that is named several times; empty texts become null."""
    return (
        f"CASE WHEN ascii({expression}) BETWEEN 48 AND 57 OR ascii({expression}) BETWEEN 97 AND 122"
        f" OR ascii({expression}) BETWEEN 65 AND 90 THEN {expression}"
        f" WHEN {expression} = '' THEN NULL"
        f" WHEN {expression} ~ '{DANGEROUS}' AND {expression} !~ '{HARMLESS}' THEN '''' || {expression}"
        f" ELSE {expression} END"
    )
