"""Triggers of campaigns, which make them enroll people: inferred, for KnowBe4's API names none.

The first rule that applies decides, the most telling first: a word in the campaign's name; one in the names of all its
groups; most of its people enrolled shortly after failing a phishing test, or after starting work; new members of its
groups enrolled automatically; campaigns of its name recurring. The rule is stored beside the trigger, and an
administrator's choice overrides it.
"""

from dashboard.triggers.refreshing import effective_trigger, refresh

__all__ = ["effective_trigger", "refresh"]
