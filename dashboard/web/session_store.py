"""Sessions in the database, each signed for its own key: copied into another's row, what it holds opens nothing."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django's sessions in the database, bound to their keys."""

    @property
    def key_salt(self) -> str:
        """Salt of the signature over what the session holds."""
        return f"rollcall session {self.session_key}"
