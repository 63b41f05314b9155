"""Words in names that tell a trigger."""

import pytest

from dashboard.models import Trigger
from dashboard.triggers.words import fold, in_campaign_name, in_group_name


@pytest.mark.parametrize(
    ("trigger", "names"),
    [
        (
            Trigger.PHISHING_FAILURE,
            "Phishing remediation, H1 2026|Remedial: after the click|Repeat clickers Q3|Failed phishing test follow-up"
            "|Phish test failures|Nachschulung Phishing|Training nach dem Klick|Für Wiederholungsklicker"
            "|Remédiation hameçonnage|Échec au test de phishing|Rattrapage après un phishing"
            "|Remediación de phishing|Curso tras el clic|Training na de klik|Klikkers herfst|Bijscholing na phishing",
        ),
        (
            Trigger.NEW_HIRE,
            "New hire onboarding, H2 2026|New-starter basics|Induction|On-boarding|Newcomers 2025"
            "|New Employee Orientation"
            "|Neue Mitarbeiter|Neue Mitarbeitende 2026|Einarbeitung Kundendienst|Neuzugänge|Nouveaux arrivants"
            "|Nouvelles recrues|Parcours d’intégration|Nuevos empleados|Nuevas incorporaciones|Inducción"
            "|Nieuwe medewerkers|Nieuwe collega's|Inwerkprogramma|Indiensttreding",
        ),
        (
            Trigger.MANAGER_REQUEST,
            "Manager request: secure coding|Manager-assigned: privacy|Clean desk (requested by Claims)"
            "|Auf Wunsch der Leitung|Anforderung der Führungskraft|À la demande du responsable|Demande du manager"
            "|Solicitud del responsable|A petición|Op verzoek van leidinggevende|Aangevraagd door Sales",
        ),
        (
            Trigger.SCHEDULED,
            "Annual awareness 2026|Quarterly briefing Q1 2026|Mid-year awareness|Monthly tip|Jährliche Unterweisung"
            "|Jaehrliche Unterweisung|Jahresschulung 2026|Quartalsschulung|Halbjährlich|Formation annuelle"
            "|Rappel trimestriel|Formación anual|Boletín mensual|Jaarlijkse training|Kwartaalupdate",
        ),
    ],
)
def test_campaign_names_tell(trigger: Trigger, names: str) -> None:
    told = {name: in_campaign_name(name) for name in names.split("|")}
    assert {name: found and found[0] for name, found in told.items()} == dict.fromkeys(told, trigger)


@pytest.mark.parametrize(
    "name",
    "Spot the phish refresher|Phishing awareness|Acceptable use policy 2026|Code of conduct|Travel season awareness"
    "|Manual handling|Data request handling|Request for comments|Reindeer games|Renewal of trust"
    "|Passkeys roll-out|Managers: privacy|Hiring managers' privacy course|".split("|"),
)
def test_other_names_tell_nothing(name: str) -> None:
    assert in_campaign_name(name) is None


def test_why_goes_before_how_often() -> None:
    assert in_campaign_name("Quarterly phishing remediation for new hires") == (
        Trigger.PHISHING_FAILURE,
        "remediation",
    )
    assert in_campaign_name("Annual new hire welcome") == (Trigger.NEW_HIRE, "new hire")


def test_groups_are_named_for_whom_they_hold() -> None:
    assert in_group_name("New hires (first 90 days)") == (Trigger.NEW_HIRE, "new hires")
    assert in_group_name("Phishing clickers (90 days)") == (Trigger.PHISHING_FAILURE, "clickers")
    assert in_group_name("Annual review") is None
    assert in_group_name("People managers") is None


def test_folding_leaves_case_accents_and_spaces_behind() -> None:
    assert fold("  RÉMÉDIATION\t straße ") == "remediation strasse"
    assert fold("Jährlich") == fold("Ja\u0308hrlich") == "jahrlich"
