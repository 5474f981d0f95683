"""The polite HTTP client that every adapter shares.

One connection per request and no pool: sources are polled minutes apart, so there is nothing to
keep open, and no connection that one source may use is ever handed to another.

The environment's proxies and netrc are not used: the address that is checked must be the one
that is connected to, and a proxy would hide it. SSL_CERT_FILE and SSL_CERT_DIR do count, for
companies with a certificate authority of their own; they change whom we trust, not whether we
verify.
"""

from __future__ import annotations

import base64
import json as json_text
import socket
import ssl
import threading
import time
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

import httpcore
import httpx
import stamina

from sources.base import SourceError, Stopped
from sources.headers import retry_after
from sources.network import SLICE, Budget, GuardedBackend, Resolve, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
BROKEN = frozenset({408, 425, 500, 502, 503, 504})  # worth another try
STEPS = ("connect", "read", "write", "pool")
FINAL = {
    401: "wants credentials (401): check those configured for this source",
    403: "refuses us (403): check the credentials, or whether it allows automated readers",
    404: "does not exist (404): check the address",
    410: "is gone for good (410): remove the source or find its new address",
    451: "is withheld for legal reasons (451): remove the source",
}
SAFE_HEADERS = frozenset({"accept", "accept-language"})  # may follow a redirect to another origin


def release() -> str:
    """Which version of us this is."""
    try:
        return version("sentiment-worker")
    except PackageNotFoundError:
        return "0"


def default_user_agent(contact: str = "") -> str:
    """Our name for the servers' logs, with an address (mail or web) to complain to."""
    return f"sentiment-worker/{release()}" + (f" (+{contact})" if contact else "")


@dataclass(frozen=True, slots=True)
class Response:
    """A server's answer: a success (2xx), or 304 when what we have is still current.

    body: decompressed.
    headers: names in lower case.
    url: where the answer came from, after redirects.
    validators: to be handed back on the next request; a 304 keeps the ones it was asked with.
    """

    status: int
    body: bytes
    headers: dict[str, str]
    url: str
    validators: dict[str, str] = field(default_factory=dict)


