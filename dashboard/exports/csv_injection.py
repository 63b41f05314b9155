"""Texts that a spreadsheet would run as formulas, made harmless by an apostrophe before them.

A formula begins with one of = + - @, also in their full and small width and their raised forms, after nothing but
blanks and characters without a width. Where a cell begins depends on regional settings: a file with commas, opened by a
double click where the separator is a semicolon, is split at every semicolon, whatever is quoted. So a text is looked at
after each separator as well as at its start, and an apostrophe stands before each place where a formula would begin. A
text that begins with a tab or a carriage return gets one, too. A dash alone and negative numbers are no formulas, and
stay as they are. The same rule stands twice, for rows written here and for those that the database writes; a test holds
the two to each other.
"""

import re

# Written so that Python and Postgres read them alike.
_SEPARATORS = r"\t\n\v\f\r\u0085\u2028\u2029,;|"
# Control characters, blanks, what has no width or only turns text around, fillers, and quotation marks, which are out
# of step where cells are split anew. Separators are none of these.
_PASSED_OVER = (
    r"\"\u0001-\u0008\u000e-\u0020\u007f-\u0084\u0086-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680"
    r"\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202a-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\uffff\U000e0000-\U000e0fff"
)
# Every letter that is = + - @ once its form is set aside (NFKC), and the minus of mathematics.
_SIGNS = r"-=+@\u207a-\u207c\u208a-\u208c\u2212\u2a74-\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
_BLANKS = r"[ \t\n\v\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*"
_NUMBER = rf"{_BLANKS}[-\u2212](?:[0-9]+(?:[.,][0-9]+)?)?{_BLANKS}"
# Each place, of no width, where a cell may begin that is a formula: of the whole text, or of a part after a separator.
PLACES = (
    rf"^(?!{_NUMBER}$)(?=[{_SEPARATORS}{_PASSED_OVER}]*[{_SIGNS}]|[\n\v\f\u0085\u2028\u2029{_PASSED_OVER}]*[\t\r])"
    rf"|(?<=[{_SEPARATORS}])(?!{_NUMBER}(?:$|[{_SEPARATORS}]))(?=[{_PASSED_OVER}]*[{_SIGNS}])"
)
# Wider than that, and found sooner.
_AFTER_SEPARATOR = f"[{_SEPARATORS}][{_PASSED_OVER}]*[{_SIGNS}]"
_places, _separator = re.compile(PLACES.replace("$", r"\Z")), re.compile(f"[{_SEPARATORS}]")
_signs = re.compile(rf"(?:{_places.pattern})([{_PASSED_OVER}]*)([{_SIGNS}])")


def is_dangerous(text: str) -> bool:
    """Return whether a spreadsheet could take the text, or a part after a separator, for a formula."""
    return not _is_plain(text) and _places.search(text) is not None


def neutralize(text: str) -> str:
    """Return the text, with an apostrophe before each place that a spreadsheet could take for a formula."""
    return text if _is_plain(text) else _places.sub("'", text)


def neutralize_json(text: str) -> str:
    """Return JSON that reads the same, its signs that would begin a formula spelled `\\u003d`.

    With an apostrophe before them it might be no JSON any more. It holds no list of numbers below zero.
    """
    return _signs.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text)


def _is_plain(text: str) -> bool:
    # Most texts begin with a letter or a digit and have no separator: to see that is all they cost.
    first = text[:1]
    return first.isascii() and first.isalnum() and _separator.search(text) is None


def neutralize_sql(expression: str) -> str:
    """Return the SQL for the same, of a text expression that is named several times; empty texts become null."""
    return (
        f"CASE WHEN (ascii({expression}) BETWEEN 48 AND 57 OR ascii({expression}) BETWEEN 97 AND 122"
        f" OR ascii({expression}) BETWEEN 65 AND 90) AND {expression} !~ '{_AFTER_SEPARATOR}' THEN {expression}"
        f" WHEN {expression} = '' THEN NULL"
        f" ELSE regexp_replace({expression}, '{PLACES}', '''', 'g') END"
    )
