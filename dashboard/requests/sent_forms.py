"""A form does what it says once: each one shown has a key, and what was sent with it is held against a second click.

`{% csrf_token %}` writes the key (`dashboard.web.templatetags.forms`), so every form that posts has one. Views that
make a row or send a mail are marked with `once`. It holds across web processes and without Redis: the hash of what was
sent is unique in Postgres, and whoever comes second waits there until the first is done. The same form with other words
in it is another act.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext_lazy

from dashboard.models import User
from dashboard.models.forms import SentForm
from dashboard.scoped_request import ScopedRequest

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer", bound=HttpResponseBase)
View = Callable[Concatenate[ScopedRequest, Arguments], Answer]

FIELD = "form_key"
# As long as a session: nobody sends a form that was shown before.
KEPT_FOR = timedelta(hours=12)
_SAID = gettext_lazy("You sent this twice. It was done once, and is already on its way.")
_SIGNER = Signer(salt="dashboard.sent_forms")


def new_key(user: User, account_id: int | None = None) -> str:
    """Return a key for a form shown to the user on a page of the account; None: on one of none."""
    return _SIGNER.sign(f"{user.pk}.{account_id or ''}.{secrets.token_urlsafe(12)}")


def reader_of(request: HttpRequest) -> int | None:
    """Return the key of the user whom the form sent was shown to; None for a form without a key of ours."""
    return _part(request, 0)


def account_of(request: HttpRequest) -> int | None:
    """Return the key of the account whose page showed the form sent; None for no account, and without a key of ours."""
    return _part(request, 1)


def _part(request: HttpRequest, place: int) -> int | None:
    try:
        return int(_SIGNER.unsign(request.POST.get(FIELD, "")).split(".")[place])
    except (BadSignature, ValueError):
        return None


def once(
    *,
    when: Callable[[ScopedRequest], object] = lambda request: True,
    shown_at: str = "",
    said: Any = _SAID,
) -> Callable[[View[Arguments, Answer]], View[Arguments, Answer]]:
    """Do what a form says once: the second time say so, and lead to what the first made.

    A redirect is taken for done, anything else for a form to be sent again; with `shown_at`, the name of a page, an
    answer of 200 is done, too, and that page shows what it made. `when` says which requests make something, `said` what
    whoever sends it twice is told.
    """

    def decorate(view: View[Arguments, Answer]) -> View[Arguments, Answer]:
        @wraps(view)
        def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            reader = request.user
            if not isinstance(reader, User) or not _has_key(request, reader) or not when(request):
                return view(request, *args, **kwargs)
            with transaction.atomic():
                # Waits for whoever sends the same just now.
                sent, is_first = SentForm.objects.get_or_create(
                    digest=_digest(request), defaults={"user": reader, "sent_at": request.now}
                )
                if not is_first:
                    messages.info(request, said)
                    return cast(Answer, redirect(sent.led_to or "overview"))
                response = view(request, *args, **kwargs)
                if response.status_code in {302, 303}:
                    sent.led_to = response.headers["Location"]
                    sent.save(update_fields=["led_to"])
                elif shown_at and response.status_code == 200:
                    sent.led_to = resolve_url(shown_at)
                    sent.save(update_fields=["led_to"])
                else:
                    sent.delete()
                return response

        return guarded

    return decorate


def forget(at: datetime) -> int:
    """Delete what nobody can send again at `at`; return how many forms these were."""
    return SentForm.objects.filter(sent_at__lte=at - KEPT_FOR).delete()[0]


def _has_key(request: HttpRequest, reader: User) -> bool:
    """Return whether what was sent tells which form it was: by our key, or by Django's, masked anew for each page."""
    return request.method == "POST" and ("csrfmiddlewaretoken" in request.POST or reader_of(request) == reader.pk)


def _digest(request: HttpRequest) -> str:
    """Return the hash of who sent a form, where it went and all it said, its keys included."""
    said: list[Any] = sorted(request.POST.lists())
    files = []
    for name, file in sorted(request.FILES.items()):
        files.append([name, str(file), hashlib.file_digest(cast(Any, file), "sha256").hexdigest()])
        cast(Any, file).seek(0)
    return hashlib.sha256(json.dumps([request.user.pk, request.get_full_path(), said, files]).encode()).hexdigest()
