"""The five regions KnowBe4 runs; a key is valid in one of them only."""

from types import MappingProxyType

BASE_URLS = MappingProxyType({region: f"https://{region}.api.knowbe4.com" for region in ("us", "eu", "ca", "uk", "de")})


def base_url(region: str) -> str:
    """Return the API host of `region` (us, eu, ca, uk or de; case and blanks around it do not matter).

    Raises ValueError naming the five when the region is unknown.
    """
    try:
        return BASE_URLS[region.strip().lower()]
    except KeyError:
        raise ValueError(f"Unknown KnowBe4 region {region!r}: use one of {', '.join(BASE_URLS)}.") from None
