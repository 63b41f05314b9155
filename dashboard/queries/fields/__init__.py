"""The catalogue of fields of people, enrollments and campaigns: pages, files, the API, assistants and evidence read it.

A field is written once. With a label it is in files, with a meaning in the API, with a path in evidence packs.
"""

from dashboard.queries.fields.campaigns import CAMPAIGNS
from dashboard.queries.fields.enrollments import CONTENT, ENROLLMENTS
from dashboard.queries.fields.field import Field, Kind, of_api, selected
from dashboard.queries.fields.people import PEOPLE

__all__ = ["CAMPAIGNS", "CONTENT", "ENROLLMENTS", "PEOPLE", "Field", "Kind", "of_api", "selected"]
