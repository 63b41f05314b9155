"""Checks the evidence pack it came in. It needs Python 3.8 or later and nothing else, and it asks no network.

    python -I verify.py                         in the folder that the pack was extracted to
    python -I verify.py FOLDER                  for a pack somewhere else
    python -I verify.py --previous MANIFEST     also checks the chain against the manifest.json of the pack before

It prints what it looked at and ends with 0 when everything holds, with 1 when anything does not. Whether this file is
itself as it left Rollcall shows by its hash in a manifest whose own hash you have from somewhere else: the page that
lists the packs, or the pack that came next.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

FORMAT = "rollcall-evidence/1"
START = "0" * 64
STATES = ("completed", "past_due", "in_progress", "not_started")


def main(arguments):
    """Check the pack; return how many problems there are."""
    folder, previous = Path(__file__).resolve().parent, None
    while arguments:
        word = arguments.pop(0)
        if word == "--previous" and arguments:
            previous = Path(arguments.pop(0))
        elif word.startswith("-"):
            sys.stderr.write(__doc__)
            return 2
        else:
            folder = Path(word)
    # Whatever names a file holds, they can be written out.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    problems = []
    try:
        raw = (folder / "manifest.json").read_bytes()
        manifest = json.loads(raw.decode("utf-8"))
        if manifest["format"] != FORMAT:
            problems.append(f"manifest.json is of another format: {manifest['format']!r}")
        check_files(folder, manifest, problems)
        check_chain(manifest, previous, problems)
        check_rows(folder, manifest, problems)
    except (OSError, ValueError, KeyError, TypeError, IndexError, csv.Error) as error:
        problems.append(f"The pack cannot be read: {type(error).__name__}: {error}")
        raw = None
    for problem in problems:
        say("PROBLEM  " + problem)
    if raw is not None:
        say("This pack's manifest: SHA-256 " + hashlib.sha256(raw).hexdigest())
        if isinstance(manifest.get("audit_log"), dict):
            log = manifest["audit_log"]
            say(f"Audit log when it was made: {log.get('events')} events, the last hash {log.get('last_hash')}")
    say("Everything holds." if not problems else f"{len(problems)} problem(s).")
    return min(len(problems), 1)


def say(line):
    """Print a line."""
    sys.stdout.write(line + "\n")


def check_files(folder, manifest, problems):
    """Hold every file to its size and hash, and the folder to the list."""
    listed = {entry["path"]: entry for entry in manifest["files"]}
    if len(listed) != len(manifest["files"]):
        problems.append("A file is listed twice.")
    for path, entry in sorted(listed.items()):
        place = folder / path
        if Path(path).name != path or not place.is_file():
            problems.append(f"{path} is missing")
            continue
        digest, size = hashlib.sha256(), 0
        with place.open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
                size += len(piece)
        if size != entry["bytes"] or digest.hexdigest() != entry["sha256"]:
            problems.append(f"{path} is not as it was packed")
    for path in sorted(place.name for place in folder.iterdir()):
        if path not in listed and path not in ("manifest.json", "__pycache__"):
            problems.append(f"{path} is in the folder and not in the pack")
    say(f"Files: {len(listed)}, by size and SHA-256")


def check_chain(manifest, previous, problems):
    """Hold the chain value to the files and the pack before, and the pack before to what is said of it."""
    before = manifest["previous"]["manifest_sha256"]
    text = before + "\n"
    for entry in sorted(manifest["files"], key=lambda entry: entry["path"]):
        text += f"{entry['sha256']}  {entry['path']}\n"
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != manifest["chain"]:
        problems.append("The chain value does not fit the files and the pack before")
    number = manifest["number"]
    if (number == 1) != (before == START) or manifest["previous"]["number"] != number - 1:
        problems.append("The number does not fit the pack before")
    if previous is not None:
        raw = previous.read_bytes()
        if hashlib.sha256(raw).hexdigest() != before:
            problems.append("The manifest given is not that of the pack before")
        elif json.loads(raw.decode("utf-8"))["number"] != number - 1:
            problems.append("The pack before has another number")
    say(f"Chain: pack {number}, after {before}{'' if previous is None else ' (held to its manifest)'}")


def check_rows(folder, manifest, problems):
    """Hold the rows to the counts, the enrollments to the people, and the sample to its rule."""
    for entry in manifest["files"]:
        if "rows" in entry and entry["path"] != "enrollments.csv":
            found = sum(1 for _ in rows_of(folder, entry["path"]))
            if found != entry["rows"]:
                problems.append(f"{entry['path']} has {found} rows instead of {entry['rows']}")
    people = {row["person_id"] for row in rows_of(folder, "population.csv")}
    as_of = manifest["period"]["as_of"]
    counts = dict.fromkeys(("counted", *STATES), 0)
    counted, late, keys = set(), set(), []
    for row in rows_of(folder, "enrollments.csv"):
        keys.append(int(row["enrollment_id"]))
        if row["person_id"] not in people:
            problems.append(f"Enrollment {row['enrollment_id']} is of nobody in the population")
        state = state_of(row, as_of)
        if state != row["state"]:
            problems.append(f"Enrollment {row['enrollment_id']} is {state} by its dates, not {row['state']}")
        if row["counted"] == "yes":
            counts["counted"] += 1
            counts[state] += 1
            counted.add(row["person_id"])
            if state == "past_due":
                late.add(row["person_id"])
    counts["people_counted"], counts["people_past_due"] = len(counted), len(late)
    for name, number in manifest["figures"]["gross"].items():
        if counts[name] != number:
            problems.append(f"{name} is {counts[name]} by the rows, not {number}")
    listed = next(entry for entry in manifest["files"] if entry["path"] == "enrollments.csv")
    if listed["rows"] != len(keys) or len(set(keys)) != len(keys):
        problems.append(f"enrollments.csv has {len(keys)} rows instead of {listed['rows']}")
    say(f"Rows: {len(keys)} enrollments of {len(people)} people; states and figures worked out anew")
    sample = manifest["sample"]
    seed = sample["seed"]
    ordered = sorted(keys, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).hexdigest())
    drawn = ordered[: sample["size"]]
    if sample["from"] != len(keys) or sample["ids"] != drawn:
        problems.append("The sample is not what its seed draws")
    if [int(row["enrollment_id"]) for row in rows_of(folder, "sample.csv")] != drawn:
        problems.append("sample.csv is not the sample")
    say(f"Sample: {len(drawn)} of {len(keys)}, seed {seed}, drawn again")


def state_of(row, as_of):
    """Return an enrollment's state at a moment, by its dates. All are UTC and written alike, so texts compare."""
    if row["completed_at"] and row["completed_at"] <= as_of:
        return "completed"
    if row["due_at"] and row["due_at"] <= as_of:
        return "past_due"
    return "in_progress" if row["started_at"] and row["started_at"] <= as_of else "not_started"


def rows_of(folder, path):
    """Yield the rows of a CSV file, by their heads."""
    csv.field_size_limit(1 << 27)
    with (folder / path).open(encoding="utf-8-sig", newline="", errors="surrogatepass") as file:
        yield from csv.DictReader(file, strict=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