class Client:
    """GET and POST, politely and within bounds; may be used by several threads at once.

    user_agent: as `default_user_agent(contact)` makes it.
    timeout: seconds to connect, and seconds of silence while reading.
    deadline: seconds one try may take in all, redirects included, however the server drips.
    max_bytes: of a body, counted after decompression.
    attempts, backoff: tries at a transient fault, and about how many seconds lie between them.
    interval: least seconds between the starts of two requests to one host.
    pause: seconds to stay away from a host that answers 429 without saying for how long.
    patience: longest pause in seconds that is waited out on the spot; a longer one is raised.
    stopping: looked at while waiting; `Stopped` is raised within a moment of it.
    """

    def __init__(
        self,
        user_agent: str = "",
        *,
        timeout: float = 10.0,
        deadline: float = 30.0,
        max_bytes: int = 10_000_000,
        attempts: int = 3,
        backoff: float = 0.5,
        interval: float = 1.0,
        pause: float = 60.0,
        patience: float = 5.0,
        stopping: Callable[[], bool] = lambda: False,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._user_agent = user_agent or default_user_agent()
        self._timeout = timeout
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._attempts = attempts
        self._backoff = backoff
        self._pause = timedelta(seconds=pause)
        self._patience = patience
        self._stopping = stopping
        self._resolve = resolve
        self._hosts = _Hosts(interval, patience, stopping)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse further requests; nothing is held open between requests."""
        self._stopping = self._hosts.stopping = lambda: True

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        allow_private: bool = False,
        validators: Mapping[str, str] | None = None,
        also: Collection[int] = (),
        spend: Callable[[], None] = lambda: None,
    ) -> Response:
        """Fetch a page; SourceError with a sentence for the operator when that fails.

        params: added to those in the URL.
        allow_private: the host in `url` may be at a private address; where it redirects to
            another host, that one may not.
        validators: `Response.validators` of the last answer; a 304 then says "unchanged".
        also: statuses that are returned, not raised: the adapter reads the API's error itself.
        spend: called before each request that is sent, tries and redirects included; what it
            raises keeps that one from being sent.
        """
        lines, known = dict(headers or {}), validators or {}
        return self._send(
            _Request(_url(url, params), lines, allow_private, known, also, spend=spend)
        )

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        allow_private: bool = False,
        also: Collection[int] = (),
        spend: Callable[[], None] = lambda: None,
    ) -> Response:
        """Ask for a token or a session; the other arguments and the errors are those of `get`.

        form, json: what is sent, in one of the two ways. It may be sent twice when an answer is
        lost, and is never sent to where the server redirects: it holds secrets.
        """
        kind, body = _written(form, json)
        lines = {"Content-Type": kind, **(headers or {})}
        return self._send(_Request(_url(url, params), lines, allow_private, {}, also, body, spend))

    def _send(self, asked: _Request) -> Response:
        for attempt in stamina.retry_context(
            on=Transient,
            attempts=self._attempts,
            timeout=None,
            wait_initial=self._backoff,
            wait_jitter=self._backoff,
        ):
            with attempt:
                return self._try(asked)
        raise AssertionError

    def pause(self, url: str, wait: timedelta) -> None:
        """Leave a host alone: what an API asks for by other means than Retry-After."""
        self._hosts.close(_url(url, None).netloc.decode("ascii"), wait.total_seconds())

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def _try(self, request: _Request) -> Response:
        """One try, redirects included; time spent waiting for a turn is not the server's."""
        self._hosts.wait_turn(request.host)
        budget = Budget(self._deadline, self._stopping)
        for _ in range(MAX_REDIRECTS + 1):
            request.spend()
            response = self._exchange(request, budget)
            known = response.status in request.also or response.status not in REDIRECTS
            if known or "location" not in response.headers:
                return self._judged(request, response)
            if request.content is not None:
                raise _moved(request, response)
            request = request.redirected(response.headers["location"])
            budget.extend(self._hosts.wait_turn(request.host))
        raise SourceError(f"{request.place} redirects more than {MAX_REDIRECTS} times")

    def _exchange(self, request: _Request, budget: Budget) -> Response:
        """One request and its answer on one connection."""
        backend = GuardedBackend(budget, self._resolve, allow_private=request.allow_private)
        place = request.place
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=self._tls if request.url.scheme == "https" else None,
                    network_backend=backend,
                    max_keepalive_connections=0,
                ) as pool,
                pool.stream(
                    "GET" if request.content is None else "POST",
                    request.core_url,
                    headers=request.lines(self._user_agent),
                    content=request.content,
                    extensions={"timeout": dict.fromkeys(STEPS, self._timeout)},
                ) as answer,
            ):
                headers = _headers(answer.headers)
                body = b""
                if answer.status in range(200, 300) or answer.status in request.also:
                    encoding = headers.get("content-encoding", "")
                    body = _body(answer.iter_stream(), encoding, self._max_bytes, place)
                return Response(answer.status, body, headers, str(request.url))
        except TimeoutError as error:
            raise SourceError(f"{place} took longer than {self._deadline:g} s") from error
        except httpcore.TimeoutException as error:
            raise Transient(f"{place} did not answer within {self._timeout:g} s") from error
        except httpcore.ConnectError as error:
            raise _connect_error(request.host, error) from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise Transient(f"{place} broke off in the middle of its answer") from error
        except (httpcore.ProtocolError, OSError, ValueError) as error:
            raise SourceError(f"{place} could not be read ({type(error).__name__})") from error

    def _judged(self, request: _Request, response: Response) -> Response:
        """The answer if it is a good one; else the error that says what its status means."""
        status, place = response.status, request.place
        if status in range(200, 300) or (status == 304 and request.validators):
            return replace(response, validators=_validators(request, response))
        if status in request.also:
            return response
        if status in FINAL:
            raise SourceError(f"{place} {FINAL[status]}", permanent=True)
        pause = retry_after(response.headers, datetime.now(UTC)) if status in (429, 503) else None
        if status == 429:
            pause = pause if pause is not None else self._pause
        if pause is not None:
            self._hosts.close(request.host, pause.total_seconds())
            kind = Transient if pause.total_seconds() <= self._patience else SourceError
            raise kind(f"{place} asks us to come back later ({status})", retry_after=pause)
        if status in BROKEN:
            raise Transient(f"{place} is out of order at the moment ({status})")
        raise SourceError(f"{place} answered with status {status}, which is no help to us")


