"""Telling somebody by mail what happened to their sign-in."""

from django.urls import reverse

from dashboard.outbox.handing_over import is_set_up
from dashboard.task_queue import send

TASK = "dashboard.tasks.send_notice"


def tell(to: str, subject: str, *paragraphs: str, page: str = "profile") -> None:
    """Have a short mail sent to an address once the transaction is committed; it ends with a link to the page named.

    Without a mail server nobody is told.
    """
    if is_set_up():
        send(TASK, to=to, subject=subject, paragraphs=[str(paragraph) for paragraph in paragraphs], path=reverse(page))
