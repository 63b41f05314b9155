"""The ZIP itself: the same bytes for the same data, whoever packs it and when.

Files lie in it in a fixed order, with the day that ZIP counts from, and packed by one method; the manifest comes last.
"""

import csv
import hashlib
import heapq
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dashboard.evidence.contents import Listing, written
from dashboard.evidence.sample import rank

FORMAT = "rollcall-evidence/1"
START = "0" * 64
VERIFY = Path(__file__).with_name("verify.py")
_DAY = (1980, 1, 1, 0, 0, 0)
_ROWS_BETWEEN = 1_000


@dataclass
class Sample:
    """The enrollments drawn, while their rows go by: see `dashboard.evidence.sample`."""

    seed: str
    size: int
    of: int = 0
    heads: Sequence[str] = ()
    _drawn: list[tuple[int, int, list[str]]] = field(default_factory=list)

    def see(self, key: int, row: list[str]) -> None:
        """Look at one row: it is in, as long as no more rows than wanted come before it."""
        self.of += 1
        if not self.size:
            return
        # A heap with the last of the sample on top.
        entry = (-int(rank(self.seed, key), 16), key, row)
        if len(self._drawn) < self.size:
            heapq.heappush(self._drawn, entry)
        elif entry[0] > self._drawn[0][0]:
            heapq.heapreplace(self._drawn, entry)

    @property
    def rows(self) -> list[list[str]]:
        """The rows in the sample's order."""
        return [row for _rank, _key, row in sorted(self._drawn, reverse=True)]

    @property
    def ids(self) -> list[int]:
        """Their ids in the sample's order."""
        return [key for _rank, key, _row in sorted(self._drawn, reverse=True)]


class Pack:
    """A pack being written to a file."""

    def __init__(self, to: IO[bytes], progress: Callable[[int], None]) -> None:
        self.archive = zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.entries: list[dict[str, Any]] = []
        self.progress, self.done = progress, 0

    def add(self, path: str, content: bytes, **more: Any) -> None:
        """Add a file as it is."""
        self.archive.writestr(_info(path), content, zipfile.ZIP_DEFLATED, 6)
        digest = hashlib.sha256(content).hexdigest()
        self.entries.append({"path": path, "bytes": len(content), "sha256": digest, **more})

    def add_rows(self, path: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], sample: Sample | None) -> int:
        """Add a table, row by row, and return how many there are. Memory does not grow with it."""
        count = 0
        with self.archive.open(_info(path), "w", force_zip64=True) as raw:
            file = _Hashed(raw)
            text = io.TextIOWrapper(io.BufferedWriter(file), encoding="utf-8-sig", errors="surrogatepass", newline="")
            writer = csv.writer(text, lineterminator="\r\n")
            writer.writerow(heads)
            for row in rows:
                cells = [written(value) for value in row]
                writer.writerow(cells)
                if sample is not None:
                    sample.see(int(row[0]), cells)
                count += 1
                if count % _ROWS_BETWEEN == 0:
                    self.progress(self.done + count)
            text.flush()
            text.detach().detach()
        self.done += count
        self.progress(self.done)
        self.entries.append({"path": path, "bytes": file.size, "sha256": file.digest.hexdigest(), "rows": count})
        return count

    def add_listing(self, listing: Listing, sample: Sample | None = None) -> int:
        """Add one of the tables of `contents`."""
        if sample is not None:
            sample.heads = listing.heads
        return self.add_rows(listing.path, listing.heads, listing.rows(), sample)

    def seal(self, manifest: dict[str, Any], previous: str) -> str:
        """Add the manifest, close the pack, and return the manifest's SHA-256.

        `previous` is the hash of the manifest before, `START` for the first. The chain value is the SHA-256 of that
        hash and of every file's, each with its name on a line, in the order of the names.
        """
        entries = sorted(self.entries, key=lambda entry: str(entry["path"]))
        chain = previous + "\n" + "".join(f"{entry['sha256']}  {entry['path']}\n" for entry in entries)
        whole = {
            "format": FORMAT,
            **manifest,
            "files": entries,
            "chain": hashlib.sha256(chain.encode()).hexdigest(),
        }
        raw = (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
        self.archive.writestr(_info("manifest.json"), raw, zipfile.ZIP_DEFLATED, 6)
        self.archive.close()
        return hashlib.sha256(raw).hexdigest()

    def close(self) -> None:
        """Close a pack that may not be sealed, as when the disk is full: then it is none, and nobody is told."""
        with suppress(OSError, ValueError):
            self.archive.close()


class _Hashed(io.RawIOBase):
    """A file that passes on what is written, and counts and hashes it."""

    def __init__(self, to: IO[bytes]) -> None:
        super().__init__()
        self.to, self.size, self.digest = to, 0, hashlib.sha256()

    def writable(self) -> bool:
        """It is there to be written."""
        return True

    def write(self, data: Any) -> int:
        """Pass on some bytes."""
        piece = bytes(data)
        self.to.write(piece)
        self.digest.update(piece)
        self.size += len(piece)
        return len(piece)


def _info(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _DAY)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    return info


README = """Evidence pack
=============

{account}, {first_day} to {last_day} ({time_zone}); {scope}.
Figures and states as of {as_of}; packed by {requested_by}, asked for at {requested_at}.

What is in it
-------------
{listing}
quarterly_review.pdf: the Quarterly review of the last quarter of the period, where one could be made
sample.csv: the random sample
manifest.json: the size and SHA-256 of every file, figures, sample, and the hash of the manifest before
verify.py: checks all of this; it needs Python 3.8 or later and no network

{left_out}How to read it
--------------
CSV in UTF-8 with CRLF. Moments are UTC. An empty field is "not known" or "not so". Before what
a spreadsheet would run as a formula, at the start of a text or after a separator in it, stands an apostrophe that is
not part of it. enrollments.csv has state and counted as of the end of the period: a row counts if its campaign and
person do at that moment. Net figures leave out who was exempt.

How to check it
---------------
Extract it to a folder of its own and run:  python -I verify.py
Compare the SHA-256 of the manifest that it prints with the one that Rollcall shows for this pack, or with the one
that the next pack names as its previous. To check the chain, give it the manifest.json of the pack before:
python -I verify.py --previous ../pack-before/manifest.json

The audit log
-------------
When this pack was made the log of the account had {log_events} events; the hash of the last is
{log_hash}
Whoever runs Rollcall shows that nothing before that was changed since:  manage.py verify_audit --since-pack FILE

How the sample is drawn
-----------------------
Of every enrollment in enrollments.csv take the SHA-256, in hexadecimal, of the text "SEED:ID", where SEED is {seed}
and ID is enrollment_id. Sort by it; the first {size} are the sample. In a shell, with the ids one on a line:

    while read id; do printf '%s:%s' 'SEED' "$id" | sha256sum | cut -c1-64 | tr '\\n' ' '; echo "$id"; done | sort
"""
