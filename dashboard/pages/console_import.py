"""Console imports: upload the training CSV of KnowBe4's console, see what it would do, decide.

Files are read and imported by workers; the pages queue and show. An uploaded file goes from the request's memory into
the database and touches no disk on its way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from dashboard import audit
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.task_queue import send
from sync.models import ConsoleImport
from sync.models.training import DueSource

LIMIT = settings.LARGEST_UPLOAD
LISTED = 50
# A file that no worker has begun to read after this: is one running?
SLOW_AFTER = timedelta(seconds=20)
SHOWN_ROWS = 25

State = ConsoleImport.State


class MemoryUpload(FileUploadHandler):
    """Keeps an uploaded file in memory, however large, up to the limit: people's names belong on no temporary disk."""

    is_too_large = False
    # Of all files of the request together.
    size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self.chunks: list[bytes] = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take a piece; drop the file once it is too large."""
        self.size += len(raw_data)
        if self.size > LIMIT:
            self.is_too_large = True
            self.chunks.clear()
            raise SkipFile
        self.chunks.append(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """Hand the file over."""
        content = b"".join(self.chunks)
        self.chunks.clear()
        return InMemoryUploadedFile(
            BytesIO(content), self.field_name, self.file_name or "", self.content_type, len(content), self.charset
        )


@dataclass(frozen=True)
class Column:
    """One column of the file as the page maps it."""

    index: int
    header: str
    samples: list[str]
    meaning: str


@dataclass(frozen=True)
class Shown:
    """An import as its page shows it."""

    imported: ConsoleImport
    as_of: datetime
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> list[Column]:
        """The file's columns with their first values and what they are taken for."""
        meanings = {index: name for name, index in self.imported.mapping.get("columns", {}).items()}
        samples = self.report.get("samples", [])
        return [
            Column(index, header, samples[index] if index < len(samples) else [], meanings.get(index, ""))
            for index, header in enumerate(self.report.get("headers", []))
        ]

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """Meanings that a column can have, by name on the page."""
        return sorted(self.report.get("meanings", {}).items(), key=lambda entry: entry[1])

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The first due dates that change, with moments for their texts."""
        return [
            row
            | {name: parse_datetime(row[name]) if row[name] else None for name in ("before", "after")}
            | {f"{name}_words": DueSource(row[f"{name}_source"]).label for name in ("before", "after")}
            for row in self.report.get("changes", {}).get("rows", [])[:SHOWN_ROWS]
        ]

    @property
    def is_slow(self) -> bool:
        """Whether no worker has begun to read it for longer than a free one would take."""
        waiting = self.imported.state == State.READING and not self.imported.rows_read
        return waiting and self.as_of - self.imported.uploaded_at > SLOW_AFTER

    @property
    def previewed_at(self) -> str:
        """Time of this preview, which names it: whoever accepts says which one they saw."""
        return str(self.report.get("previewed_at", ""))

    @property
    def can_discard(self) -> bool:
        """Whether somebody may put it away unread or undecided, and nothing else is offered for it."""
        return not self.can_accept and self.imported.state in {State.READING, State.PREVIEW, State.UNREADABLE}

    @property
    def problems(self) -> list[str]:
        """Choices to make before it can be imported."""
        return list(self.report.get("problems", []))

    @property
    def can_accept(self) -> bool:
        """Whether somebody may decide to import it now."""
        return self.imported.state in {State.PREVIEW, State.HELD} and not self.problems

    @property
    def can_withdraw(self) -> bool:
        """Whether it can be taken back: a file that is all an account has is replaced by the next one instead."""
        return self.imported.state == State.ACCEPTED and not self.report.get("is_whole", False)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def console_imports(request: ScopedRequest) -> HttpResponse:
    """Show the files uploaded so far and the form for another; take an upload."""
    _require_administrator(request)
    # Before anything reads the body, hence the CSRF check one step further in.
    handler = MemoryUpload(request)
    request.upload_handlers = [handler]
    return _console_imports(request, handler)


@csrf_protect
@once()
def _console_imports(request: ScopedRequest, handler: MemoryUpload) -> HttpResponse:
    error = ""
    if request.method == "POST":
        uploaded = request.FILES.get("file")
        if handler.is_too_large:
            error = _("The file is larger than 50 MB. Export fewer campaigns at a time.")
        elif uploaded is None:
            error = _("Choose a CSV file first.")
        elif not uploaded.size:
            error = _("The file is empty.")
        else:
            imported = _keep(request, uploaded)
            _queue("preview", imported)
            return redirect("console_import", import_id=imported.pk)
    hidden = request.scope.enrollments().filter(due_source=DueSource.HIDDEN_EXTENSION, removed_at=None)
    return render(
        request,
        "dashboard/console_imports.html",
        {
            "imports": _imports(request).select_related("uploaded_by").order_by("-pk")[:LISTED],
            "hidden": hidden.count(),
            "has_key": bool(request.account.encrypted_key),
            "error": error,
        },
        status=400 if error else 200,
    )


@require_safe
@vary_on_headers("HX-Target")
def console_import(request: ScopedRequest, import_id: int) -> HttpResponse:
    """Show one file: how far it is, what it would do, what it did; or only the fragment that follows it."""
    _require_administrator(request)
    found = get_object_or_404(_imports(request).select_related("uploaded_by", "decided_by", "run"), pk=import_id)
    template = "dashboard/console_import.html"
    if request.htmx.target == "console-import":
        template += "#console-import"
    twin = (
        _imports(request)
        .filter(sha256=found.sha256, state=State.ACCEPTED, uploaded_at__lt=found.uploaded_at)
        .order_by("-pk")
        .first()
    )
    shown = Shown(found, request.now, found.report)
    return render(request, template, {"shown": shown, "imported": found, "twin": twin})


@require_POST
def console_import_columns(request: ScopedRequest, import_id: int) -> HttpResponse:
    """Take the meaning of each column, and the order of dates, and read the file again."""
    _require_administrator(request)
    found = get_object_or_404(_imports(request), pk=import_id)
    columns: dict[str, int] = {}
    for index in range(len(found.report.get("headers", []))):
        meaning = request.POST.get(f"column-{index}", "")
        if meaning in columns:
            messages.error(request, _("Two columns have the same meaning. Nothing was changed."))
            return redirect("console_import", import_id=found.pk)
        if meaning in found.report.get("meanings", {}):
            columns[meaning] = index
    order = request.POST.get("order", "")
    mapping = {"columns": columns, "order": order if order in {"day", "month"} else ""}
    is_changed = (
        _imports(request)
        .filter(pk=found.pk, state=State.PREVIEW)
        .update(mapping=mapping, is_mapping_chosen=True, state=State.READING, rows_read=0)
    )
    if is_changed:
        _queue("preview", found)
    else:
        messages.error(request, _too_late())
    return redirect("console_import", import_id=found.pk)


@require_POST
def console_import_decide(request: ScopedRequest, import_id: int) -> HttpResponse:
    """Import a file, discard it, or withdraw what it did; a worker carries it out."""
    _require_administrator(request)
    found = get_object_or_404(_imports(request), pk=import_id)
    shown = Shown(found, request.now, found.report)
    wanted, reason = request.POST.get("decision", ""), request.POST.get("reason", "").strip()[:2000]
    error = ""
    undecided = {State.PREVIEW, State.HELD, State.READING, State.UNREADABLE}
    if wanted == "discard" and found.state in undecided:
        if not _decide(request, found, undecided, State.DISCARDED):
            error = _too_late()
        else:
            _audit(request, audit.Action.DISCARDED_IMPORT, found)
    elif wanted == "accept" and shown.can_accept:
        if request.POST.get("preview", "") != shown.previewed_at:
            error = _("Nothing was imported: the file was read again since you opened this page. This is what it says.")
        elif found.state == State.HELD and not reason:
            error = _("Nothing was done: a reason is needed. It stays with the import.")
        else:
            error = _carry_out(request, found, "accept", State.IMPORTING, reason=reason)
    elif wanted == "withdraw" and shown.can_withdraw:
        error = _carry_out(request, found, "withdraw", State.WITHDRAWING, reason=found.reason)
    else:
        error = _("Nothing to decide here any more.")
    if error:
        messages.error(request, error)
    return redirect("console_import", import_id=found.pk)


def _require_administrator(request: ScopedRequest) -> None:
    if not request.scope.is_administrator:
        raise PermissionDenied(_("Only an administrator imports files."))


def _imports(request: ScopedRequest) -> QuerySet[ConsoleImport]:
    """Return the account's imports without their files, which may be large."""
    return request.account.console_imports.defer("content")


