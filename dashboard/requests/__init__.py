"""Input of requests: filters, search, the account and the form, read without knowing any view."""
