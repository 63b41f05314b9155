"""The logo and the color of an account's reports: what may be one, and setting it."""

import base64
import re
import struct
import zlib
from datetime import datetime
from xml.etree import ElementTree as ET

from django.utils.translation import gettext as _

from dashboard.models import SettingChange, User
from dashboard.models.branding import Branding
from dashboard.reports.rendering import can_draw
from dashboard.services.deciding import RefusedError, deciding, record
from sync.models import Account

LARGEST = 200_000
MOST_PIXELS, MOST_ELEMENTS = 2_000, 4_000
# Text and lines of that color stand on white: WCAG's contrast for text.
LEAST_CONTRAST = 4.5

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop clipPath title "
    "desc".split()
)
_ATTRIBUTES = frozenset(
    "id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform fill fill-rule fill-opacity stroke "
    "stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity "
    "opacity clip-path clip-rule gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity "
    "clipPathUnits preserveAspectRatio display visibility color".split()
)
_VALUE = re.compile(r"(?:url\(#[\w.-]+\)|(?!.*url\()[^<>\"\\]*)", re.DOTALL)
_COLOR = re.compile(r"#[0-9a-f]{6}")
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def set_branding(
    account: Account, *, by: User, at: datetime, color: str | None = None, logo: bytes | None = None
) -> bool:
    """Set what is given, an empty logo meaning none; return whether anything changed.

    RefusedError, with the reason as a sentence, for a color too pale and for a file that is no safe SVG or PNG.
    """
    shade = checked_color(color) if color is not None else None
    drawing = checked_logo(logo) if logo else "" if logo is not None else None
    with deciding(account):
        found = Branding.objects.filter(account=account).first() or Branding(account=account)
        changes = []
        if shade is not None and shade != found.color:
            changes.append(("report_color", found.color, shade))
            found.color = shade
        if drawing is not None and drawing != found.logo:
            changes.append(("report_logo", _told(found.logo), _told(drawing)))
            found.logo = drawing
        if not changes:
            return False
        found.save()
        for field, old, new in changes:
            record(
                account,
                SettingChange.Subject.ACCOUNT,
                account.pk,
                field,
                old=old,
                new=new,
                by=by,
                at=at,
                reason=_("How reports look"),
            )
    return True


def _told(drawing: str) -> str:
    """Return what the log says of a logo: its size tells one from another."""
    return _("%(n)s bytes") % {"n": len(drawing)} if drawing else _("none")


def checked_color(text: str) -> str:
    """Return a color as #rrggbb; RefusedError for anything else, and for one too pale to read on white."""
    color = text.strip().lower()
    if not _COLOR.fullmatch(color):
        raise RefusedError(_("The color is six digits after a #, like #0c6663."))
    if contrast(color) < LEAST_CONTRAST:
        raise RefusedError(_("That color is too pale on white paper: choose a darker one."))
    return color


def contrast(color: str) -> float:
    """Return the contrast of #rrggbb with white, as WCAG 2.2 defines it: 1 to 21."""
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def checked_logo(content: bytes) -> str:
    """Return a logo as an SVG that holds shapes alone, or a picture alone; RefusedError for anything else.

    What an SVG may hold is listed, not what it may not: scripts, styles, text, links and other files are none of it.
    """
    if len(content) > LARGEST:
        raise RefusedError(_("The logo is larger than %(n)s kB: make it smaller.") % {"n": LARGEST // 1000})
    drawing = _of_png(content) if content.startswith(_PNG) else _of_svg(content)
    if not can_draw(drawing):
        raise RefusedError(_("The logo cannot be drawn: save it anew as SVG or PNG."))
    return drawing


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
                raise RefusedError(_("The logo is a damaged PNG: save it anew."))
            chunks.append((name, body))
            place += 12 + length
        width, height = struct.unpack_from(">II", chunks[0][1])
    except struct.error:
        raise RefusedError(_("The logo is a damaged PNG: save it anew.")) from None
    if chunks[0][0] != b"IHDR" or not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise RefusedError(_("The logo has more than %(n)s pixels a side.") % {"n": MOST_PIXELS})
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
        raise RefusedError(_("The logo is neither SVG nor PNG.")) from None
    if "<!" in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL):
        raise RefusedError(_("The SVG declares entities or a document type: save it as plain SVG."))
    try:
        root = ET.fromstring(text)  # noqa: S314 - without declarations there is nothing to expand
    except ET.ParseError:
        raise RefusedError(_("The logo is neither SVG nor PNG.")) from None
    if root.tag != f"{{{_SVG}}}svg":
        raise RefusedError(_("The logo is neither SVG nor PNG."))
    if sum(1 for _each in root.iter()) > MOST_ELEMENTS:
        raise RefusedError(_("The SVG has more than %(n)s shapes: simplify it.") % {"n": MOST_ELEMENTS})
    ET.register_namespace("", _SVG)
    return ET.tostring(_shapes(root, 0), encoding="unicode")


def _shapes(element: ET.Element, depth: int) -> ET.Element:
    """Return the element with what is allowed of it. RefusedError for what would be missed: scripts, styles, text."""
    name = element.tag.removeprefix(f"{{{_SVG}}}")
    if name not in _ELEMENTS or depth > 40:
        raise RefusedError(_("The SVG holds “%(name)s”: save it with paths and plain colors alone.") % {"name": name})
    found = ET.Element(element.tag)
    given = dict(element.attrib)
    for declaration in given.pop("style", "").split(";"):
        key, colon, value = declaration.partition(":")
        if colon:
            given.setdefault(key.strip(), value.strip())
    for key, value in given.items():
        if key.startswith("on") or "href" in key:
            raise RefusedError(_("The SVG holds a script or a link: save it as plain SVG."))
        if key in _ATTRIBUTES:
            if not _VALUE.fullmatch(value):
                raise RefusedError(_("The SVG refers to another file: save it as plain SVG."))
            found.set(key, value)
    for child in element:
        # Editors keep notes of their own in other namespaces; they are no part of the drawing.
        if isinstance(child.tag, str) and child.tag.startswith(f"{{{_SVG}}}"):
            if child.tag.removeprefix(f"{{{_SVG}}}") == "metadata":
                continue
            found.append(_shapes(child, depth + 1))
    return found
