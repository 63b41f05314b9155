"""Pages leave compressed, with a proxy in front or without: text shrinks to an eighth."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_TEXTS = ("text/html", "application/json")


class CompressionMiddleware(GZipMiddleware):
    """Compress pages and JSON for browsers that take it; files are left as they are made, static ones have their own.

    Whoever can put words of theirs into a page, again and again, and watch its length on the way might guess a secret
    of the page from it (BREACH). Django adds a random number of bytes to each answer and masks the token of forms anew
    each time, and of what another site asks for only links that are followed carry the session (SameSite).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response, compressed where that is worth it."""
        if response.streaming or not response.headers.get("Content-Type", "").startswith(_TEXTS):
            return response
        return super().process_response(request, response)
