"""`manage.py third_party_notices`: the packages Rollcall is made with, and their licences in full."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from typing import Any

from config.commands import PlainCommand

_LICENSE_FILE = re.compile(r"(licen[cs]e|copying|notice|ofl)", re.IGNORECASE)


class Command(PlainCommand):
    help = (
        "Print every package installed beside Rollcall: name, version, licence and the licence's own text, as each "
        "package carries it. Redirect it into a file and hand that on with the installation."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        for distribution in sorted(distributions(), key=lambda one: one.metadata["Name"].lower()):
            heading = f"{distribution.metadata['Name']} {distribution.version}"
            self.stdout.write(f"{heading}\n{'=' * len(heading)}\nLicence: {licence(distribution)}\n")
            for text in texts(distribution):
                self.stdout.write(f"\n{text.strip()}\n")
            self.stdout.write("\n")


def licence(distribution: Distribution) -> str:
    """Return what a package says its licence is: by SPDX expression, else by classifiers, else by the old field's first
    line; "not said" where it says nothing.
    """
    metadata = distribution.metadata
    if expressions := metadata.get_all("License-Expression"):
        return expressions[0]
    names = [
        classifier.rpartition(" :: ")[2]
        for classifier in metadata.get_all("Classifier", [])
        if classifier.startswith("License :: ") and classifier != "License :: OSI Approved"
    ]
    return ", ".join(names) or metadata.get_all("License", ["not said"])[0].strip().partition("\n")[0]


def texts(distribution: Distribution) -> Iterator[str]:
    """Yield the text of each licence file that a package brought, those inside it (fonts, scripts) too."""
    for path in distribution.files or ():
        if _LICENSE_FILE.search(path.stem) and path.suffix.lower() in ("", ".txt", ".md", ".rst"):
            yield path.read_text(encoding="utf-8")
