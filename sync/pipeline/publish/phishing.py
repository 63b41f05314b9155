"""Phishing campaigns, tests and what each recipient did."""

from sync.models import Change
from sync.pipeline import tables
from sync.pipeline.merge import Column, Counts, Merge, Publication, mark_vanished, merge
from sync.pipeline.staging import Staging

_FAILURES = ("clicked_at replied_at attachment_opened_at macro_enabled_at data_entered_at qr_code_scanned_at").split()


def publish(staging: Staging, publication: Publication, *, unread: set[str]) -> dict[str, Counts]:
    """Merge phishing campaigns, tests and results; return what was written, by table.

    Results are only ever added to or brought up to date: lists of old tests are not read again.
    """
    counts = {}
    campaigns = Merge(
        model_table="sync_phishingcampaign",
        source=f"{staging.table(tables.PHISHING_CAMPAIGN)} s",
        key=(("knowbe4_id", "s.knowbe4_id"),),
        columns=tuple(
            Column(name, f"s.{name}") for name in ("name", "reported_status", "frequency", "created_at", "last_run_at")
        ),
    )
    tests = _test_merge(staging)
    for name, spec, key in (
        ("phishing_campaign", campaigns, "phishing_campaigns"),
        ("phishing_test", tests, "phishing_tests"),
    ):
        written = merge(spec, publication)
        vanished = 0 if any(name.startswith(key) for name in unread) else mark_vanished(spec, publication)
        counts[name] = Counts(written.inserted, written.changed, vanished, written.restored)
    counts["phishing_result"] = merge(_result_merge(staging), publication)
    return counts


def _test_merge(staging: Staging) -> Merge:
    counted = (
        "scheduled_count delivered_count opened_count clicked_count replied_count attachment_open_count "
        "macro_enabled_count data_entered_count qr_code_scanned_count reported_count bounced_count"
    )
    return Merge(
        model_table="sync_phishingtest",
        source=f"{staging.table(tables.PHISHING_TEST)} s",
        key=(("knowbe4_id", "s.knowbe4_id"),),
        joins=(
            "LEFT JOIN sync_phishingcampaign c ON c.account_id = %(account)s AND c.knowbe4_id = s.campaign_knowbe4_id"
        ),
        columns=(
            Column("campaign_id", "c.id"),
            *(
                Column(name, f"s.{name}")
                for name in ("name", "reported_status", "started_at", "duration", "template_name", "categories")
            ),
            # A running test counts on; the results themselves tell when.
            Column("phish_prone_percentage", "s.phish_prone_percentage", tracked=False),
            *(Column(name, f"s.{name}", tracked=False) for name in counted.split()),
        ),
        subject=Change.Subject.PHISHING_TEST,
    )


def _result_merge(staging: Staging) -> Merge:
    moments = f"delivered_at opened_at {' '.join(_FAILURES)} reported_at bounced_at".split()
    return Merge(
        model_table="sync_phishingresult",
        source=(
            f"{staging.table(tables.RECIPIENT)} s JOIN sync_phishingtest test"
            " ON test.account_id = %(account)s AND test.knowbe4_id = s.test_knowbe4_id"
        ),
        key=(("test_id", "test.id"), ("knowbe4_id", "s.knowbe4_id")),
        joins="LEFT JOIN sync_person person ON person.account_id = %(account)s AND person.knowbe4_id = s.user_id",
        columns=(
            Column("person_id", "person.id"),
            *(Column(name, f"s.{name}") for name in moments),
            Column("failed_at", f"least({', '.join(f's.{name}' for name in _FAILURES)})"),
        ),
        has_removed_at=False,
    )
