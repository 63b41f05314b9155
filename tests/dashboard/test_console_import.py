"""Console imports: upload, preview, columns, decision; who may, and what they may not see."""

import hashlib
from datetime import datetime, timedelta

import pytest
import redis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from dashboard.models import Membership, User
from dashboard.pages import console_import as page
from sync.models import Account, Campaign, ConsoleImport, ContentItem, Enrollment, Person, SyncRun
from sync.pipeline.console import accept_import, preview_import, withdraw_import
from tests import factories

HEADER = "Campaign,Content,Email,Enrollment Date,Extended Due Date\r\n"


@pytest.fixture
def maren(account: Account) -> User:
    """Return an administrator of the account."""
    user = factories.UserFactory(email="maren@brackwater.example", first_name="Maren", last_name="Oakes")
    factories.MembershipFactory(user=user, account=account, role=Membership.Role.ADMINISTRATOR)
    return user


@pytest.fixture
def as_maren(client: Client, maren: User, redis_url: str) -> Client:
    """Return a client signed in as the administrator, with a queue that takes work."""
    client.force_login(maren)
    return client


@pytest.fixture
def enrollment(account: Account, published: SyncRun) -> Enrollment:
    """Return an enrollment whose campaign ends on 27 November 2026, 23:00 UTC."""
    return factories.EnrollmentFactory(
        account=account,
        person=factories.PersonFactory(account=account, email="Ada.Quill@brackwater.example", last_name="<b>Quill</b>"),
        campaign=factories.CampaignFactory(account=account, name="Autumn"),
        content=factories.ContentItemFactory(account=account, name="Spotting a phish"),
        due_source="campaign_end",
    )


def upload(client: Client, content: str | bytes, name: str = "results.csv") -> ConsoleImport:
    raw = content.encode() if isinstance(content, str) else content
    response = client.post("/sync/imports/", {"file": SimpleUploadedFile(name, raw, "text/csv")})
    assert response.status_code == 302, response.content.decode()
    return ConsoleImport.objects.get(pk=int(response["Location"].rstrip("/").rpartition("/")[2]))


