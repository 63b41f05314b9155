"""Until when content may be used, as administrators entered it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dashboard.access import Scope
from dashboard.models import ContentLicense
from sync.models import ContentItem


@dataclass(frozen=True)
class License:
    """A store purchase and the last day of its license; None where nobody entered one."""

    content: ContentItem
    ends_on: date | None


def licenses(scope: Scope) -> list[License]:
    """Return the store purchases that KnowBe4 lists, by name, each with the end of its license."""
    found = scope.content().filter(source=ContentItem.Source.STORE_PURCHASE, removed_at__isnull=True)
    items = list(found.filter(knowbe4_id__isnull=False).order_by("name", "pk"))
    ends = ends_on(scope, items)
    return [License(item, ends.get(item.pk)) for item in items]


def ends_on(scope: Scope, items: Iterable[ContentItem]) -> dict[int, date]:
    """Return the last day of each item's license, by our id, where one was entered."""
    if scope.account is None:
        return {}
    rows = ContentLicense.objects.filter(account=scope.account, content__in=[item.pk for item in items])
    return dict(rows.values_list("content_id", "ends_on"))
