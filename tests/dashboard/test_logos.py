"""Logos: what is kept of one, what is refused with which word, and that nothing is read or expanded on the way."""

import socket
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from dashboard.logos import UnsafeLogoError, refusal, safe_logo
from dashboard.reports.rendering import draw_logo
from tests.dashboard.reports.test_pages import GOOD, chained, png

ENTITIES = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
BOMB = f"{ENTITIES}]>"
GRADIENT = (
    '<linearGradient id="g"><stop offset="0" stop-color="red"/><stop offset="1" stop-color="#00f"/></linearGradient>'
)


def with_(inside: str) -> str:
    return GOOD.replace("<path", f"{inside}<path", 1)


def kept(inside: str) -> str:
    """Return what is kept of a drawing that is allowed, beside what is in each."""
    return safe_logo(with_(inside).encode()).partition(">")[2].partition('<path d="M0 0h40v10z"')[0]


REFUSED = [
    (with_("<g>" * 10_000 + "</g>" * 10_000), "holds “g” more than 40 levels deep"),
    (with_("<x:g xmlns:x='u:v'>" * 50 + "</x:g>" * 50), "more than 40 levels deep"),
    (with_("<g/>" * 10_000), "more than 4000 shapes"),
    (with_(f'<path d="M0 0{"h1" * 1_000_000}"/>'), "larger than 200 kB"),
    (with_('<linearGradient id="a" href="#b"/><linearGradient id="b" href="#a"/>'), "holds “href”, a script or a link"),
    (with_('<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="http://x.example/"/>'), "holds “a”"),
    (with_('<g xmlns:l="http://www.w3.org/1999/xlink" l:href="http://x.example/"/>'), "holds “href”, a script or a"),
    (with_('<g onclick="alert(1)"/>'), "holds “onclick”, a script or a link"),
    (with_("<svg/>"), "holds “svg”"),
    (with_("<switch/>"), "holds “switch”"),
    (with_("<animate/>"), "holds “animate”"),
    (with_(f"<{'a' * 5000}/>"), "holds “aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…”"),
    (with_('<g style="mix-blend-mode:multiply"/>'), "holds “mix-blend-mode”"),
    (with_('<rect fill="url(http://x.example/a#b)"/>'), "refers to another file"),
    (with_('<rect fill="URL(//x.example/a)"/>'), "refers to another file"),
    (with_('<rect style="stroke : url(a.svg#b)"/>'), "refers to another file"),
    (with_('<rect opacity="url(#g)"/>'), "refers to another file"),
    (with_('<rect fill="image(a)"/>'), "holds “fill: image"),
    (with_('<rect fill="\\75rl(a)"/>'), r"holds “fill: \\75rl"),
    (BOMB + with_('<path d="&j;"/>'), "declares entities or a document type"),
    # A comment that is none: the declaration was looked for outside of what looks like one.
    (f"<?x <!-- ?>{BOMB}<?y --> ?>" + with_('<path d="&j;"/>'), "declares entities or a document type"),
    ('<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + GOOD, "declares entities or a document type"),
    ('<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://127.0.0.1/a">%a;]>' + GOOD, "declares entities"),
    (with_('<path d="&nobody;"/>'), "neither SVG nor PNG"),
    ("", "neither SVG nor PNG"),
]


@pytest.mark.parametrize("levels", [14, 22, 30])
def test_chained_clip_paths_are_refused_at_once(levels: int) -> None:
    refused_at_once(chained(levels), "holds “clipPath”")


@pytest.mark.parametrize(("content", "reason"), REFUSED, ids=[reason for _content, reason in REFUSED])
def test_a_drawing_of_more_than_shapes_is_refused_at_once(content: str, reason: str) -> None:
    refused_at_once(content, reason)


def refused_at_once(content: str, reason: str) -> None:
    begun = time.process_time()
    with pytest.raises(UnsafeLogoError, match=reason):
        safe_logo(content.encode())
    assert time.process_time() - begun < 0.5


def test_nothing_is_read_from_elsewhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        place = f"http://127.0.0.1:{server.getsockname()[1]}/a"
        for head in (f'<!DOCTYPE svg SYSTEM "{place}">', f'<!DOCTYPE svg [<!ENTITY % a SYSTEM "{place}">%a;]>'):
            with pytest.raises(UnsafeLogoError):
                safe_logo((head + GOOD).encode())
        assert "x" not in kept(f'<?xml-stylesheet href="{place}"?><x:include xmlns:x="u:v" href="{place}"/>')
        with pytest.raises(TimeoutError):
            server.accept()


def test_shapes_and_gradients_are_kept_and_drawn() -> None:
    inside = f'<g opacity="0.5">{GRADIENT}<rect width="9" height="9" fill="url(#g) none"/></g>'
    assert kept(inside) == inside
    assert (
        kept("""<rect style="fill:url('#g');stroke : red" stroke="blue"/>""") == '<rect stroke="red" fill="url(#g)"/>'
    )
    assert kept("<title>a</title><metadata><script/></metadata><s:view xmlns:s='u:v'><text/></s:view>") == ""
    assert kept('<rect id="a b" class="c" clip-path="none" transform="scale(2)"/>') == '<rect transform="scale(2)"/>'
    draw_logo(safe_logo(with_(inside).encode()))


@pytest.mark.parametrize(
    "inside",
    [
        f'<path d="M0 0{"h1" * 90_000}"/>',
        f'<path fill="none" stroke="red" stroke-width="50" stroke-linejoin="round" d="M0 0{"c9 9 1 7 2 3" * 15_000}"/>',
        f'<path d="M0 0{"L99 1 1 99" * 17_000}"/>',
        '<g opacity="0.9">' * 38 + '<path d="M0 0h9v9z"/>' * 3_900 + "</g>" * 38,
        GRADIENT.replace('id="g"', 'id="g" x2="0.000001" spreadMethod="repeat"') + '<rect fill="url(#g)"/>' * 3_900,
        '<g transform="scale(1e30)">' * 38 + '<path stroke="red" d="M0 0h9v9z"/>' + "</g>" * 38,
    ],
    ids=["lines", "curves", "crossings", "groups", "gradients", "scales"],
)
def test_the_largest_logos_are_drawn_at_once(inside: str) -> None:
    drawing = safe_logo(with_(inside).encode())
    assert refusal(drawing) == ""
    draw_logo(drawing)


_NAMES = st.sampled_from("svg g path rect defs linearGradient stop title use clipPath image script x:y".split())
_KEYS = st.sampled_from("id d fill stroke style transform href onload clip-path x:href xml:base".split())
_VALUES = st.sampled_from(["#g", "url(#g)", "url(a)", "M0 0h9", "fill:red;stroke:url(b)", "scale(2)", "a(b)", "&#10;"])


def written(name: str, given: dict[str, str], inside: list[str]) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in given.items())
    return f"<{name}{attributes}>{''.join(inside)}</{name}>"


