import pytest

from sync.knowbe4.regions import base_url


@pytest.mark.parametrize("region", ["us", "eu", "ca", "uk", "de"])
def test_base_url_of_each_region(region):
    assert base_url(region) == f"https://{region}.api.knowbe4.com"
    assert base_url(f" {region.upper()} ") == base_url(region)


@pytest.mark.parametrize("region", ["", "fr", "us.api", "eu/../us"])
def test_unknown_region_names_the_five(region):
    with pytest.raises(ValueError, match="us, eu, ca, uk, de"):
        base_url(region)
