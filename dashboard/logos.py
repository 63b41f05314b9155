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
from xml.etree import ElementTree as ET

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LARGEST = 200_000
MOST_PIXELS, MOST_ELEMENTS, MOST_LEVELS = 2_000, 4_000, 40

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop title desc".split()
)
_ATTRIBUTES = frozenset(
    "id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform fill fill-rule fill-opacity stroke "
    "stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity "
    "opacity gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity preserveAspectRatio display "
    "visibility color".split()
)
# Without them the drawing would be another: what has one is refused, not mended.
_REFUSED = frozenset("clip-path mask filter marker marker-start marker-mid marker-end".split())
_PAINTS = frozenset({"fill", "stroke"})
_REFERENCE = re.compile(r"url\(#[\w.-]+\)(?: [#\w]+)?")
_VALUE = re.compile(r"(?!.*url\()[^<>\"\\]*", re.DOTALL)
_PNG = b"\x89PNG\r\n\x1a\n"
_NOT_PLAIN = gettext_lazy("The SVG holds “%(name)s”: save it with paths and plain colors alone.")
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
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
        return _("The logo is neither SVG nor PNG.")
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
                raise UnsafeLogoError(_("The logo is a damaged PNG: save it anew."))
            chunks.append((name, body))
            place += 12 + length
        width, height = struct.unpack_from(">II", chunks[0][1])
    except struct.error:
        raise UnsafeLogoError(_("The logo is a damaged PNG: save it anew.")) from None
    if chunks[0][0] != b"IHDR" or not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise UnsafeLogoError(_("The logo has more than %(n)s pixels a side.") % {"n": MOST_PIXELS})
    kept = _PNG + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
        if name in _KEPT
    )
    data = base64.b64encode(kept).decode("ascii")
    return (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )


def _of_svg(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnsafeLogoError(_("The logo is neither SVG nor PNG.")) from None
    if "<!" in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL):
        raise UnsafeLogoError(_("The SVG declares entities or a document type: save it as plain SVG."))
    try:
        root = ET.fromstring(text)  # noqa: S314 - without declarations there is nothing to expand
    except ET.ParseError:
        raise UnsafeLogoError(_("The logo is neither SVG nor PNG.")) from None
    if root.tag != f"{{{_SVG}}}svg":
        raise UnsafeLogoError(_("The logo is neither SVG nor PNG."))
    if sum(1 for _each in root.iter()) > MOST_ELEMENTS:
        raise UnsafeLogoError(_("The SVG has more than %(n)s shapes: simplify it.") % {"n": MOST_ELEMENTS})
    ET.register_namespace("", _SVG)
    return ET.tostring(_shapes(root, 0), encoding="unicode")


def _shapes(element: ET.Element, depth: int) -> ET.Element:
    """Return the element with what is allowed of it; UnsafeLogoError where something would be missed: scripts, text."""
    name = element.tag.removeprefix(f"{{{_SVG}}}")
    if name not in _ELEMENTS:
        raise UnsafeLogoError(_NOT_PLAIN % {"name": name})
    if depth > MOST_LEVELS:
        raise UnsafeLogoError(
            _("The SVG holds “%(name)s” %(n)s levels deep: take its groups apart.") % {"name": name, "n": MOST_LEVELS}
        )
    found = ET.Element(element.tag)
    given = dict(element.attrib)
    for declaration in given.pop("style", "").split(";"):
        key, colon, value = declaration.partition(":")
        if colon:
            given.setdefault(key.strip(), value.strip())
    for key, value in given.items():
        if key.startswith("on") or "href" in key:
            raise UnsafeLogoError(_("The SVG holds a script or a link: save it as plain SVG."))
        if key in _REFUSED and value.strip() != "none":
            raise UnsafeLogoError(_NOT_PLAIN % {"name": key})
        if key in _ATTRIBUTES:
            if not _VALUE.fullmatch(value) and not (key in _PAINTS and _REFERENCE.fullmatch(value)):
                raise UnsafeLogoError(_("The SVG refers to another file: save it as plain SVG."))
            found.set(key, value)
    for child in element:
        # Editors keep notes of their own in other namespaces; they are no part of the drawing.
        if isinstance(child.tag, str) and child.tag.startswith(f"{{{_SVG}}}"):
            if child.tag.removeprefix(f"{{{_SVG}}}") == "metadata":
                continue
            found.append(_shapes(child, depth + 1))
    return found
