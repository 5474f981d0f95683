"""A real HTTP server on loopback that misbehaves as told; for the tests of adapters.

Example::

    with Server() as server:
        server.script("/feed", Answer(status=503), Answer(body=xml, etag='"1"'))
        client.get(server.url("/feed"), allow_private=True)
        server.requests  # what was asked
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    etag: sent along; a request that has it already gets a 304 without a body.
    delay: seconds before anything is sent.
    drip: seconds before each single byte of the body.
    cut: only so many bytes of the body are sent, though Content-Length promises all.
    reset: the connection is reset before anything is sent.
    raw: sent as it is, in place of all the above.
    length: whether Content-Length is sent at all.
    times: how often the body is sent, one after the other; a large one need not be held.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    delay: float = 0.0
    drip: float = 0.0
    cut: int | None = None
    reset: bool = False
    raw: bytes | None = None
    length: bool = True
    times: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the server saw it; header names in lower case; at: seconds since 1970."""

    path: str
    query: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""
    at: float = field(default_factory=time.time)

    @property
    def params(self) -> dict[str, str]:
        """The query's values by name; of several, the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The values of a posted form by name."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


Reply = Answer | Callable[[Asked], Answer]


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON document; header names are written with _ for -."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(body, status, {"Content-Type": "application/json", **named})


def gzipped(body: bytes) -> Answer:
    """The body, compressed; a million zeros make a bomb of a thousand bytes."""
    return Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})


@dataclass(frozen=True, slots=True)
class Limit:
    """What a service allows: so many requests in any so many seconds, of those it counts.

    zone: IANA name; then each day there is counted by itself, and `seconds` does not matter.
    """

    requests: int
    seconds: float
    counts: Callable[[Asked], bool] = lambda _asked: True
    zone: str = ""

    def exceeded(self, asked: Sequence[Asked]) -> str:
        """What went beyond the limit, in words; empty where nothing did."""
        times = sorted(each.at for each in asked if self.counts(each))
        if self.zone:
            days = Counter(datetime.fromtimestamp(at, ZoneInfo(self.zone)).date() for at in times)
            day, most = max(days.items(), key=lambda each: each[1], default=(None, 0))
            return f"{most} requests on {day}" if most > self.requests else ""
        for first, beyond in zip(times, times[self.requests :], strict=False):
            if beyond - first < self.seconds:
                return f"{self.requests + 1} requests in {beyond - first:.2f} s"
        return ""


PROMISED = (Limit(1, 0.9),)
"""Where a service names no limit: requests a second apart, less what a clock may be off."""


class Server:
    """Answers each path from its script; the last answer of a script stays.

    spoil: may put a fault in the place of any answer.
    most_sent: bytes of the longest body that was taken off our hands.
    """

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.most_sent = 0
        self.closing = threading.Event()
        self.spoil: Callable[[Asked, Answer], Answer] = lambda _asked, answer: answer
        self._scripts: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self._httpd = _Httpd(("127.0.0.1", 0), _Handler)
        self._httpd.owner = self
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._httpd.server_address[1])

    def url(self, path: str = "/") -> str:
        """The full address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def script(self, path: str, *replies: Reply) -> None:
        """What a path answers, in turn; a function is asked each time.

        A path that ends in * is meant for all that begin so and have no script of their own.
        """
        with self._lock:
            self._scripts[path] = list(replies)

    def answer(self, asked: Asked) -> Answer:
        """The next answer; 404 where nothing is scripted."""
        with self._lock:
            self.requests.append(asked)
            replies = self._scripts.get(asked.path) or self._wide(asked.path)
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return self.spoil(asked, reply if isinstance(reply, Answer) else reply(asked))

    def _wide(self, path: str) -> list[Reply]:
        starts = [name for name in self._scripts if name.endswith("*")]
        fitting = [name for name in starts if path.startswith(name[:-1])]
        return self._scripts[max(fitting, key=len)] if fitting else [Answer(status=404)]


class _Httpd(ThreadingHTTPServer):
    daemon_threads = False
    owner: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up all the time here: that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 30

    def do_GET(self) -> None:
        self._reply(b"")

    def do_POST(self) -> None:
        self._reply(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _reply(self, sent: bytes) -> None:
        owner = cast("_Httpd", self.server).owner
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = owner.answer(Asked(path, query, headers, self.command, sent))
        self.close_connection = True
        owner.closing.wait(answer.delay)
        if answer.reset:
            # SO_LINGER of zero seconds: close sends RST
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif answer.raw is not None:
            self.wfile.write(answer.raw)
        elif answer.etag and headers.get("if-none-match") == answer.etag:
            self.send_response(304)
            self.end_headers()
        else:
            self._send(answer, owner)

    def _send(self, answer: Answer, owner: Server) -> None:
        self.send_response(answer.status)
        if answer.etag:
            self.send_header("ETag", answer.etag)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.length:
            self.send_header("Content-Length", str(len(answer.body) * answer.times))
        self.end_headers()
        body = answer.body[: answer.cut]
        if not answer.drip:
            for turn in range(1, answer.times + 1):
                self.wfile.write(body)
                owner.most_sent = max(owner.most_sent, turn * len(body))
            return
        for byte in body:
            if owner.closing.wait(answer.drip):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name http.server asks for)
        """Silence: tests have their own words."""
