"""HTML that Python writes: nothing that fills a gap becomes markup, and there is no other way to write it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

import dashboard
from dashboard.markup import Markup, joined

ROOT = Path(dashboard.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "markup.py")
CELL = '<td width="50%" class="{}">{}</td>'
_TAG = re.compile(r"</?[a-z]+[ >/]")
# Files of their own, no parts of pages: logos, sheets of workbooks.
NO_PAGES = frozenset({"logos.py", "sheet.py"})


@given(st.text(), st.one_of(st.text(), st.integers(), st.none(), st.floats(allow_nan=False)))
def test_gaps_are_filled_as_django_fills_them(first: str, second: object) -> None:
    assert Markup(CELL)(first, second) == format_html(CELL, first, second)


@given(st.lists(st.text()))
def test_joined_texts_are_escaped(texts: list[str]) -> None:
    assert joined(texts) == SafeString("".join(format_html("{}", text) for text in texts))


def test_pieces_fill_gaps_as_they_are() -> None:
    bold = Markup("<b>{}</b>")
    assert Markup("<td>{}</td>")(bold("<&>")) == "<td><b>&lt;&amp;&gt;</b></td>"
    assert joined([bold("a"), bold("b"), "<"]) == "<b>a</b><b>b</b>&lt;"
    assert bold(gettext_lazy("Past due")) == "<b>Past due</b>"


@pytest.mark.parametrize("values", [(), ("a",), ("a", "b", "c")])
def test_each_gap_has_its_value(values: tuple[str, ...]) -> None:
    with pytest.raises(TypeError):
        Markup(CELL)(*values)


def spelled(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what a module does to write HTML by other means."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.html":
            yield node.lineno, "django.utils.html"
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            if name in {"SafeString", "mark_safe"}:
                yield node.lineno, name
            if name == "Markup" and not isinstance(node.args[0], ast.Constant):
                yield node.lineno, "Markup of what is no literal"
        if isinstance(node, ast.JoinedStr) and path.name not in NO_PAGES:
            texts = "{}".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            if _TAG.search(texts):
                yield node.lineno, texts


def test_no_module_writes_html_by_other_means() -> None:
    found = {str(path.relative_to(ROOT)): list(spelled(path)) for path in MODULES}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_other_means_are_found(tmp_path: Path) -> None:
    """The scan sees them: else the test above cannot fail."""
    source = (
        "from django.utils.html import escape\nSafeString(x)\nMarkup(x)\nf'<td class=\"{x}\">{y}</td>'\nMarkup('<b>')\n"
    )
    (tmp_path / "page.py").write_text(source)
    assert [line for line, _what in spelled(tmp_path / "page.py")] == [1, 2, 3, 4]
