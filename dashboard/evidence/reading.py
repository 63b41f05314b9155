"""Read from a pack, or from its manifest alone, where the audit log ended when it was made."""

import json
import zipfile
from pathlib import Path
from typing import Any

from dashboard.audit.chain import START, Anchor
from dashboard.evidence.packing import FORMAT

# A manifest lists files and sample: much larger ones are none.
_LARGEST = 64 * 1024 * 1024


class NotAPackError(ValueError):
    """The file is no evidence pack, no manifest of one, or was made before packs held the log's end; says which."""


def noted_in(path: Path) -> tuple[int, Anchor]:
    """Return which account's log a pack (the ZIP, or its manifest.json) notes the end of, and that end.

    NotAPackError for any other file.
    """
    try:
        manifest = json.loads(_manifest(path).decode("utf-8"))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise NotAPackError(f"{path} is no evidence pack of Rollcall, nor the manifest.json of one.")
        if "audit_log" not in manifest:
            raise NotAPackError(f"{path} was made before packs held the end of the audit log: take a later one.")
        return _anchor(manifest["audit_log"])
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotAPackError(f"{path} cannot be read as an evidence pack: {type(error).__name__}.") from error


def _manifest(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return file.read(_LARGEST)
    with zipfile.ZipFile(path) as archive, archive.open("manifest.json") as entry:
        return entry.read(_LARGEST)


def _anchor(log: dict[str, Any]) -> tuple[int, Anchor]:
    chain, events, digest = log["chain"], log["events"], log["last_hash"]
    is_whole = isinstance(chain, int) and isinstance(events, int) and events >= 0
    if not is_whole or not isinstance(digest, str) or len(digest) != len(START):
        raise TypeError("audit_log")
    return chain, Anchor(events, digest)
