"""The containers run what `bin/run` runs: commands, versions and variables are held against the project's own."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from config import processes
from config.local import embedded
from config.local.owner import find_owner, open_installation
from config.local.postgres import tuning

ROOT = embedded.BASE_DIR


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def _read_by_settings() -> set[str]:
    """Return the names of the environment variables settings.py reads."""
    text = (ROOT / "config" / "settings.py").read_text()
    return set(re.findall(r'(?:environ\.get\(|environ\[|variables\.\w+\()\s*"([A-Z_0-9]+)"', text))


def _required_by_settings() -> set[str]:
    return set(re.findall(r'variables\.required\(\s*"([A-Z_0-9]+)"', (ROOT / "config" / "settings.py").read_text()))


def _version(*command: str | Path) -> str:
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout


def test_services_are_the_processes_of_bin_run(compose):
    assert set(compose["services"]) == {"migrate", "web", "worker", "beat", "postgres", "redis"}


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("web", processes.web("0.0.0.0:8000").command),
        ("worker", processes.WORKER.command),
        ("beat", processes.BEAT.command),
        ("migrate", ("sh", "-c", f"{' '.join(processes.MIGRATE)} && {' '.join(processes.PREPARE)}")),
    ],
)
def test_command_is_the_projects_own(compose, service, command):
    assert tuple(compose["services"][service]["command"]) == command


def test_image_starts_the_web_server_by_default(dockerfile):
    command = re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert command is not None
    assert tuple(json.loads(command[1])) == processes.web("0.0.0.0:8000").command


def test_postgres_has_the_embedded_ones_major_version(compose):
    major = re.search(r"\(PostgreSQL\) (\d+)", _version(embedded.find_binaries().postgres / "postgres"))
    assert major is not None
    assert compose["services"]["postgres"]["image"] == f"postgres:{major[1]}"


@pytest.mark.slow
def test_postgres_makes_the_database_and_its_roles(compose, tmp_path):
    service = compose["services"]["postgres"]
    variables = service["environment"] | {"DATABASE_PASSWORD": "owner1", "WEB_DATABASE_PASSWORD": "web2"}
    script = compose["configs"]["postgres-role"]["content"].replace("$$", "$")
    programs, data = embedded.find_binaries().postgres, tmp_path / "data"
    owner = find_owner(data)
    open_installation(owner, programs)
    owner.reach(data)
    owner.make_private(data)
    # The image's own settings, and where its script finds programs and server.
    variables |= {"LANG": "en_US.utf8", "PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": str(data)}

    def run(*command: str | Path) -> None:
        done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd="/", **owner.popen())
        assert done.returncode == 0, done.stderr

    run(
        "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--no-sync",
        "-A",
        "trust",
        *service["environment"]["POSTGRES_INITDB_ARGS"].split(),
    )
    options = "-c listen_addresses='' -c shared_buffers=16MB -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", f"-k {data} {options}", "start")
    try:
        run("bash", "-c", script)
        asked = "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s"
        for user in ("rollcall", "rollcall_web"):
            with psycopg.connect(host=str(data), user=user, dbname="rollcall") as connection:
                assert connection.execute(asked, ["rollcall"]).fetchone() == ("b", "C.UTF-8", "UTF8")
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def test_postgres_keeps_its_data_where_the_image_of_18_puts_it(compose):
    # From 18 on the image's data lies below /var/lib/postgresql; the older .../data would be left empty.
    assert compose["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_redis_has_the_embedded_ones_version(compose):
    version = re.search(r"v=(\d+\.\d+)\.", _version(embedded.find_binaries().redis))
    assert version is not None
    assert compose["services"]["redis"]["image"] == f"valkey/valkey:{version[1]}"


def test_python_satisfies_the_project(dockerfile):
    bases = set(re.findall(r"^FROM python:(\d+\.\d+)-slim", dockerfile, re.MULTILINE))
    assert len(bases) == 1
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    least = re.fullmatch(r">=(\d+)\.(\d+)", requires)
    assert least is not None
    major, minor = (int(part) for part in bases.pop().split("."))
    assert (major, minor) >= (int(least[1]), int(least[2]))


# What bin/run and developers set, and what compose decides itself: addresses inside it, and its own volume.
NOT_OF_CONTAINERS = {"PORT", "ROLLCALL_VAR"}
NOT_OF_OPERATORS = {"DEBUG", "DEMO_SIGN_INS", "ROLLCALL_PROCESS"}
DECIDED_BY_COMPOSE = {"DATABASE_URL", "REDIS_URL", "WEB_DATABASE_URL", "MADE_FILES_DIR"}


def _variables_in(document: str) -> set[str]:
    """Return the variables of a document's table: those in the first cell of its lines."""
    cells = re.findall(r"^\| (`[^|]+) \|", (ROOT / document).read_text(), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)}


def test_the_readme_names_every_variable_that_is_read():
    assert _read_by_settings() - NOT_OF_OPERATORS <= _variables_in("README.md")
    assert _variables_in("docs/operate/proxies.md") <= _variables_in("README.md")


