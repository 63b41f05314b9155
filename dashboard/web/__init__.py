"""Middleware, headers, error answers, styles and template tags around every page."""
