"""Pages name what a browser may run, and contain nothing that it then may not."""

import re

import pytest
from django.test import Client

PAGES = "/ /past-due/ /campaigns/ /people/ /trends/ /review/ /settings/ /sync/ /settings/accounts/".split()


@pytest.mark.parametrize("address", [*PAGES, "/nowhere/"])
def test_every_page_has_a_policy_and_keeps_it(as_alice: Client, address: str) -> None:
    response = as_alice.get(address, follow=True)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    text = response.content.decode()
    assert not re.search(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", text)
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", text)
    assert "<style" not in text
