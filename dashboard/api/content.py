"""GET /content: modules and policies, and GET /store-purchases."""

from dataclasses import replace
from typing import Any, Literal

from django.db.models import F, QuerySet
from ninja import Query, Router
from pydantic import Field as Parameter

from dashboard.api.answers import Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import Listed
from dashboard.api.rows import page_of
from dashboard.queries.fields import CONTENT, Field, Kind
from dashboard.queries.fields.campaigns import CONTENT_PARTS
from dashboard.queries.fields.field import OWN_WORD
from sync.models import ContentItem
from sync.models.training import ContentType

router = Router(tags=["Content"])

FIELDS = (
    *CONTENT_PARTS,
    Field("reported_type", Kind.TEXT, OWN_WORD, "Training Module"),
    Field("description", Kind.TEXT, "What KnowBe4 says about it.", "Ten minutes on invoices that are not."),
    Field("publisher", Kind.TEXT, "Who made it.", "KnowBe4"),
    Field("duration", Kind.INTEGER, "Minutes.", 10, True),
    Field("is_retired", Kind.BOOLEAN, "Whether KnowBe4 has retired it.", False, True),
    Field("retirement_date", Kind.MOMENT, "When it is or was retired.", None, True),
    Field("publish_date", Kind.MOMENT, "When it was published.", "2025-01-15T00:00:00Z", True),
    Field("purchase_date", Kind.MOMENT, "When it was bought; null for policies.", "2025-02-01T00:00:00Z", True),
)
PURCHASES = (
    Field("store_purchase_id", Kind.INTEGER, "KnowBe4's id of the purchase.", 800123),
    Field("content_id", Kind.INTEGER, "The same: KnowBe4 gives its content no other id.", 800123),
    CONTENT["content_type"],
    replace(CONTENT["content"], name="content_name"),
    Field("purchase_date", Kind.MOMENT, "When it was bought.", "2025-02-01T00:00:00Z", True),
    Field(
        "expiration_date",
        Kind.DAY,
        "The last day of the license, as an administrator entered it: KnowBe4 tells none.",
        None,
        True,
    ),
)
_CONTENT: dict[str, Any] = {
    **{field.name: F(field.name) for field in FIELDS},
    "content_id": F("knowbe4_id"),
    "retirement_date": F("retirement_at"),
    "publish_date": F("published_at"),
    "purchase_date": F("purchased_at"),
}
_PURCHASES: dict[str, Any] = {
    "store_purchase_id": F("knowbe4_id"),
    "content_id": F("knowbe4_id"),
    "content_type": F("content_type"),
    "content_name": F("name"),
    "purchase_date": F("purchased_at"),
    "expiration_date": F("license__ends_on"),
}


class ContentAsked(Listed):
    """Parameters of the list of content."""

    source: Literal["store_purchase", "policy", ""] = Parameter("", description="Modules and the like, or policies.")
    content_type: list[ContentType] = Parameter([], description=CONTENT["content_type"].meaning)


class PurchasesAsked(Listed):
    """Parameters of the list of store purchases."""

    content_type: list[ContentType] = Parameter([], description=CONTENT["content_type"].meaning)


@router.get("/content", url_name="api_content", operation_id="list_content", summary="Modules and policies")
@view_of("GET /content")
def content(call: Call, asked: Query[ContentAsked]) -> Rows:
    """List what people in scope were or will be asked to do, as of the last sync; everything for who sees everyone."""
    found = _there(call, asked.content_type)
    if asked.source:
        found = found.filter(source=asked.source)
    return page_of(call, found, _CONTENT, fields_of(FIELDS, asked), asked)


@router.get(
    "/store-purchases", url_name="api_store_purchases", operation_id="list_store_purchases", summary="Store purchases"
)
@view_of("GET /store-purchases")
def store_purchases(call: Call, asked: Query[PurchasesAsked]) -> Rows:
    """List the content of /content that was bought in KnowBe4's store, as far as its API tells, as of the last sync."""
    found = _there(call, asked.content_type).filter(source=ContentItem.Source.STORE_PURCHASE, knowbe4_id__isnull=False)
    return page_of(call, found, _PURCHASES, fields_of(PURCHASES, asked), asked)


def _there(call: Call, kinds: list[ContentType]) -> QuerySet[ContentItem]:
    found = call.scope.content().filter(removed_at__isnull=True)
    return found.filter(content_type__in=kinds) if kinds else found
