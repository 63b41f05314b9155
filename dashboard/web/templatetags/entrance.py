"""Tags of the sign-in page: its ways in beside a password."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.utils import timezone

from dashboard.identity.demo import DemoSignIn, demo_sign_ins
from dashboard.identity.recently import sign_in_address
from dashboard.queries.sign_in import offered_single_sign_ons
from dashboard.services.operator_links import has_administrator
from sync.models import Account

register = template.Library()


@dataclass(frozen=True)
class Way:
    """A link to an organization's single sign-on."""

    name: str
    address: str


@register.simple_tag(takes_context=True)
def single_sign_ons(context: template.Context) -> list[Way]:
    """Return the organizations' single sign-ons; each leads on to where the reader wanted to go."""
    request: HttpRequest = context["request"]
    onward = request.GET.get("next", "")
    query = "?" + urlencode({"next": onward}) if onward.startswith("/") else ""
    return [Way(one.name, sign_in_address(one) + query) for one in offered_single_sign_ons()]


@register.simple_tag
def demos() -> list[DemoSignIn]:
    """Return the demo's sign-ins; none anywhere but under `bin/run` with the simulator."""
    return demo_sign_ins()


@register.simple_tag
def waits_for_first_administrator() -> bool:
    """Return whether no administrator of any account can sign in, so that nobody could invite a reader."""
    now = timezone.now()
    return not any(has_administrator(account, at=now) for account in Account.objects.order_by("pk"))
