"""Foreign text among ours: names that cannot turn our sentences around, nor hide characters that nobody sees.

Names come from KnowBe4, and read as they are meant: right to left where they are Hebrew or Arabic. Three rules hold
wherever they are shown, each in one place: pages and mails in HTML (`isolated_html`), mails as text, PDF, MCP and the
terminal (`isolated`).

- Characters that set a direction by force (U+202E and its like) are left out: they run on into the sentence.
- Characters without a width are left out, but the joiners that Persian, Indic scripts and emoji need: with them two
  names look alike that are none. A text of nothing else is shown as U+FFFD.
- Letters written right to left stand in an isolate, so that a number or a comma beside them stays where we put it.

What is stored, the API and the files for spreadsheets keep names as they came: they are data there.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

_SOFT = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
_INVISIBLE = (
    rf"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f{_SOFT}\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    r"\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# A joiner joins nothing after letters of Europe, digits and blanks.
_IDLE_JOINER = r"(?<![\u0590-\u1fff\u2100-\U0010ffff])[\u200c\u200d]"
_RIGHT = r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
# Words of one name, not the parts of a list. A joiner stays between the letters that it joins.
_RUN = rf"{_RIGHT}(?:[ \u00a0.'’׳\"״/\u200b-\u200d-]{{0,3}}{_RIGHT})*[\u200b-\u200d]*"
_invisible, _idle_joiner, _run = re.compile(_INVISIBLE), re.compile(_IDLE_JOINER), re.compile(_RUN)
_suspect = re.compile(f"{_INVISIBLE}|{_IDLE_JOINER}|{_RIGHT}")
_letter = re.compile(f"[{_INVISIBLE[1:-1]}{_RIGHT[1:-1]}\u200c\u200d]")
FIRST, LAST = "\u2068", "\u2069"
UNSEEN = "\ufffd"

# What a text of UTF-8 is looked at without: most pages have little else. The first bytes of what is looked for.
_ASCII = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_SUSPECT_BYTES = re.compile(
    rb"[\x00-\x1f\x7f]|\xc2[\x80-\x84\x86-\x9f\xad]|\xcd\x8f|[\xd6-\xdf]|\xe0[\xa0-\xa3]|\xe1\x85[\x9f\xa0]|\xe1\x9e[\xb4\xb5]"
    rb"|\xe1\xa0\x8e|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xe3\x85\xa4|\xef\xac[\x9d-\xbf]|\xef[\xad-\xbb]"
    rb"|\xef\xbe\xa0|\xef\xbf[\xb0-\xbb]|\xf0\x90[\xa0-\xbf]|\xf0\x9e[\xa0-\xbf]|\xf3\xa0"
)

# HTML: a comment, an element whose content is no text of a page, or one tag. A quoted value may hold a ">".
_TAG = re.compile(
    r"<!--.*?-->|<(script|style|textarea)\b.*?</\1\s*>|<[^<>\"']*(?:\"[^\"]*\"[^<>\"']*|'[^']*'[^<>\"']*)*>", re.DOTALL
)
# Values that are read out or shown; all others are addresses, keys, and what a form sends back.
_SHOWN = re.compile(r"(?<=\s)(title|alt|placeholder|aria-[a-z]+|data-label|data-title|label)=\"([^\"]*)\"")
# What stands before the text of an element that holds no others.
_BARE = re.compile(r"<(?:title|option|text|/?tspan|desc)\b")


def isolated(text: str, *, keep: str = "") -> str:
    """Return a text as it is shown where there is no markup, its right-to-left words between U+2068 and U+2069.

    `keep` is a character without a width that is ours, and stays.
    """
    return _isolated(text, FIRST, LAST, keep) if _suspect.search(text) else text


def isolated_in(data: Any, *, keep: str = "") -> Any:
    """Return data with every text in it isolated; keys stay."""
    return _with_texts(data, partial(isolated, keep=keep))


def visible_in(data: Any) -> Any:
    """Return data with every text in it as `visible`: what somebody took over from a text that was isolated."""
    return _with_texts(data, visible)


def _with_texts(data: Any, change: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return change(data)
    if isinstance(data, Mapping):
        return {key: _with_texts(value, change) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_texts(value, change) for value in data]
    return data


def visible(text: str) -> str:
    """Return a text without characters that set a direction or have no width."""
    return _idle_joiner.sub("", _invisible.sub("", text))


def isolated_html(text: str) -> str:
    """Return HTML as it is shown: a name alone that is written from the right in `<bdi>`, others as in `isolated`.

    What forms send back stays as it is: values, and the content of text areas.
    """
    written: list[str] = []
    place = last = 0
    # Only what is near such a letter is looked at: most pages have a few, among thousands of tags.
    while found := _letter.search(text, place):
        at = found.start()
        last = max(text.rfind("<", last, at), last)
        tag = _TAG.match(text, last)
        if tag is not None and tag.end() > at:
            written += (text[place:last], _shown(tag))
            place = tag.end()
            continue
        begin = max(place, tag.end() if tag else 0)
        end = text.find("<", at)
        end = len(text) if end < 0 else end
        written += (text[place:begin], _between(text[begin:end], is_bare=bool(_BARE.match(text, last))))
        place = end
    written.append(text[place:])
    return "".join(written)


def _between(text: str, *, is_bare: bool) -> str:
    """Return the text between two tags: in `<bdi>` where all of it is one name, else with characters within it.

    An element in the middle would be laid out as a part of its own where the text is in a row of parts (flex).
    """
    name = visible(text).strip()
    is_name = not is_bare and _run.fullmatch(name) is not None
    return _isolated(text, "<bdi>", "</bdi>") if is_name else _isolated(text, FIRST, LAST)


def _shown(tag: re.Match[str]) -> str:
    """Return a tag whose values that are shown are isolated; an element that is one with its content stays."""
    if tag[1] is not None or tag[0].startswith("<!"):
        return tag[0]
    return _SHOWN.sub(lambda value: f'{value[1]}="{isolated(value[2])}"', tag[0])


def is_plain(content: bytes) -> bool:
    """Return whether a text in UTF-8 would stay as it is, without decoding it."""
    return _SUSPECT_BYTES.search(content.translate(None, _ASCII)) is None


def _isolated(text: str, first: str, last: str, keep: str = "") -> str:
    seen = _idle_joiner.sub("", _invisible.sub(lambda found: keep if found[0] == keep else "", text))
    if not seen.strip() and text.strip():
        return UNSEEN
    return _run.sub(lambda run: f"{first}{run[0]}{last}", seen)
