"""The description of the API as OpenAPI 3.1, with examples; made from the very fields and parameters that answer."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from dashboard.api import campaigns, changes, content, enrollments, groups, metrics, people, phishing, sync
from dashboard.api.answers import CSV, JSON
from dashboard.api.fields import example_of, schema_of, written
from dashboard.api.site import PREFIX, api
from dashboard.queries.fields import Field
from dashboard.web import problems

LISTS: dict[str, tuple[Field, ...]] = {
    "list_campaigns": campaigns.FIELDS,
    "list_enrollments": enrollments.FIELDS,
    "list_people": people.FIELDS,
    "list_groups": groups.FIELDS,
    "list_content": content.FIELDS,
    "list_store_purchases": content.PURCHASES,
    "list_phishing_tests": phishing.TESTS,
    "list_phishing_results": phishing.RESULTS,
    "list_changes": changes.FIELDS,
    "list_sync_runs": sync.RUNS,
}
SINGLE: dict[str, tuple[Field, ...]] = {
    "get_campaign": campaigns.FIELDS,
    "get_enrollment": enrollments.FIELDS,
    "get_person": people.FIELDS,
    "get_sync": sync.STATUS,
}
_NUMBERS_ONLY = frozenset(
    {"list_enrollments", "get_enrollment", "list_people", "get_person", "list_phishing_results", "list_changes"}
    | {"get_metrics"}
)
_STANDING: dict[str, Any] = {
    "as_of": {"type": "string", "format": "date-time", "description": "The moment the answer is of."},
    "scope": {"type": "string", "description": "Whom the answer is about, in words."},
    "sync_run": {"type": ["integer", "null"], "description": "The sync whose data it is."},
    "published_at": {"type": ["string", "null"], "format": "date-time", "description": "When that was published."},
}
_STANDS_ON = {
    "as_of": "2026-11-23T09:30:00Z",
    "scope": "All departments",
    "sync_run": 312,
    "published_at": "2026-11-23T06:00:00Z",
}
_TAG = {"schema": {"type": "string"}, "description": "Send it as If-None-Match: 304 says that nothing changed."}
# Which address tells more of a row: the operation, and the value of the row that it takes.
_MORE = {
    "list_campaigns": (("get_campaign", "campaign_id"),),
    "list_people": (("get_person", "person_id"),),
    "list_enrollments": (
        ("get_enrollment", "enrollment_id"),
        ("get_person", "person_id"),
        ("get_campaign", "campaign_id"),
    ),
    "list_phishing_results": (("get_person", "person_id"),),
    "get_enrollment": (("get_person", "person_id"), ("get_campaign", "campaign_id")),
}
_EXAMPLE_IDS = {"campaign_id": 250012, "enrollment_id": 450100001, "person_id": 33100001}


@cache
def description() -> dict[str, Any]:
    """Return the description; the same for everybody."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX), default=str))
    found["servers"] = [{"url": settings.PUBLIC_URL}]
    found["components"]["schemas"] = {"Problem": problems.SCHEMA}
    found["components"]["responses"] = {_name(status): _problem(status) for status in problems.MEANINGS}
    for operation in operations(found):
        operation["responses"] = _responses(operation)
        for parameter in operation["parameters"]:
            _tidy(parameter)
    return found


def operations(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every operation of a description."""
    for methods in found["paths"].values():
        yield from methods.values()


def _tidy(parameter: dict[str, Any]) -> None:
    """Say what a parameter means once, and give its example the form of this version of OpenAPI."""
    schema = parameter["schema"]
    for name in ("description", "title", "examples"):
        value = schema.pop(name, None)
        if name == "description" and value:
            parameter["description"] = value
        if name == "examples" and value and value[0] != "":
            schema["examples"] = value
    parameter.pop("examples", None)
    parameter.pop("example", None)
    if parameter["in"] == "path":
        parameter["description"] = "KnowBe4's id."
        parameter["example"] = _EXAMPLE_IDS.get(parameter["name"], 1)
        schema["minimum"] = 0


def _responses(operation: dict[str, Any]) -> dict[str, Any]:
    name = operation["operationId"]
    headers = {"ETag": _TAG}
    if name in LISTS:
        headers["Link"] = {"schema": {"type": "string"}, "description": "The next page, as rel=next; not on the last."}
    statuses = [
        400,
        401,
        406,
        414,
        429,
        503,
        *([404] if name.startswith("get_") else []),
        *([403] if _may_be_refused(name) else []),
    ]
    return {
        "200": {
            "description": "What was asked for.",
            "headers": headers,
            "content": _content(name),
            **({"links": _links(name)} if name in _MORE or name in LISTS else {}),
        },
        "304": {
            "description": "Nothing changed since the answer with the tag of If-None-Match.",
            "headers": {"ETag": _TAG},
        },
        **{str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(statuses)},
    }


def _links(name: str) -> dict[str, Any]:
    """Return where an answer leads on: to single things of its first row, and to the next page of a list."""
    row = "$response.body#/data/0" if name in LISTS else "$response.body#/data"
    found: dict[str, Any] = {
        operation: {"operationId": operation, "parameters": {f"path.{key}": f"{row}/{key}"}}
        for operation, key in _MORE.get(name, ())
    }
    if name in LISTS:
        found["next"] = {"operationId": name, "parameters": {"query.cursor": "$response.body#/next_cursor"}}
    return found


def _may_be_refused(name: str) -> bool:
    return name in _NUMBERS_ONLY


def _content(name: str) -> dict[str, Any]:
    if name in LISTS:
        fields = LISTS[name]
        told: dict[str, Any] = {
            "data": {"type": "array", "items": schema_of(fields, is_whole=False)},
            "next_cursor": {"type": ["string", "null"], "description": "Null on the last page."},
            **_STANDING,
        }
        example: Any = {"data": [example_of(fields)], "next_cursor": None, **_STANDS_ON}
    elif name in SINGLE:
        fields = SINGLE[name]
        told = {"data": schema_of(fields, is_whole=False), **_STANDING}
        example = {"data": example_of(fields), **_STANDS_ON}
    else:
        return {
            JSON: {"schema": metrics.SCHEMA, "example": metrics.EXAMPLE},
            CSV: {"schema": {"type": "string"}},
        }
    schema = {"type": "object", "properties": told, "required": list(told), "additionalProperties": False}
    line = ",".join(f'"{value}"' if "," in (value := str(written(field.example))) else value for field in fields)
    return {
        JSON: {"schema": schema, "example": example},
        CSV: {
            "schema": {"type": "string"},
            "example": f"{','.join(field.name for field in fields)}\r\n{line}\r\n",
        },
    }


def _problem(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": problems.MEANINGS[status],
        "content": {problems.PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {429, 503}:
        found["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    if status == 401:
        found["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return found


def _name(status: int) -> str:
    return f"Problem{status}"


@cache
def _written() -> bytes:
    return json.dumps(description(), ensure_ascii=False, indent=1).encode()


@cache
def _tag() -> str:
    return f'"{hashlib.blake2b(_written(), digest_size=12).hexdigest()}"'


@login_not_required
@require_safe
@condition(etag_func=lambda _request: _tag())
def api_description(request: HttpRequest) -> HttpResponse:
    """Answer with the description as JSON. It tells of nobody: no token is needed."""
    return HttpResponse(_written(), content_type=JSON)
