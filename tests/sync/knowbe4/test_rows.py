"""Rows in every form KnowBe4 has used, and rows nobody can use."""

import json
import time
from datetime import UTC, date, datetime
from statistics import median

import pytest

from sync.knowbe4 import payloads, resources
from sync.knowbe4.rows import RAW_LIMIT, decoder, is_readable
from tests.sync.knowbe4.rows import enrollment, enrollments, user


def decode(payload, *rows):
    return decoder(payload).page(json.dumps(rows).encode())


def one(payload, row):
    items, rejected = decode(payload, row)
    assert not rejected, rejected
    return items[0]


def test_enrollment_as_documented():
    row = one(payloads.Enrollment, enrollment(1, score=87.5))

    assert row.completion_date == datetime(2025, 3, 2, 8, 20, tzinfo=UTC)
    assert row.user.email == "zoe.1@northwind.example"
    assert (row.status, row.time_spent, row.store_purchase_id, row.score) == ("Passed", 1200, 44, 87.5)


def test_enrollment_with_nulls_and_unknown_things():
    row = one(
        payloads.Enrollment,
        enrollment(1, user=None, status="Exempted", start_date=None, content_type="Hologram", due_date="2025-04-01"),
    )

    assert (row.user, row.status, row.start_date, row.content_type) == (None, "Exempted", None, "Hologram")


def test_completion_before_enrollment_is_kept():
    row = one(payloads.Enrollment, enrollment(1, completion_date="2019-01-05T00:00:00.000Z"))

    assert row.completion_date < row.enrollment_date


@pytest.mark.parametrize(("sent", "read"), [(123456, "123456"), ("0042", "0042"), (None, None)])
def test_employee_number_is_text_however_sent(sent, read):
    row = enrollment(1)
    row["user"]["employee_number"] = sent

    assert one(payloads.Enrollment, row).user.employee_number == read
    assert one(payloads.User, user(1, employee_number=sent)).employee_number == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2025-03-02T08:20:00.000Z", datetime(2025, 3, 2, 8, 20, tzinfo=UTC)),
        ("2025-03-02T08:20:00Z", datetime(2025, 3, 2, 8, 20, tzinfo=UTC)),
        ("2025-03-02T09:20:00+01:00", datetime(2025, 3, 2, 8, 20, tzinfo=UTC)),
        ("2025-03-02T08:20:00", datetime(2025, 3, 2, 8, 20, tzinfo=UTC)),
        ("2025-03-02", datetime(2025, 3, 2, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_moment_in_each_form(sent, read):
    row = one(payloads.Enrollment, enrollment(1, completion_date=sent))

    assert row.completion_date == read
    assert read is None or row.completion_date.tzinfo is not None


@pytest.mark.parametrize("sent", ["2025-03-01", "2025-03-01T00:00:00.000Z"])
def test_day_in_both_forms(sent):
    assert one(payloads.RiskScore, {"risk_score": 12.5, "date": sent}).date == date(2025, 3, 1)
    assert one(payloads.User, user(1, custom_date_1=sent)).custom_date_1 == date(2025, 3, 1)
    assert one(payloads.Account, {"name": "N", "subscription_end_date": sent}).subscription_end_date == date(2025, 3, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"enrollment_id": 2**63},
        {"enrollment_id": 10**30},
        {"enrollment_id": None},
        {"enrollment_id": 1.5},
        {"time_spent": 2**70},
        {"start_date": "2025-02-30T00:00:00.000Z"},
        {"start_date": "2025-02-30"},
        {"start_date": "tomorrow"},
        {"status": None},
        {"user": "Zoë"},
    ],
    ids=str,
)
def test_hopeless_row_is_rejected_alone(wrong):
    items, rejected = decode(payloads.Enrollment, enrollment(1), enrollment(2, **wrong), enrollment(3))

    assert [item.enrollment_id for item in items] == [1, 3]
    assert len(rejected) == 1
    assert next(iter(wrong)) in rejected[0].reason
    assert json.loads(rejected[0].raw) == enrollment(2, **wrong)


