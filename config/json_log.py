"""Lines of the log as JSON (LOG_FORMAT=json): one object a line, by python-json-logger."""

import logging
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from config.log_format import clean


class Formatter(JsonFormatter):
    """Writes time, level, logger, message and exception, without what `config.log_format` leaves out of plain lines."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            timestamp="time",
            json_ensure_ascii=False,
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with each text cleaned."""
        fields = super().process_log_record(log_data)
        return {name: clean(value) if isinstance(value, str) else value for name, value in fields.items()}

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return the exception as lines."""
        return logging.Formatter.formatException(self, ei)
