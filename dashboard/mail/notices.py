"""Short mails about somebody's own sign-in, to one address: sent in the background, never twice."""

import logging
from collections.abc import Sequence

from celery.exceptions import Ignore
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from dashboard.outbox import handing_over
from dashboard.outbox.sending import PUT_OFF_FOR
from dashboard.task_queue import asked_at, claim

logger = logging.getLogger(__name__)


def deliver(task_id: str, *, to: str, subject: str, paragraphs: Sequence[str], path: str) -> None:
    """Send the notice that an asked task is for, unless another worker does.

    Raises celery's Ignore while the server puts it off: the task is queued again, for as long as other mail is.
    """
    asked = asked_at(task_id)
    if asked is None:
        return
    context = {"subject": subject, "paragraphs": paragraphs, "page": settings.PUBLIC_URL + path}
    text, html = (render_to_string(f"mail/sign_in.{kind}", context) for kind in ("txt", "html"))
    message = handing_over.addressed(to, subject, text, html)
    try:
        handing_over.hand_over(message, to, claim=lambda: claim(task_id))
    except handing_over.TakenError:
        return
    except handing_over.LaterError as error:
        if timezone.now() - asked < PUT_OFF_FOR:
            raise Ignore from error
        logger.warning("A notice was given up: %s", error)
    except (handing_over.RefusedError, handing_over.UnknownError) as error:
        logger.warning("A notice was not sent: %s", error)
