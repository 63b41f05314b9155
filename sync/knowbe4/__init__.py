"""KnowBe4's Reporting API: typed payloads, paging, pacing and errors. Knows no model of ours."""
