"""The last check of how KnowBe4's API answers an account."""

import json
from typing import Any

from django.db import models


class ApiCheck(models.Model):
    """Report of `sync.knowbe4.api_check` for an account, the last time it was asked: shapes and words, no values.

    `report` is that report as its file has it; empty when there was none to make, and `message` says why.
    """

    account = models.OneToOneField("sync.Account", on_delete=models.PROTECT, related_name="api_check")
    finished_at = models.DateTimeField()
    message = models.TextField(help_text="What came of it, as a sentence to show.")
    report = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"API check of {self.account}"

    @property
    def is_read(self) -> bool:
        """Whether everything was asked, whatever was found."""
        return self.report.get("outcome") == "read"

    @property
    def surprises(self) -> list[dict[str, Any]]:
        """Differences from what Rollcall expects: each with its `sentence` and `effect`, the gravest first."""
        surprises: list[dict[str, Any]] = self.report.get("surprises", [])
        return surprises

    @property
    def file(self) -> str:
        """The report as a JSON file that can be sent."""
        return json.dumps(self.report, indent=1, ensure_ascii=False) + "\n"
