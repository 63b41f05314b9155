"""A test mail: does what Rollcall sends arrive?"""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from dashboard.outbox.handing_over import LaterError, RefusedError, UnknownError, addressed, hand_over, is_set_up


def server_in_words() -> str:
    """Return the mail server as host and port; empty when none is set up. Never its user or password."""
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if is_set_up() else ""


def send_test_mail(to: str) -> str:
    """Send a test mail to an address and return what is wrong, in a sentence; empty when the server took it.

    Without a mail server it is printed where Rollcall runs, as all mail that somebody waits for.
    """
    subject = _("Test mail from Rollcall")
    text = render_to_string("mail/test.txt", {"address": settings.PUBLIC_URL})
    if not is_set_up():
        send_mail(subject, text, None, [to])
        return ""
    message = addressed(to, subject, text)
    try:
        hand_over(message, to, claim=lambda: True)
    except (LaterError, RefusedError, UnknownError) as error:
        return str(error)
    return ""
