"""Exemptions out of a CSV file: uploaded, shown row by row, and asked for only when the reader accepts.

The file is kept nowhere: it goes from the request's memory into the preview, and comes back with the acceptance, where
every row is read again. What was not shown is not imported.
"""

import hashlib
import re
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from dashboard import metrics
from dashboard.formats import number
from dashboard.models import Exemption
from dashboard.pages.console_import import MemoryUpload
from dashboard.pages.settings.guards import decider, for_deciders
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.exemption_file import MOST_BYTES, MOST_ROWS, Reading, decode, read
from dashboard.services.exemptions import Excuse, request_all

SHOWN_ROWS = 50


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_deciders
def import_exemptions(request: ScopedRequest) -> HttpResponse:
    """Take a file and show what it asks for; ask for it once that is accepted."""
    # Before anything reads the body, hence the CSRF check one step further in.
    handler = MemoryUpload(request)
    request.upload_handlers = [handler]
    return _import_exemptions(request, handler)


@csrf_protect
@once()
def _import_exemptions(request: ScopedRequest, handler: MemoryUpload) -> HttpResponse:
    context: dict[str, Any] = {
        "most_rows": MOST_ROWS,
        "most_kb": MOST_BYTES // 1024,
        "reasons": [str(reason.label) for reason in Exemption.Reason],
    }
    if request.method == "POST" and "text" in request.POST:
        return _accept(request, context)
    if request.method == "POST":
        uploaded = request.FILES.get("file")
        text, error = _text(uploaded, is_too_large=handler.is_too_large)
        if not error:
            return _preview(request, text, _read(request, text), uploaded.name or "" if uploaded else "", context)
        context["error"] = error
    return render(request, "dashboard/settings/exemption_import.html", context)


def _text(uploaded: UploadedFile | None, *, is_too_large: bool) -> tuple[str, str]:
    """Return the file's text, and what is wrong with the file."""
    if is_too_large or (uploaded is not None and (uploaded.size or 0) > MOST_BYTES):
        return "", _("The file is larger than %(n)s kB. Split it.") % {"n": MOST_BYTES // 1024}
    if uploaded is None:
        return "", _("Choose a CSV file first.")
    if not uploaded.size:
        return "", _("The file is empty.")
    # Line ends as forms send them, so that the text is read alike when it comes back.
    return re.sub(r"\r\n?|\n", "\r\n", decode(uploaded.read())), ""


def _read(request: ScopedRequest, text: str) -> Reading:
    scope = request.scope
    return read(
        text,
        request.account,
        people=scope.people().filter(metrics.active(request.now)),
        groups=scope.groups().filter(removed_at__isnull=True),
        campaigns=scope.campaigns().filter(removed_at__isnull=True),
        existing=scope.exemptions(),
    )


def _accept(request: ScopedRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask for every row that was shown as good; show the preview again where it would say something else by now."""
    text, name = request.POST["text"], request.POST.get("name", "")
    if len(text.encode()) > 2 * MOST_BYTES:
        context["error"] = _("The file is larger than %(n)s kB. Split it.") % {"n": MOST_BYTES // 1024}
        return render(request, "dashboard/settings/exemption_import.html", context)
    reading = _read(request, text)
    if request.POST.get("shown") != _fingerprint(reading) or not reading.good:
        messages.error(request, _("Nothing was imported: what the file asks for is not what you saw. This is it now."))
        return _preview(request, text, reading, name, context)
    try:
        made = request_all(
            request.account,
            [row.excuse for row in reading.good if row.excuse is not None],
            by=decider(request),
            at=request.now,
        )
    except RefusedError as error:
        messages.error(request, str(error))
        return _preview(request, text, reading, name, context)
    count = len(made)
    words = ngettext(
        "%(n)s exemption is requested. Somebody else must approve it.",
        "%(n)s exemptions are requested. Somebody else must approve them.",
        count,
    )
    messages.success(request, words % {"n": number(count)})
    return redirect(f"{reverse('exemptions')}?state={Exemption.State.REQUESTED.value}")


def _preview(request: ScopedRequest, text: str, reading: Reading, name: str, context: dict[str, Any]) -> HttpResponse:
    if reading.problem:
        context["error"] = reading.problem
        return render(request, "dashboard/settings/exemption_import.html", context)
    context |= {
        "reading": reading,
        "good": reading.good[:SHOWN_ROWS],
        "bad": reading.bad[:SHOWN_ROWS],
        "text": text,
        "name": name[:255],
        "shown": _fingerprint(reading),
    }
    return render(request, "dashboard/settings/exemption_preview.html", context)


def _fingerprint(reading: Reading) -> str:
    """Return what tells one preview from another: which lines are good and what each asks for, and which are not."""
    told = "\n".join(f"{row.line} {_told(row.excuse) if row.excuse else '-'}" for row in reading.rows)
    return hashlib.sha256(told.encode()).hexdigest()


def _told(excuse: Excuse) -> str:
    ids = [thing.pk if thing else None for thing in (excuse.person, excuse.group, excuse.campaign)]
    days = [excuse.first_day, excuse.last_day]
    return repr([*ids, *map(str, days), str(excuse.reason), excuse.note, excuse.evidence])