_TREES = st.recursive(
    st.just(""),
    lambda inner: st.builds(written, _NAMES, st.dictionaries(_KEYS, _VALUES, max_size=2), st.lists(inner, max_size=3)),
    max_leaves=6,
)


@given(inside=_TREES)
def test_what_is_kept_is_plain_and_would_be_taken_again(inside: str) -> None:
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="u:v" viewBox="0 0 9 9">{inside}</svg>'
    try:
        found = safe_logo(drawing.encode())
    except UnsafeLogoError as error:
        assert str(error).endswith(".")
        return
    assert refusal(found) == ""
    assert safe_logo(found.encode()) == found
    for element in etree.fromstring(found).iter():
        assert element.tag.partition("}")[2] in {"svg", "g", "path", "rect", "defs", "linearGradient", "stop"}
        assert not {"style", "href", "onload", "clip-path"} & set(element.attrib)
        assert all("url(" not in value or value == "url(#g)" for value in element.attrib.values())


def sized(width: int, height: int) -> bytes:
    """Return a PNG that says it has so many pixels, and holds 20 MB of zeros."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes(20_000_000))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(UnsafeLogoError, match="more than 2000 pixels a side"):
        safe_logo(sized(50_000, 50_000))


def test_a_picture_has_one_size() -> None:
    small, large = png(), png(5_000, 1)
    with pytest.raises(UnsafeLogoError, match="damaged PNG"):
        safe_logo(small[:33] + large[8:33] + small[33:])
    with pytest.raises(UnsafeLogoError, match="damaged PNG"):
        safe_logo(small[:8] + small[33:])
