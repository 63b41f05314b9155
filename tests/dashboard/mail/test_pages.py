"""Pages of schedules and evidence: who may see and do what, and what they say."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard import tasks
from dashboard.models import AuditEvent, Delivery, EvidencePack, Membership, Schedule, User
from sync.models import Account, Department
from tests import factories
from tests.dashboard.conftest import Queue
from tests.dashboard.mail.conftest import make_schedule


def form(*recipients: User, **more: Any) -> dict[str, Any]:
    return {
        "name": "People past due", "what": "table:past_due", "format": "csv", "frequency": "monthly",
        "day_of_month": 1, "at_time": "07:00", "way": "attachment", "when_quiet": "skip",
        "recipients": [user.pk for user in recipients], **more,
    }  # fmt: skip


@pytest.fixture
def schedule(company: Account, ines: User, alice: User, head: User) -> Schedule:
    return make_schedule(company, ines, alice, head, content="table", what="past_due", format="csv")


def test_a_schedule_is_made_changed_and_ended(
    as_alice: Client, company: Account, ines: User, django_assert_max_num_queries: Any
) -> None:
    assert as_alice.get(reverse("add_schedule")).status_code == 200
    response = as_alice.post(f"{reverse('add_schedule')}?age=31-60", form(ines))
    made = Schedule.objects.get()
    assert response["Location"] == reverse("schedule", args=[made.pk])
    assert (made.content, made.what, made.format, made.query) == ("table", "past_due", "csv", "age=31-60")
    with django_assert_max_num_queries(12):
        assert "Day 1 of every month, 07:00" in as_alice.get(reverse("schedules")).content.decode()
    with django_assert_max_num_queries(12):
        assert as_alice.get(reverse("schedule", args=[made.pk])).status_code == 200
    shown = as_alice.get(reverse("edit_schedule", args=[made.pk])).content.decode()
    assert 'value="People past due"' in shown and 'value="07:00"' in shown and "age=31-60" in shown
    as_alice.post(reverse("edit_schedule", args=[made.pk]), form(ines, what="figures", frequency="weekly", weekday=4))
    made.refresh_from_db()
    assert (made.content, made.frequency, made.weekday, made.day_of_month) == ("figures", "weekly", 4, None)
    for act in ("pause", "resume", "end"):
        as_alice.post(reverse("act_on_schedule", args=[made.pk]), {"act": act})
    assert as_alice.get(reverse("schedule", args=[made.pk])).status_code == 404
    acts = [event.details["act"] for event in AuditEvent.objects.filter(action="schedule_changed").order_by("pk")]
    assert acts == ["created", "changed", "paused", "resumed", "ended"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"recipients": []}, "at least one member"),
        ({"day_of_month": ""}, "needed here"),
        ({"frequency": "after_deadline", "days_after": 1}, "needed here"),
        ({"what": "report:department"}, "needed here"),
        ({"what": "report:person"}, "not one of the available choices"),
        ({"at_time": "25:00"}, "valid time"),
    ],
)
def test_what_cannot_be_is_said(
    as_alice: Client, company: Account, ines: User, wrong: dict[str, Any], said: str
) -> None:
    page = as_alice.post(reverse("add_schedule"), form(ines, **wrong)).content.decode()
    assert said in page
    assert not Schedule.objects.exists()


def test_a_member_of_another_account_is_no_recipient(as_alice: Client, company: Account) -> None:
    stranger = factories.MembershipFactory(account=factories.AccountFactory(name="Fernhill")).user
    as_alice.post(reverse("add_schedule"), form(stranger))
    assert not Schedule.objects.exists()


def test_send_now_queues_and_waits(
    as_alice: Client, schedule: Schedule, settings: Any, queue: Queue, django_capture_on_commit_callbacks: Any
) -> None:
    address = reverse("act_on_schedule", args=[schedule.pk])
    assert "Mail is not set up" in as_alice.post(address, {"act": "send"}, follow=True).content.decode()
    assert Delivery.objects.filter(state="waiting").count() == 2
    settings.HAS_MAIL_SERVER = True
    with django_capture_on_commit_callbacks(execute=True):
        as_alice.post(address, {"act": "send"})
    assert queue.tasks() == [("dashboard.tasks.send_due_mail", {})]
    assert as_alice.post(address, {"act": "explode"}).status_code == 400


def test_a_preview_is_the_recipient_s_own(as_alice: Client, schedule: Schedule, head: User, alice: User) -> None:
    address, counts = reverse("preview_schedule", args=[schedule.pk]), {}
    for user in (alice, head):
        page = as_alice.get(address, {"as": user.pk}).content.decode()
        assert f"What {user} would get now." in page
        response = as_alice.get(reverse("preview_file", args=[schedule.pk]), {"as": user.pk})
        counts[user.pk] = b"".join(response.streaming_content).count(b"\r\n")  # type: ignore[arg-type]
    assert counts[alice.pk] > counts[head.pk] > 1
    assert "Claims" in as_alice.get(address, {"as": head.pk}).content.decode()
    Membership.objects.filter(user=head).delete()
    assert "no role" in as_alice.get(address, {"as": head.pk}).content.decode()
    for wrong in ("0", "x", "9" * 30, str(factories.UserFactory().pk)):
        assert as_alice.get(address, {"as": wrong}).status_code == 404


def test_a_preview_holds_no_log_for_who_may_not_read_it(client: Client, schedule: Schedule, company: Account) -> None:
    """A security manager decides about schedules, and does not read the audit log: nor as its recipient gets it."""
    Schedule.objects.filter(pk=schedule.pk).update(what="audit_log", query="", subject_id=None)
    administrator, manager = (
        factories.MembershipFactory(account=company, role=role).user
        for role in (Membership.Role.ADMINISTRATOR, Membership.Role.SECURITY_MANAGER)
    )
    schedule.recipients.add(administrator)
    for user, status in ((administrator, 200), (manager, 404)):
        client.force_login(user)
        for name in ("preview_schedule", "preview_file"):
            address = reverse(name, args=[schedule.pk])
            response = client.get(address, {"as": administrator.pk})
            assert response.status_code == status, (user, name)
            assert b"".join(response)  # type: ignore[arg-type]


def test_auditors_read_and_heads_see_nothing(
    client: Client, schedule: Schedule, head: User, company: Account, now: datetime
) -> None:
    client.force_login(head)
    for name in ("schedules", "add_schedule", "evidence"):
        assert client.get(reverse(name)).status_code == 404
    assert reverse("schedules") not in client.get(reverse("overview")).content.decode()
    auditor = factories.UserFactory()
    factories.MembershipFactory(
        user=auditor, account=company, role=Membership.Role.AUDITOR, ends_at=now + timedelta(days=9)
    )
    client.force_login(auditor)
    assert client.get(reverse("schedule", args=[schedule.pk])).status_code == 200
    for name in ("edit_schedule", "preview_schedule", "preview_file"):
        assert client.get(reverse(name, args=[schedule.pk])).status_code == 404
    assert client.post(reverse("act_on_schedule", args=[schedule.pk]), {"act": "send"}).status_code == 404
    assert client.get(reverse("evidence")).status_code == 200


def test_a_pack_is_asked_for_and_only_its_own_reader_s(
    as_alice: Client, company: Account, ines: User, queue: Queue, django_capture_on_commit_callbacks: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    asked = {"first_day": "2026-07-01", "last_day": "2026-09-30", "sample_size": 10, "sample_seed": "7"}
    with django_capture_on_commit_callbacks(execute=True):
        assert as_alice.post(reverse("evidence"), asked).status_code == 302
    pack = EvidencePack.objects.get()
    assert queue.tasks() == [("dashboard.tasks.make_evidence_pack", {"pack_id": pack.pk})]
    with django_assert_max_num_queries(12):
        assert "every 1s" in as_alice.get(reverse("evidence")).content.decode()
    tasks.make_evidence_pack(pack_id=pack.pk)
    pack.refresh_from_db()
    page = as_alice.get(reverse("evidence")).content.decode()
    assert pack.manifest_sha256 in page and "every 1s" not in page
    fragment = as_alice.get(reverse("evidence"), headers={"HX-Request": "true", "HX-Target": "evidence-list"})
    assert fragment.content.decode().lstrip().startswith("<section")
    response = as_alice.get(reverse("evidence_file", args=[pack.pk]))
    assert len(b"".join(response.streaming_content)) == pack.bytes  # type: ignore[arg-type]
    other = Client()
    other.force_login(ines)
    assert other.get(reverse("evidence_file", args=[pack.pk])).status_code == 404
    assert pack.manifest_sha256 in other.get(reverse("evidence")).content.decode()
    for wrong in ({"last_day": "2026-06-30"}, {"sample_seed": "a b"}, {"sample_size": -1}, {"first_day": "2099-01-01"}):
        assert as_alice.post(reverse("evidence"), {**asked, **wrong}).status_code == 400


def test_a_report_and_a_list_lead_to_their_schedule(as_alice: Client, company: Account, ines: User) -> None:
    claims = Department.objects.get(account=company, name="Claims")
    assert 'name="report" value="department"' in as_alice.get("/reports/").content.decode()
    page = as_alice.get(f"/schedules/new/?report=department&subject={claims.pk}&quarter=2026-07-01").content.decode()
    assert re.search(r'value="report:department"\s+selected', page)
    assert re.search(rf'value="{claims.pk}"\s+selected', page)
    made = make_schedule(company, ines, ines, content="report", what="department", subject_id=claims.pk, format="pdf")
    page = as_alice.get(reverse("edit_schedule", args=[made.pk])).content.decode()
    assert re.search(rf'value="{claims.pk}"\s+selected', page)
    page = as_alice.get("/exports/past_due/?age=31-60").content.decode()
    assert "/schedules/new/?table=past_due&amp;age=31-60" in page
    assert re.search(
        r'value="table:past_due"\s+selected', as_alice.get("/schedules/new/?table=past_due").content.decode()
    )
    assert as_alice.get("/schedules/new/?report=nothing").status_code == 400


def test_whoever_makes_no_schedule_is_offered_none(client: Client, head: User) -> None:
    client.force_login(head)
    assert 'name="report"' not in client.get("/reports/").content.decode()
    assert "/schedules/new/" not in client.get("/exports/past_due/").content.decode()