def text_of(client: Client, imported: ConsoleImport) -> str:
    response = client.get(f"/sync/imports/{imported.pk}/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def decide(client: Client, imported: ConsoleImport, decision: str, **fields: str) -> str:
    imported.refresh_from_db()
    form = {"decision": decision, "preview": imported.report.get("previewed_at", ""), **fields}
    response = client.post(f"/sync/imports/{imported.pk}/decide/", form, follow=True)
    imported.refresh_from_db()
    return " ".join(response.content.decode().split())


def test_from_upload_to_withdrawal(as_maren: Client, maren: User, account: Account, enrollment: Enrollment) -> None:
    row = "Autumn,Spotting a phish,ADA.QUILL@brackwater.example,,2026-12-24 12:00\r\n"
    imported = upload(as_maren, HEADER + row + "Autumn,Other,nobody@brackwater.example,,2026-12-24\r\nx,y,z,,soon\r\n")
    assert (imported.state, imported.uploaded_by, imported.name) == ("reading", maren, "results.csv")
    assert "is being read" in text_of(as_maren, imported)
    assert 'hx-trigger="every 1s"' in text_of(as_maren, imported)
    preview_import(imported.pk)
    text = text_of(as_maren, imported)
    assert "1 due date would change." in text
    assert "hx-trigger=&quot;every 1s" not in text
    assert "&lt;b&gt;Quill&lt;/b&gt;" in text
    assert "<b>Quill" not in text
    assert "Nobody here has this email" in text
    assert "Line 4" in text
    assert "“soon” is not a date" in text
    enrollment.refresh_from_db()
    assert enrollment.extended_due_at is None
    assert "is being imported" in decide(as_maren, imported, "accept")
    assert (imported.state, imported.decided_by) == ("importing", maren)
    accept_import(imported.pk)
    assert "1 due date changed." in text_of(as_maren, imported)
    enrollment.refresh_from_db()
    assert enrollment.due_source == "extension"
    assert "Nothing to decide" in decide(as_maren, imported, "accept")
    decide(as_maren, imported, "withdraw")
    withdraw_import(imported.pk)
    assert "again what it was" in text_of(as_maren, imported)
    enrollment.refresh_from_db()
    assert (enrollment.extended_due_at, enrollment.due_source) == (None, "campaign_end")


def test_work_is_queued(
    as_maren: Client,
    redis_url: str,
    enrollment: Enrollment,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    queue = redis.from_url(redis_url)
    queue.delete("celery")
    with django_capture_on_commit_callbacks(execute=True):
        imported = upload(as_maren, HEADER + "Autumn,Spotting a phish,ada.quill@brackwater.example,,2026-12-24\r\n")
    preview_import(imported.pk)
    with django_capture_on_commit_callbacks(execute=True):
        decide(as_maren, imported, "accept")
    accept_import(imported.pk)
    with django_capture_on_commit_callbacks(execute=True):
        decide(as_maren, imported, "withdraw")
    names = list(queue.lrange("celery", 0, -1))
    for work, message in zip(["withdraw", "accept", "preview"], names, strict=True):
        assert f"sync.tasks.{work}_console_import".encode() in message
    queue.delete("celery")
    queue.close()


def test_columns_are_chosen_once_and_remembered(as_maren: Client, enrollment: Enrollment) -> None:
    strange = "Werbefeldzug;Wer;Was;Wann;Bis\r\nAutumn;ada.quill@brackwater.example;Spotting a phish;;{day}/12/2026\r\n"
    imported = upload(as_maren, strange.format(day="05"))
    preview_import(imported.pk)
    text = text_of(as_maren, imported)
    assert "The columns need your help." in text
    assert "05/12/2026" in text
    assert 'value="accept"' not in text
    chosen = {"column-0": "campaign", "column-1": "email", "column-2": "content", "column-4": "extended_due_at"}
    twice = as_maren.post(f"/sync/imports/{imported.pk}/columns/", {**chosen, "column-3": "email"}, follow=True)
    assert "Two columns have the same meaning" in twice.content.decode()
    as_maren.post(f"/sync/imports/{imported.pk}/columns/", chosen)
    preview_import(imported.pk)
    assert "Order of day and month" in text_of(as_maren, imported)
    assert 'value="accept"' not in text_of(as_maren, imported)
    as_maren.post(f"/sync/imports/{imported.pk}/columns/", {**chosen, "order": "day"})
    preview_import(imported.pk)
    imported.refresh_from_db()
    assert imported.report["changes"]["rows"][0]["after"].startswith("2026-12-05T22:59:59")
    later = upload(as_maren, strange.format(day="06"))
    preview_import(later.pk)
    later.refresh_from_db()
    assert (later.report["problems"], later.is_mapping_chosen) == ([], False)
    assert later.report["changes"]["rows"][0]["after"].startswith("2026-12-06T22:59:59")


def test_a_discarded_file_changes_nothing(as_maren: Client, enrollment: Enrollment) -> None:
    imported = upload(as_maren, HEADER + "Autumn,Spotting a phish,ada.quill@brackwater.example,,2026-12-24\r\n")
    preview_import(imported.pk)
    assert "was discarded" in decide(as_maren, imported, "discard")
    accept_import(imported.pk)
    assert not Enrollment.objects.exclude(extended_due_at=None).exists()


def test_a_held_file_needs_a_reason(as_maren: Client, account: Account) -> None:
    account.encrypted_key = b""
    account.save()
    header = "Campaign,Content,Email,Status,Enrollment Date\r\n"
    rows = [f"Autumn,Module,p{n}@brackwater.example,Not Started,2026-10-01 08:00\r\n" for n in range(120)]
    first = upload(as_maren, header + "".join(rows))
    preview_import(first.pk)
    assert "120 enrollments would be imported." in text_of(as_maren, first)
    decide(as_maren, first, "accept")
    accept_import(first.pk)
    assert (Person.objects.count(), Campaign.objects.count(), ContentItem.objects.count()) == (120, 1, 1)
    assert "120 enrollments were imported." in text_of(as_maren, first)
    assert 'value="withdraw"' not in text_of(as_maren, first)
    assert "Nothing to decide" in decide(as_maren, first, "withdraw")
    second = upload(as_maren, header + "".join(rows[:5]))
    preview_import(second.pk)
    decide(as_maren, second, "accept")
    accept_import(second.pk)
    assert "fell from 120 to 5" in text_of(as_maren, second)
    assert "a reason is needed" in decide(as_maren, second, "accept")
    decide(as_maren, second, "accept", reason="A branch was sold.")
    accept_import(second.pk)
    assert "A branch was sold." in text_of(as_maren, second)
    assert Enrollment.objects.filter(removed_at=None).count() == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"one column\r\n1\r\n", "fewer than two columns"),
        (b'a,b\r\n"1,2\r\n', "From line 2"),
        (b"\x00\x01\x02\x03\xff", "not text"),
    ],
)
def test_what_is_no_csv_is_said_not_crashed(as_maren: Client, content: bytes, words: str) -> None:
    response = as_maren.post("/sync/imports/", {"file": SimpleUploadedFile("x.csv", content)})
    if response.status_code == 302:
        imported = ConsoleImport.objects.get()
        preview_import(imported.pk)
        assert words in text_of(as_maren, imported)
    else:
        assert response.status_code == 400
        assert words in response.content.decode()


