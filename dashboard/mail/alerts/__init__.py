"""Alerts to administrators: `causes` finds what is the matter, `watching` keeps it, `mailing` sends it, each once."""
