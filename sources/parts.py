"""Sources in several parts (feeds, countries, videos, listings), each with a cursor of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sources.base import Cursor, Page, SourceError, Stopped
from sources.fields import iso_time, mapping, number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sources.base import Post

OFTEN = 5  # refusals in a row, after which a part is asked once a day
REST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a source.

    key: by which its cursor is kept.
    name: what problems and gaps call it.
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
    error only where all parts fail. One that is refused for good again and again is asked once a
    day from then on.
    """
    parts = list(parts)
    marks, refused = (
        {part.key: known[part.key] for part in parts if part.key in known}
        for known in (_table(cursor, "parts"), _table(cursor, "refused"))
    )
    failed: list[tuple[Part, SourceError]] = []
    seen: set[str] = set()
    read = told = 0
    for part in parts:
        if stopping():
            return
        if part.once and marks.get(part.key):
            continue
        try:
            _let_rest(refused.get(part.key, {}))
            for page in part.pages(marks.get(part.key)):
                refused.pop(part.key, None)
                marks = {**marks, part.key: page.cursor}
                problems = [f"{part.name}: {problem}" for problem in page.problems]
                problems += _told(failed[told:])
                told = len(failed)
                yield replace(
                    page,
                    posts=list(_first(page.posts, seen)),
                    cursor=_mark(marks, refused),
                    problems=problems,
                    gaps=[f"{part.name}: {gap}" for gap in page.gaps],
                )
            read += 1
        except Stopped:
            raise
        except SourceError as error:
            failed.append((part, error))
            if error.permanent:
                refused[part.key] = _counted(refused.get(part.key, {}), error)
    if failed and not read:
        raise _one_of([error for _, error in failed])
    if failed[told:]:
        yield Page([], _mark(marks, refused), _told(failed[told:]))


def _mark(marks: Mapping[str, Cursor], refused: Mapping[str, Cursor]) -> Cursor:
    return {"parts": dict(marks), **({"refused": dict(refused)} if refused else {})}


def _counted(before: Cursor, error: SourceError) -> Cursor:
    """How often a part was refused in a row, and until when it is left in peace if that is often.

    A refusal that was only remembered moves nothing.
    """
    if isinstance(error, _Resting):
        return before
    times = (number(before.get("times")) or 0) + 1
    until = (datetime.now(UTC) + REST).isoformat()
    return {"times": times, "until": until, "said": str(error)}


def _let_rest(refusal: Cursor) -> None:
    """Raise what a part was refused with, while it is not asked."""
    until = iso_time(refusal.get("until"))
    often = (number(refusal.get("times")) or 0) >= OFTEN
    if often and until and datetime.now(UTC) < until <= datetime.now(UTC) + REST:
        raise _Resting(text(refusal.get("said")) or "it was refused", permanent=True)


class _Resting(SourceError):  # noqa: N818 (a state, not a fault)
    pass


def _first(posts: Iterable[Post], seen: set[str]) -> Iterator[Post]:
    """Those that were not seen before in this run."""
    for post in posts:
        if post.external_id not in seen:
            seen.add(post.external_id)
            yield post


def _table(cursor: Cursor | None, name: str) -> dict[str, Cursor]:
    """What a cursor keeps by part, of whatever it may hold."""
    table = mapping((cursor or {}).get(name))
    return {key: value for key, value in table.items() if isinstance(value, dict)}


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