def test_an_upload_without_a_file_or_too_large(as_maren: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a CSV file" in as_maren.post("/sync/imports/").content.decode()
    monkeypatch.setattr(page, "LIMIT", 1000)
    response = as_maren.post("/sync/imports/", {"file": SimpleUploadedFile("x.csv", b"x" * 1001)})
    assert (response.status_code, "larger than 50 MB" in response.content.decode()) == (400, True)
    assert not ConsoleImport.objects.exists()


def test_a_large_file_touches_no_disk(as_maren: Client, monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a temporary file was made")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    raw = (HEADER + "Autumn,Module,p@brackwater.example,,2026-12-24\r\n" * 80_000).encode()
    imported = upload(as_maren, raw)
    assert (imported.size, imported.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert imported.original == raw


def test_the_upload_is_protected_from_other_sites(maren: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(maren)
    assert strict.post("/sync/imports/", {"file": SimpleUploadedFile("x.csv", b"a,b\r\n1,2")}).status_code == 403
    token = strict.get("/sync/imports/").context["csrf_token"]
    data = {"csrfmiddlewaretoken": str(token), "file": SimpleUploadedFile("x.csv", b"a,b\r\n1,2")}
    assert strict.post("/sync/imports/", data).status_code == 302


ADDRESSES = ("/sync/imports/", "/sync/imports/{}/", "/sync/imports/{}/columns/", "/sync/imports/{}/decide/")


def test_only_administrators_import(as_alice: Client, account: Account, now: datetime) -> None:
    imported = account.console_imports.create(
        uploaded_at=now, name="results.csv", **ConsoleImport.stored(b"a,b\r\n1,2")
    )
    for address in ADDRESSES:
        assert as_alice.post(address.format(imported.pk)).status_code in {403, 405}
        assert as_alice.get(address.format(imported.pk)).status_code in {403, 405}
    imported.refresh_from_db()
    assert imported.state == "reading"


def test_another_accounts_import_is_not_found(as_maren: Client, now: datetime) -> None:
    other = factories.AccountFactory(name="Elsewhere")
    imported = other.console_imports.create(uploaded_at=now, name="secret.csv", **ConsoleImport.stored(b"a,b\r\n1,2"))
    assert as_maren.get(f"/sync/imports/{imported.pk}/").status_code == 404
    assert as_maren.post(f"/sync/imports/{imported.pk}/columns/").status_code == 404
    assert as_maren.post(f"/sync/imports/{imported.pk}/decide/", {"decision": "discard"}).status_code == 404
    assert "secret.csv" not in as_maren.get("/sync/imports/").content.decode()


def test_the_fragment_holds_only_what_follows_the_import(as_maren: Client, account: Account) -> None:
    imported = upload(as_maren, HEADER)
    fragment = as_maren.get(
        f"/sync/imports/{imported.pk}/", headers={"HX-Request": "true", "HX-Target": "console-import"}
    ).content.decode()
    assert 'id="console-import"' in fragment
    assert "<html" not in fragment


def test_a_file_that_no_worker_takes_up_is_said_to_wait(as_maren: Client, now: datetime) -> None:
    imported = upload(as_maren, HEADER)
    ConsoleImport.objects.update(uploaded_at=now - timedelta(seconds=30))
    assert "No worker has taken up the file" in text_of(as_maren, imported)


def test_pages_take_few_queries_and_no_files(
    as_maren: Client, published: SyncRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(5):
        preview_import(upload(as_maren, HEADER + "Autumn,Module,p@brackwater.example,,2026-12-24\r\n").pk)
    with django_assert_max_num_queries(8) as queries:
        text = as_maren.get("/sync/imports/").content.decode()
    assert text.count("results.csv") == 5
    assert not any('"content"' in query["sql"] and "consoleimport" in query["sql"] for query in queries)


def test_only_the_preview_that_was_seen_is_accepted(as_maren: Client, enrollment: Enrollment) -> None:
    """Two people look at one file; while the first reads the preview, the second gives a column another meaning."""
    header = "Campaign,Content,Email,Until,Extended Due Date\r\n"
    imported = upload(
        as_maren, header + "Autumn,Spotting a phish,ada.quill@brackwater.example,2026-12-01,2026-12-24\r\n"
    )
    preview_import(imported.pk)
    imported.refresh_from_db()
    seen = imported.report["previewed_at"]
    assert f'name="preview" value="{seen}"' in text_of(as_maren, imported)
    columns = {"column-0": "campaign", "column-1": "content", "column-2": "email", "column-3": "extended_due_at"}
    as_maren.post(f"/sync/imports/{imported.pk}/columns/", columns)
    preview_import(imported.pk)
    assert "was read again since" in decide(as_maren, imported, "accept", preview=seen)
    assert imported.state == "preview"
    assert "is being imported" in decide(as_maren, imported, "accept")


def test_the_second_of_two_who_accept_changes_nothing(as_maren: Client, maren: User, enrollment: Enrollment) -> None:
    imported = upload(as_maren, HEADER + "Autumn,Spotting a phish,ada.quill@brackwater.example,,2026-12-24\r\n")
    preview_import(imported.pk)
    decide(as_maren, imported, "accept")
    decided_at = imported.decided_at
    assert "Nothing to decide here any more" in decide(as_maren, imported, "accept")
    assert "Nothing to decide here any more" in decide(as_maren, imported, "discard")
    assert (imported.state, imported.decided_by, imported.decided_at) == ("importing", maren, decided_at)


def test_columns_chosen_too_late_are_refused(as_maren: Client, enrollment: Enrollment) -> None:
    imported = upload(as_maren, HEADER + "Autumn,Spotting a phish,ada.quill@brackwater.example,,2026-12-24\r\n")
    preview_import(imported.pk)
    decide(as_maren, imported, "accept")
    response = as_maren.post(f"/sync/imports/{imported.pk}/columns/", {"column-0": "campaign"}, follow=True)
    assert "somebody else decided about this file" in response.content.decode()
    imported.refresh_from_db()
    assert imported.state == "importing"


def test_a_file_can_be_put_away_while_it_waits_to_be_read(as_maren: Client) -> None:
    imported = upload(as_maren, HEADER)
    assert "Discard this file" in text_of(as_maren, imported)
    decide(as_maren, imported, "discard")
    assert preview_import(imported.pk).state == "discarded"


def test_several_files_at_once_share_the_limit(as_maren: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LIMIT", 1000)
    files = [SimpleUploadedFile(f"{number}.csv", b"x" * 600) for number in range(2)]
    response = as_maren.post("/sync/imports/", {"file": files})
    assert (response.status_code, "larger than 50 MB" in response.content.decode()) == (400, True)


def test_the_run_of_an_import_speaks_of_its_file(as_maren: Client, enrollment: Enrollment) -> None:
    good = "Autumn,Spotting a phish,ada.quill@brackwater.example,,2026-12-24\r\n"
    imported = upload(as_maren, HEADER + good + "x,y,z,,soon\r\n")
    preview_import(imported.pk)
    decide(as_maren, imported, "accept")
    run = accept_import(imported.pk).run
    assert run is not None
    text = " ".join(as_maren.get(f"/sync/runs/{run.pk}/").content.decode().split())
    assert "This import was finished at" in text
    assert f'<a href="/sync/imports/{imported.pk}/">results.csv</a>' in text
    assert "The uploaded file" in text
    assert ">console<" not in text
    assert "Rows that KnowBe4 sent" not in text
    assert "Extended due date" in text
    assert ">Extended_due_at<" not in text
    assert "24 Dec 2026, 23:59" in text
    assert "results.csv: 2 rows, 1 of them not usable. It wrote 1 row, all at once." in text
    assert "what is likely to change" not in text


def test_an_import_hides_no_held_sync(
    as_maren: Client, account: Account, enrollment: Enrollment, now: datetime
) -> None:
    held = factories.SyncRunFactory(
        account=account, state="held", phase="check", message="Enrollments fell.", started_at=now
    )
    imported = upload(as_maren, HEADER + "Autumn,Spotting a phish,ada.quill@brackwater.example,,2026-12-24\r\n")
    preview_import(imported.pk)
    decide(as_maren, imported, "accept")
    accept_import(imported.pk)
    assert "was held:" in as_maren.get("/").content.decode()
    assert f'action="/sync/runs/{held.pk}/resolve/"' in as_maren.get("/sync/").content.decode()


def test_an_account_without_a_key_lives_on_files(as_maren: Client, account: Account, now: datetime) -> None:
    account.encrypted_key = b""
    account.save()
    first = as_maren.get("/").content.decode()
    assert "A plan without the Reporting API" in first
    assert 'href="/sync/imports/"' in first
    header = "Campaign,Content,Email,Status,Enrollment Date\r\n"
    imported = upload(as_maren, header + "Autumn,Module,p@brackwater.example,Not Started,2026-10-01 08:00\r\n")
    preview_import(imported.pk)
    decide(as_maren, imported, "accept")
    accept_import(imported.pk)
    Account.objects.update(data_as_of=now - timedelta(days=3))
    for address in ("/", "/sync/"):
        text = " ".join(as_maren.get(address).content.decode().split())
        assert "from the console&#x27;s CSV" in text or "from the console's CSV" in text
        assert "no sync since" not in text
    assert "The pages show the file imported at" in text
    assert "KnowBe4 requests in the last 24 hours" not in text
