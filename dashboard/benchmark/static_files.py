"""The collected static files, without which no page can be drawn."""

from collections.abc import Callable

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import CommandError, call_command


def collect_missing(say: Callable[[str], None]) -> None:
    """Collect the static files where any is not collected yet. CommandError where they cannot be written."""
    collected = staticfiles_storage
    if not isinstance(collected, ManifestFilesMixin):
        return
    wanted = {path for finder in get_finders() for path, _storage in finder.list([])}
    if wanted <= collected.hashed_files.keys():
        return
    say("Collecting static files, which pages name by their contents.")
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
    except OSError as error:
        raise CommandError(
            f"Pages need the static files, which cannot be written ({error.strerror}): run manage.py collectstatic as "
            "whoever may.",
            returncode=1,
        ) from error
