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
import os
import sys

FORMAT = "rollcall-evidence/1"
START = "0" * 64
STATES = ("completed", "past_due", "in_progress", "not_started")


def main(arguments):
    """Check the pack; return how many problems there are."""
    folder, previous = os.path.dirname(os.path.abspath(__file__)), None
    while arguments:
        word = arguments.pop(0)
        if word == "--previous" and arguments:
            previous = arguments.pop(0)
        elif word.startswith("-"):
            sys.stderr.write(__doc__)
            return 2
        else:
            folder = word
    # Whatever names a file holds, they can be written out.
    sys.stdout.reconfigure(errors="backslashreplace")
    problems = []
    try:
        with open(os.path.join(folder, "manifest.json"), "rb") as file:
            raw = file.read()
        manifest = json.loads(raw.decode("utf-8"))
        if manifest["format"] != FORMAT:
            problems.append("manifest.json is of another format: %r" % (manifest["format"],))
        check_files(folder, manifest, problems)
        check_chain(manifest, previous, problems)
        check_rows(folder, manifest, problems)
    except (OSError, ValueError, KeyError, TypeError, IndexError, csv.Error) as error:
        problems.append("The pack cannot be read: %s: %s" % (type(error).__name__, error))
        raw = None
    for problem in problems:
        say("PROBLEM  " + problem)
    if raw is not None:
        say("This pack's manifest: SHA-256 " + hashlib.sha256(raw).hexdigest())
    say("Everything holds." if not problems else "%d problem(s)." % len(problems))
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
        place = os.path.join(folder, path)
        if os.path.basename(path) != path or not os.path.isfile(place):
            problems.append("%s is missing" % path)
            continue
        digest, size = hashlib.sha256(), 0
        with open(place, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
                size += len(piece)
        if size != entry["bytes"] or digest.hexdigest() != entry["sha256"]:
            problems.append("%s is not as it was packed" % path)
    for path in sorted(os.listdir(folder)):
        if path not in listed and path not in ("manifest.json", "__pycache__"):
            problems.append("%s is in the folder and not in the pack" % path)
    say("Files: %d, by size and SHA-256" % len(listed))


def check_chain(manifest, previous, problems):
    """Hold the chain value to the files and the pack before, and the pack before to what is said of it."""
    before = manifest["previous"]["manifest_sha256"]
    text = before + "\n"
    for entry in sorted(manifest["files"], key=lambda entry: entry["path"]):
        text += "%s  %s\n" % (entry["sha256"], entry["path"])
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != manifest["chain"]:
        problems.append("The chain value does not fit the files and the pack before")
    number = manifest["number"]
    if (number == 1) != (before == START) or manifest["previous"]["number"] != number - 1:
        problems.append("The number does not fit the pack before")
    if previous is not None:
        with open(previous, "rb") as file:
            raw = file.read()
        if hashlib.sha256(raw).hexdigest() != before:
            problems.append("The manifest given is not that of the pack before")
        elif json.loads(raw.decode("utf-8"))["number"] != number - 1:
            problems.append("The pack before has another number")
    say("Chain: pack %s, after %s%s" % (number, before, "" if previous is None else " (held to its manifest)"))


def check_rows(folder, manifest, problems):
    """Hold the rows to the counts, the enrollments to the people, and the sample to its rule."""
    for entry in manifest["files"]:
        if "rows" in entry and entry["path"] != "enrollments.csv":
            found = sum(1 for _ in rows_of(folder, entry["path"]))
            if found != entry["rows"]:
                problems.append("%s has %d rows instead of %d" % (entry["path"], found, entry["rows"]))
    people = {row["person_id"] for row in rows_of(folder, "population.csv")}
    as_of = manifest["period"]["as_of"]
    counts = dict.fromkeys(("counted",) + STATES, 0)
    counted, late, keys = set(), set(), []
    for row in rows_of(folder, "enrollments.csv"):
        keys.append(int(row["enrollment_id"]))
        if row["person_id"] not in people:
            problems.append("Enrollment %s is of nobody in the population" % row["enrollment_id"])
        state = state_of(row, as_of)
        if state != row["state"]:
            problems.append("Enrollment %s is %s by its dates, not %s" % (row["enrollment_id"], state, row["state"]))
        if row["counted"] == "yes":
            counts["counted"] += 1
            counts[state] += 1
            counted.add(row["person_id"])
            if state == "past_due":
                late.add(row["person_id"])
    counts["people_counted"], counts["people_past_due"] = len(counted), len(late)
    for name, number in manifest["figures"]["gross"].items():
        if counts[name] != number:
            problems.append("%s is %d by the rows, not %d" % (name, counts[name], number))
    listed = next(entry for entry in manifest["files"] if entry["path"] == "enrollments.csv")
    if listed["rows"] != len(keys) or len(set(keys)) != len(keys):
        problems.append("enrollments.csv has %d rows instead of %d" % (len(keys), listed["rows"]))
    say("Rows: %d enrollments of %d people; states and figures worked out anew" % (len(keys), len(people)))
    sample = manifest["sample"]
    ordered = sorted(
        keys, key=lambda key: hashlib.sha256(("%s:%d" % (sample["seed"], key)).encode("utf-8")).hexdigest()
    )
    drawn = ordered[: sample["size"]]
    if sample["from"] != len(keys) or sample["ids"] != drawn:
        problems.append("The sample is not what its seed draws")
    if [int(row["enrollment_id"]) for row in rows_of(folder, "sample.csv")] != drawn:
        problems.append("sample.csv is not the sample")
    say("Sample: %d of %d, seed %s, drawn again" % (len(drawn), len(keys), sample["seed"]))


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
    with open(os.path.join(folder, path), encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
