"""How people get in: by invitation only."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Nobody opens an account for themselves: who may see training records is an administrator's decision."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse every sign-up; the page says whom to ask."""
        return False
