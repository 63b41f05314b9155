"""Columns by name: the names KnowBe4's console has used, in the languages it speaks.

The names in other languages than English, and the older English ones, are gathered from exports and translations and
are not documented by KnowBe4. A name that is not known here is mapped by a person, once: the mapping is remembered by
the headers' signature.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache


class Field(StrEnum):
    """Meaning of a column."""

    ENROLLMENT_ID = "enrollment_id"
    EMAIL = "email"
    EMPLOYEE_NUMBER = "employee_number"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    CAMPAIGN = "campaign"
    CONTENT = "content"
    CONTENT_TYPE = "content_type"
    STATUS = "status"
    ENROLLED_AT = "enrolled_at"
    STARTED_AT = "started_at"
    COMPLETED_AT = "completed_at"
    DUE_AT = "due_at"
    EXTENDED_DUE_AT = "extended_due_at"
    TIME_SPENT = "time_spent"
    SCORE = "score"
    POLICY_ACKNOWLEDGED = "policy_acknowledged"
    DEPARTMENT = "department"
    MANAGER_NAME = "manager_name"
    MANAGER_EMAIL = "manager_email"
    JOB_TITLE = "job_title"
    LOCATION = "location"
    DIVISION = "division"
    PERSON_STATUS = "person_status"

    @property
    def label(self) -> str:
        """The field's name on the page."""
        return LABELS[self]


LABELS = {
    Field.ENROLLMENT_ID: "Enrollment ID",
    Field.EMAIL: "Email",
    Field.EMPLOYEE_NUMBER: "Employee number",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.CAMPAIGN: "Campaign",
    Field.CONTENT: "Content",
    Field.CONTENT_TYPE: "Content type",
    Field.STATUS: "Status",
    Field.ENROLLED_AT: "Enrollment date",
    Field.STARTED_AT: "Start date",
    Field.COMPLETED_AT: "Completion date",
    Field.DUE_AT: "Due date",
    Field.EXTENDED_DUE_AT: "Extended due date",
    Field.TIME_SPENT: "Time spent",
    Field.SCORE: "Score",
    Field.POLICY_ACKNOWLEDGED: "Policy acknowledged",
    Field.DEPARTMENT: "Department",
    Field.MANAGER_NAME: "Manager's name",
    Field.MANAGER_EMAIL: "Manager's email",
    Field.JOB_TITLE: "Job title",
    Field.LOCATION: "Location",
    Field.DIVISION: "Division",
    Field.PERSON_STATUS: "Person's status",
}

DATES = (Field.ENROLLED_AT, Field.STARTED_AT, Field.COMPLETED_AT, Field.DUE_AT, Field.EXTENDED_DUE_AT)

