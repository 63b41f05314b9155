"""Pages leave compressed for browsers that take it; files and what is short do not."""

import gzip

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client, RequestFactory

from dashboard.web.compression import CompressionMiddleware
from sync.models import Account


def test_a_page_is_compressed_with_a_length_of_its_own(as_alice: Client, company: Account) -> None:
    answers = [as_alice.get("/", headers={"accept-encoding": "gzip"}) for _time in range(4)]
    assert all(answer["Content-Encoding"] == "gzip" for answer in answers)
    assert all("Accept-Encoding" in answer["Vary"] for answer in answers)
    assert len(answers[0].content) * 4 < len(gzip.decompress(answers[0].content))
    # The name in gzip's own head is of random length.
    assert len({answer.content[10:].index(b"\0") for answer in answers}) > 1


def test_nobody_who_did_not_ask_gets_it(as_alice: Client, company: Account) -> None:
    assert "Content-Encoding" not in as_alice.get("/")


@pytest.mark.parametrize(
    "made",
    [HttpResponse("x" * 5_000, content_type="text/csv"), StreamingHttpResponse(["x" * 5_000]), HttpResponse("short")],
)
def test_files_and_what_is_short_are_left_as_they_are(rf: RequestFactory, made: HttpResponseBase) -> None:
    answer = CompressionMiddleware(lambda _request: made)(rf.get("/", headers={"accept-encoding": "gzip"}))
    assert "Content-Encoding" not in answer
