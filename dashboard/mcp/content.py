"""Training content: what people can be asked to do, and what of it was bought in KnowBe4's store."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal, cast

from django.urls import reverse
from msgspec import Meta

from dashboard.local_days import local_midnight
from dashboard.mcp.reading import Reader, ToolError, listing, sliced
from dashboard.mcp.shapes import About, Arguments, Id, Listing, Page, PerPage, Shape
from dashboard.metrics import CampaignState, campaign_state
from dashboard.queries.licenses import ends_on
from sync.models import ContentItem
from sync.models.training import ContentType

Type = Literal["Training Module", "Video", "Game", "Assessment", "Policy", "Newsletter", "Poster", "Other"]
Source = ContentItem.Source


class Module(Shape):
    """Something people can be asked to do: bought in the store, or an uploaded policy."""

    module_id: Annotated[int, Meta(description="KnowBe4's id of the store purchase or policy.")]
    source: Annotated[Literal["store_purchase", "policy"], Meta(description="KnowBe4 numbers the two apart.")]
    name: str
    type: Type
    description: str
    publisher: str
    duration: Annotated[int | None, Meta(description="Minutes; null: KnowBe4 tells none.")]
    is_retired: bool | None
    retirement_date: datetime | None
    published_date: datetime | None
    active_campaigns: Annotated[int, Meta(description="How many active campaigns ask people to do it.")]


class Modules(Listing):
    """Content that KnowBe4 lists, by name."""

    about: About
    modules: list[Module]


class OneModule(Shape):
    """One thing people can be asked to do."""

    about: About
    module: Module
    also: Annotated[list[Module], Meta(description="A policy that KnowBe4 gave the same number as this purchase.")]


class StorePurchase(Shape):
    """Content bought in KnowBe4's store."""

    store_purchase_id: Annotated[int, Meta(description="KnowBe4's id.")]
    content_id: Annotated[int, Meta(description="The id by which campaigns name it: KnowBe4 has one for both.")]
    content_type: Type
    content_name: str
    purchase_date: datetime | None
    expiration_date: Annotated[
        datetime | None,
        Meta(description="When the license ends, where an administrator entered it: KnowBe4's API does not tell."),
    ]


class StorePurchases(Listing):
    """Store purchases, by their id."""

    about: About
    store_purchases: list[StorePurchase]


class OneStorePurchase(Shape):
    """A store purchase."""

    about: About
    store_purchase: StorePurchase


class ListModules(Arguments):
    """Choice of content."""

    type: Annotated[Type | None, Meta(description="Only content of this type.")] = None
    page: Page = 1
    per_page: PerPage = 100


class GetModule(Arguments):
    """Choice of one module."""

    module_id: Annotated[Id, Meta(description="KnowBe4's id of the store purchase or policy.")]


class ListStorePurchases(Arguments):
    """Choice of a page."""

    page: Page = 1
    per_page: PerPage = 100


class GetStorePurchase(Arguments):
    """Choice of a purchase."""

    store_purchase_id: Annotated[Id, Meta(description="KnowBe4's id of the store purchase.")]


def list_modules(reader: Reader, asked: ListModules) -> Modules:
    """List the training content of people in scope: modules, videos, games, assessments, policies and the rest."""
    found = reader.scope.content().filter(removed_at__isnull=True, knowbe4_id__isnull=False).order_by("name", "pk")
    if asked.type:
        found = found.filter(content_type=ContentType(asked.type))
    return Modules(
        about=reader.about(reverse("campaigns"), {"type": asked.type}),
        modules=_modules(reader, sliced(found, asked.page, asked.per_page)),
        **listing(asked.page, asked.per_page, found.count()),
    )


def get_module(reader: Reader, asked: GetModule) -> OneModule:
    """Get one piece of training content by KnowBe4's id."""
    # "store_purchase" before "policy".
    found = _modules(reader, reader.scope.content().filter(knowbe4_id=asked.module_id).order_by("-source"))
    if not found:
        raise ToolError(404, "Module not found", f"Verify module_id exists: {asked.module_id} is no content here.")
    module, *also = found
    return OneModule(about=reader.about(reverse("campaigns"), {"type": module.type}), module=module, also=also)


def list_store_purchases(reader: Reader, asked: ListStorePurchases) -> StorePurchases:
    """List what was bought in KnowBe4's store, and when the license for it ends where that was entered."""
    found = reader.scope.content().filter(source=Source.STORE_PURCHASE, removed_at__isnull=True)
    found = found.filter(knowbe4_id__isnull=False).order_by("knowbe4_id")
    return StorePurchases(
        about=reader.about(reverse("campaigns")),
        store_purchases=_purchases(reader, list(sliced(found, asked.page, asked.per_page))),
        **listing(asked.page, asked.per_page, found.count()),
    )


def get_store_purchase(reader: Reader, asked: GetStorePurchase) -> OneStorePurchase:
    """Get one store purchase by KnowBe4's id."""
    found = reader.scope.content().filter(source=Source.STORE_PURCHASE, knowbe4_id=asked.store_purchase_id)
    rows = _purchases(reader, list(found))
    if not rows:
        raise ToolError(
            404,
            "Store purchase not found",
            f"Verify store_purchase_id exists: {asked.store_purchase_id} is no purchase here.",
        )
    return OneStorePurchase(about=reader.about(reverse("campaigns")), store_purchase=rows[0])


def _modules(reader: Reader, items: Iterable[ContentItem]) -> list[Module]:
    active = reader.scope.campaigns().annotate(state=campaign_state(reader.now)).filter(state=CampaignState.ACTIVE)
    used = Counter(key for ids in active.values_list("content_ids", flat=True) for key in set(ids))
    return [
        Module(
            module_id=item.knowbe4_id or 0,
            source="policy" if item.source == Source.POLICY else "store_purchase",
            name=item.name,
            type=cast(Type, item.content_type),
            description=item.description,
            publisher=item.publisher,
            duration=item.duration,
            is_retired=item.is_retired,
            retirement_date=item.retirement_at,
            published_date=item.published_at,
            active_campaigns=used[item.pk],
        )
        for item in items
    ]


def _purchases(reader: Reader, items: list[ContentItem]) -> list[StorePurchase]:
    ends = ends_on(reader.scope, items)
    return [
        StorePurchase(
            store_purchase_id=item.knowbe4_id or 0,
            content_id=item.knowbe4_id or 0,
            content_type=cast(Type, item.content_type),
            content_name=item.name,
            purchase_date=item.purchased_at,
            # The license holds on its last day.
            expiration_date=local_midnight(ends[item.pk] + timedelta(days=1), reader.account.zone)
            if item.pk in ends
            else None,
        )
        for item in items
    ]