# English, German, French, Spanish, Dutch. Compared without case, accents, spaces and signs.
_NAMES = {
    Field.ENROLLMENT_ID: (
        "Enrollment ID|Enrolment ID|Training Enrollment ID|Registrierungs-ID|Einschreibungs-ID|Anmelde-ID|"
        "ID d'inscription|Identifiant d'inscription|ID de inscripción|Inschrijvings-ID"
    ),
    Field.EMAIL: (
        "Email|E-mail|Email Address|User Email|User Email Address|E-Mail-Adresse|Benutzer-E-Mail|E-Mail des Benutzers|"
        "Adresse e-mail|Adresse électronique|Courriel|E-mail de l'utilisateur|Correo electrónico|Correo|"
        "Dirección de correo electrónico|Correo electrónico del usuario|E-mailadres|E-mail gebruiker"
    ),
    Field.EMPLOYEE_NUMBER: (
        "Employee Number|Employee No|Employee ID|Employee Num|User Employee Number|Mitarbeiternummer|Personalnummer|"
        "Numéro d'employé|Matricule|Número de empleado|N.º de empleado|Personeelsnummer|Werknemersnummer|"
        "Medewerkersnummer"
    ),
    Field.FIRST_NAME: "First Name|User First Name|Given Name|Vorname|Prénom|Nombre|Voornaam",
    Field.LAST_NAME: (
        "Last Name|User Last Name|Surname|Family Name|Nachname|Nom|Nom de famille|Apellido|Apellidos|Achternaam"
    ),
    Field.CAMPAIGN: (
        "Campaign|Campaign Name|Training Campaign|Training Campaign Name|Kampagne|Kampagnenname|Name der Kampagne|"
        "Schulungskampagne|Trainingskampagne|Campagne|Nom de la campagne|Campagne de formation|Campaña|"
        "Nombre de la campaña|Campaña de formación|Campaña de capacitación|Campagnenaam|Naam campagne|Trainingscampagne"
    ),
    Field.CONTENT: (
        "Content|Content Name|Content Title|Module|Module Name|Training|Training Name|Course|Course Name|Assignment|"
        "Training Content|Inhalt|Inhaltsname|Modul|Modulname|Kurs|Kursname|Schulung|Schulungsinhalt|Contenu|"
        "Nom du contenu|Nom du module|Cours|Formation|Contenido|Nombre del contenido|Módulo|Nombre del módulo|Curso|"
        "Inhoud|Naam inhoud|Modulenaam|Cursus|Cursusnaam"
    ),
    Field.CONTENT_TYPE: (
        "Content Type|Module Type|Training Type|Inhaltstyp|Art des Inhalts|Inhaltsart|Type de contenu|"
        "Tipo de contenido|Inhoudstype|Type inhoud"
    ),
    Field.STATUS: (
        "Status|Enrollment Status|Training Status|Completion Status|Progress|Anmeldestatus|Schulungsstatus|Statut|"
        "État|Statut de l'inscription|Estado|Estado de la inscripción|Inschrijvingsstatus|Voortgang"
    ),
    Field.ENROLLED_AT: (
        "Enrollment Date|Enrolment Date|Date Enrolled|Enrolled On|Enrolled|Enrolled At|Enrolled Date|Anmeldedatum|"
        "Einschreibedatum|Registrierungsdatum|Eingeschrieben am|Angemeldet am|Date d'inscription|Inscrit le|"
        "Fecha de inscripción|Inscrito el|Inschrijvingsdatum|Ingeschreven op|Datum inschrijving"
    ),
    Field.STARTED_AT: (
        "Start Date|Date Started|Started On|Started|Started At|Startdatum|Begonnen am|Gestartet am|Date de début|"
        "Commencé le|Fecha de inicio|Iniciado el|Begonnen op|Gestart op"
    ),
    Field.COMPLETED_AT: (
        "Completion Date|Date Completed|Completed On|Completed|Completed At|Completed Date|Abschlussdatum|"
        "Abgeschlossen am|Fertigstellungsdatum|Date d'achèvement|Date de fin|Terminé le|Date de réalisation|"
        "Fecha de finalización|Fecha de realización|Completado el|Voltooiingsdatum|Voltooid op|Datum voltooid"
    ),
    Field.DUE_AT: (
        "Due Date|Due Date/ Extended Due Date|Due Date/Extended Due Date|Due|Due On|Due At|Date Due|Deadline|"
        "Fälligkeitsdatum|Fällig am|Frist|Fälligkeitsdatum/verlängertes Fälligkeitsdatum|Date d'échéance|Échéance|"
        "Date limite|Date d'échéance/date d'échéance prolongée|Fecha de vencimiento|Fecha límite|"
        "Fecha de vencimiento/fecha de vencimiento ampliada|Vervaldatum|Uiterste datum|Inleverdatum|Einddatum|"
        "Vervaldatum/verlengde vervaldatum"
    ),
    Field.EXTENDED_DUE_AT: (
        "Extended Due Date|Extended To|Due Date Extended To|Extension Date|Extended Until|"
        "Verlängertes Fälligkeitsdatum|Verlängert bis|Verlängerte Frist|Date d'échéance prolongée|Prolongé jusqu'au|"
        "Fecha de vencimiento ampliada|Fecha de vencimiento extendida|Ampliado hasta|Prorrogado hasta|"
        "Verlengde vervaldatum|Verlengd tot"
    ),
    Field.TIME_SPENT: (
        "Time Spent|Time Spent (seconds)|Time Spent (minutes)|Total Time Spent|Aufgewendete Zeit|Zeitaufwand|"
        "Verbrachte Zeit|Temps passé|Temps consacré|Tiempo empleado|Tiempo invertido|Tiempo dedicado|Bestede tijd|"
        "Tijdsbesteding"
    ),
    Field.SCORE: "Score|Score (%)|Grade|Punktzahl|Ergebnis|Punkte|Note|Résultat|Puntuación|Calificación|Cijfer",
    Field.POLICY_ACKNOWLEDGED: (
        "Policy Acknowledged|Acknowledged|Policy Acknowledgement|Richtlinie bestätigt|Richtlinie zur Kenntnis genommen|"
        "Politique acceptée|Politique approuvée|Politique reconnue|Política aceptada|Política reconocida|"
        "Beleid bevestigd|Beleid erkend|Beleid geaccepteerd"
    ),
    Field.DEPARTMENT: "Department|User Department|Abteilung|Département|Service|Departamento|Afdeling",
    Field.MANAGER_NAME: (
        "Manager Name|Manager|Name des Managers|Vorgesetzter|Nom du responsable|Responsable|Nombre del responsable|"
        "Gerente|Naam manager|Leidinggevende"
    ),
    Field.MANAGER_EMAIL: (
        "Manager Email|Manager's Email|E-Mail des Managers|E-Mail des Vorgesetzten|E-mail du responsable|"
        "Correo del responsable|Correo electrónico del responsable|E-mail manager|E-mailadres manager"
    ),
    Field.JOB_TITLE: (
        "Job Title|Title|Berufsbezeichnung|Stellenbezeichnung|Intitulé du poste|Poste|Cargo|Puesto|Functie"
    ),
    Field.LOCATION: "Location|Standort|Lieu|Site|Ubicación|Locatie",
    Field.DIVISION: "Division|Bereich|División|Divisie",
    Field.PERSON_STATUS: (
        "User Status|Account Status|Benutzerstatus|Statut de l'utilisateur|Estado del usuario|Gebruikersstatus"
    ),
}

