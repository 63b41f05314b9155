"""The fonts that reports are set in, and what they cannot show.

They come as wheels, so that a report has the same bytes on every machine: Inter as on the pages, Noto Sans for the
scripts Inter lacks. What no font has would stop an accessible PDF: it is written as its code point instead.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.reports.typesetting import TypesettingError, compiled

# In the order in which they are tried. Typst's own fonts come last, for Armenian, Georgian and Cherokee.
FAMILIES = (
    "Inter",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Telugu",
    "Noto Sans Thai",
    "Noto Sans Lao",
    "Noto Sans Khmer",
    "Noto Sans Myanmar",
    "Noto Sans Ethiopic",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans Symbols 2",
    "STIX Two Math",
)
# Latin with its extensions, Greek, Cyrillic and the punctuation the pages use: Inter has all of it.
_PLAIN = re.compile("[ -~\u00a0-\u024f\u0384-\u03ce\u0400-\u045f\u2010-\u2015\u2018-\u201e\u2022\u2026\u2192\u2212]*")
_CONTROLS = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]+")
_WORD = re.compile(r"\S+")
_SHOW = b"""
#set document(title: "Words")
#set text(font: json(bytes(sys.inputs.families)))
#for word in json(bytes(sys.inputs.words)) [#text(word)#parbreak()]
"""


def displayable(data: Any) -> Any:
    """Return data with every text in it such that the fonts can show it.

    Control characters become a blank. A character that no font has is written as its code point: "[U+1F600]".
    """
    strange: set[str] = set()
    _collect(data, strange)
    written = {word: shown for word, shown in _written(strange).items() if shown != word}
    return _mended(data, written)


def _collect(data: Any, strange: set[str]) -> None:
    if isinstance(data, str):
        if not _PLAIN.fullmatch(data):
            strange.update(word for word in _WORD.findall(_CONTROLS.sub(" ", data)) if not _PLAIN.fullmatch(word))
    elif isinstance(data, Mapping):
        for value in data.values():
            _collect(value, strange)
    elif isinstance(data, Iterable):
        for value in data:
            _collect(value, strange)


def _mended(data: Any, written: Mapping[str, str]) -> Any:
    if isinstance(data, str):
        if _PLAIN.fullmatch(data):
            return data
        text = _CONTROLS.sub(" ", data)
        return _WORD.sub(lambda word: written.get(word[0], word[0]), text) if written else text
    if isinstance(data, Mapping):
        return {key: _mended(value, written) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_mended(value, written) for value in data]
    return data


def _written(words: set[str]) -> dict[str, str]:
    """Return how each word is written: as it is where the fonts have all of it, as they nearly always do."""
    ordered = sorted(words)
    if not ordered or _can_show(ordered):
        return {}
    if len(ordered) > 1:
        middle = len(ordered) // 2
        return _written(set(ordered[:middle])) | _written(set(ordered[middle:]))
    word = ordered[0]
    spelled = "".join(letter if _PLAIN.fullmatch(letter) or _can_show([letter]) else _code(letter) for letter in word)
    if not _can_show([spelled]):
        # Each of its letters alone has a font, together they have none.
        spelled = "".join(letter if _PLAIN.fullmatch(letter) else _code(letter) for letter in word)
    return {word: spelled}


def _code(letter: str) -> str:
    return f"[U+{ord(letter):04X}]"


def _can_show(words: list[str]) -> bool:
    """Return whether the fonts have all of the words, as only Typst can tell: it chooses among them."""
    inputs = {"words": json.dumps(words), "families": json.dumps(FAMILIES)}
    try:
        compiled(source=_SHOW, format="pdf", pdf_standards="ua-1", sys_inputs=inputs)
    except TypesettingError as error:
        if "could not be displayed" in str(error):
            return False
        raise
    return True
