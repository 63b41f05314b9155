"""Measurements of the sync, for `manage.py benchmark`."""
