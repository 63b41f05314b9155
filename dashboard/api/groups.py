"""GET /groups."""

from dataclasses import replace
from typing import Any

from django.db.models import F
from ninja import Query, Router

from dashboard.api.answers import Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import Listed
from dashboard.api.rows import number_of, page_of
from dashboard.queries.fields import Field, Kind
from dashboard.queries.fields.campaigns import GROUP_PARTS
from dashboard.queries.fields.field import OWN_WORD
from sync.models import GroupMembership

router = Router(tags=["People"])

FIELDS = (
    *(replace(part, example=example) for part, example in zip(GROUP_PARTS, (710001, "New hires"), strict=True)),
    Field("group_type", Kind.TEXT, OWN_WORD, "smart_group"),
    Field("status", Kind.TEXT, OWN_WORD, "active"),
    Field(
        "member_count",
        Kind.INTEGER,
        "KnowBe4's own count; for who does not see everyone, its members in scope.",
        37,
        True,
    ),
)
_GROUPS: dict[str, Any] = {**{field.name: F(field.name) for field in FIELDS}, "group_id": F("knowbe4_id")}


class GroupsAsked(Listed):
    """Parameters of the list of groups."""


@router.get("/groups", url_name="api_groups", operation_id="list_groups", summary="Groups")
@view_of("GET /groups")
def groups(call: Call, asked: Query[GroupsAsked]) -> Rows:
    """List the groups of people in scope as of the last sync; /people?group=NAME lists their members in scope."""
    found = call.scope.groups().filter(removed_at__isnull=True)
    counted = _GROUPS
    if not call.scope.sees_everyone:
        members = call.scope.counted(GroupMembership.objects.filter(removed_at=None))
        counted = {**_GROUPS, "member_count": number_of(members, "group")}
    return page_of(call, found, counted, fields_of(FIELDS, asked), asked)
