"""The version of this installation."""

import tomllib
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"

# Stands in pyproject.toml alone: the footer, /health/ready and the CHANGELOG's sections go by it.
VERSION: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
