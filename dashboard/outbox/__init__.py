"""Send everything once: occurrences, deliveries, the claim, tries and retries."""
