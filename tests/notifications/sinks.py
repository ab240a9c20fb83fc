"""Outside parties on loopback: a receiver of webhooks that misbehaves as told, and a real SMTP server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

OK = (200, {}, "ok")


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Sink:
    """Answers each request with the next of `answers`, then `ok`: (status, headers, text), `hang` or `cut`."""

    port: int = 0
    answers: list[Any] = field(default_factory=list)
    heard: list[Request] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/of/the/team"


@contextmanager
def webhook_sink() -> Iterator[Sink]:
    sink = Sink()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                sink.heard.append(Request(self.path, dict(self.headers), raw))
                answer = sink.answers.pop(0) if sink.answers else OK
            sink.arrived.set()
            if answer == "hang":
                sink.go_on.wait(30)
            if answer in ("hang", "cut"):
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, headers, text = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield sink
    sink.go_on.set()
    server.shutdown()
    server.server_close()


@dataclass
class Mailbox:
    """What the SMTP server took; `answers` are the replies to DATA, `refuse` those to recipients."""

    port: int = 0
    mails: list[Any] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)


@contextmanager
def smtp_sink() -> Iterator[Mailbox]:
    box = Mailbox()

    class Handler:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, options: Any) -> str:
            if to in box.refuse:
                return box.refuse[to]
            envelope.rcpt_tos.append(to)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            answer = box.answers.pop(0) if box.answers else "250 queued as 7"
            if answer == "cut":
                server.transport.abort()
                return "250 never heard"
            if answer.startswith("250"):
                box.mails.append(envelope)
            return answer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.port = free.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()
