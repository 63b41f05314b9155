"""bin/test names the programs it needs and does not have, before anything is run."""

import subprocess
from pathlib import Path

from config.embedded import BASE_DIR


def functions() -> str:
    """Return the part of bin/test that looks for programs."""
    text = (Path(BASE_DIR) / "bin" / "test").read_text()
    return text[text.index("find_chromium()") : text.index("# Installs Debian packages")]


def missing(path: Path) -> set[str]:
    """Return the packages that bin/test misses where only the programs in `path` are to be found."""
    found = subprocess.run(
        ["/bin/bash", "-c", f"set -euo pipefail; {functions()} missing_packages"],
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


def test_only_what_is_missing_is_named(tmp_path: Path) -> None:
    for name in ("google-chrome", "pdftotext", "pdfinfo", "qpdf"):
        program(tmp_path, name)
    assert missing(tmp_path) == {"libreoffice-calc-nogui"}
    program(tmp_path, "soffice")
    assert missing(tmp_path) == set()
