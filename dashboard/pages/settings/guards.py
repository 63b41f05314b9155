"""Permissions on the pages of settings, to open and to change them; and the reader as the one who decides."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpResponse

from dashboard.models import User
from dashboard.scoped_request import ScopedRequest

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[ScopedRequest, Arguments], HttpResponse]


def for_readers_of_settings(view: View[Arguments]) -> View[Arguments]:
    """Answer 404 to whoever does not see everybody: reasons and exemptions name people; and to who may not decide,
    when something is sent.
    """

    @wraps(view)
    def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        is_asking = request.method in {"GET", "HEAD"}
        if not request.scope.sees_everyone or not (is_asking or request.scope.may_decide):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def for_deciders(view: View[Arguments]) -> View[Arguments]:
    """Answer 404 to whoever may not decide what the numbers count."""

    @wraps(view)
    def guarded(request: ScopedRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if not request.scope.may_decide:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def decider(request: ScopedRequest) -> User:
    """Return the reader as the one who decides; 404 for nobody."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user
