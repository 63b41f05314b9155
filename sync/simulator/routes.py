"""The paths of the API and what each leads to."""

from . import serializers, snapshot
from .company import Company
from .listings import Listings, NotFoundError, Query, listing_of, whole
from .paging import Listing
from .rows import Flags
from .timestamps import moment, seconds


def resource_of(path: list[str]) -> str:
    """Return the name that faults know a path by, "" for no resource."""
    names = [part for part in path[1:] if not part.isdigit()]
    if names[:2] == ["phishing", "campaigns"] and len(names) == 2:
        return "phishing_campaigns"
    return names[-1] if names else ""


class Routes:
    """Finds things of one company. Use it under the company's lock."""

    def __init__(self, company: Company, trial: bool = False) -> None:
        self.company = company
        self.trial = trial
        self.listings = Listings(company)

    def find(self, path: list[str], query: Query, second: int, campaign_gone: bool = False) -> Listing | bytes:
        """Return what a path (without `v1`) leads to: a list, or the body of a single thing. Raises NotFoundError.

        With `campaign_gone` one campaign is listed, but neither its detail nor its enrollments are there.
        """
        match path:
            case ["account"]:
                return serializers.encode(serializers.account(self.company.account(moment(second)), self.trial))
            case ["account", "risk_score_history"]:
                return self.listings.history(second, "account", query, paginated=True)
            case ["users", *rest]:
                return self._users(rest, query, second)
            case ["groups", *rest]:
                return self._groups(rest, query, second)
            case ["phishing", *rest]:
                return self._phishing(rest, query, second)
            case ["training", *rest]:
                return self._training(rest, query, second, campaign_gone)
        raise NotFoundError("/".join(path))

    def _users(self, rest: list[str], query: Query, second: int) -> Listing | bytes:
        match rest:
            case []:
                return self.listings.users(second, query)
            case [number] if facts := self.company.person(whole(number), moment(second)):
                return serializers.encode(serializers.user(facts))
            case [number, "risk_score_history"] if facts := self.company.person(whole(number), moment(second)):
                index = snapshot.person_index(facts.person_id)
                return self.listings.history(second, f"user {index}", query, False, seconds(facts.joined_at))
        raise NotFoundError("/".join(rest))

    def _groups(self, rest: list[str], query: Query, second: int) -> Listing | bytes:
        if not rest:
            return self.listings.groups(second, query)
        number = whole(rest[0])
        facts = next((entry for entry in self.company.groups(moment(second)) if entry.group_id == number), None)
        if facts is not None:
            match rest[1:]:
                case []:
                    return serializers.encode(serializers.group(facts))
                case ["members"]:
                    return self.listings.users(second, {}, number)
                case ["risk_score_history"]:
                    return self.listings.history(second, f"group {number}", query, paginated=True)
        raise NotFoundError("/".join(rest))

    def _phishing(self, rest: list[str], query: Query, second: int) -> Listing | bytes:
        """Return phishing things; single ones are arrays of one (KnowBe4's API documentation of September 2025)."""
        at = moment(second)
        callback = query.get("campaign_type") == "callback"
        if rest[:1] == ["campaigns"]:
            campaigns = [entry for entry in self.company.phishing_campaigns(at) if entry.callback == callback]
            if len(rest) == 1:
                return listing_of(campaigns, lambda entry: entry.campaign_id, serializers.phishing_campaign)
            found = [entry for entry in campaigns if entry.campaign_id == whole(rest[1])]
            if found and len(rest) == 2:
                return serializers.encode([serializers.phishing_campaign(found[0])])
            if found and rest[2:] == ["security_tests"]:
                return listing_of(found[0].tests, lambda entry: entry.pst_id, serializers.security_test)
        elif rest[:1] == ["security_tests"]:
            tests = [entry for entry in self.company.phishing_tests(at) if entry.callback == callback]
            if len(rest) == 1:
                return listing_of(tests, lambda entry: entry.pst_id, serializers.security_test)
            test = next((entry for entry in tests if entry.pst_id == whole(rest[1])), None)
            match rest[2:]:
                case [] if test:
                    return serializers.encode([serializers.security_test(test)])
                case ["recipients"] if test:
                    return self.listings.recipients(second, test.pst_id, callback)
                case ["recipients", number] if test:
                    listing = self.listings.recipients(second, test.pst_id, callback)
                    place = next((place for place in listing.places if listing.identify(place) == whole(number)), None)
                    if place is not None:
                        return b"[" + listing.render([place]) + b"]"
        raise NotFoundError("/".join(rest))

    def _training(self, rest: list[str], query: Query, second: int, campaign_gone: bool) -> Listing | bytes:
        at = moment(second)
        gone = self._gone_campaign(second) if campaign_gone else None
        match rest:
            case ["store_purchases", *more]:
                found = {entry.store_purchase_id: entry for entry in self.company.store_purchases(at)}
                if not more:
                    return listing_of(
                        list(found.values()), lambda entry: entry.store_purchase_id, serializers.store_purchase
                    )
                if len(more) == 1 and whole(more[0]) in found:
                    return serializers.encode(serializers.store_purchase(found[int(more[0])]))
            case ["policies", *more]:
                policies = {entry.policy_id: entry for entry in self.company.policies(at)}
                if not more:
                    return listing_of(list(policies.values()), lambda entry: entry.policy_id, serializers.policy)
                if len(more) == 1 and whole(more[0]) in policies:
                    return serializers.encode(serializers.policy(policies[int(more[0])]))
            case ["campaigns"]:
                return self.listings.campaigns(second, query)
            case ["campaigns", number] if whole(number) != gone:
                plans = self.company.living_campaigns(second)
                plan = next((plan for plan in plans if plan.campaign_id == int(number)), None)
                if plan is not None:
                    return serializers.encode(
                        serializers.campaign(snapshot.campaign(self.company, plan, second, True), True)
                    )
            case ["enrollments"]:
                if gone is not None and query.get("campaign_id") == str(gone):
                    raise NotFoundError(str(gone))
                return self.listings.enrollments(second, query, gone)
            case ["enrollments", number]:
                ordinal = self.company.ledger.ordinal_of(whole(number))
                if ordinal is not None and self.company.ledger.exists(ordinal, second):
                    flags = Flags(campaign=query.get("include_campaign_id") == "true")
                    return self.listings.rows.render(ordinal, second, flags)
        raise NotFoundError("/".join(rest))

    def _gone_campaign(self, second: int) -> int | None:
        plans = self.company.living_campaigns(second)
        return plans[len(plans) // 2].campaign_id if plans else None
