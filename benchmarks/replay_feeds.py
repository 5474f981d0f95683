"""Recorded posts shown again as feeds, by a server on loopback that misbehaves by plan.

Each feed has a schedule: what it shows at its first poll, at its second, and so on. Its clock
moves on only when a reader comes back with the ETag of what is shown now. A reader hands that
ETag back only once it has stored what came with it, so a post stays on show until it had a fair
chance to be read, however often the server fails and the reader is killed; a reader that takes
half a document for a whole one still misses the other half.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import random
import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Self
from xml.sax.saxutils import escape

from sources.testing import Answer, Asked, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HANG = 2.5  # seconds of silence: more than the reader's timeout
FAULTS = ("429", "500", "503", "timeout", "reset", "short body", "half document", "not modified")
STREAKS = (1, 1, 1, 2, 2, 3, 5)  # faults in a row; a reader tries three times before it gives up


@dataclass(frozen=True, slots=True)
class Entry:
    """A post as a feed shows it. author: invented where the recording has none."""

    id: str
    text: str
    time: datetime
    title: str = ""
    rating: int | None = None
    author: str = ""

    @property
    def link(self) -> str:
        """An address of its own, which nobody opens."""
        return f"https://replay.example/{self.id}"


def rss(name: str, entries: Sequence[Entry], following: str | None) -> bytes:
    """An RSS 2.0 document; descriptions are HTML, as most feeds have them."""
    assert following is None
    items = "".join(
        f"<item><guid isPermaLink='false'>{entry.id}</guid><link>{entry.link}</link>"
        f"<pubDate>{format_datetime(entry.time)}</pubDate><author>{entry.author}</author>"
        f"<description>{escape(html.escape(entry.text, quote=False))}</description></item>\n"
        for entry in entries
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>{name}</title>'
        f"<link>https://replay.example/</link><description>{name}</description>\n{items}"
        "</channel></rss>\n"
    ).encode()


def atom(name: str, entries: Sequence[Entry], following: str | None) -> bytes:
    """An Atom document with stars as the App Store writes them; texts are plain."""
    items = "".join(
        f"<entry><id>{entry.id}</id><link href='{entry.link}'/><title>{escape(entry.title)}</title>"
        f"<updated>{entry.time.isoformat()}</updated><author><name>{entry.author}</name></author>"
        f"<im:rating>{entry.rating}</im:rating>"
        f"<content type='text'>{escape(entry.text)}</content></entry>\n"
        for entry in entries
    )
    link = f"<link rel='next' href='{following}'/>" if following else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        f'xmlns:im="http://itunes.apple.com/rss"><id>urn:{name}</id><title>{name}</title>{link}\n'
        f"{items}</feed>\n"
    ).encode()


def hourly(entries: Sequence[Entry], step: timedelta = timedelta(hours=1)) -> list[list[Entry]]:
    """What a feed of the newest entries shows at polls an hour apart, newest first.

    It holds a quarter more entries than the busiest hour brought, so steady polling misses none.
    """
    start, ends, arrived = entries[0].time, [], 0
    while arrived < len(entries):
        limit = start + step * (len(ends) + 1)
        while arrived < len(entries) and entries[arrived].time < limit:
            arrived += 1
        ends.append(arrived)
    size = 5 * max(b - a for a, b in itertools.pairwise([0, *ends])) // 4
    return [list(reversed(entries[max(0, end - size) : end])) for end in ends]


def growing(entries: Sequence[Entry], seed: int, most: int) -> list[list[Entry]]:
    """What a feed of all entries so far shows, newest first; each poll finds 1 to `most` more."""
    rng, ends = random.Random(f"{seed} growing"), [0]
    while ends[-1] < len(entries):
        ends.append(min(len(entries), ends[-1] + rng.randint(1, most)))
    return [list(reversed(entries[:end])) for end in ends[1:]]


class Feed:
    """A feed with a clock and a plan of faults.

    steps: the entries on show at each poll, newest first.
    write: `rss` or `atom`.
    page: entries a document; the rest is behind a link to the next one (RFC 5005).
    rate: share of the steps at which something goes wrong.
    """

    def __init__(
        self,
        name: str,
        steps: list[list[Entry]],
        write: Callable[[str, Sequence[Entry], str | None], bytes],
        *,
        page: int | None = None,
        rate: float = 0.4,
    ) -> None:
        self.name = name
        self.steps = steps
        self.server = Server()
        self.server.script("/", self._answer)
        self.served = 0  # whole documents
        self.given: Counter[str] = Counter()  # answers by kind
        self._write = write
        self._page = page or max(map(len, steps))
        self._rate = rate
        self._lock = threading.Lock()
        self.rewind(None)

    @property
    def url(self) -> str:
        """Where to read it."""
        return self.server.url("/")

    @property
    def offered(self) -> dict[str, Entry]:
        """Every entry ever shown, by its id."""
        return {entry.id: entry for step in self.steps for entry in step}

    @property
    def finished(self) -> bool:
        """Whether a reader has stored the last step."""
        return self._left == 0

    @property
    def waiting(self) -> bool:
        """Whether a reader has stored all there is until the clock goes on."""
        return self._step + 1 >= self._opened and self._left == len(self.steps) - self._step - 1

    def rewind(self, seed: int | None) -> None:
        """Back to the first poll; a seed plans faults, None is fair weather."""
        with self._lock:
            self._step, self._left, self._opened = 0, len(self.steps), len(self.steps)
            self._plan = list(self._planned(seed))
            self._documents: list[bytes] = []
            self.given.clear()

    def hold(self) -> None:
        """Stop the clock here, until `open` lets it go on."""
        with self._lock:
            self._opened = 0

    def open(self, share: float) -> None:
        """Let the clock go on until this share of the steps, and for one step at least."""
        with self._lock:
            wanted = max(self._step + 2, round(share * len(self.steps)))
            self._opened = min(wanted, len(self.steps))

    def _planned(self, seed: int | None) -> Iterator[list[str | None]]:
        """For each step what its requests meet, one after the other; None is a true answer."""
        rng = random.Random(f"{seed} {self.name}")
        deck: list[str] = []
        for _ in self.steps:
            met: list[str | None] = []
            if seed is not None and rng.random() < self._rate:
                for _ in range(rng.choice(STREAKS)):
                    deck = deck or rng.sample(FAULTS, len(FAULTS))
                    met.append(deck.pop())
                if self._pages > 1:  # let some faults meet the further pages
                    met = [None] * rng.randrange(2) + met
            yield met

    @property
    def _pages(self) -> int:
        return -(-len(self.steps[-1]) // self._page)

    def _answer(self, asked: Asked) -> Answer:
        number = int(asked.query.removeprefix("page=") or 1)
        with self._lock:
            known = asked.headers.get("if-none-match")
            if number == 1 and known == self._etag(self._shown()[0]):
                self._acknowledged()
            documents = self._shown()
            plan = self._plan[self._step]
            kind = plan.pop(0) if plan else None
            document = documents[min(number, len(documents)) - 1]
            etag = self._etag(document)
            true = Answer(document, etag=etag, headers={"Content-Type": "application/xml"})
            if kind in (None, "not modified"):
                kind = "not modified" if known == etag else "whole"
                self.served += kind == "whole"
            self.given[kind] += 1
            return true if kind in ("whole", "not modified") else self._fault(kind, true)

    def _acknowledged(self) -> None:
        """The reader has what is shown: time passes, unless the plan says nothing is new yet."""
        self._left = min(self._left, len(self.steps) - self._step - 1)
        plan = self._plan[self._step]
        if plan and plan[0] == "not modified":
            return
        if self._step + 1 < self._opened:
            self._step += 1
            self._documents = []

    def _shown(self) -> list[bytes]:
        """The documents of this step."""
        if not self._documents:
            entries = self.steps[self._step]
            starts = range(0, len(entries), self._page)
            self._documents = [
                self._write(
                    self.name,
                    entries[start : start + self._page],
                    f"/?page={number + 1}" if number < len(starts) else None,
                )
                for number, start in enumerate(starts, start=1)
            ]
        return self._documents

    @staticmethod
    def _etag(document: bytes) -> str:
        return f'"{hashlib.sha256(document).hexdigest()[:16]}"'

    def _fault(self, kind: str, true: Answer) -> Answer:
        rng = random.Random(f"{self.name} {self._step} {sum(self.given.values())}")
        later = rng.choice((1, 2))  # seconds: waited for on the spot, or left for the next poll
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=later), usegmt=True)
        body = true.body
        return {
            "429": Answer(status=429, headers={"Retry-After": str(later)}),
            "500": Answer(b"<html>oops</html>", status=500),
            "503": Answer(status=503, headers={"Retry-After": until}),
            "timeout": replace(true, delay=HANG),
            "reset": Answer(reset=True),
            "short body": replace(true, cut=rng.randrange(len(body) - 1)),  # the length says more
            "half document": replace(true, body=body[: rng.randrange(100, len(body) - 20)]),
        }[kind]


class Show:
    """All feeds, each on a port of its own: for a polite reader, a host of its own."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.feeds = list(feeds)

    def __enter__(self) -> Self:
        for feed in self.feeds:
            feed.server.__enter__()
        self.feeds[0].server.script("/finished", lambda _: Answer(str(self.finished).encode()))
        return self

    def __exit__(self, *error: object) -> None:
        for feed in self.feeds:
            feed.server.__exit__(*error)

    @property
    def finished_url(self) -> str:
        """Answers "True" when a reader has stored everything."""
        return self.feeds[0].server.url("/finished")

    @property
    def finished(self) -> bool:
        """Whether a reader has stored everything."""
        return all(feed.finished for feed in self.feeds)

    @property
    def waiting(self) -> bool:
        """Whether a reader has stored all there is until the clocks go on."""
        return all(feed.waiting for feed in self.feeds)

    @property
    def served(self) -> int:
        """Whole documents given out so far."""
        return sum(feed.served for feed in self.feeds)

    @property
    def asked(self) -> int:
        """Requests so far."""
        return sum(len(feed.server.requests) for feed in self.feeds)

    @property
    def given(self) -> dict[str, int]:
        """Answers by kind since the last rewind."""
        total: Counter[str] = sum((feed.given for feed in self.feeds), Counter())
        return {kind: total[kind] for kind in ("whole", *FAULTS)}

    def rewind(self, seed: int | None) -> None:
        """Everything from the start; see `Feed.rewind`."""
        for feed in self.feeds:
            feed.rewind(seed)

    def hold(self) -> None:
        """Stop all clocks."""
        for feed in self.feeds:
            feed.hold()

    def open(self, share: float) -> None:
        """Let all clocks go on; see `Feed.open`."""
        for feed in self.feeds:
            feed.open(share)
