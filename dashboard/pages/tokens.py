"""API and assistants: the reader's tokens, how programs use them, and a box to try a call."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.api.description import description
from dashboard.api.trying import ROUTES, Tried, try_it
from dashboard.formats import number
from dashboard.identity.recently import recently_signed_in
from dashboard.models import ApiToken
from dashboard.pages.settings.guards import decider
from dashboard.queries.possessions import tokens_of
from dashboard.rate_limits import limited
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services import tokens as held

_LASTS = {
    30: gettext_lazy("30 days"),
    90: gettext_lazy("90 days"),
    180: gettext_lazy("180 days"),
    365: gettext_lazy("A year"),
}


class TokenForm(forms.Form):
    """Form for a token: its name, how long it holds, and whether it tells of people."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("What will use it: Power BI, a script, an assistant."),
    )
    lasts = forms.TypedChoiceField(label=gettext_lazy("Holds for"), choices=[*_LASTS.items()], coerce=int, initial=90)
    numbers_only = forms.BooleanField(label=gettext_lazy("Figures only: no names, no rows of people"), required=False)


class TryForm(forms.Form):
    """Form for the address to try, and its parameters."""

    route = forms.ChoiceField(label=gettext_lazy("Address"), choices=[(route, f"/api/v1/{route}") for route in ROUTES])
    query = forms.CharField(
        label=gettext_lazy("Parameters"),
        max_length=1_000,
        required=False,
        help_text=gettext_lazy("As after the question mark: department=Claims&state=past_due"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@require_safe
def tokens(request: ScopedRequest) -> HttpResponse:
    """Show the reader's tokens and how to use them."""
    return _page(request, TokenForm())


@require_http_methods(["GET", "HEAD", "POST"])
@recently_signed_in("tokens")
@once(
    shown_at="tokens",
    said=gettext_lazy(
        "You sent this twice. One token was made, and its secret was shown to the first click alone: if you did not "
        "see it, revoke that token and make another."
    ),
)
def create_token(request: ScopedRequest) -> HttpResponse:
    """Make a token and show its secret, this once. To be asked for alone leads to the page with the form."""
    if request.method != "POST":
        return redirect("tokens")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        token, secret = held.create(
            decider(request),
            request.account,
            form.cleaned_data["name"],
            expires_at=request.now + timedelta(days=form.cleaned_data["lasts"]),
            at=request.now,
            numbers_only=form.cleaned_data["numbers_only"],
            request=request,
        )
    except RefusedError as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    return _page(request, TokenForm(), made=token, secret=secret)


@require_POST
def revoke_token(request: ScopedRequest, pk: int) -> HttpResponse:
    """End one of the reader's tokens now; 404 for another's."""
    token = get_object_or_404(tokens_of(decider(request), request.account), pk=pk)
    try:
        held.revoke(token, by=decider(request), at=request.now, request=request)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(token)s is revoked: it stops working with its next call.") % {"token": token})
    return redirect("tokens")


@require_safe
@limited("search", when=lambda request: "route" in request.GET)
def try_api(request: ScopedRequest) -> HttpResponse:
    """Show what a program would get, in the scope of the reader who looks."""
    form = TryForm(request.GET or None)
    tried: Tried | None = None
    if form.is_valid():
        try:
            tried = try_it(request, form.cleaned_data["route"], form.cleaned_data["query"])
        except (RequestDataTooBig, TooManyFieldsSent):
            form.add_error("query", _("These are too many parameters."))
    return render(request, "dashboard/tokens/try.html", {"form": form, "tried": tried})


@require_safe
def api_reference(request: ScopedRequest) -> HttpResponse:
    """Show every address with its parameters and fields, from the very description that programs read."""
    found = description()
    entries = [_entry(path, methods["get"]) for path, methods in found["paths"].items()]
    return render(request, "dashboard/tokens/reference.html", {"entries": entries, "about": found["info"]})


def _entry(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    data = schema["properties"].get("data", {})
    fields = data.get("items", data).get("properties") or schema["properties"]
    return {
        "path": path,
        "slug": operation["operationId"].replace("_", "-"),
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [
            {"name": one["name"], "type": _type(one["schema"]), "about": one.get("description", "")}
            for one in operation["parameters"]
        ],
        "fields": [
            {"name": name, "type": _type(one), "about": one.get("description", "")} for name, one in fields.items()
        ],
    }


def _type(schema: dict[str, Any]) -> str:
    """Return the kind of a value in a word or two; where it is one of a few words, these."""
    if "enum" in schema:
        return " | ".join(str(word) for word in schema["enum"] if word not in {"", None})
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(part) for part in schema["anyOf"] if part.get("const") != ""))
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "array":
        return _type(schema.get("items", {}))
    return {"date-time": _("moment"), "date": _("day")}.get(schema.get("format", ""), str(kind))


def _page(
    request: ScopedRequest, form: TokenForm, *, made: ApiToken | None = None, secret: str = "", status: int = 200
) -> HttpResponse:
    if not request.scope.is_member:
        raise Http404
    rows = list(tokens_of(decider(request), request.account))
    live = [token for token in rows if token.holds(request.now)]
    context = {
        "form": form,
        "live": live,
        "over": [token for token in rows if not token.holds(request.now)],
        "made": made,
        "secret": secret,
        "lead": _lead(len(live)),
        "root": f"{settings.PUBLIC_URL}/api/v1",
        "try_form": TryForm(),
        # The first that is there.
        "assistants": ["dashboard/assistants.html", "dashboard/tokens/no_assistants.html"],
    }
    return render(request, "dashboard/tokens/tokens.html", context, status=status)


def _lead(live: int) -> str:
    if not live:
        return _("No token of yours is in use.")
    return ngettext("%(n)s token of yours is in use.", "%(n)s tokens of yours are in use.", live) % {"n": number(live)}
