"""The lists of a simulated KnowBe4, read from the simulator itself: what a sync would be sent, without sending it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sync.knowbe4.paging import read_reply
from sync.knowbe4.resources import Resource
from sync.knowbe4.rows import RowDecoder
from sync.pipeline.lists import ACCOUNT, ReadList
from sync.pipeline.tables import Row
from sync.simulator import Clock, Company
from sync.simulator.service import Service

_KEY = "simulator-key"


class World:
    """A company's KnowBe4 at one moment."""

    def __init__(self, company: Company, at: datetime) -> None:
        self._service = Service(company, Clock(at), key=_KEY)

    def pages(self, wanted: ReadList) -> Iterator[list[Row]]:
        """Yield a list's rows as they are staged, page by page."""
        resource: Resource[Any] = wanted.resource
        path = resource.url_path(wanted.path_args)
        rows: RowDecoder[Any] = RowDecoder(resource.payload)
        if wanted is ACCOUNT:
            yield [wanted.table.row(rows.one(self._ask(path, {})), wanted.key)]
            return
        cursor: str | None = "true"
        while cursor:
            params = {**resource.params, **wanted.params, "per_page": resource.per_page, "cursor": cursor}
            reply = read_reply(self._ask(path, params), {})
            items, rejected = rows.page(reply.rows)
            if rejected:
                raise ValueError(f"The simulator wrote a row of {wanted.key} that cannot be read: {rejected[0].reason}")
            yield [wanted.table.row(item, wanted.key) for item in items]
            cursor = reply.cursor

    def _ask(self, path: str, params: dict[str, Any]) -> bytes:
        texts = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in params.items()
            if value is not None
        }
        reply = self._service.respond("GET", f"{path}?{urlencode(texts)}", {"authorization": f"Bearer {_KEY}"})
        if reply.status != 200:
            raise ValueError(f"The simulator answered {path} with {reply.status}.")
        return reply.body