def _keep(request: ScopedRequest, uploaded: UploadedFile) -> ConsoleImport:
    name = (uploaded.name or _("Unnamed")).replace("\x00", "")[:255]
    with transaction.atomic():
        kept: ConsoleImport = request.account.console_imports.create(
            uploaded_by_id=request.user.pk, uploaded_at=request.now, name=name, **ConsoleImport.stored(uploaded.read())
        )
        _audit(request, audit.Action.READ_CONSOLE_FILE, kept, bytes=uploaded.size or 0)
    return kept


def _audit(request: ScopedRequest, action: audit.Action, imported: ConsoleImport, **details: object) -> None:
    audit.record(
        action,
        account=request.account,
        user=request.user,
        subject=audit.Subject.CONSOLE_IMPORT,
        subject_id=imported.pk,
        details=details,
    )


def _queue(work: str, imported: ConsoleImport) -> None:
    send(f"sync.tasks.{work}_console_import", import_id=imported.pk)


def _carry_out(request: ScopedRequest, found: ConsoleImport, work: str, state: str, *, reason: str) -> str:
    """Set the state and queue the work; return what kept it from that, as a sentence."""
    if not _decide(request, found, {State(found.state)}, state, reason=reason):
        return _too_late()
    _queue(work, found)
    _audit(request, audit.Action.ACCEPTED_IMPORT if work == "accept" else audit.Action.WITHDREW_IMPORT, found)
    return ""


def _too_late() -> str:
    return _("Nothing was done: somebody else decided about this file a moment ago.")


def _decide(
    request: ScopedRequest, found: ConsoleImport, before: set[ConsoleImport.State], state: str, *, reason: str = ""
) -> int:
    """Move it on, unless somebody else was faster, or had it read again; return whether it moved."""
    undecided = _imports(request).filter(pk=found.pk, state__in=before)
    if state == State.IMPORTING and "previewed_at" in found.report:
        undecided = undecided.filter(report__previewed_at=found.report["previewed_at"])
    return undecided.update(state=state, decided_by=request.user.pk, decided_at=request.now, reason=reason, message="")