def test_rows_that_are_no_objects_are_rejected():
    items, rejected = decode(payloads.Enrollment, enrollment(1), 7, None, [], "x")

    assert (len(items), [bad.raw for bad in rejected]) == (1, ["7", "null", "[]", '"x"'])


def test_rejected_row_is_cut():
    _, (bad,) = decode(payloads.Enrollment, enrollment(2**64, module_name="x" * 9000))

    assert len(bad.raw) == RAW_LIMIT


def test_ids_up_to_64_bits():
    assert one(payloads.Enrollment, enrollment(1, enrollment_id=2**63 - 1)).enrollment_id == 2**63 - 1


def test_text_that_is_not_utf8_rejects_its_row():
    body = json.dumps(enrollments(3), ensure_ascii=False).encode().replace("Zoë".encode(), b"Zo\xeb", 1)

    items, rejected = decoder(payloads.Enrollment).page(body)

    assert ([item.enrollment_id for item in items], len(rejected)) == ([2, 3], 1)


def test_nul_is_taken_out_of_text():
    row = one(payloads.Enrollment, enrollment(1, module_name="Pass\0words & \\u0000"))

    assert row.module_name == "Passwords & \\u0000"


def test_earlier_names_of_a_user():
    row = one(payloads.User, user(1, adi_manageable=True, adi_guid="usr-1"))
    today = one(payloads.User, user(1, provisioning_managed=True, provisioning_guid="usr-1"))

    assert row == today


def test_earlier_name_does_not_replace_todays():
    row = one(payloads.Group, {"id": 1, "status": "active", "adi_guid": None, "provisioning_guid": "grp-1"})

    assert row.provisioning_guid == "grp-1"


def test_groups_of_a_user_as_ids_or_in_full():
    expanded = one(payloads.User, user(1, groups=[{"group_id": 5, "name": "Ops"}, {"id": 6, "name": "HR"}]))

    assert expanded.groups == one(payloads.User, user(1, groups=[5, 6])).groups == [5, 6]
    assert one(payloads.User, user(1, groups=None)).groups == []


PURCHASE = {"store_purchase_id": 44, "content_type": "Store Purchase", "name": "Passwords", "type": "Video"}
POLICY = {"policy_id": 5, "content_type": "Uploaded Policy", "name": "Clean desk", "published": True}


@pytest.mark.parametrize(
    "content",
    [
        {"content": [PURCHASE, POLICY]},
        {"content": [[PURCHASE, POLICY]]},
        {"content": [[PURCHASE], [POLICY]]},
        {"modules": [PURCHASE, POLICY]},
        {"content": [{**PURCHASE, "store_purchase_id": None, "store_purchased_id": 44}, POLICY]},
        {"content": [PURCHASE, {"id": 5, **{k: v for k, v in POLICY.items() if k != "policy_id"}}]},
        {"content": [{"id": 99, **PURCHASE}, POLICY]},
    ],
)
def test_content_of_a_campaign_in_each_form(content):
    row = one(payloads.Campaign, {"campaign_id": 3, "status": "In Progress", **content})

    assert [(item.store_purchase_id, item.policy_id, item.name) for item in row.content] == [
        (44, None, "Passwords"),
        (None, 5, "Clean desk"),
    ]


def test_campaign_oddities():
    row = one(
        payloads.Campaign,
        {
            "campaign_id": 3,
            "name": "Annual",
            "status": "Canceled",
            "groups": [{"group_id": 0, "name": "All Users"}, {"name": "Lost"}],
            "content": None,
            "completion_percentage": -1,
            "relative_duration": "2 weeks",
        },
    )

    assert [(group.group_id, group.name) for group in row.groups] == [(0, "All Users"), (None, "Lost")]
    assert (row.content, row.completion_percentage, row.status) == ([], -1, "Canceled")


