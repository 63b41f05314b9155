"""Email addresses: which ones a mail program takes in a list or a link."""

import pytest

from config.email_addresses import mailable
from dashboard.web.templatetags.addresses import mailto


@pytest.mark.parametrize(
    "address",
    [
        "",
        "not an address",
        "a@x",
        "a@x.example;b@x.example",
        "a@x.example,b@x.example",
        "a@x.example b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "a\n@x.example",
        "a@x.example?bcc=b@x.example",
        "a?bcc=b@x.example",
        "a%0Abcc=b@x.example",
        '"a;b"@x.example',
        '"a, b@y.example"@x.example',
        "Ann <a@x.example>",
        "a@x.example\u202e",
        "a\u200b@x.example",
        "a@[127.0.0.1]",
        "mailto:a@x.example",
    ],
)
def test_what_is_not_one_address_is_none(address: str) -> None:
    assert mailable(address) == ""
    assert mailto(address) == ""


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("ann@x.example", "mailto:ann@x.example"),
        (" ann@x.example ", "mailto:ann@x.example"),
        ("r&d+all@x.example", "mailto:r%26d+all@x.example"),
        ("o'neill@x.example", "mailto:o%27neill@x.example"),
        ("j\u00f6rg@b\u00fccher.example", "mailto:j%C3%B6rg@b%C3%BCcher.example"),
        ("jo\u0308rg@x.example", "mailto:j%C3%B6rg@x.example"),
    ],
)
def test_links_write_to_one_address(address: str, link: str) -> None:
    assert mailto(address) == link
    assert mailto(None) == ""
