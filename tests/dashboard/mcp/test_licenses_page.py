"""The page on which administrators enter when licenses end."""

from datetime import date

import pytest
from django.test import Client

from dashboard.models import ContentLicense
from sync.models import Account
from tests import factories


@pytest.mark.usefixtures("published")
def test_administrators_enter_and_remove_a_last_day(as_ines: Client, account: Account) -> None:
    item = factories.ContentItemFactory(account=account, name="Phishing Basics")
    assert "Phishing Basics" in as_ines.get("/settings/licenses/").content.decode()
    response = as_ines.post("/settings/licenses/", {f"ends-{item.pk}": "2027-03-31"}, follow=True)
    assert "1 license was changed." in response.content.decode()
    assert 'value="2027-03-31"' in response.content.decode()
    assert ContentLicense.objects.get(content=item).ends_on == date(2027, 3, 31)
    assert as_ines.post("/settings/licenses/", {}).status_code == 302
    assert ContentLicense.objects.filter(content=item).exists()
    response = as_ines.post("/settings/licenses/", {f"ends-{item.pk}": "31.3."})
    assert 'aria-invalid="true"' in response.content.decode()
    as_ines.post("/settings/licenses/", {f"ends-{item.pk}": ""})
    assert not ContentLicense.objects.exists()


@pytest.mark.usefixtures("published")
def test_others_do_not_find_it(as_alice: Client) -> None:
    assert as_alice.get("/settings/licenses/").status_code == 404
    assert as_alice.post("/settings/licenses/", {}).status_code == 404
