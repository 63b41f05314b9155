"""bin/test and bin/soak refuse what they do not understand, before anything is run."""

import shutil
import subprocess
from pathlib import Path

import pytest

from config.local.embedded import BASE_DIR

USAGE = "usage: bin/soak [MINUTES] [--seed N]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project of the two scripts; other programs note how they were called, and `test` ends whoever called."""
    (tmp_path / "bin").mkdir()
    for name in ("packages", "install", "test"):
        made = tmp_path / "bin" / name
        end = "kill $PPID" if name == "test" else ""
        made.write_text(f'#!/bin/bash\necho "{name} $*" >>calls\n{end}\n')
        made.chmod(0o755)
    shutil.copy(BASE_DIR / "bin" / "soak", tmp_path / "bin")
    return tmp_path


def run(project: Path, name: str, *words: str) -> tuple[int, str, str]:
    """Return the status, what was complained of, and which programs were called."""
    done = subprocess.run(
        [project / "bin" / name, *words], capture_output=True, text=True, check=False, timeout=20, cwd=project
    )
    calls = project / "calls"
    return done.returncode, done.stderr, calls.read_text() if calls.exists() else ""


@pytest.mark.parametrize(
    "words",
    [[""], ["0"], ["00"], ["5", "6"], ["", "5"], ["x"], ["-1"], ["--seed"], ["--seed", ""], ["--seed="], ["--seed=1x"]],
)
def test_soak_refuses_what_is_no_number_of_minutes(project: Path, words: list[str]) -> None:
    assert run(project, "soak", *words) == (2, USAGE, "")


@pytest.mark.parametrize(("words", "limit"), [(["08"], "240"), ([], "900"), (["--seed", "09", "10"], "300")])
def test_soak_takes_numbers_as_people_write_them(project: Path, words: list[str], limit: str) -> None:
    _, complaint, calls = run(project, "soak", *words)
    assert "octal" not in complaint
    asked = calls.splitlines()[-1]
    assert asked.startswith("test -m soak --seed ")
    assert asked.endswith(f" --until {limit}")


@pytest.mark.parametrize(
    "words", [["--clock"], ["--clock="], ["--clock", ""], ["--clock", "+400x"], ["--clock=400d"], ["--clock=+1d +2d"]]
)
def test_a_clock_that_is_no_distance_is_one_sentence(project: Path, words: list[str]) -> None:
    shutil.copy(BASE_DIR / "bin" / "test", project / "bin")
    status, complaint, calls = run(project, "test", *words)
    given = words[-1].removeprefix("--clock").removeprefix("=")
    assert (status, calls) == (2, "")
    assert complaint == f"bin/test: --clock wants a distance such as +400d, -1d or +3h, not '{given}'.\n"
