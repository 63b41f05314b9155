"""Names that look alike, where somebody chooses among them: each of such a group says its number as well."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from unicodedata import normalize

from django.utils.translation import gettext as _

from dashboard.isolation import visible

# Letters of Cyrillic and Greek that a Latin one cannot be told from in print, after folding case.
_CONFUSED = str.maketrans("авеёікмнорсԁԛѕтухјһԝыοαβεικνρτυχζηϲ", "abeeikmhopcdqstyxjhwboabeikvptuxzhc")


def skeleton(name: str) -> str:
    """Return what two names share that look alike: case, blanks, forms, hidden characters and scripts set aside."""
    plain = name if name.isascii() else normalize("NFKC", visible(name))
    return " ".join(plain.casefold().translate(_CONFUSED).split())


def told_apart(choices: Iterable[tuple[Any, str]]) -> list[tuple[Any, str]]:
    """Return choices, by key, with the key beside each name that looks like another one's: "Claims (ID 12)"."""
    listed = [(key, label, skeleton(label)) for key, label in choices]
    counts = Counter(bones for _key, _label, bones in listed)
    return [
        (key, _("%(name)s (ID %(key)s)") % {"name": label, "key": key} if counts[bones] > 1 else label)
        for key, label, bones in listed
    ]