@dataclass(frozen=True, slots=True)
class _Request:
    url: httpx.URL
    headers: dict[str, str]
    allow_private: bool
    validators: Mapping[str, str]
    also: Collection[int] = ()
    content: bytes | None = None
    spend: Callable[[], None] = lambda: None

    @property
    def host(self) -> str:
        """Host and port, the unit of politeness."""
        return self.url.netloc.decode("ascii")

    @property
    def place(self) -> str:
        """Where, as an error may say it: no query and no user, they may hold a secret."""
        path = "".join(sign if sign.isprintable() else "?" for sign in self.url.path)
        shown = path if len(path) <= 80 else path[:79] + "…"
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.host}{port}{shown}".rstrip("/")

    @property
    def core_url(self) -> httpcore.URL:
        url = self.url
        return httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )

    def lines(self, user_agent: str) -> list[tuple[bytes, bytes]]:
        """The request's headers; the adapter's own win over the defaults.

        Latin-1, as headers are read: a server gets back the very bytes of its ETag.
        """
        lines = {
            "Host": self.host,
            "User-Agent": user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        if self.content is not None:
            lines["Content-Length"] = str(len(self.content))
        if self.url.userinfo:
            user = f"{self.url.username}:{self.url.password}".encode()
            lines["Authorization"] = f"Basic {base64.b64encode(user).decode()}"
        if self.validators.get("etag"):
            lines["If-None-Match"] = self.validators["etag"]
        if self.validators.get("last_modified"):
            lines["If-Modified-Since"] = self.validators["last_modified"]
        own = {name.title(): value for name, value in self.headers.items()}
        both = lines | own
        return [(name.encode("latin-1"), both[name].encode("latin-1")) for name in both]

    def redirected(self, location: str) -> _Request:
        """The request for the place we were sent to; secrets stay with the origin they are for."""
        try:
            target = self.url.join(location).copy_with(userinfo=b"", fragment=None)
        except (httpx.InvalidURL, ValueError, UnicodeError) as error:
            raise SourceError(f"{self.place} redirects to something that is no URL") from error
        _check(target)
        here, there = self.url, target
        same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
        if same:
            target = target.copy_with(userinfo=here.userinfo)
        safe = {name: text for name, text in self.headers.items() if name.lower() in SAFE_HEADERS}
        return _Request(
            target,
            self.headers if same else safe,
            self.allow_private and here.host == there.host,
            self.validators,
            self.also,
            spend=self.spend,
        )


class _Hosts:
    """When each host may be asked again, for all threads together. Times are monotonic seconds."""

    def __init__(self, interval: float, patience: float, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping
        self._interval = interval
        self._patience = patience
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._closed: dict[str, float] = {}

    def close(self, host: str, seconds: float) -> None:
        """Leave the host alone for some seconds."""
        with self._lock:
            until = time.monotonic() + seconds
            self._closed[host] = max(until, self._closed.get(host, 0))

    def refuse_closed(self, host: str) -> None:
        """Raise while the host wants to be left alone for longer than we are willing to wait."""
        left = self._closed.get(host, 0) - time.monotonic()
        if left > self._patience:
            raise SourceError(
                f"{host} asked to be left alone for another {_span(left)}",
                retry_after=timedelta(seconds=left),
            )

    def wait_turn(self, host: str) -> float:
        """Take the next free moment for this host and wait for it; says for how many seconds."""
        self.refuse_closed(host)
        with self._lock:
            now = time.monotonic()
            free = max(self._next.get(host, 0), self._closed.get(host, 0), now)
            self._next[host] = free + self._interval
        while (left := free - time.monotonic()) > 0 and not self.stopping():
            time.sleep(min(left, SLICE))
        if self.stopping():
            raise Stopped
        return free - now


class _Inflate:
    """gzip or deflate, never more than asked for at once."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # a gzip or a zlib header
        self._fresh = True
        self._members = 0

    def feed(self, data: bytes, room: int) -> bytes:
        """At most `room` bytes of the text so far."""
        out = self._inflate(data, room)
        while self._zlib.eof and self._zlib.unused_data and len(out) < room:
            rest = self._zlib.unused_data.lstrip(b"\0")  # padding is allowed
            self._zlib, self._fresh = zlib.decompressobj(zlib.MAX_WBITS | 32), False
            if not rest:
                break
            self._members += 1
            out += self._inflate(rest, room - len(out))
        return out

    def _inflate(self, data: bytes, room: int) -> bytes:
        try:
            return self._zlib.decompress(data, room)
        except zlib.error:
            if not self._fresh:
                raise
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)  # deflate without a header
            return self._zlib.decompress(data, room)
        finally:
            self._fresh = False

    @property
    def complete(self) -> bool:
        return self._zlib.eof or self._members > 0


def _body(chunks: Iterable[bytes], encoding: str, max_bytes: int, place: str) -> bytes:
    """The decompressed body; SourceError as soon as it is larger than it may be."""
    coded = encoding.strip().lower()
    if coded not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise SourceError(f"{place} answers in an encoding we did not ask for ({coded[:20]!r})")
    inflate = _Inflate() if coded not in ("", "identity") else None
    body = bytearray()
    try:
        for chunk in chunks:
            body += inflate.feed(chunk, max_bytes + 1 - len(body)) if inflate else chunk
            if len(body) > max_bytes:
                raise SourceError(f"{place} answers with more than {max_bytes:,} bytes")
    except zlib.error as error:
        raise Transient(f"{place} answers with damaged compressed data") from error
    if inflate and body and not inflate.complete:
        raise Transient(f"{place} broke off in the middle of its answer")
    return bytes(body)


def _moved(request: _Request, response: Response) -> SourceError:
    """A login is not sent on to another place; only a move for good needs somebody's hand."""
    if response.status in (301, 308):
        return SourceError(f"{request.place} has moved: check the address", permanent=True)
    return SourceError(f"{request.place} sends us elsewhere for now ({response.status})")


def _written(form: Mapping[str, str] | None, json: Any) -> tuple[str, bytes]:
    """The media type and the bytes of what is posted."""
    if form is not None:
        return "application/x-www-form-urlencoded", urlencode(dict(form)).encode()
    return "application/json", b"" if json is None else json_text.dumps(json).encode()


def _url(url: str, params: Mapping[str, Any] | None) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        if params:
            parsed = parsed.copy_merge_params(dict(params))
    except (httpx.InvalidURL, ValueError, UnicodeError, TypeError) as error:
        raise SourceError("the address is not a valid URL", permanent=True) from error
    _check(parsed)
    return parsed


def _check(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise SourceError(
            f"only http:// and https:// addresses can be read, not {url.scheme[:20] or 'this'}:",
            permanent=True,
        )


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _validators(request: _Request, response: Response) -> dict[str, str]:
    headers = response.headers
    given = {"etag": headers.get("etag", ""), "last_modified": headers.get("last-modified", "")}
    kept = request.validators if response.status == 304 else {}
    both = {name: given[name] or kept.get(name, "") for name in given}
    return {name: value for name, value in both.items() if value}


def _connect_error(host: str, error: Exception) -> SourceError:
    causes = (error.__cause__, *error.args)  # httpcore wraps it
    refused = [one for one in causes if isinstance(one, ssl.SSLCertVerificationError)]
    if refused or "CERTIFICATE" in str(error):
        reason = (refused and refused[0].verify_message) or "it does not verify"
        return SourceError(
            f"{host} shows a certificate that cannot be trusted ({reason}): check the address; "
            "SSL_CERT_FILE names a certificate authority of your own"
        )
    return Transient(
        f"{host} cannot be reached: check the address, and whether this machine reaches the network"
    )


def _span(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
