"""Sources in several parts (feeds, countries, videos, listings), each with a cursor of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sources.base import Cursor, Page, SourceError, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sources.base import Post


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a source.

    key: by which its cursor is kept.
    name: what problems call it.
    pages: its pages after a cursor of its own.
    once: for the first run only: a look further back.
    """

    key: str
    name: str
    pages: Callable[[Cursor | None], Iterator[Page]]
    once: bool = False


def read_parts(
    parts: Iterable[Part], cursor: Cursor | None, stopping: Callable[[], bool]
) -> Iterator[Page]:
    """The pages of all parts, each post once.

    A part that fails does not keep the others from being read: it is a problem of the run, and an
    error only where all parts fail.
    """
    known = _cursors(cursor)
    parts = list(parts)
    marks = {part.key: known[part.key] for part in parts if part.key in known}
    failed: list[tuple[Part, SourceError]] = []
    seen: set[str] = set()
    read = told = 0
    for part in parts:
        if stopping():
            return
        if part.once and marks.get(part.key):
            continue
        try:
            for page in part.pages(marks.get(part.key)):
                marks = {**marks, part.key: page.cursor}
                posts = list(_first(page.posts, seen))
                problems = [f"{part.name}: {problem}" for problem in page.problems]
                problems += _told(failed[told:])
                told = len(failed)
                yield replace(page, posts=posts, cursor={"parts": marks}, problems=problems)
            read += 1
        except Stopped:
            raise
        except SourceError as error:
            failed.append((part, error))
    if failed and not read:
        raise _one_of([error for _, error in failed])
    if failed[told:]:
        yield Page([], {"parts": marks}, _told(failed[told:]))


def _first(posts: Iterable[Post], seen: set[str]) -> Iterator[Post]:
    """Those that were not seen before in this run."""
    for post in posts:
        if post.external_id not in seen:
            seen.add(post.external_id)
            yield post


def _cursors(cursor: Cursor | None) -> dict[str, Cursor]:
    """The parts' cursors by key, of whatever a cursor may hold."""
    parts = (cursor or {}).get("parts")
    pairs = parts.items() if isinstance(parts, dict) else ()
    return {key: mark for key, mark in pairs if isinstance(mark, dict)}


def _told(failed: list[tuple[Part, SourceError]]) -> list[str]:
    return [f"{part.name}: {error}" for part, error in failed]


def _one_of(errors: list[SourceError]) -> SourceError:
    """The error of a source none of whose parts can be read: permanent if each of them is."""
    waits = [error.retry_after for error in errors if error.retry_after]
    return SourceError(
        "; ".join(dict.fromkeys(str(error) for error in errors[:3])),
        permanent=all(error.permanent for error in errors),
        retry_after=max(waits, default=None),
    )
