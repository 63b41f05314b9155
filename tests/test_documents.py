"""The documents in the checkout: what they point to is there. The docstrings: they begin plainly."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
PACKAGES = ("config", "dashboard", "sync", "tests")
ARCHITECTURE = ROOT / "docs" / "architecture.md"
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


def test_architecture_names_the_layers_of_the_contract() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (layers,) = (one["layers"] for one in tools["importlinter"]["contracts"] if one["type"] == "layers")
    text = ARCHITECTURE.read_text(encoding="utf-8")
    table = text[text.index("| layer |") : text.index("## Words")]
    named = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:] if row]
    assert named == [[name.strip() for name in layer.split(":")] for layer in layers]


def test_architecture_leads_to_what_is_there() -> None:
    paths = re.findall(r"`([\w/]+/(?:[\w.]+\.(?:py|md))?)`", ARCHITECTURE.read_text(encoding="utf-8"))
    assert [path for path in paths if not ((ROOT / path).exists() or (ROOT / "dashboard" / path).exists())] == []
    assert len(paths) > 40


def test_no_import_points_upward_and_the_drawing_has_every_package() -> None:
    run = subprocess.run([sys.executable, "bin/draw-packages", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
