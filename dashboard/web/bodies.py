"""Bodies whose length the request does not tell (`Transfer-Encoding: chunked`), as some proxies and programs send them.

Django reads as many bytes as Content-Length says, so of these none. Where the server marks the end of the body it is
read to there, within the limits that bodies with a length have.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from gunicorn.http.errors import ParseException

from dashboard.web.refusals import refusal

# Beside the one file that a form may hold: its other fields and what stands between them.
_AROUND_A_FILE = 1024 * 1024


class BodyMiddleware:
    """Lets bodies in chunks be read; 411 where the server does not tell where such a body ends, 400 for a broken one.

    Files are read as they come, like those of bodies with a length, and not kept in between.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        environ = request.META
        if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower() or environ.get("CONTENT_LENGTH"):
            return self.get_response(request)
        if not environ.get("wsgi.input_terminated"):
            return refusal(request, 411)
        stream: Any = _Chunks(environ["wsgi.input"])
        if request.content_type == "multipart/form-data":
            length = settings.LARGEST_UPLOAD + _AROUND_A_FILE
        else:
            # One byte more than is taken, so that a longer body is refused as such; who still sends hears no answer.
            try:
                body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
                stream.drop(settings.LARGEST_UPLOAD)
            except UnreadablePostError:
                return refusal(request, 400)
            stream, length = BytesIO(body), len(body)
        environ["CONTENT_LENGTH"] = str(length)
        request._stream = LimitedStream(stream, length)
        return self.get_response(request)


class _Chunks:
    """The server's stream; what cannot be read of it is an error that Django knows."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        pieces, missing = [], size
        while missing:
            try:
                piece = self.stream.read(missing)
            except (OSError, ParseException) as error:
                raise UnreadablePostError(*error.args) from error
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def drop(self, size: int) -> None:
        """Pass over what is left, so many bytes at most."""
        while size > 0 and (piece := self.read(65_536)):
            size -= len(piece)

    def readline(self, size: int) -> bytes:
        """Return a line, or so many bytes of it."""
        try:
            return bytes(self.stream.readline(size))
        except (OSError, ParseException) as error:
            raise UnreadablePostError(*error.args) from error
