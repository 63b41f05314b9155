"""Inter as web fonts: cut from the installed wheel to the characters of names in Latin, Greek and Cyrillic script.

`static/css/fonts.css` names the same characters as `unicode-range`: browsers load `EXTENDED` for pages that need it.
"""

import io
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import fontTools
from django.conf import settings
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from dashboard import generated_files
from dashboard.generated_files import GeneratedFilesFinder, made_once

LATIN, EXTENDED = "fonts/inter-latin.woff2", "fonts/inter-extended.woff2"
# Latin as Western and Central Europe write it, punctuation and the signs of the pages; and, in the other file, further
# Latin letters with Vietnamese ones, marks that stand alone, Greek and Cyrillic. Only what Inter has is taken.
CHARACTERS = {
    LATIN: (
        "20-7E A0-17F 192 218-21B 2BC 2C6-2C7 2DA 2DC 2009 2010-2015 2018-201E 2020-2022 2026 202F 2030 2032-2033 "
        "2039-203A 2044 20AC 2116 2122 2190-2193 2212 2248 2260 2264-2265"
    ),
    EXTENDED: "180-191 193-217 21C-24F 259 300-304 306-30C 323 326-328 370-3FF 400-52F 1E00-1EFF",
}
# Tabular digits, and what browsers switch on by themselves; marks are set only where they can stand alone.
FEATURES = {
    LATIN: ("tnum", "kern", "calt", "locl"),
    EXTENDED: ("tnum", "kern", "calt", "locl", "ccmp", "mark", "mkmk"),
}
# The weights the style sheets use. Of the optical sizes only the one for text: the other costs half as much again.
WEIGHTS = (400, 650)
OPTICAL_SIZE = 14
_PACKAGE = "justmytype_western_core"


class MissingFontError(RuntimeError):
    """The package with Inter is not installed; the message says what to do."""


class FontsFinder(GeneratedFilesFinder):
    """Finds the web fonts."""

    names = (LATIN, EXTENDED)

    def folder(self) -> Path:
        """Return the folder that holds the fonts."""
        return self._folder

    @cached_property
    def _folder(self) -> Path:
        return build(settings.VAR_DIR / "fonts")


def source() -> Path:
    """Return where the wheel keeps Inter. MissingFontError when it is not installed."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingFontError(f"The fonts of {_PACKAGE} are not installed: install requirements/base.txt.")
    return Path(spec.submodule_search_locations[0]) / "fonts" / "ofl" / "inter" / "Inter[opsz,wght].ttf"


def build(folder: Path) -> Path:
    """Return a folder that holds the fonts; cut anew when the wheel's or this code or fontTools has changed."""

    def make(part: Path) -> None:
        for name in CHARACTERS:
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_bytes(cut(name))

    code = (Path(__file__), Path(generated_files.__file__))
    return made_once(folder, (source(), *code), make, versions=fontTools.version)


def characters(ranges: str) -> set[int]:
    """Return the code points of ranges in hexadecimal, such as "20-7E A0"."""
    found: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def cut(name: str) -> bytes:
    """Return the web font of that name as WOFF2."""
    options = Options()
    options.layout_features = list(FEATURES[name])
    options.hinting = options.glyph_names = False
    # Who made it, and under which license: the Open Font License asks for both.
    options.name_IDs = [0, 1, 2, 5, 6, 13, 14]
    options.notdef_outline = True
    with TTFont(source(), lazy=True) as whole:
        _keep_tabular_digits_only(whole)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=characters(CHARACTERS[name]))
        subsetter.subset(whole)
        # Written and read again: the next step works through what is left, not through all of Inter.
        small = io.BytesIO()
        whole.save(small)
    small.seek(0)
    with TTFont(small) as font:
        instance = instantiateVariableFont(font, {"wght": WEIGHTS, "opsz": OPTICAL_SIZE})
        instance.flavor = "woff2"
        written = io.BytesIO()
        instance.save(written)
    return written.getvalue()


def _keep_tabular_digits_only(font: TTFont) -> None:
    """Take everything but digits out of `tnum`: Inter also makes its hyphen as wide as a digit, and its space narrower.

    Words stand among the figures ("On-time rate", "Q4 2026 - 3"), and would fall apart at each hyphen.
    """
    digits = {font.getBestCmap()[ord(digit)] for digit in "0123456789"}
    table = font["GSUB"].table
    places = {
        place
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "tnum"
        for place in record.Feature.LookupListIndex
    }
    for place in places:
        for subtable in table.LookupList.Lookup[place].SubTable:
            substitution = getattr(subtable, "ExtSubTable", subtable)
            substitution.mapping = {
                plain: tabular for plain, tabular in substitution.mapping.items() if plain in digits
            }
