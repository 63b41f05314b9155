"""Findings in the mirrored data: what is odd, and what must never be."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from sync.management.commands.sync import find_account
from sync.models.training import STANDINGS

# References that the database does not check on each insert (see Enrollment).
REFERENCES = (
    ("enrollments of a person that is not there", "sync_enrollment", "person_id", "sync_person"),
    ("enrollments of a campaign that is not there", "sync_enrollment", "campaign_id", "sync_campaign"),
    ("enrollments of content that is not there", "sync_enrollment", "content_id", "sync_contentitem"),
    ("phishing results of a test that is not there", "sync_phishingresult", "test_id", "sync_phishingtest"),
    ("phishing results of a person that is not there", "sync_phishingresult", "person_id", "sync_person"),
)

ODDITIES = (
    ("enrollments without a person, in no rate", "sync_enrollment", "person_id IS NULL AND removed_at IS NULL"),
    ("enrollments without a campaign", "sync_enrollment", "campaign_id IS NULL AND removed_at IS NULL"),
    (
        "enrollments with a status nobody knows, in no rate",
        "sync_enrollment",
        "NOT lower(btrim(reported_status)) = ANY(%(known)s) AND removed_at IS NULL",
    ),
    (
        "enrollments extended in KnowBe4 to an unknown date",
        "sync_enrollment",
        "due_source = 'hidden_extension' AND removed_at IS NULL",
    ),
    (
        "completions KnowBe4 gave no date for",
        "sync_enrollment",
        "is_completion_observed AND completed_at IS NOT NULL AND removed_at IS NULL",
    ),
    (
        "campaigns with a duration that cannot be read",
        "sync_campaign",
        "duration_type ILIKE 'relative%%' AND relative_days IS NULL AND removed_at IS NULL",
    ),
    (
        "people whose manager's email belongs to nobody",
        "sync_person",
        "manager_email <> '' AND manager_id IS NULL AND removed_at IS NULL AND status = 'active'",
    ),
)


class Command(BaseCommand):
    help = (
        "Check the mirrored data of an account: references that must hold (exit status 1 if one does not), and how "
        "many rows are out of the ordinary."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="NAME", help="which account; not needed when there is only one")

    def handle(self, *args: Any, **options: Any) -> None:
        parameters: dict[str, Any] = {"account": find_account(options["account"]).pk, "known": list(STANDINGS)}
        broken = 0
        with connection.cursor() as cursor:
            for words, table, column, target in REFERENCES:
                cursor.execute(
                    f"SELECT count(*) FROM {table} r WHERE r.account_id = %(account)s AND r.{column} IS NOT NULL"  # noqa: S608
                    f" AND NOT EXISTS (SELECT FROM {target} t WHERE t.id = r.{column} AND t.account_id = r.account_id)",
                    parameters,
                )
                found = cursor.fetchone()[0]
                broken += found
                if found:
                    self.stdout.write(f"{found:>9,}  {words}")
            for words, table, condition in ODDITIES:
                cursor.execute(
                    f"SELECT count(*) FROM {table} WHERE account_id = %(account)s AND {condition}",  # noqa: S608
                    parameters,
                )
                self.stdout.write(f"{cursor.fetchone()[0]:>9,}  {words}")
        if broken:
            raise CommandError(f"{broken:,} references lead nowhere: restore the database from its backup.")
        self.stdout.write("Every reference holds.")
