"""Sentences computed from figures, for pages, PDF, mail and assistants alike."""
