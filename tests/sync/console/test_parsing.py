"""Encodings, delimiters, languages, date orders and words of the console's CSV."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.console import words
from sync.console.columns import Field, detect, missing, signature
from sync.console.moments import MomentReader, NotADateError, Order, Votes, decide
from sync.console.records import BadRow, ConsoleRow, RowReader, survey
from sync.console.source import FileUnreadableError, open_source

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")

LINES = 'E-Mail,Name\r\nada@northwind.example,"Müller, Jürgen"\r\nbo@northwind.example,"two\r\nlines"\r\n'


def cells(raw: bytes) -> list[list[str]]:
    source = open_source(raw)
    return [source.headers(), *(record.cells for record in source.records())]


EXPECTED = [
    ["E-Mail", "Name"],
    ["ada@northwind.example", "Müller, Jürgen"],
    ["bo@northwind.example", "two\r\nlines"],
]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_every_encoding(encoding, name):
    raw = LINES.encode(encoding)
    assert cells(raw) == EXPECTED
    assert open_source(raw).encoding_name == name


def test_utf_16_with_the_other_half_first():
    assert cells(b"\xfe\xff" + LINES.encode("utf-16-be")) == EXPECTED


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter(delimiter):
    text = delimiter.join(["Email", "Campaign", "Content"]) + "\n" + delimiter.join(["a@b.example", '"x, y; z"', "c"])
    assert cells(text.encode())[1] == ["a@b.example", "x, y; z", "c"]


def test_excels_separator_line_is_no_record():
    source = open_source(b"sep=;\r\nEmail;Score, in percent\r\na@b.example;5,5\r\n")
    assert source.headers() == ["Email", "Score, in percent"]
    assert [record.line for record in source.records()] == [3]


def test_lines_are_counted_over_quoted_newlines_and_blank_lines():
    source = open_source(b'a,b\r\n1,"x\r\ny\r\nz"\r\n\r\n2,q\r\n,,\r\n3,r')
    assert [(record.line, record.cells[0]) for record in source.records()] == [(2, "1"), (6, "2"), (8, "3")]


@pytest.mark.parametrize(
    ("raw", "words_of_it"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \r\n \r\n", "empty"),
        (b"PK\x03\x04", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"only\r\none\r\n", "fewer than two"),
        (b"a,b\x00c\xff\xfe\x81\r\n1", "not text"),
        (b"a,b\r\nc,\x81\xff\r\n", "not text"),
    ],
)
def test_what_is_no_csv(raw, words_of_it):
    with pytest.raises(FileUnreadableError, match=words_of_it):
        open_source(raw)


def test_an_open_quotation_mark_is_named_by_its_line():
    source = open_source(b'a,b\r\n1,2\r\n3,"4\r\n5,6\r\n' + b"7,8\r\n" * 50_000)
    with pytest.raises(FileUnreadableError, match="From line 3"):
        list(source.records())


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reading(raw):
    try:
        source = open_source(raw)
        found = survey(source, detect(source.headers()))
        reader = RowReader(found.headers, detect(found.headers), zone=BERLIN, orders={}, is_whole=True)
        list(reader.rows(source.records()))
    except FileUnreadableError as error:
        assert str(error).endswith(".")


LANGUAGES = {
    "English": "Campaign,Content,First name,Last name,Email,Employee number,Status,Enrollment date,Start date,"
    "Completion date,Due date/ Extended due date,Time spent,Score,Policy acknowledged",
    "older English": "Campaign Name,Module Name,User First Name,User Last Name,User Email,Employee Number,Status,"
    "Date Enrolled,Date Started,Date Completed,Due Date,Time Spent (minutes),Score (%),Acknowledged",
    "German": "Kampagne,Inhalt,Vorname,Nachname,E-Mail-Adresse,Personalnummer,Status,Anmeldedatum,Startdatum,"
    "Abschlussdatum,Fälligkeitsdatum,Aufgewendete Zeit,Punktzahl,Richtlinie bestätigt",
    "French": "Campagne,Contenu,Prénom,Nom,Adresse e-mail,Numéro d’employé,Statut,Date d'inscription,Date de début,"
    "Date d’achèvement,Date d'échéance,Temps passé,Note,Politique acceptée",
    "Spanish": "Campaña,Contenido,Nombre,Apellidos,Correo electrónico,Número de empleado,Estado,Fecha de inscripción,"
    "Fecha de inicio,Fecha de finalización,Fecha de vencimiento,Tiempo empleado,Puntuación,Política aceptada",
    "Dutch": "Campagne,Inhoud,Voornaam,Achternaam,E-mailadres,Personeelsnummer,Status,Inschrijvingsdatum,Startdatum,"
    "Voltooiingsdatum,Vervaldatum,Bestede tijd,Score,Beleid bevestigd",
}
MEANINGS = (
    "campaign content first_name last_name email employee_number status enrolled_at started_at completed_at due_at "
    "time_spent score policy_acknowledged"
).split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_known(language):
    assert detect(LANGUAGES[language].split(",")) == {Field(name): index for index, name in enumerate(MEANINGS)}


def test_unknown_names_stay_open_and_the_first_of_two_counts():
    assert detect(["E-Mail", "Shoe size", "Email", "EXTENDED_DUE_DATE"]) == {
        Field.EMAIL: 0,
        Field.EXTENDED_DUE_AT: 3,
    }


def test_a_signature_is_of_names_not_of_spelling():
    assert signature(["Prénom", "Due Date"]) == signature(["prenom", "due  date"])
    assert signature(["a", "b"]) != signature(["b", "a"])


def test_what_a_mapping_lacks():
    assert not missing({Field.ENROLLMENT_ID: 0, Field.DUE_AT: 1}, is_whole=False)
    assert not missing({Field.EMAIL: 0, Field.CAMPAIGN: 1, Field.EXTENDED_DUE_AT: 2}, is_whole=False)
    assert len(missing({}, is_whole=False)) == 3
    assert len(missing({}, is_whole=True)) == 5


FIVE_NOVEMBER = datetime(2026, 11, 5, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("2026-11-05T14:30:00.000Z", None),
        ("2026-11-05 14:30:00 UTC", None),
        ("2026-11-05T09:30:00-05:00", None),
        ("2026-11-05 15:30", None),
        ("2026/11/05 15:30:00", None),
        ("11/5/2026 3:30 PM", Order.MONTH_FIRST),
        ("11/05/2026, 03:30:00 p.m.", Order.MONTH_FIRST),
        ("11/05/26 15:30", Order.MONTH_FIRST),
        ("05/11/2026 15:30", Order.DAY_FIRST),
        ("5.11.2026 15:30", Order.DAY_FIRST),
        ("05.11.2026, 15:30 Uhr", Order.DAY_FIRST),
        ("05-11-2026 15:30", Order.DAY_FIRST),
        ("Nov 5, 2026 3:30 PM", None),
        ("November 5, 2026 at 3:30\u202fPM", None),
        ("Thursday, November 5, 2026 3:30 PM", None),
        ("5. November 2026 um 15:30", None),
        ("5 novembre 2026 à 15:30", None),
        ("5 de noviembre de 2026 15:30", None),
        ("5 nov. 2026 om 15:30", None),
        ("05-Nov-2026 15:30", None),
    ],
)
def test_dates_in_every_order(text, order):
    found = MomentReader(BERLIN, order).start(text)
    assert found is not None
    assert found.at == FIVE_NOVEMBER


@pytest.mark.parametrize("name", ["März", "maerz", "MARS", "marzo", "maart", "mrt.", "march"])
def test_month_names(name):
    found = MomentReader(BERLIN, None).start(f"3 {name} 2026")
    assert found is not None
    assert found.at == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)


def test_a_date_alone_begins_or_ends_its_local_day():
    reader = MomentReader(NEW_YORK, Order.MONTH_FIRST)
    start, end = reader.start("11/01/2026"), reader.end("11/01/2026")
    assert start is not None
    assert end is not None
    # The clocks go back on this day: it has 25 hours.
    assert (start.at, end.at) == (datetime(2026, 11, 1, 4, 0, tzinfo=UTC), datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", " ", "-", "–", "N/A", "null", "Never"])
def test_blank_dates(text):
    assert MomentReader(BERLIN, None).start(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2026-13-01",
        "31.02.2026",
        "2026-11-05 25:00",
        "13:70 PM",
        "0026-01-01",
        "2026-11-05 3 PM EST",
        "5 Foo 2026",
    ],
)
def test_no_dates(text):
    with pytest.raises(NotADateError):
        MomentReader(BERLIN, Order.DAY_FIRST).start(text)


def votes(*texts: str) -> Votes:
    found = Votes()
    for text in texts:
        found.count(text)
    return found


def test_one_date_decides_its_whole_column():
    assert votes("05/11/2026", "06/11/2026 10:00", "17/11/2026").order is Order.DAY_FIRST
    assert votes("05/11/2026 9:00 AM", "11/17/2026 9:00 AM").order is Order.MONTH_FIRST
    assert votes("5.11.2026").order is Order.DAY_FIRST


def test_an_open_column_follows_the_others_or_is_asked_for():
    undecided, day, month = votes("05/11/2026"), votes("17/11/2026"), votes("11/17/2026")
    assert undecided.is_open
    assert decide(undecided, [undecided]) is None
    assert decide(undecided, [undecided, day]) is Order.DAY_FIRST
    assert decide(undecided, [day, month]) is None
    assert not votes("11/11/2026", "2026-11-05", "", "soon").is_open


def test_what_contradicts_the_column_is_a_bad_row():
    source = open_source(b"Enrollment ID,Due Date\r\n1,17/11/2026\r\n2,18/11/2026\r\n3,11/19/2026\r\n")
    columns = detect(source.headers())
    found = survey(source, columns)
    orders = {Field.DUE_AT: found.order(columns[Field.DUE_AT])}
    reader = RowReader(found.headers, columns, zone=BERLIN, orders=orders, is_whole=False)
    rows = list(reader.rows(source.records()))
    assert [type(row) for row in rows] == [ConsoleRow, ConsoleRow, BadRow]
    assert rows[2].line == 4


@pytest.mark.parametrize(
    ("word", "api"),
    [
        ("Nicht gestartet", "Not Started"),
        ("En cours", "In Progress"),
        ("Completado", "Completed"),
        ("GESLAAGD", "Passed"),
        ("Überfällig", "Past Due"),
        ("past_due", "Past Due"),
        (" Exempted ", "Exempted"),
    ],
)
def test_status_words(word, api):
    assert words.status(word) == api


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("754", 1, 754),
        ("12.5", 60, 750),
        ("00:12:34", 1, 754),
        ("12:34", 1, 754),
        ("1 h 5 min", 1, 3900),
        ("12 Minuten 34 Sekunden", 1, 754),
        ("", 1, None),
        ("-", 1, None),
    ],
)
def test_time_spent(text, unit, seconds):
    assert words.seconds(text, unit=unit) == seconds


@pytest.mark.parametrize("text", ["a while", "-5", "99999999999", "1e9"])
def test_no_time_spent(text):
    with pytest.raises(ValueError):
        words.seconds(text)


def test_units_come_from_the_column_name():
    assert (words.unit_of("Time Spent (minutes)"), words.unit_of("Time Spent"), words.unit_of("Horas")) == (60, 1, 3600)


@pytest.mark.parametrize(("text", "score"), [("85", 85.0), ("85 %", 85.0), ("85,5%", 85.5), ("", None), ("n/a", None)])
def test_scores(text, score):
    assert words.score(text) == score


@pytest.mark.parametrize(("text", "yes"), [("Ja", True), ("Oui", True), ("Sí", True), ("No", False), ("", None)])
def test_yes_and_no(text, yes):
    assert words.is_yes(text) is yes


def test_fifty_thousand_rows_take_seconds():
    header = LANGUAGES["English"] + "\r\n"
    body = "".join(
        f'Annual {n % 30},"Module, {n % 9}",Ada,Quill{n},ada{n}@northwind.example,E{n},In Progress,'
        f"{1 + n % 12:02}/{1 + n % 28:02}/2026 09:{n % 60:02} AM,,,{1 + n % 12:02}/{1 + n % 28:02}/2026 11:59 PM,"
        f"00:1{n % 10}:05,8{n % 10}%,No\r\n"
        for n in range(50_000)
    )
    started = time.process_time()
    source = open_source((header + body).encode())
    columns = detect(source.headers())
    found = survey(source, columns)
    orders = {name: found.order(columns[name]) for name in columns if columns[name] in found.votes}
    reader = RowReader(found.headers, columns, zone=NEW_YORK, orders=orders, is_whole=True)
    assert sum(isinstance(row, ConsoleRow) for row in reader.rows(source.records())) == 50_000
    assert time.process_time() - started < 8
