"""What an address asks: filters, search, the account and the form, read without knowing any view."""
