"""`{% csrf_token %}` of this site: Django's, and the key by which a form is done once.

The key is of `dashboard.requests.sent_forms`. A builtin of the templates in the place of Django's own, so that no form
can be without.
"""

from typing import Any

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.safestring import SafeString

from dashboard.markup import Markup, joined
from dashboard.models import User
from dashboard.requests.sent_forms import FIELD, new_key

register = template.Library()
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')


class FormKeysNode(CsrfTokenNode):
    """Both hidden inputs; the key only for who is signed in."""

    def render(self, context: Any) -> SafeString:
        """Write them."""
        request = context.get("request")
        user, account = getattr(request, "user", None), getattr(getattr(request, "scope", None), "account", None)
        key = new_key(user, account.pk if account else None) if isinstance(user, User) else ""
        return joined([super().render(context), _HIDDEN(FIELD, key) if key else ""])


@register.tag
def csrf_token(parser: Any, token: Any) -> FormKeysNode:
    """Write the hidden inputs that a form which posts must have."""
    return FormKeysNode()