@pytest.mark.parametrize("service", ["migrate", "web", "worker", "beat"])
def test_every_variable_of_the_readme_reaches_the_containers(compose, service):
    given = compose["services"][service]["environment"]
    expected = _variables_in("README.md") - NOT_OF_CONTAINERS
    if service != "web":
        expected -= {"WEB_DATABASE_URL"}
    assert set(given) == expected
    for name in expected - DECIDED_BY_COMPOSE:
        assert re.match(rf"\$\{{{name}:[-?]", given[name]), name


def test_what_is_left_empty_is_as_if_not_set(compose):
    given = compose["services"]["web"]["environment"]
    least = {
        "SECRET_KEY": "a long and random text of more than 32",
        "ALLOWED_HOSTS": "rollcall.example",
        "PORT": "8000",
    }
    left_empty = {name: _filled_in(text, least) for name, text in given.items()}
    least |= {name: left_empty[name] for name in DECIDED_BY_COMPOSE | {"PUBLIC_URL"}}
    assert left_empty["TRUSTED_PROXIES"] == left_empty["EMAIL_FROM"] == ""
    show = (
        "import json; from config import settings as s;"
        "print(json.dumps({n: repr(getattr(s, n)) for n in dir(s) if n.isupper()}))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", show],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for environment in (left_empty, least)
    ]
    assert json.loads(outputs[0]) == json.loads(outputs[1])


def _filled_in(text: str, given: dict[str, str]) -> str:
    """Return a value of the compose file as Compose fills it in; a default may name another variable."""
    inner = re.sub(r"\$\{(PORT):-8000\}", lambda match: given[match[1]], text)
    return re.sub(r"\$\{([A-Z_0-9]+):[-?]([^}]*)\}", lambda match: given.get(match[1]) or _default(match), inner)


def _default(match: re.Match[str]) -> str:
    return match[2] if ":-" in match[0] else "a-password"


@pytest.mark.parametrize("service", ["migrate", "web", "worker", "beat", "postgres", "redis"])
def test_logs_do_not_fill_the_disk(compose, service):
    assert compose["services"][service]["logging"]["options"] == {"max-size": "20m", "max-file": "5"}


def test_a_download_may_finish_when_containers_stop(compose):
    assert int(compose["services"]["web"]["stop_grace_period"].removesuffix("s")) > processes.DOWNLOAD_PATIENCE
    assert processes.WEB.patience > processes.DOWNLOAD_PATIENCE


def test_secrets_come_from_the_environment(compose):
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET_KEY$|PASSWORD", name):
                assert re.fullmatch(rf"\$\{{{name}:\?[^}}]+\}}", value), name


def test_image_build_gives_every_variable_the_settings_require(dockerfile):
    given = re.search(r"^RUN ((?:[A-Z_]+=\S+ )+)", dockerfile, re.MULTILINE)
    assert given is not None
    environment = dict(word.split("=", 1) for word in given[1].split())
    assert set(environment) == _required_by_settings()
    subprocess.run([sys.executable, "-c", "import config.settings"], cwd=ROOT, env=environment, check=True)


def test_image_is_not_run_by_root(dockerfile):
    user = re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)
    assert user == ["rollcall"]
    assert "apt-get" not in dockerfile.partition("USER rollcall")[2]


def test_image_has_the_backup_programs_of_the_servers_version(compose, dockerfile):
    assert compose["services"]["postgres"]["image"] == "postgres:18"
    assert re.findall(r"postgresql-client-(\d+)", dockerfile) == ["18"]


def test_everything_lasting_restarts_and_is_watched(compose):
    for name, service in compose["services"].items():
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name


def test_the_application_waits_for_migrations_and_services(compose):
    for name in ("web", "worker", "beat"):
        waits = compose["services"][name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        assert waits["postgres"]["condition"] == waits["redis"]["condition"] == "service_healthy"


def test_every_named_volume_is_declared(compose):
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    assert used == set(compose["volumes"])


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_made_files_are_shared(compose, dockerfile, service):
    place = compose["services"][service]["environment"]["MADE_FILES_DIR"]
    assert f"files:{place}" in compose["services"][service]["volumes"]
    # A new volume is filled from the image, with who owns it.
    assert f"mkdir {place.removeprefix('/app/')} " in dockerfile
    assert dockerfile.index("mkdir var/files") < dockerfile.index("chown -R rollcall: var")


def test_pages_are_published_to_this_machine_only(compose):
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]
    for name in ("postgres", "redis"):
        assert "ports" not in compose["services"][name]


def test_every_copied_path_reaches_the_build(dockerfile):
    let_in = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert source in let_in, source


def test_postgres_is_tuned_alike(compose):
    ours = tuning(memory=24 * 1024**3, cores=2, fast=False)
    given = dict(word.split("=", 1) for word in compose["services"]["postgres"]["command"] if "=" in word)
    given.pop("shared_buffers")
    assert given == {name: ours[name] for name in given}
