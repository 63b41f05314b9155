"""Promises of a check about paging, kept by the client: under each such disguise every list is read to its end."""

import pytest

from sync.knowbe4 import resources
from sync.knowbe4.client import Client
from sync.knowbe4.errors import PagingBroken

READ = (
    "cursor-in-metadata",
    "cursor-in-two-places",
    "cursor-as-text",
    "cursor-in-header",
    "cursor-in-link",
    "cursor-on-enrollments-only",
    "no-cursors",
    "cursor-refused",
    "cursor-left-out",
    "page-ignored",
    "page-refused",
    "large-pages-refused",
    "small-pages",
    "percentages-always",
    "campaign-cap-off",
)
TOGETHER = (("no-cursors", "small-pages"), ("cursor-refused", "small-pages"), ("no-cursors", "percentages-always"))


@pytest.mark.parametrize("names", [*((name,) for name in READ), *TOGETHER], ids="+".join)
def test_lists_are_read_to_their_end(served, company, names):
    now = served.clock.now()
    served.disguise(*names)
    campaigns = {campaign.campaign_id for campaign in company.campaigns(now)}
    expected = (
        (resources.USERS, {person.person_id for person in company.people(now)}),
        (resources.ENROLLMENTS, {entry.enrollment_id for entry in company.enrollments(now)}),
        (resources.CAMPAIGNS, campaigns),
        (resources.CAMPAIGN_PERCENTAGES, campaigns),
        (resources.POLICIES, {policy.policy_id for policy in company.policies(now)}),
    )
    with Client(served.url, "simulator-key") as client:
        for resource, ids in expected:
            field = resource.payload.__struct_fields__[0]
            read = [getattr(item, field) for page in client.pages(resource) for item in page.items]
            assert sorted(read) == sorted(ids), resource.name


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("cursor-repeated",), "repeated a cursor"),
        (("no-cursors", "page-ignored"), "the rows of the page before"),
    ],
)
def test_a_list_that_never_ends_is_broken_off(served, names, words):
    served.disguise(*names)
    params = {"per_page": 100}
    with Client(served.url, "simulator-key") as client, pytest.raises(PagingBroken, match=words):
        list(client.pages(resources.ENROLLMENTS, params=params))
