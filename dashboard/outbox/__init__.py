"""How anything is sent once: occurrences, deliveries, the claim, tries and retries."""
