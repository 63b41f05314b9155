"""The catalogue of fields: each is written once, and whoever shows rows shows what is in it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.utils.translation import gettext_lazy

import dashboard
from dashboard.api import campaigns, enrollments, people
from dashboard.exports.columns import others
from dashboard.exports.tables import TABLES
from dashboard.queries.fields import CAMPAIGNS, CONTENT, ENROLLMENTS, PEOPLE, Field, Kind, of_api
from dashboard.queries.fields.campaigns import GROUP_PARTS

CATALOGUE = (*PEOPLE.values(), *CONTENT.values(), *ENROLLMENTS.values(), *CAMPAIGNS.values(), *GROUP_PARTS)
ROOT = Path(dashboard.__file__).parent
# Whoever shows rows of the three.
READERS = ("exports/tables", "api", "mcp", "evidence", "pages")
FILES = sorted(path for folder in READERS for path in (ROOT / folder).rglob("*.py"))


def meanings() -> set[str]:
    """Return what the catalogue says of its fields, but for one word."""
    return {field.meaning for field in CATALOGUE if " " in field.meaning}


def labels() -> set[str]:
    """Return the labels of its columns."""
    return {str(field.label) for field in CATALOGUE if field.label}


@pytest.mark.parametrize("of", ["meaning", "label"])
def test_no_two_fields_say_the_same(of: str) -> None:
    """A word may head a count and a day; two fields of one kind that say the same are one field."""
    said: dict[tuple[str, Kind], str] = {}
    for field in CATALOGUE:
        text = str(getattr(field, of))
        if text:
            kind = field.kind if of == "label" else Kind.TEXT
            name = said.setdefault((text, kind), field.name)
            # Parts of a campaign go by shorter names.
            assert name.endswith(field.name) or field.name.endswith(name) or field.name in {"name", "source"}, text


def literals(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the texts that a module spells, without its docstrings, each with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_reader_spells_what_the_catalogue_says(path: Path) -> None:
    spelled = [(text, line) for text, line in literals(path) if text in meanings()]
    assert not spelled


def headings(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the texts by which a module heads columns: those in calls of `Column`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Column":
            for part in ast.walk(node):
                if isinstance(part, ast.Call) and getattr(part.func, "id", "") in {"_", "gettext", "gettext_lazy"}:
                    yield str(getattr(part.args[0], "value", "")), node.lineno


# Columns of lists about something else, whose word is the same by chance.
OTHERS = {
    "exports/tables/exemptions.py": {"State"},  # an exemption's
    "exports/tables/trends.py": {"Due", "Completed late", "Completion rate", "On-time rate"},  # of a period
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_reader_heads_a_column_by_its_own_word(path: Path) -> None:
    allowed = OTHERS.get(str(path.relative_to(ROOT)), set())
    spelled = [(text, line) for text, line in headings(path) if text in labels() - allowed]
    assert not spelled


def test_headings_are_found() -> None:
    """The scan sees columns that are spelled: else the test above cannot fail."""
    assert {text for text, _line in headings(ROOT / "exports/tables/audit.py")} >= {"When", "Who", "About"}


@pytest.mark.parametrize(
    ("fields", "shown", "table"),
    [
        (PEOPLE, people.FIELDS, "people"),
        (ENROLLMENTS, enrollments.FIELDS, "enrollments"),
        (CAMPAIGNS, campaigns.FIELDS, "campaigns"),
    ],
)
def test_everything_with_a_label_or_a_meaning_is_shown(
    fields: dict[str, Field], shown: tuple[Field, ...], table: str
) -> None:
    in_file = {column.key: column for column in TABLES[table].columns}
    assert {name for name, field in fields.items() if field.label} <= set(in_file)
    assert {field.api or field.name for field in fields.values() if field.is_in_api} == {one.name for one in shown}
    assert all(one.meaning for one in shown)
    for name, column in in_file.items():
        assert column.heading == fields[name].label, name


def test_a_new_field_is_in_files_and_the_api() -> None:
    new = Field("language", Kind.TEXT, "Their language.", "en", label=gettext_lazy("Language"), sql="person.language")
    more = {**PEOPLE, new.name: new}
    (added,) = others(more, TABLES["people"].columns)
    assert (added.key, str(added.heading), added.kind, added.is_default) == ("language", "Language", Kind.TEXT, False)
    assert of_api(more)[-1] == new
    assert not others({**more, new.name: replace(new, label="")}, TABLES["people"].columns)


_HEADS = re.compile(
    r"""<th[^>]*>\s*\{% translate "([^"]+)"|data-label="\{% translate ["']([^"']+)|"([^"]+)" as \w+_label"""
)
# Templates whose tables have rows of people, enrollments or campaigns.
TABLES_OF_ROWS = (
    *("campaign/people", "campaign/department_table", "campaigns/table", "overview/campaign_table", "people/list"),
    *("past_due/people", "person/reports", "review/campaigns", "settings/campaign_table"),
)


@pytest.mark.parametrize("name", TABLES_OF_ROWS)
def test_no_template_heads_a_column_by_its_own_word(name: str) -> None:
    text = Path(get_template(f"dashboard/{name}.html").origin.name).read_text()
    spelled = {next(filter(None, words)) for words in _HEADS.findall(text)}
    assert not spelled & labels()


def test_heads_of_templates_are_found() -> None:
    text = Path(get_template("dashboard/settings/department_table.html").origin.name).read_text()
    assert "Department" in {next(filter(None, words)) for words in _HEADS.findall(text)}
