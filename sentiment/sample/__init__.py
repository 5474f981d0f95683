"""A fictional law-and-tax firm and twelve weeks of posts about it, to try everything on.

Everything here is invented: the firm, its competitors, the people, the posts. Employment law turns
sour in the last two weeks; the other services stay as they are.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sentiment.sample import feeds, surveys

if TYPE_CHECKING:
    from pathlib import Path

MARKER = ".sentiment-sample"
DAYS = 84
ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Label:
    """What a post says about one service of a company, or (service None) about the company."""

    company: str
    service: str | None
    polarity: str
    emotion: str | None = None


@dataclass(frozen=True, slots=True)
class SamplePost:
    """A post as it is stored in posts.jsonl, with what a careful reader would say it is about.

    days_ago, time: when it was written, counted back from the day the sample is written, in Berlin.
    markup: whether `text` is HTML, as hostile posts are.
    about: no labels when the post means something else that has the company's name.
    duplicate_of: id of the post that this one copies.
    """

    id: str
    days_ago: int
    time: str
    feed: str
    language: str
    author: str
    text: str
    about: tuple[Label, ...]
    title: str = ""
    markup: bool = False
    rating: float | None = None
    url: str | None = None
    duplicate_of: str | None = None

    @property
    def read(self) -> str:
        """What there is to read: the title, if there is one, and the text."""
        return f"{self.title}\n\n{self.text}" if self.title else self.text


def gold() -> list[SamplePost]:
    """All posts with their labels, oldest first."""
    lines = _file("posts.jsonl").splitlines()
    return [_post(json.loads(line)) for line in lines]


def write(directory: Path, today: date | None = None) -> None:
    """Write the sample company into a folder: config.toml, feeds, exports, README.txt.

    The twelve weeks end on `today` (by default the present day in Berlin). A folder that holds a
    sample already is refreshed: its files are written anew, config.toml included, and its database
    is removed, so that no dates of an older sample remain. Any other folder must be empty or new;
    FileExistsError otherwise.
    """
    _make_room(directory)
    now = datetime.now(ZONE)
    dated = [(post, _posted_at(post, today or now.date(), now)) for post in gold()]
    (directory / MARKER).write_text("SAMPLE - fictional\n", "utf-8")
    for name in ("config.toml", "README.txt"):
        (directory / name).write_text(_file(name), "utf-8")
    feeds.write(directory, sorted(dated, key=lambda pair: pair[1], reverse=True))
    surveys.write(directory, today or now.date())
    settled = now.timestamp() - 60  # a file that has just changed might still be being written
    for path in (directory / "surveys").iterdir():
        os.utime(path, (settled, settled))


def _file(name: str) -> str:
    return resources.files("sentiment.sample").joinpath(name).read_text("utf-8")


def _post(row: dict[str, Any]) -> SamplePost:
    return SamplePost(**{**row, "about": tuple(Label(**label) for label in row["about"])})


def _make_room(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"{directory} is a file; choose a folder for the sample company")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / MARKER).exists():
        raise FileExistsError(
            f"{directory} is not empty and holds no sample company; choose a new or empty folder"
        )
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("sentiment.db*"):
        old.unlink()


def _posted_at(post: SamplePost, today: date, now: datetime) -> datetime:
    """When the post was written, UTC; what would still lie ahead moves to earlier today."""
    day = today - timedelta(days=post.days_ago)
    if post.feed == "news" and post.days_ago < DAYS - 2:
        day -= timedelta(days=max(0, day.weekday() - 4))  # newsrooms rest at the weekend
    at = datetime.combine(day, time.fromisoformat(post.time), ZONE).astimezone(UTC)
    if day == now.date():  # squeezed into what has passed of it; in autumn a day has 25 hours
        midnight = datetime.combine(day, time(), ZONE).astimezone(UTC)
        at = midnight + (now.astimezone(UTC) - midnight) * ((at - midnight) / timedelta(hours=25))
    return at.replace(microsecond=0)