def test_store_purchase_and_policy_ids_under_earlier_names():
    assert one(payloads.StorePurchase, {"store_purchased_id": 44, "name": "P"}).store_purchase_id == 44
    assert one(payloads.Policy, {"id": 5, "name": "P"}).policy_id == 5


@pytest.mark.parametrize(("sent", "read"), [(1, "1"), ("published", "published"), (None, None)])
def test_policy_status_is_text(sent, read):
    assert one(payloads.Policy, {"policy_id": 5, "status": sent}).status == read


@pytest.mark.parametrize("key", ["landing_page", "landing-page"])
def test_landing_page_of_a_security_test(key):
    row = one(
        payloads.SecurityTest,
        {"pst_id": 1, "status": "Error", key: {"id": 2, "name": "Oops"}, "template": {"id": None, "name": None}},
    )

    assert row.landing_page == payloads.LandingPage(id=2, name="Oops")
    assert row.template == payloads.Template()


def test_recipient_oddities():
    row = one(
        payloads.Recipient,
        {
            "recipient_id": 1_498_000_000,
            "pst_id": 9,
            "user": {"id": 3, "active_directory_guid": "usr-3"},
            "qr_code_scanned": "2025-03-01T00:00:00.000Z",
            "vulnerable-plugins_at": "2019-03-01T00:00:00.000Z",
        },
    )

    assert row.qr_code_scanned == datetime(2025, 3, 1, tzinfo=UTC)
    assert row.vulnerable_plugins_at == datetime(2019, 3, 1, tzinfo=UTC)
    assert row.user.provisioning_guid == "usr-3"


def test_numbers_in_text_and_texts_in_numbers():
    row = one(payloads.User, user("7", custom_field_1=12, current_risk_score=30, groups=["5", 6.0]))

    assert (row.id, row.custom_field_1, row.current_risk_score, row.groups) == (7, "12", 30.0, [5, 6])


def test_every_resource_decodes_an_empty_list():
    every = [value for value in vars(resources).values() if isinstance(value, resources.Resource)]

    assert len(every) == 25
    assert all(decoder(resource.payload).page(b"[]") == ([], []) for resource in every)


def test_page_decodes_at_c_speed():
    body = json.dumps(enrollments(500)).encode()
    rows = decoder(payloads.Enrollment)
    took = []
    for _ in range(40):
        began = time.perf_counter()
        items, rejected = rows.page(body)
        took.append(time.perf_counter() - began)

    assert (len(items), rejected) == (500, [])
    assert min(took) < 0.0015 or median(took) < 0.004, "500 enrollments take more than 1.5 ms to decode"


def test_numbers_truths_and_moments_in_other_forms_are_read():
    row = user(
        7, phish_prone_percentage="14.5", provisioning_managed=1, joined_on="2021-10-19 19:16:09 UTC", groups=["41"]
    )

    read = one(payloads.User, {**row, "id": "7"})

    assert (read.id, read.phish_prone_percentage, read.provisioning_managed) == (7, 14.5, True)
    assert (read.joined_on, read.groups) == (datetime(2021, 10, 19, 19, 16, 9, tzinfo=UTC), [41])
    assert decode(payloads.User, user(8, phish_prone_percentage="a lot"), user(9, provisioning_managed=2))[0] == []


@pytest.mark.parametrize(
    ("name", "value", "readable"),
    [
        ("status", None, False),
        ("department", None, True),
        ("id", "12", True),
        ("id", 1 << 65, False),
        ("joined_on", "10/19/2021", False),
        ("joined_on", "", True),
        ("groups", [{"id": 4}], True),
    ],
)
def test_a_single_value_is_readable_as_its_row_would_be(name, value, readable):
    assert is_readable(payloads.User, name, value) is readable
    assert bool(decode(payloads.User, user(1, **{name: value}))[0]) is readable
