"""Words in names that tell a trigger, in English, German, French, Spanish and Dutch.

Names are compared folded: lower case, without accents, so "Remédiation" and "REMEDIATION" are one word.
"""

import re
import unicodedata
from functools import lru_cache

from dashboard.models import Trigger


def fold(text: str) -> str:
    """Return the text in lower case without accents, inner spaces collapsed."""
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(x for x in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(x))
    return " ".join(folded.split())


# Each line is one language; a word ends where the pattern says so. The first trigger that matches wins: who fails a
# quarterly phishing test is enrolled for failing it.
_PATTERNS = {
    Trigger.PHISHING_FAILURE: (
        r"remedia(?:l|tion)\b|after (?:the|a) click|(?:repeat )?clickers?\b|phish(?:ing)?[ -]?prone"
        r"|fail(?:ed|ure|ures|ers?|ing)?\b.{0,20}\bphish\w*|phish\w*\b.{0,20}\bfail(?:ed|ure|ures|ers?)?\b"
        r"|caught (?:by|in) (?:a )?phish\w*",
        r"nachschulung\w*|nach dem klick|\w*klicker\b|phishing\w*.{0,20}\b(?:durchgefallen|nicht bestanden)",
        r"remediation\b|apres (?:le|un) clic|cliqueurs?\b|rattrapage\b.{0,20}\bphishing"
        r"|echec\w*\b.{0,25}\b(?:phishing|hameconnage)",
        r"remediacion\b|tras (?:el|un) clic|fallo\b.{0,20}\bphishing|phishing.{0,20}\bfall(?:ido|ado|aron|o)\b"
        r"|suspenso\w*\b.{0,20}\bphishing",
        r"na de klik|klikkers?\b|(?:bij|her)scholing\b.{0,20}\bphishing"
        r"|phishing.{0,20}\b(?:gezakt|(?:bij|her)scholing)",
    ),
    Trigger.NEW_HIRE: (
        r"new[ -]?(?:hires?|starters?|joiners?|employees?|staff|recruits?|colleagues?)\b|newcomers?\b|joiners?\b"
        r"|on-?boarding\b|induction\b|orientation\b",
        r"neue[nr]? (?:mitarbeit|kolleg|beschaftigt)\w*|neu(?:zugang|zugange|eintritte?|einstellung(?:en)?|starter)\b"
        r"|einarbeitung\w*|erstunterweisung\w*",
        r"nouv(?:eaux|elles?|el) (?:arriva\w+|collaborat\w+|employe\w*|recrues?|salarie\w*|embauche\w*)"
        r"|parcours d.integration",
        r"nuev[oa]s? (?:emplead|incorporaci|ingreso|colaborador|trabajador)\w*|induccion\b",
        r"nieuwe (?:medewerker|collega|werknemer)\w*|nieuwkomers?\b|indiensttreding\b|inwerk\w*",
    ),
    Trigger.MANAGER_REQUEST: (
        r"(?:manager|supervisor|team lead|department)(?:'?s)?[ -]?(?:request|assigned)\w*|requested by\b"
        r"|at the request of\b|on request\b",
        r"auf (?:wunsch|anfrage|anforderung)\b|(?:anforderung|wunsch) (?:der|des|von)\b.{0,20}"
        r"\b(?:fuhrungskraft|vorgesetzten?|leitung)|von vorgesetzten",
        r"(?:a la )?demande (?:du|de la|d.un|des?) ?(?:manager|responsable|direction|chef)\w*|a la demande\b",
        r"(?:solicitud|peticion) de(?:l| la)? ?(?:gerente|responsable|jef[ea]|manager|direccion)\b|a peticion\b"
        r"|solicitad[oa] por\b",
        r"op verzoek\b|verzoek (?:van )?(?:de )?(?:manager|leidinggevende)|aangevraagd door\b",
    ),
    Trigger.SCHEDULED: (
        r"annual\b|yearly\b|(?:half|mid)[ -]?year(?:ly)?\b|semi-?annual\b|bi-?annual\b|quarterly\b|monthly\b|weekly\b",
        r"(?:halb|viertel)?ja(?:e)?hrlich\w*|jahres(?:schulung|unterweisung|training)\w*|quartals\w+|monatlich\w*"
        r"|wochentlich\w*",
        r"annuel(?:le)?s?\b|semestriel(?:le)?s?\b|trimestriel(?:le)?s?\b|mensuel(?:le)?s?\b|hebdomadaires?\b",
        r"anual(?:es)?\b|semestral(?:es)?\b|trimestral(?:es)?\b|mensual(?:es)?\b|semanal(?:es)?\b",
        r"(?:half)?jaarlijkse?\b|(?:drie)?maandelijkse?\b|kwartaal\w*|wekelijkse?\b",
    ),
}
_COMPILED = {
    trigger: re.compile("|".join(rf"\b(?:{pattern})" for pattern in patterns))
    for trigger, patterns in _PATTERNS.items()
}
# A group is named for whom it holds; how often they train is no name for a group.
_OF_GROUPS = (Trigger.PHISHING_FAILURE, Trigger.NEW_HIRE)


def in_campaign_name(name: str) -> tuple[Trigger, str] | None:
    """Return the trigger that a campaign's name tells and the words that tell it, folded; None when none do."""
    return _first(name, tuple(_COMPILED))


def in_group_name(name: str) -> tuple[Trigger, str] | None:
    """Return the trigger that a group's name tells (failed tests or new hires) and the words; None when none do."""
    return _first(name, _OF_GROUPS)


# Names hardly change from one sync to the next.
@lru_cache(maxsize=10_000)
def _first(name: str, triggers: tuple[Trigger, ...]) -> tuple[Trigger, str] | None:
    folded = fold(name)
    for trigger in triggers:
        found = _COMPILED[trigger].search(folded)
        if found:
            return trigger, found.group()
    return None
