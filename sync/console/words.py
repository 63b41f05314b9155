"""The console's words for states, yes and no, scores and lengths of time, in KnowBe4's API's words and units."""

import re
from functools import cache, lru_cache

from sync.console.columns import normalized
from sync.console.moments import BLANKS

# KnowBe4's API words (seen live and in its API documentation) for what the console writes in other languages.
_STATUSES = {
    "Not Started": (
        "Not Started|Not yet started|Nicht gestartet|Nicht begonnen|Noch nicht begonnen|Non commencé|Pas commencé|"
        "Non démarré|No iniciado|Sin iniciar|Sin comenzar|No comenzado|Niet gestart|Niet begonnen|Nog niet gestart"
    ),
    "In Progress": (
        "In Progress|Started|Incomplete|In Bearbeitung|Begonnen|In Arbeit|Laufend|En cours|Commencé|En curso|"
        "En progreso|En proceso|Iniciado|Bezig|In uitvoering|In behandeling|Gestart|Wordt uitgevoerd"
    ),
    "Completed": (
        "Completed|Complete|Done|Abgeschlossen|Erledigt|Terminé|Achevé|Complété|Completado|Finalizado|Terminado|"
        "Voltooid|Afgerond"
    ),
    "Passed": "Passed|Pass|Bestanden|Réussi|Validé|Aprobado|Superado|Geslaagd|Behaald",
    "Past Due": (
        "Past Due|Overdue|Late|Überfällig|Fällig|Verspätet|En retard|Échu|Vencido|Atrasado|Te laat|Achterstallig|"
        "Verlopen|Over tijd"
    ),
}
_YES = "yes|y|true|1|x|ja|j|wahr|oui|vrai|si|verdadero|waar|acknowledged|bestatigt|accepte|aceptado|bevestigd"
_NO = "no|n|false|0|nein|falsch|non|faux|falso|nee|onwaar|notacknowledged"
_PARTS = re.compile(
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:h|hr|hrs|hours?|std\.?|stunden?|heures?|horas?|uur)\b\.?,?\s*)?"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:m|min|mins|minutes?|minuten?|minutos?)\b\.?,?\s*)?"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:s|sec|secs|seconds?|sek\.?|sekunden?|secondes?|segundos?|seconden)\b\.?)?",
    re.IGNORECASE,
)
LONGEST = 2_000_000_000


@cache
def _statuses() -> dict[str, str]:
    return {normalized(word): api for api, words in _STATUSES.items() for word in words.split("|")}


@lru_cache(4096)
def status(word: str) -> str:
    """Return KnowBe4's API word for the console's; a word nobody knows stays as it came."""
    return _statuses().get(normalized(word), word.strip()[:100])


@lru_cache(4096)
def is_yes(word: str) -> bool | None:
    """Return whether the cell says yes; None for a blank. ValueError for anything else."""
    plain = normalized(word)
    if plain in _YES.split("|"):
        return True
    if plain in _NO.split("|"):
        return False
    if word.strip().lower() in BLANKS:
        return None
    raise ValueError(word)


@lru_cache(4096)
def score(text: str) -> float | None:
    """Return a score in points or percent, "85", "85 %", "85,5"; None for a blank. ValueError for anything else."""
    plain = text.strip().removesuffix("%").strip()
    if plain.lower() in BLANKS:
        return None
    if not re.fullmatch(r"\d{1,6}(?:[.,]\d{1,6})?", plain):
        raise ValueError(text)
    return float(plain.replace(",", "."))


@lru_cache(16384)
def seconds(text: str, *, unit: int = 1) -> int | None:
    """Return a length of time in seconds; None for a blank. ValueError for anything else.

    Understood are h:mm:ss, mm:ss, "1 h 5 min", and bare numbers in units of `unit` seconds.
    """
    plain = text.strip()
    if plain.lower() in BLANKS:
        return None
    clock = re.fullmatch(r"(?:(\d{1,5}):)?(\d{1,5}):(\d{2})(?:[.,]\d+)?", plain)
    if clock:
        return _checked(int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3]), text)
    if re.fullmatch(r"\d{1,9}(?:[.,]\d{1,6})?", plain):
        return _checked(round(float(plain.replace(",", ".")) * unit), text)
    parts = _PARTS.fullmatch(plain)
    if parts is None or not any(parts.groups()):
        raise ValueError(text)
    hours, minutes, rest = (float((part or "0").replace(",", ".")) for part in parts.groups())
    return _checked(round(hours * 3600 + minutes * 60 + rest), text)


def unit_of(header: str) -> int:
    """Return how many seconds a bare number means under this column name: 60 if it speaks of minutes, 3600 of hours."""
    plain = normalized(header)
    if re.search(r"min(s|ut(e|es|en|os))?$", plain):
        return 60
    return 3600 if re.search(r"(hours?|stunden|heures|horas|uren)$", plain) else 1


@lru_cache(4096)
def is_archived(word: str) -> bool:
    """Return whether a person's status says that they no longer take part."""
    return normalized(word) in {
        *("archived", "inactive", "disabled", "archiviert", "inaktiv", "archive", "inactif"),
        *("archivado", "inactivo", "gearchiveerd", "inactief"),
    }


@lru_cache(4096)
def is_policy(content_type: str) -> bool:
    """Return whether a content type means an uploaded policy."""
    plain = normalized(content_type)
    return any(word in plain for word in ("policy", "richtlinie", "politique", "politica", "beleid"))


def _checked(value: int, text: str) -> int:
    if value > LONGEST:
        raise ValueError(text)
    return value
