"""Setting a report: what is data stays data, any name is shown, and the same question has the same bytes."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from dashboard.reports import Kind, Question, RenderingError, fonts_installed, make, typesetting
from dashboard.reports.blocks import cut
from dashboard.reports.document import Document
from dashboard.reports.fonts import displayable
from dashboard.reports.rendering import data_hash, render, short_hash
from sync.models import Account, Campaign, Department, Person

HOSTILE = [
    '#eval("1+1")',
    "*bold* _it_ `raw`",
    "$x^2$",
    "\\u{0041}",
    '#include "/etc/passwd"',
    "= Heading",
    "// comment",
    "<label> @ref",
    "]#panic()[",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_never_become_markup(name: str, text_of: Callable[[bytes], str]) -> None:
    shown = text_of(render("person", _data(name), at=datetime(2026, 11, 17, tzinfo=UTC)))
    assert " ".join(name.split()) in shown


def test_every_script_is_shown(text_of: Callable[[bytes], str]) -> None:
    names = ["山田太郎", "김철수", "Жанна", "Ωμέγα", "ไทย", "አማርኛ", "Łódź", "Հայ", "ქართული"]
    shown = text_of(render("person", _data(" / ".join(names)), at=datetime(2026, 11, 17, tzinfo=UTC)))
    for name in names:
        assert name in shown


def test_right_to_left_names_are_shown(text_of: Callable[[bytes], str]) -> None:
    shown = text_of(render("person", _data("שרה לוי"), at=datetime(2026, 11, 17, tzinfo=UTC)))
    assert "שרה" in shown
    assert "לוי" in shown
    assert displayable("سارة") == "سارة"


def test_a_name_turns_no_sentence_around(text_of: Callable[[bytes], str]) -> None:
    name = "\u202eesreveR \u2066Over\u200bride\u2060 owes 1 of 1"
    shown = text_of(render("person", _data(name), at=datetime(2026, 11, 17, tzinfo=UTC)))
    assert "esreveR Override owes 1 of 1" in shown.replace("\u200b", "")
    assert not {*"\u202e\u2066\u2060"} & {*shown}


def test_what_no_font_has_is_written_as_its_code() -> None:
    assert displayable({"names": ["Ann \U0001f600 Lee", "山田", "plain"]}) == {
        "names": ["Ann [U+1F600] Lee", "山田", "plain"]
    }
    assert displayable("a\x00b\x07c") == "a b c"
    assert displayable("x\ud800y") == "x y"
    assert displayable(3) == 3


def _data(words: str) -> dict[str, Any]:
    return {
        "lead": [{"text": words, "tone": "fact"}],
        "facts": [{"title": words, "value": words}],
        "tables": [],
        "frame": {
            "title": words,
            "heading": words,
            "account": "Brackwater Mutual",
            "description": words,
            "language": "en",
            "color": "#0c6663",
            "logo": "",
            "logo_alt": "",
            "facts": [{"title": "Scope", "value": words}],
            "pages": "Page {page} of {pages}",
            "footer": [["Rollcall", words], ["Data"]],
            "keywords": [],
        },
    }


def test_a_report_that_cannot_be_set_says_why() -> None:
    data = _data("x")
    data["frame"]["color"] = "no color"
    with pytest.raises(RenderingError, match=r"The report could not be set: .+\."):
        render("person", data, at=datetime(2026, 11, 17, tzinfo=UTC))


def test_missing_fonts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_installed.folders.cache_clear()
    typesetting.end()
    with monkeypatch.context() as patched:
        patched.setattr(fonts_installed, "_PACKAGES", {"fonts_that_nobody_has": ("",)})
        with pytest.raises(RenderingError, match="The fonts of fonts_that_nobody_has are not installed"):
            render("person", _data("x"), at=datetime(2026, 11, 17, tzinfo=UTC))
    fonts_installed.folders.cache_clear()


def test_the_hash_is_of_the_data_alone() -> None:
    assert data_hash({"b": 1, "a": "é"}) == data_hash({"a": "é", "b": 1})
    assert data_hash({"a": 1}) != data_hash({"a": 2})
    assert short_hash("0123456789abcdef0123") == "0123 4567 89ab cdef"


@pytest.mark.parametrize("kind", [Kind.BOARD, Kind.REVIEW])
def test_the_same_question_has_the_same_bytes(company: Account, question: Question, kind: Kind) -> None:
    first, second = make(kind, question), make(kind, question)
    assert first is not None
    assert second is not None
    assert first.content == second.content
    typesetting.end()
    third = make(kind, question)
    assert third is not None
    assert third.content == first.content


def test_nothing_is_left_on_disk(
    company: Account, question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert make(Kind.BOARD, question) is not None
    assert list(tmp_path.iterdir()) == []


def test_threads_set_reports_side_by_side() -> None:
    def one(number: int) -> bytes:
        return render("person", _data(f"Person {number}"), at=datetime(2026, 11, 17, tzinfo=UTC))

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(one, range(8)))
    assert together == [one(number) for number in range(8)]


def opened(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(content))


def elements(pdf: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    """Return all structure elements, in reading order."""
    found: list[pikepdf.Dictionary] = []

    def walk(node: Any) -> None:
        if isinstance(node, pikepdf.Array):
            for child in node:
                walk(child)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                found.append(node)
            if "/K" in node:
                walk(node.K)

    walk(pdf.Root.StructTreeRoot.K)
    return found


@pytest.mark.parametrize("kind", [Kind.BOARD, Kind.REVIEW, Kind.DEPARTMENT, Kind.CAMPAIGN, Kind.PERSON])
def test_every_report_is_accessible(
    company: Account, question: Question, kind: Kind, program: Callable[..., str]
) -> None:
    subjects = {
        Kind.DEPARTMENT: Department.objects.order_by("pk"),
        Kind.CAMPAIGN: Campaign.objects.filter(name="Autumn awareness 2026"),
        Kind.PERSON: Person.objects.order_by("pk"),
    }
    subject = subjects[kind].values_list("pk", flat=True)[0] if kind in subjects else None
    made = make(kind, question, subject=subject)
    assert made is not None
    assert "No syntax or stream encoding errors" in program(made.content, "qpdf", "--check", "FILE")
    told = program(made.content, "pdfinfo", "FILE")
    assert "Tagged:          yes" in told
    fonts = program(made.content, "pdffonts", "FILE").splitlines()[2:]
    assert fonts
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)
    pdf = opened(made.content)
    assert str(pdf.Root.Lang) == "en"
    assert bool(pdf.Root.MarkInfo.Marked)
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    with pdf.open_metadata() as metadata:
        assert metadata["dc:title"]
        assert metadata["pdfuaid:part"] == "1"
    names = [str(element.S).lstrip("/") for element in elements(pdf)]
    assert names.count("H1") == 1
    assert "H2" in names
    if kind != Kind.PERSON:
        assert "Table" in names
    if "Table" in names:
        assert "TH" in names
        assert "THead" in names
    assert f"sha256:{made.data_hash}" in str(pdf.docinfo.Keywords)


def test_charts_are_told_in_words(company: Account, question: Question) -> None:
    made = make(Kind.BOARD, question)
    assert made is not None
    pdf = opened(made.content)
    found = [str(each.get("/Alt", "")) for each in elements(pdf) if str(each.S) == "/Figure"]
    assert any("completed" in text and "on time" in text for text in found)


def test_a_document_knows_its_file(question: Question) -> None:
    document = Document(question, "board", "Department report, Ärzte & Co", "", "", (), {})
    assert document.file_name == f"department-report-arzte-co-{question.date.isoformat()}.pdf"
    nameless = replace(document, title="山田")
    assert nameless.file_name == f"report-{question.date.isoformat()}.pdf"


def test_long_words_are_broken_where_they_may_be() -> None:
    zero = "\u200b"
    assert cut("short@example.example") == "short@example.example"
    assert cut("roland.elmsworth3@brackwater.example") == f"roland.elmsworth3@{zero}brackwater.example"
    assert max(map(len, cut("W" * 80).split(zero))) == 16
    assert cut("W" * 80).replace(zero, "") == "W" * 80
    assert cut("a" * 100, 20) == "a" * 19 + "…"
