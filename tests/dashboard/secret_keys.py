"""Another SECRET_KEY, as a start with it has it: `migrate` tells the database."""

from django.conf import LazySettings

from dashboard.row_security import apply


def use_secret_key(settings: LazySettings, key: str, *fallbacks: str) -> None:
    """Have this process and the database use a key and its fallbacks."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, list(fallbacks)
    apply()
