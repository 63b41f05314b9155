"""Handing files out. Every stored file goes through `handed_out`, which holds it against its reader's scope."""

from typing import IO

from django.core.files import File
from django.http import FileResponse, Http404, HttpResponseBase
from django.utils.http import content_disposition_header

from dashboard.files import storage
from dashboard.files.jobs import name_of
from dashboard.files.kept_scope import covers
from dashboard.models.files import StoredFile
from dashboard.scoped_request import ScopedRequest

_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


def handed_out(request: ScopedRequest, row: StoredFile) -> FileResponse:
    """Answer with a stored file of the reader's own, streamed.

    404 once its time is over or its file is gone, where their scope holds it no more, and while they view as another.
    """
    scope = request.scope
    if scope.viewer is not None or not row.is_here(request.now) or not covers(scope, row.scope):
        raise Http404
    try:
        return as_attachment(storage.opened(name_of(row)), row.file_name)
    except FileNotFoundError:
        raise Http404 from None


def as_attachment(file: File | IO[bytes], name: str) -> FileResponse:
    """Answer with an open file, which is closed with the response."""
    response = FileResponse(file)
    as_download(response, name)
    return response


def as_download(response: HttpResponseBase, name: str) -> None:
    """Give a response the head of a file to keep, which nobody in between is to keep a copy of."""
    response["Content-Type"] = content_type_of(name)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Cache-Control"] = "private, no-store"


def content_type_of(name: str) -> str:
    """Return the content type of a file by its name's ending."""
    return _CONTENT_TYPES[name.rpartition(".")[2]]
