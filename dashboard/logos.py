"""Contents of a logo: an SVG of shapes, paths, gradients and groups, or a PNG.

What may be in it is listed, not what may not: scripts, styles, text, links and other files are none of it. Nor is what
draws a shape more than once (clip paths, masks, patterns, filters, `use`): a chain of them, each twice in the next,
takes twice the time with each link.
"""

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lxml import etree

# Bytes, and so the length of all paths together: the costliest ones of that size are drawn in a tenth of a second.
LARGEST = 200_000
MOST_PIXELS, MOST_ELEMENTS, MOST_LEVELS = 2_000, 4_000, 40

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop".split()
)
# Left out with all that is in them: they are not drawn.
_NOTES = frozenset("title desc metadata".split())
_ATTRIBUTES = frozenset(
    "id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform fill fill-rule fill-opacity stroke "
    "stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity "
    "opacity gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity preserveAspectRatio display "
    "visibility color".split()
)
# Without them the drawing would be another: what has one is refused, not mended.
_REFUSED = frozenset("clip-path mask filter marker marker-start marker-mid marker-end mix-blend-mode".split())
_WITHOUT_EFFECT = frozenset({"none", "normal"})
_PAINTS = frozenset({"fill", "stroke"})
_ID = re.compile(r"[\w.-]+")
_GRADIENT = re.compile(r"""url\(\s*(["']?)#([\w.-]+)\1\s*\)(?: ([#\w]+))?""")
_NO_NAME = re.compile(r"[^\w-]")
_VALUE = re.compile(r"[\w\s#%.,()+/-]*")
_FUNCTIONS = frozenset("matrix translate scale rotate skewx skewy rgb rgba hsl hsla".split())
_NEITHER = gettext_lazy("The logo is neither SVG nor PNG.")
_NOT_PLAIN = gettext_lazy("The SVG holds “%(name)s”: save it with paths and plain colors alone.")
_DAMAGED = gettext_lazy("The logo is a damaged PNG: save it anew.")
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PICTURE = re.compile(r'<svg [^<>]*><image [^<>]* href="data:image/png;base64,([A-Za-z0-9+/=]+)"/></svg>')


class UnsafeLogoError(Exception):
    """A file that is no logo; the message is a sentence to show."""


