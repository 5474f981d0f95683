"""What every adapter promises, as tests that any adapter can run against itself.

In a test module (pytest and Hypothesis are needed; `pip install 'sentiment-worker[dev]'`)::

    from sources.conformance import PRIVATE, Conformance
    from sources.testing import json_answer

    class TestShouts(Conformance):
        adapter = Shouts
        secrets = ("s3cret",)

        def settings(self, server):
            return {"api_url": server.url(), "token": "s3cret"}

        def serve(self, server):
            server.script("/shouts", answer)  # PRIVATE where the service shows private data

`serve` scripts a small service: some posts on at least two pages, the same ones each time it is
called. Functions as replies (`Callable[[Asked], Answer]`) speak a protocol; fixed answers do not.
"""

from __future__ import annotations

import json
import re
import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as fuzzing
from hypothesis import strategies as st

from sources import base
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.http import Client
from sources.testing import Answer, Server
from sources.text import author_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PRIVATE = "private.person@conformance.example"
"""Stands for e-mail addresses, order numbers and the like: it must reach no post."""

MAX_EXAMPLES = 20
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["", "\ud800", "\0", "<b>", "https://[", "2026-13-45T99:99:99Z", "-1", "1e999"]
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)
THOROUGHLY = fuzzing(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
STATUSES = (204, 302, 304, 400, 401, 403, 404, 408, 410, 418, 429, 451, 500, 502, 503)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with an answer; harm makes the bad answer out of the good one."""

    name: str
    harm: Callable[[Answer], Answer]


def faults() -> st.SearchStrategy[Fault | None]:
    """None (all goes well), or what real services and the network between do."""
    return st.one_of(
        st.none(),
        st.sampled_from(STATUSES).map(_status),
        st.sampled_from(
            [b"", b"{", b"[]", b"null", b"<html>Wartung</html>", b"\xff\xfe\0", b'"']
        ).map(_body),
        st.integers(0, 400).map(_cut),
        st.just(Fault("reset", lambda answer: replace(answer, reset=True))),
        st.just(Fault("no charset", lambda answer: replace(answer, headers={}))),
        st.tuples(st.integers(0, 10**9), VALUES).map(_mutated),
    )


class Conformance:
    """Subclass it as `TestName`, name the adapter, and write `settings` and `serve`.

    secrets: words from the settings that no error may repeat.
    offers: how many posts the service has within reach; all of them must be read.
    seconds: that one request may take; no test waits for them, a starved machine may need them.
    """

    adapter: ClassVar[type[Any]]
    secrets: ClassVar[tuple[str, ...]] = ()
    offers: ClassVar[int | None] = None
    seconds: ClassVar[float] = 30

    def settings(self, server: Server) -> Mapping[str, Any]:
        """The adapter's keys of a `[[sources]]` entry that reads from the server."""
        raise NotImplementedError

    def serve(self, server: Server) -> None:
        """Script the server."""
        raise NotImplementedError

    # --- the laws ---

    def test_settings_refuse_unknown_keys(self) -> None:
        """A key the adapter does not know is a mistake, not a wish."""
        assert issubclass(self.adapter.Settings, base.Settings)
        with Server() as server, pytest.raises(ValueError, match="no_such_key"):
            self.adapter.Settings.model_validate({**self.settings(server), "no_such_key": 1})

    def test_posts_are_whole_and_private_data_stays_away(self) -> None:
        """Ids are unique, times UTC, words or stars there, ratings 1 to 5; no e-mail addresses."""
        with self._server() as server:
            pages = list(self._pages(server))
        ids = [post.external_id for page in pages for post in page.posts]
        assert ids
        assert len(ids) == len(set(ids)), "an id comes twice in one run"
        assert self.offers in (None, len(ids)), f"{len(ids)} of {self.offers} posts are read"
        for page in pages:
            check_page(page)

    def test_every_page_is_enough_to_go_on(self) -> None:
        """Whoever is killed after a page loses nothing by going on with its cursor."""
        with self._server() as server:
            whole = list(self._pages(server))
            everything = ids_of(whole)
            for number, page in enumerate(whole, start=1):
                self.serve(server)
                rest = list(self._pages(server, page.cursor))
                missing = everything - ids_of(whole[:number]) - ids_of(rest)
                assert not missing, f"lost after page {number}: {missing}"

    def test_a_second_run_finds_nothing_new(self) -> None:
        """What was read once is read again at most: no new ids, no other words."""
        with self._server() as server:
            first = list(self._pages(server))
            self.serve(server)
            again = list(self._pages(server, first[-1].cursor))
        known = {post.external_id: post.text for page in first for post in page.posts}
        for page in again:
            check_page(page)
            for post in page.posts:
                assert known.get(post.external_id) == post.text

    def test_it_stops_when_asked(self) -> None:
        """After a stop there are no further requests, and nothing is lost by it."""
        stop = threading.Event()
        read: list[Page] = []
        with self._server() as server:
            everything = ids_of(self._pages(server))
            self.serve(server)
            asked = len(server.requests)
            with suppress(SourceError):
                for page in self._pages(server, stopping=stop.is_set):
                    asked = asked if stop.is_set() else len(server.requests)
                    read.append(page)
                    stop.set()
            assert len(server.requests) == asked, "it goes on asking after the stop"
            self.serve(server)
            rest = self._pages(server, read[-1].cursor if read else None)
            assert everything <= ids_of(read) | ids_of(rest)

    def test_a_cursor_of_another_version_is_no_obstacle(self) -> None:
        """A cursor that says nothing it understands is like none."""
        with self._server() as server:
            everything = ids_of(self._pages(server))
            for cursor in ({}, {"another": "version"}):
                self.serve(server)
                assert everything <= ids_of(self._pages(server, cursor))

    def test_nothing_but_source_errors(self) -> None:
        """Whatever the service answers: a sentence, no crash, no half post, no secret told."""

        @THOROUGHLY
        @given(st.lists(faults(), min_size=1, max_size=5))
        def law(planned: list[Fault | None]) -> None:
            read = self._through(server, planned)
            self.serve(server)
            list(
                self._pages(server, read[-1].cursor if read else None)
            )  # whatever it read, it goes on

        with self._server() as server:
            law()

    def test_a_fault_costs_nothing(self) -> None:
        """Once the service has recovered, everything it offers has been read."""
        with self._server() as server:
            everything = ids_of(self._pages(server))
            turns = len(server.requests)
            for fault in OUTAGES:
                for turn in range(0, turns, max(turns // 4, 1)):
                    read = self._through(server, [*[None] * turn, fault])
                    self.serve(server)
                    rest = self._pages(server, read[-1].cursor if read else None)
                    missing = everything - ids_of(read) - ids_of(rest)
                    assert not missing, f"{fault.name} at request {turn + 1} costs {missing}"

    def test_looking_again_raises_nothing_but_source_errors(self) -> None:
        """What `recheck` tells is about the ids it was given, and whole; else it is a sentence."""

        @THOROUGHLY
        @given(st.lists(faults(), min_size=1, max_size=3))
        def law(planned: list[Fault | None]) -> None:
            told = self._again(server, planned, ids) or {}
            assert set(told) <= set(ids), "it tells of posts that nobody asked for"
            for post in told.values():
                if post is not None:
                    check_post(post)

        with self._server() as server:
            ids = self._known(server)
            law()

    def test_a_fault_is_no_deletion(self) -> None:
        """Erasing cannot be undone: an outage never looks like posts that were deleted."""
        with self._server() as server:
            ids = self._known(server)
            well = self._again(server, [], ids)
            if not well or None in well.values():
                pytest.skip("serve() does not show the posts again: looking again is not tried")
            for fault in (*OUTAGES, *map(_body, (b"{}", b"[]", b"null"))):
                if fault.name != "status 404":  # the usual word for a deletion
                    told = self._again(server, [fault], ids) or {}
                    gone = [ident for ident, post in told.items() if post is None]
                    assert not gone, f"{fault.name} is taken for a deletion"

    # --- how they are tried ---

    def _known(self, server: Server) -> list[str]:
        """The ids of all posts, where the adapter can look again."""
        if not hasattr(self.adapter, "recheck"):
            pytest.skip("the adapter does not look again")
        return sorted(ids_of(self._pages(server)))

    def _again(
        self, server: Server, planned: list[Fault | None], ids: list[str]
    ) -> dict[str, Post | None] | None:
        """What looking again tells; None when that ends in an error."""
        self.serve(server)
        server.spoil = _in_turn(planned)
        settings = self.adapter.Settings.model_validate(dict(self.settings(server)))
        folder = Path(tempfile.gettempdir())
        try:
            with in_a_hurry(self.seconds) as client:
                context = Context(client, folder, allow_private_addresses=True)
                return dict(self.adapter(settings, context).recheck(ids))
        except SourceError as error:
            check_sentence(error, self.secrets)
            return None
        finally:
            server.spoil = lambda _asked, answer: answer

    def _through(self, server: Server, planned: list[Fault | None]) -> list[Page]:
        """The pages of a run with faults, up to its error."""
        self.serve(server)
        server.spoil = _in_turn(planned)
        read: list[Page] = []
        try:
            for page in self._pages(server):
                check_page(page)
                read.append(page)
        except SourceError as error:
            check_sentence(error, self.secrets)
        finally:
            server.spoil = lambda _asked, answer: answer
        return read

    @contextmanager
    def _server(self) -> Iterator[Server]:
        with Server() as server:
            self.serve(server)
            yield server

    def _pages(
        self,
        server: Server,
        cursor: Cursor | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Page]:
        """A run as the worker makes it: a new adapter, and a cursor out of the database."""
        settings = self.adapter.Settings.model_validate(dict(self.settings(server)))
        stored = json.loads(json.dumps(cursor))
        folder = Path(tempfile.gettempdir())
        with in_a_hurry(self.seconds, stopping) as client:
            context = Context(client, folder, stopping, allow_private_addresses=True)
            yield from self.adapter(settings, context).pages(stored)


@contextmanager
def in_a_hurry(
    seconds: float = 30, stopping: Callable[[], bool] = lambda: False
) -> Iterator[Client]:
    """A client that waits milliseconds where the worker waits seconds, and tries once."""
    with Client(
        "sentiment-worker/test",
        timeout=seconds,
        deadline=2 * seconds,
        attempts=1,
        interval=0,
        pause=0.01,
        stopping=stopping,
        resolve=_loopback,
    ) as client:
        yield client


def _loopback(host: str, *rest: Any, **options: Any) -> list[Any]:
    """The system's name service, for this machine's own addresses only: tests stay at home."""
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise socket.gaierror(host)
    return list(socket.getaddrinfo(host, *rest, **options))


def ids_of(pages: Iterator[Page] | list[Page]) -> set[str]:
    """The ids of all posts."""
    return {post.external_id for page in pages for post in page.posts}


def check_page(page: Page) -> None:
    """Raise AssertionError where a page is not what the contract says."""
    assert isinstance(page.cursor, dict)
    assert json.loads(json.dumps(page.cursor, allow_nan=False)) == page.cursor
    assert all(isinstance(said, str) and said for said in (*page.problems, *page.gaps))
    assert page.next_poll is None or isinstance(page.next_poll, timedelta)
    for post in page.posts:
        check_post(post)


def check_post(post: Post) -> None:
    """Raise AssertionError where a post is not what the contract says."""
    assert isinstance(post.external_id, str)
    assert post.external_id.strip(), "external_id is empty"
    assert isinstance(post.text, str)
    assert post.text.strip() or post.rating is not None, "neither words nor a rating"
    assert len(post.external_id) <= 500
    assert post.posted_at.utcoffset() == timedelta(0), "posted_at is not UTC"
    assert post.rating is None or 1 <= post.rating <= 5
    assert post.url is None or re.match(r"https?://\S+$", post.url), post.url
    assert post.author is None or author_name(post.author) == post.author, "an address as author"
    for each in fields(post):
        value = str(getattr(post, each.name))
        assert PRIVATE not in value, f"{each.name} holds private data"
        value.encode()  # nothing that UTF-8 cannot take


def check_sentence(error: SourceError, secrets: tuple[str, ...] = ()) -> None:
    """Raise AssertionError where an error is no sentence for the operator."""
    said = str(error)
    assert said.strip()
    assert len(said) < 1000
    assert "Traceback" not in said
    assert not [secret for secret in secrets if secret in said], "an error tells a secret"


def _in_turn(planned: list[Fault | None]) -> Callable[[Any, Answer], Answer]:
    """The planned faults, one an answer; after them all goes well."""
    waiting = list(planned)

    def spoil(_asked: Any, answer: Answer) -> Answer:
        fault = waiting.pop(0) if waiting else None
        return answer if fault is None else fault.harm(answer)

    return spoil


def _status(status: int) -> Fault:
    def harm(answer: Answer) -> Answer:
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        headers |= {"Retry-After": "0"} if status == 429 else {}
        return replace(answer, status=status, body=b"" if status in (204, 304) else b"no",
                       headers=headers)  # fmt: skip

    return Fault(f"status {status}", harm)


def _body(body: bytes) -> Fault:
    return Fault(f"body {body!r}", lambda answer: replace(answer, body=body))


def _cut(after: int) -> Fault:
    return Fault(f"cut after {after}", lambda answer: replace(answer, cut=after))


def _mutated(drawn: tuple[int, Any]) -> Fault:
    """One value somewhere in a JSON answer is another; other answers get a byte changed."""
    number, value = drawn

    def harm(answer: Answer) -> Answer:
        try:
            document = json.loads(answer.body)
        except ValueError:
            at = number % max(len(answer.body), 1)
            other = answer.body[:at] + bytes([number % 256]) + answer.body[at + 1 :]
            return replace(answer, body=other)
        places = list(_places(document))
        path = places[number % len(places)]
        return replace(answer, body=json.dumps(_put(document, path, value)).encode())

    return Fault("mutated", harm)


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value in a JSON document."""
    yield path
    inner: Any = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        inner = enumerate(document)
    for key, value in inner:
        yield from _places(value, (*path, key))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place."""
    if not path:
        return value
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = _put(copy[path[0]], path[1:], value)
    return copy


OUTAGES = (
    *map(_status, (401, 404, 429, 500)),
    *map(_body, (b"", b"<html>Wartung</html>")),
    _cut(30),
    Fault("reset", lambda answer: replace(answer, reset=True)),
)
"""What a service gets over."""
