"""Sign-in of readers: one's own second factors and sessions, and what the sign-in page offers to everybody."""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import Q, QuerySet

from dashboard.models import SingleSignOn, User
from dashboard.queries.belonging import owns_domain

# Nobody whose groups were left out has signed in for so long: then it is taken to be mended.
UNTOLD_FOR = timedelta(days=7)


def factors(user: User) -> list[Authenticator]:
    """Return the user's second factors, passkeys too, in the order in which they were added."""
    return list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))


def is_linked(user: User) -> bool:
    """Return whether an organization's single sign-on has signed the user in."""
    return SocialAccount.objects.filter(user=user).exists()


def provider_of(user: User) -> SingleSignOn | None:
    """Return the single sign-on that the user comes through and that says their email and name; None without one."""
    linked = SocialAccount.objects.filter(user=user).values("provider")
    found = SingleSignOn.objects.filter(key__in=linked, is_enabled=True).select_related("account").order_by("pk")
    return next((one for one in found if owns_domain(one.account_id, user.email)), None)


def live_sessions(user: User) -> list[UserSession]:
    """Return the user's sessions that are not over; forgets the others."""
    return list(UserSession.objects.purge_and_list(user))


def other_sessions(user: User, session_key: str | None) -> QuerySet[UserSession]:
    """Return the user's sessions but this one."""
    return UserSession.objects.filter(user=user).exclude(session_key=session_key)


def offered_single_sign_ons() -> QuerySet[SingleSignOn]:
    """Return the single sign-ons that the sign-in page offers, of all accounts: nobody is known there yet."""
    return SingleSignOn.objects.filter(is_enabled=True).order_by("name", "pk")


def untold_groups(now: datetime) -> Q:
    """Match single sign-ons that lately left out somebody's groups."""
    return Q(is_enabled=True, groups_untold_at__gt=now - UNTOLD_FOR, groups_untold_at__lte=now)