def safe_logo(content: bytes, *, largest: int = LARGEST) -> str:
    """Return a logo as an SVG that holds shapes alone, or a picture alone; UnsafeLogoError for anything else."""
    if len(content) > largest:
        raise UnsafeLogoError(_("The logo is larger than %(n)s kB: make it smaller.") % {"n": LARGEST // 1000})
    return _of_png(content) if content.startswith(_PNG) else _of_svg(content)


def refusal(stored: str) -> str:
    """Return why a stored logo is not drawn, as a sentence; empty for none, and for one that would be taken today."""
    try:
        picture = _PICTURE.fullmatch(stored)
        if picture is not None:
            safe_logo(base64.b64decode(picture[1], validate=True))
        elif stored:
            # Written anew it can be longer than it came.
            safe_logo(stored.encode(), largest=2 * LARGEST)
    except UnsafeLogoError as error:
        return str(error)
    except (binascii.Error, UnicodeEncodeError):
        return str(_NEITHER)
    return ""


def _of_png(content: bytes) -> str:
    """Return an SVG that shows the picture, kept without what is beside it (text, dates, places)."""
    chunks: list[tuple[bytes, bytes]] = []
    place = len(_PNG)
    try:
        while not chunks or chunks[-1][0] != b"IEND":
            length, name = struct.unpack_from(">I4s", content, place)
            body = content[place + 8 : place + 8 + length]
            (check,) = struct.unpack_from(">I", content, place + 8 + length)
            if zlib.crc32(name + body) != check:
                raise UnsafeLogoError(str(_DAMAGED))
            chunks.append((name, body))
            place += 12 + length
        width, height = struct.unpack_from(">II", chunks[0][1])
    except struct.error:
        raise UnsafeLogoError(str(_DAMAGED)) from None
    head, *others = chunks
    if head[0] != b"IHDR" or any(name == b"IHDR" for name, _body in others):
        raise UnsafeLogoError(str(_DAMAGED))
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise UnsafeLogoError(_("The logo has more than %(n)s pixels a side.") % {"n": MOST_PIXELS})
    kept = _PNG + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in [head, *(each for each in others if each[0] in _KEPT)]
    )
    data = base64.b64encode(kept).decode("ascii")
    return (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )


def _of_svg(content: bytes) -> str:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsafeLogoError(str(_NEITHER)) from None
    # What it reads it hands over at once: nothing is built of a file that is refused, and no entity is ever declared.
    parser = etree.XMLParser(
        target=_Shapes(), encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise UnsafeLogoError(str(_NEITHER)) from None
    return str(etree.tostring(root, encoding="unicode"))


class _Shapes:
    """Target of lxml that keeps what an SVG may hold; UnsafeLogoError where more would be missed: scripts, text."""

    def __init__(self) -> None:
        self._root: Any = None
        # The elements around, None for one that is left out.
        self._around: list[Any] = []
        self._count = 0

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise UnsafeLogoError(_("The SVG declares entities or a document type: save it as plain SVG."))

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        namespace, _brace, name = tag.rpartition("}")
        is_ours = namespace == "{" + _SVG
        if self._root is None and not (is_ours and name == "svg"):
            raise UnsafeLogoError(str(_NEITHER))
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise UnsafeLogoError(_("The SVG has more than %(n)s shapes: simplify it.") % {"n": MOST_ELEMENTS})
        if len(self._around) > MOST_LEVELS:
            raise UnsafeLogoError(
                _("The SVG holds “%(name)s” more than %(n)s levels deep: take its groups apart.")
                % {"name": _short(name), "n": MOST_LEVELS}
            )
        found = None
        # Editors keep notes of their own in other namespaces; they are no part of the drawing.
        if is_ours and name not in _NOTES and (not self._around or self._around[-1] is not None):
            # An SVG in an SVG is cut at its edges, as by a clip path.
            if name not in _ELEMENTS or (self._around and name == "svg"):
                raise UnsafeLogoError(_NOT_PLAIN % {"name": _short(name)})
            if self._root is None:
                found = self._root = etree.Element(tag, nsmap={None: _SVG})
            else:
                found = etree.SubElement(self._around[-1], tag)
            for key, value in _attributes(attributes):
                found.set(key, value)
        self._around.append(found)

    def end(self, _tag: str) -> None:
        self._around.pop()

    def close(self) -> Any:
        return self._root


def _attributes(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what is allowed of an element's attributes, and of its style as attributes; UnsafeLogoError as above."""
    found = dict(given)
    for declaration in found.pop("style", "").split(";"):
        key, _colon, value = declaration.partition(":")
        found[key.strip()] = value.strip()
    kept = []
    for key, value in found.items():
        if key.startswith("on") or "href" in key:
            raise UnsafeLogoError(
                _("The SVG holds “%(name)s”, a script or a link: save it as plain SVG.")
                % {"name": _short(key.rpartition("}")[2])}
            )
        if key in _REFUSED and value.strip() not in _WITHOUT_EFFECT:
            raise UnsafeLogoError(_NOT_PLAIN % {"name": key})
        if key not in _ATTRIBUTES or (key == "id" and not _ID.fullmatch(value)):
            continue
        if key in _PAINTS and (gradient := _GRADIENT.fullmatch(value.strip())):
            kept.append((key, " ".join(filter(None, (f"url(#{gradient[2]})", gradient[3])))))
            continue
        functions = _functions(value)
        if "url" in functions:
            raise UnsafeLogoError(_("The SVG refers to another file: save it as plain SVG."))
        if not _VALUE.fullmatch(value) or not _FUNCTIONS.issuperset(functions):
            raise UnsafeLogoError(_NOT_PLAIN % {"name": _short(f"{key}: {value}")})
        kept.append((key, value))
    return kept


def _functions(value: str) -> set[str]:
    """Return the last twenty letters of each name before a parenthesis, in lower case; in linear time."""
    return {_NO_NAME.split(before.rstrip()[-20:])[-1].lower() for before in value.split("(")[:-1]}


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
