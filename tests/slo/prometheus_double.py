"""A Prometheus of the test's own: answers range queries as it is told to, and remembers who asked what."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Values = Callable[[str, datetime], float | None]
"""The value of a query at a moment; None: there is none."""


@dataclass
class Double:
    values: Values
    port: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    body: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, form: dict[str, str]) -> Any:
        start, end, step = (int(form[name]) for name in ("start", "end", "step"))
        moments = range(start, end + 1, step)
        assert len(moments) <= 11_000
        found = [(at, self.values(form["query"], datetime.fromtimestamp(at, UTC))) for at in moments]
        values = [[at, str(value)] for at, value in found if value is not None]
        result = [{"metric": {}, "values": values}] if values else []
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


@contextmanager
def double(values: Values) -> Iterator[Double]:
    told = Double(values)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: value[0] for name, value in parse_qs(raw).items()}
            told.asked.append(form | {"path": self.path})
            told.tokens.append(self.headers.get("Authorization", ""))
            status, text = told.refusal or (200, json.dumps(told.body or told.answer(form)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
