"""Writing a whole list into a file, in whichever format."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from dashboard.exports.about import about
from dashboard.exports.columns import Column
from dashboard.exports.delimited import delimited
from dashboard.exports.table_request import Answer, Question, Table
from dashboard.exports.workbook import Progress, write_workbook
from dashboard.models import Export, User


def write_list(
    file: IO[bytes],
    table: Table,
    question: Question,
    answer: Answer,
    columns: Sequence[Column],
    kind: Export.Format,
    reader: User,
    *,
    scratch: Path,
    progress: Progress = lambda rows: None,
) -> int:
    """Write a list and return how many rows it holds; inside a transaction in the reader's scope.

    Files in between lie in `scratch` and are gone afterwards; OSError when the disk is full.
    """
    if not kind.is_csv:
        return write_workbook(
            file,
            answer,
            columns,
            question.zone,
            lambda count: about(table, question, answer, reader, rows=count),
            scratch=scratch,
            progress=progress,
        )
    rows = 0
    for piece, count in delimited(question, answer, columns, kind):
        file.write(piece)
        rows += count
        progress(rows)
    return rows
