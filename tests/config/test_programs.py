"""bin/packages names the programs that tests need and that are not here, before anything is run."""

import subprocess
from pathlib import Path

from config.local.embedded import BASE_DIR

# What the script itself runs.
TOOLS = ("bash", "dirname", "sort", "tr", "id")


def missing(path: Path, purpose: str = "tests") -> set[str]:
    """Return the packages that are missing where only the programs in `path` are to be found."""
    for name in TOOLS:
        link = path / name
        if not link.exists():
            link.symlink_to(subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip())
    script = Path(BASE_DIR) / "bin" / "packages"
    found = subprocess.run(
        [path / "bash", script, "--missing", purpose],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(found.stdout.split())


def program(path: Path, name: str) -> None:
    """Put an empty program of that name there."""
    made = path / name
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)


def test_all_programs_are_named_where_none_is(tmp_path: Path) -> None:
    assert missing(tmp_path) == {"chromium-headless-shell", "libreoffice-calc-nogui", "poppler-utils", "qpdf"}
    assert missing(tmp_path, "clock") == {"faketime"}


def test_only_what_is_missing_is_named(tmp_path: Path) -> None:
    for name in ("google-chrome", "pdftotext", "pdfinfo", "qpdf"):
        program(tmp_path, name)
    assert missing(tmp_path) == {"libreoffice-calc-nogui"}
    program(tmp_path, "soffice")
    assert missing(tmp_path) == set()


def test_an_unknown_purpose_is_refused(tmp_path: Path) -> None:
    script = Path(BASE_DIR) / "bin" / "packages"
    refused = subprocess.run([script, "tests", "tea"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "no such purpose: tea" in refused.stderr
