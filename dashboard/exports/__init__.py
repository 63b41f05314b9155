"""Every list as a file: CSV and XLSX, in the reader's scope, with the page's filters, order and moment.

A `Table` says which columns a list has; it asks `dashboard.queries` for its rows and computes nothing itself. Small
files stream at once; large ones are made by a worker and fetched later.
"""
