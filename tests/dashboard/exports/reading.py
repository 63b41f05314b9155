"""Exports as other people's programs read them."""

import csv
from io import BytesIO, StringIO
from typing import Any

import openpyxl
from django.http import HttpResponseBase
from django.test import Client


def fetch(client: Client, address: str, kind: str, **data: Any) -> HttpResponseBase:
    """Ask for a file as the menu does; the answer must be one."""
    response = client.post(address, {"format": kind, **data})
    assert response.status_code == 200, response.status_code
    assert response["Content-Disposition"].startswith("attachment; filename=")
    return response


def body(response: Any) -> bytes:
    """Return the bytes of a response, streamed or not."""
    return b"".join(response.streaming_content) if response.streaming else response.content


MOMENTS = ["As of", "Data as of", "Time zone"]


def whole_rows_of_csv(content: bytes, separator: str = ",") -> list[list[str]]:
    """Return the rows of a CSV file, its heads first, as Python's csv reads them."""
    assert content.startswith(b"\xef\xbb\xbf")
    text = StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=separator, strict=True))


def rows_of_csv(content: bytes, separator: str = ",") -> list[list[str]]:
    """Return the rows of a list, its heads first, without the moments of the data that each must end with."""
    rows = whole_rows_of_csv(content, separator)
    assert rows[0][-3:] == MOMENTS
    assert all(row[-3] and row[-1] for row in rows)
    return [row[:-3] for row in rows]


def sheets_of(content: bytes) -> dict[str, list[list[Any]]]:
    """Return the sheets of a workbook as openpyxl reads them."""
    book = openpyxl.load_workbook(BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}
