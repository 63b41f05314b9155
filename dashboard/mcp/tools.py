"""Every tool: its name, what it is asked with, what it answers, and the schemas that follow from both."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from dashboard.mcp import campaigns, content, enrollments, people, summaries
from dashboard.mcp.reading import Reader, ToolError, invalid
from dashboard.mcp.schemas import input_schema, output_schema
from dashboard.mcp.shapes import Arguments, Shape

# Where msgspec found an argument wrong: its name, below which lists have their places.
_PLACE = re.compile(r"at `\$\.(\w+)")


@dataclass(frozen=True)
class Tool:
    """One tool. `ask` is a plain function of reader and arguments; `tells_of_people`: not for tokens of figures."""

    name: str
    title: str
    ask: Callable[[Reader, Any], Shape]
    arguments: type[Arguments]
    answer: type[Shape]
    tells_of_people: bool = False

    @property
    def description(self) -> str:
        """Description in the words of its function."""
        return " ".join((self.ask.__doc__ or "").split())

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments."""
        return input_schema(self.arguments)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The JSON Schema of its answer."""
        return output_schema(self.answer)

    def call(self, reader: Reader, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer as JSON has it. ToolError for what cannot be answered."""
        asked = self._read(arguments)
        if self.tells_of_people:
            reader.require_people()
        told: dict[str, Any] = msgspec.to_builtins(self.ask(reader, asked))
        return told

    def _read(self, arguments: Mapping[str, Any]) -> Arguments:
        """Return the arguments as the tool reads them; a null is an optional argument that was not given."""
        required = self.input_schema.get("required", ())
        names = self.input_schema.get("properties", {})
        given = {
            name: value
            for name, value in arguments.items()
            if value is not None or name in required or name not in names
        }
        try:
            # Assistants write ids as texts now and then.
            return msgspec.convert(given, self.arguments, strict=False)
        except msgspec.ValidationError as error:
            raise invalid(self._complaint(str(error))) from None

    def _complaint(self, error: str) -> str:
        """Say what is wrong with arguments, and what would be right."""
        names = self.input_schema.get("properties", {})
        if "unknown field" in error:
            return f"{error}. There are: {', '.join(names) or 'no arguments'}."
        place = _PLACE.search(error)
        told = names.get(place[1], {}) if place else {}
        if "enum" in told and place:
            return f"{error}. {place[1]} is one of: {', '.join(told['enum'])}."
        return f"{error}. {told['description']}" if "description" in told else f"{error}."


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "knowbe4_training_list_campaigns",
            "List training campaigns",
            campaigns.list_campaigns,
            campaigns.ListCampaigns,
            campaigns.Campaigns,
        ),
        Tool(
            "knowbe4_training_get_campaign",
            "Get a training campaign",
            campaigns.get_campaign,
            campaigns.GetCampaign,
            campaigns.OneCampaign,
        ),
        Tool(
            "knowbe4_training_list_enrollments",
            "List a campaign's enrollments",
            enrollments.list_enrollments,
            enrollments.ListEnrollments,
            enrollments.Enrollments,
            tells_of_people=True,
        ),
        Tool(
            "knowbe4_training_get_enrollment",
            "Get an enrollment",
            enrollments.get_enrollment,
            enrollments.GetEnrollment,
            enrollments.OneEnrollment,
            tells_of_people=True,
        ),
        Tool(
            "knowbe4_training_list_modules",
            "List training content",
            content.list_modules,
            content.ListModules,
            content.Modules,
        ),
        Tool(
            "knowbe4_training_get_module",
            "Get training content",
            content.get_module,
            content.GetModule,
            content.OneModule,
        ),
        Tool(
            "knowbe4_training_list_store_purchases",
            "List store purchases",
            content.list_store_purchases,
            content.ListStorePurchases,
            content.StorePurchases,
        ),
        Tool(
            "knowbe4_training_get_store_purchase",
            "Get a store purchase",
            content.get_store_purchase,
            content.GetStorePurchase,
            content.OneStorePurchase,
        ),
        Tool(
            "compliance_summary",
            "Where everybody stands",
            summaries.compliance_summary,
            summaries.ComplianceSummary,
            summaries.Summary,
        ),
        Tool(
            "list_past_due",
            "Who is past due",
            people.list_past_due,
            people.ListPastDue,
            people.LatePeople,
            tells_of_people=True,
        ),
        Tool(
            "quarterly_review",
            "How a quarter went",
            summaries.quarterly_review,
            summaries.QuarterlyReview,
            summaries.Review,
        ),
        Tool(
            "find_person",
            "Find a person",
            people.find_person,
            people.FindPerson,
            people.FoundPeople,
            tells_of_people=True,
        ),
        Tool(
            "explain_number",
            "What is behind a number",
            summaries.explain_number,
            summaries.ExplainNumber,
            summaries.Explanation,
        ),
    )
}


def find(name: str) -> Tool:
    """Return the tool of that name; ToolError 404."""
    if name not in TOOLS:
        raise ToolError(404, "Tool not found", f"There are: {', '.join(TOOLS)}.")
    return TOOLS[name]
