"""REST at /api/v1/: the same rows and numbers as the pages, for programs that show a token.

Each noun is a module with a router; a view asks `dashboard.queries` and returns rows. What all of them share stands
around it: `calls` (who calls, in which scope, what is written to the audit log), `asking` (parameters), `paging`,
`answers` (JSON and CSV), `problems` (RFC 9457) and `description` (OpenAPI).
"""
