"""The workflows that assistants are asked for again and again, as prompts."""

from collections.abc import Mapping
from dataclasses import dataclass

_CITE = (
    "Use Rollcall's tools only; quote numbers as their `shown` has them, and never add up or average rates yourself. "
    "Say as of when, in whose scope and from which sync the answer is, and link to the page that shows the same. "
    "What is null is not known: say so. Nothing can be changed through these tools; propose what people should do."
)


@dataclass(frozen=True)
class Argument:
    """Something that a prompt can be given."""

    name: str
    description: str


@dataclass(frozen=True)
class Prompt:
    """One workflow: `steps` in order; what is given is named before them."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    steps: tuple[str, ...]

    def text(self, given: Mapping[str, str]) -> str:
        """Return the prompt with what was given; names that it does not know are passed over."""
        known = [
            (argument.name, given[argument.name].strip()) for argument in self.arguments if given.get(argument.name)
        ]
        about = "".join(f"\n- {name}: {value[:300]}" for name, value in known)
        numbered = "\n".join(f"{place}. {step}" for place, step in enumerate(self.steps, start=1))
        return f"{self.description}{about}\n\n{numbered}\n\n{_CITE}"


_DEPARTMENT = Argument("department", "Only this department.")
_MANAGER = Argument("manager", "Only the line of this manager, by email.")
_CAMPAIGN = Argument("campaign_id", "Only this campaign, by KnowBe4's id.")

PROMPTS = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            "track_compliance",
            "Track compliance",
            "Find out how far required training is, and who has to be reminded or escalated.",
            (_DEPARTMENT, _MANAGER, _CAMPAIGN),
            (
                "Call compliance_summary for the whole, then with by=department: name the lowest.",
                "Call knowbe4_training_list_campaigns with status=active: for each, how far it is and when it ends.",
                "Call list_past_due with by=manager (by=department where that tells more): who has most, how old.",
                "For campaigns that end within two weeks call knowbe4_training_list_enrollments with "
                "status=not_started, then in_progress: these people need a reminder.",
                "Propose whom to remind and whom to escalate, by manager, the longest past due first.",
            ),
        ),
        Prompt(
            "quarterly_review",
            "Quarterly security awareness review",
            "Review a quarter's training and plan the next.",
            (Argument("quarter", "Like 2026-Q3; the last one that has ended without it."), _DEPARTMENT),
            (
                "Call quarterly_review: due, completed, on time, late, still open; compare with a year before.",
                "Name the departments with the lowest completion rates, and the campaigns that held them back.",
                "Call knowbe4_training_list_modules: what in use is retired, about to be, or old? "
                "Call knowbe4_training_list_store_purchases: which licenses end next quarter?",
                "Call explain_number for completion_rate with the quarter, and say what was left out and why.",
                "Plan the next quarter from the gaps: audience, content, deadline.",
            ),
        ),
        Prompt(
            "post_phishing_remediation",
            "Post-phishing remediation",
            "See that people who failed a phishing test are trained within 14 days.",
            (_DEPARTMENT, Argument("scenario", "What the test imitated, like an invoice or a login page.")),
            (
                "Call compliance_summary with metrics=[training_after_failure] and by=department: where is it low?",
                "Call explain_number for training_after_failure: how many failed, and how many only lately.",
                "Call knowbe4_training_list_campaigns with status=active and look for those whose trigger is "
                "phishing_failure; call knowbe4_training_list_enrollments for each: who is not done.",
                "Call knowbe4_training_list_modules and propose short content that fits the scenario.",
                "Propose a campaign for these people alone, due in one week, and a phishing test after it. For a "
                "single person, find_person tells the tests they failed.",
            ),
        ),
        Prompt(
            "new_hire_onboarding",
            "New hire onboarding",
            "See that new hires complete their first training in time.",
            (_DEPARTMENT, _CAMPAIGN),
            (
                "Call knowbe4_training_list_campaigns with status=active: those whose trigger is new_hire, with their "
                "groups, whether they enroll by themselves and how long people have (relative_duration).",
                "For each call knowbe4_training_list_enrollments with status=past_due, then not_started.",
                "Is there no such campaign, or does it not enroll by itself? Propose one: essential modules from "
                "knowbe4_training_list_modules, the group of new hires, 14 days from enrollment.",
                "Name the managers whose new hires are late, and propose a baseline phishing test after completion.",
            ),
        ),
    )
}
