"""Email addresses as people have them: with letters of any script before and after the @ (RFC 6531)."""

import re
from contextlib import suppress
from functools import lru_cache
from unicodedata import normalize

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.encoding import punycode


class AddressValidator(EmailValidator):
    """Django's, which knows domains of any script, and local parts of any, too."""

    user_regex = re.compile(
        r"(^[-!#$%&'*+/=?^_`{}|~\w]+(\.[-!#$%&'*+/=?^_`{}|~\w]+)*\Z"
        r'|^"([\001-\010\013\014\016-\037!#-\[\]-\177]|\\[\001-\011\013\014\016-\177])*"\Z)',
        re.IGNORECASE,
    )

    def __call__(self, value: str | None) -> None:
        """Refuse what is no address, one spelled in another way than it is sent to, and hidden characters."""
        super().__call__(value)
        if value is None:
            return
        if value != normalize("NFC", value) or not value.isprintable() or not self._is_sent(value):
            raise ValidationError(self.message, code=self.code, params={"value": value})

    def _is_sent(self, value: str) -> bool:
        """Return whether mail servers know the domain: some characters become an @ or a dot there, or nothing."""
        try:
            domain = punycode(value.rpartition("@")[2])
        except UnicodeError:
            return False
        return domain in self.domain_allowlist or self.validate_domain_part(domain)


validate_address = AddressValidator()


# What mail programs take for the end of an address, or for more than one: all of these may be in a quoted one.
_NOT_IN_LISTS = frozenset('",;:<>()[]\\?%')


@lru_cache(maxsize=20_000)
def mailable(address: str) -> str:
    """Return an address as a mail program takes it in a list or a link; empty for what is not one single address.

    Whatever it could take for a separator, a second address or a command is refused, even where an address may have it.
    """
    found = normalize("NFC", address.strip())
    try:
        validate_address(found)
    except ValidationError:
        return ""
    return "" if _NOT_IN_LISTS & {*found} else found


def has_plain_local_part(address: str) -> bool:
    """Return whether every mail server takes what is before the @."""
    return address.rpartition("@")[0].isascii()


def on_the_wire(address: str) -> str:
    """Return an address as mail servers want it, its domain in ASCII. UnicodeError for a domain that is none."""
    local, _at, domain = address.rpartition("@")
    return f"{local}@{punycode(domain)}"


def domain_of(address: str) -> str:
    """Return a domain, or that of an address, as mail servers spell it, in lower case and without the root's dot."""
    domain = address.rpartition("@")[2]
    with suppress(UnicodeError):
        domain = punycode(domain)
    return domain.lower().removesuffix(".")
