"""Numbers in the terminal, through the very code the pages use."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from config.commands import PlainCommand
from dashboard import rollups
from dashboard.access import Scope
from dashboard.exports.metric_report.answers import GROUPINGS, Asked, NotAskableError, answer
from dashboard.exports.metric_report.stamp import Stamp
from dashboard.exports.metric_report.structured import write_csv, write_json
from dashboard.exports.metric_report.table import write_table
from dashboard.figures.selection import Basis
from dashboard.local_days import local_midnight
from dashboard.management.accounts import EXIT_MISUSE, find_account
from dashboard.metrics import CampaignState, State
from dashboard.metrics.registry import REGISTRY, UnknownMetricError, find
from dashboard.models import Membership, RollupState, Trigger, User
from dashboard.requests.named_filters import NoSuchFilterError, Wanted, resolve
from dashboard.row_security import within
from sync.models import Account
from sync.models.training import ContentType

WRITERS = {"table": write_table, "json": write_json, "csv": write_csv}


class Command(PlainCommand):
    """Reads; nothing is written, but for rollups that no sync has built yet."""

    help = (
        "Print numbers as of any moment. METRICS are one or more of: "
        + ", ".join(REGISTRY)
        + "; or all. Exit status: 0 printed, 1 nothing was published yet, 2 asked for what there is not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("metrics", metavar="METRICS", nargs="+", help="names, separated by blanks or commas")
        parser.add_argument("--by", choices=[str(by) for by in GROUPINGS], help="a row for each of these")
        parser.add_argument(
            "--as-of", metavar="DATE", help="2026-09-30 is the end of that local day; or a moment, 2026-09-30T12:00"
        )
        parser.add_argument("--account", metavar="NAME", help="which account; not needed when there is only one")
        parser.add_argument(
            "--as", dest="reader", metavar="USER", help="apply the scope of who signs in with this email"
        )
        parser.add_argument("--basis", choices=[str(basis) for basis in Basis], default=str(Basis.NOW), help=_BASIS)
        parser.add_argument("--format", choices=list(WRITERS), default="table")
        parser.add_argument("--periods", type=int, default=12, metavar="N", help="how many quarters or months")
        narrow = parser.add_argument_group("filters", "Each may be given several times; ids may follow one another.")
        several: dict[str, Any] = {"action": "extend", "nargs": "+", "default": []}
        narrow.add_argument("--campaign", metavar="ID", type=int, help="KnowBe4's id, or Rollcall's own", **several)
        narrow.add_argument("--campaign-state", choices=CampaignState.values, **several)
        narrow.add_argument("--trigger", choices=Trigger.values, **several)
        narrow.add_argument("--content-type", metavar="TYPE", help=", ".join(ContentType.values), **several)
        narrow.add_argument("--department", metavar="NAME", help='"No department" for none', **several)
        narrow.add_argument("--group", metavar="NAME", help="a group of KnowBe4", **several)
        narrow.add_argument("--state", choices=[str(state) for state in State], **several)
        narrow.add_argument("--manager", metavar="EMAIL", help='their whole line; or a name; "none" for no manager')
        narrow.add_argument("--direct", action="store_true", help="managers: their direct reports only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer and print; the clock is read here, once."""
        now = timezone.now()
        try:
            metrics = find(name for text in options["metrics"] for name in text.split(",") if name.strip())
        except UnknownMetricError as error:
            raise CommandError(str(error), returncode=EXIT_MISUSE) from None
        if options["periods"] < 1:
            raise CommandError("Ask for at least one period.", returncode=EXIT_MISUSE)
        account = find_account(options["account"])
        reader, scope = _scope(account, options["reader"])
        if account.published_run is None:
            raise CommandError(f"Nothing of {account.name} was published yet: run manage.py sync first.", returncode=1)
        if not RollupState.objects.filter(account=account).exists():
            rollups.rebuild(account, at=now)
        as_of, day = _moment(options["as_of"], account, now)
        by = options["by"]
        # For the operator, too: whatever is asked, nothing but the account is read.
        with within(scope):
            try:
                filters, words = resolve(scope, Wanted(**{name: options[name] for name in Wanted.__dataclass_fields__}))
                asked = Asked(metrics, as_of, by, filters, Basis(options["basis"]), options["periods"])
                report = answer(scope, asked)
            except (NoSuchFilterError, NotAskableError) as error:
                raise CommandError(str(error), returncode=EXIT_MISUSE) from None
            stamp = Stamp(scope, account.published_run, as_of, day, reader, asked.basis, words)
            told = WRITERS[options["format"]](report, metrics, stamp, by=by)
        self.stdout.write(told, ending="")


_BASIS = "departments and managers that people have now, or had then"


def _scope(account: Account, email: str | None) -> tuple[str, Scope]:
    """Return whose scope it is and the scope; without an email the operator's, who reaches the database anyway."""
    if email is None:
        return "", Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR}), accounts=(account,))
    user = User.objects.called(email.strip())
    if user is None:
        raise CommandError(f"Nobody signs in as {email!r}.", returncode=EXIT_MISUSE)
    scope = Scope.of(user, chosen=account.pk)
    if scope.account != account:
        raise CommandError(f"{user.email} has no access to {account.name}.", returncode=EXIT_MISUSE)
    return user.email, scope


def _moment(text: str | None, account: Account, now: datetime) -> tuple[datetime, date | None]:
    """Return the moment asked for and, if a day was, that day; the midnight that ends it is the moment."""
    if text is None:
        return now, None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = None
    try:
        if day is not None:
            return local_midnight(day + timedelta(days=1), account.zone), day
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=account.zone)), None
    except (ValueError, OverflowError):
        raise CommandError(
            f"{text!r} is neither a day like 2026-09-30 nor a moment like 2026-09-30T12:00+02:00.",
            returncode=EXIT_MISUSE,
        ) from None