Columns = Mapping[Field, int]


def normalized(name: str) -> str:
    """Return a column's name as it is compared: lower case, without accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^\w]|_", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))


@cache
def _known() -> dict[str, Field]:
    return {normalized(name): field for field, names in _NAMES.items() for name in names.split("|")}


def detect(headers: Sequence[str]) -> dict[Field, int]:
    """Return the columns whose names are known, by field; of several with one meaning the first."""
    found: dict[Field, int] = {}
    for index, name in enumerate(headers):
        field = _known().get(normalized(name))
        if field is not None:
            found.setdefault(field, index)
    return found


def signature(headers: Sequence[str]) -> str:
    """Return what names this set of columns: the same headers in the same order, whatever their case and accents."""
    return hashlib.sha256("\x1f".join(normalized(name) for name in headers).encode()).hexdigest()


def missing(columns: Columns, *, is_whole: bool) -> list[str]:
    """Return what the mapping still lacks, as sentences.

    `is_whole`: the file is all the account has, so that people, campaigns and enrollments are made from it. Otherwise
    it is matched to enrollments that KnowBe4's API gave, and brings their due dates.
    """
    lacks = []
    has_person = Field.EMAIL in columns or Field.EMPLOYEE_NUMBER in columns
    if is_whole:
        if not has_person:
            lacks.append("Choose the column that holds the person's email or employee number.")
        wanted = (Field.CAMPAIGN, Field.CONTENT, Field.ENROLLED_AT, Field.STATUS)
        lacks += [f"Choose the column that holds the {name.label.lower()}." for name in wanted if name not in columns]
        return lacks
    if Field.ENROLLMENT_ID not in columns:
        if not has_person:
            lacks.append("Choose the column that holds the person's email or employee number, or the enrollment ID.")
        if Field.CAMPAIGN not in columns and Field.CONTENT not in columns:
            lacks.append("Choose the columns that hold the campaign and the content.")
    if Field.DUE_AT not in columns and Field.EXTENDED_DUE_AT not in columns:
        lacks.append("Choose the column that holds the due date or the extended due date: nothing else is imported.")
    return lacks
