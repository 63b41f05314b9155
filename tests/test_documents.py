"""The documents in the checkout: what they point to is there. The docstrings: they begin plainly."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
PACKAGES = ("config", "dashboard", "sync", "tests")
_OPENING = re.compile(r'^\s*r?"""(?:What|Who|Whose|Whom|Which|How|Where|Why)\b.*', re.MULTILINE)
_LINK = re.compile(r'\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)="([^"]+)"')


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_pictures_lead_to_files(document: Path) -> None:
    found = [link or picture for link, picture in _LINK.findall(document.read_text(encoding="utf-8"))]
    missing = [one for one in found if "://" not in one and not (document.parent / one).exists()]
    assert missing == []


def test_every_document_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    documents = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")]
    documents += [path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/operate/*.md")]
    assert [path for path in documents if path not in readme] == []


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    """Not with a question: "Retry, pacing and typing around each API call", not "What stands around every call"."""
    modules = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    found = {
        path.relative_to(ROOT).as_posix(): [line.strip() for line in _OPENING.findall(path.read_text(encoding="utf-8"))]
        for path in modules
    }
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert len(modules) > 500
