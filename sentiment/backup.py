"""Backup: a whole, checked copy of the database while the worker goes on writing."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sentiment.database import DatabaseError, count, open_existing
from sentiment.privacy import existing_key_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sentiment.config import Config

FOLDER = "backups"  # beside the database, when no target is named
DATED = re.compile(r"-\d{8}T\d{6}Z(?:-\d+)?\.db$")
MAGIC = b"SQLite format 3\0"
STEP = 100_000  # instructions of SQLite's between two looks at how far it has come


@dataclass(slots=True)
class BackedUp:
    """A copy that was made. removed: older ones that made room; key: the file to keep apart."""

    path: str
    bytes: int
    posts: int
    removed: list[str] = field(default_factory=list)
    key: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def backup(
    config: Config,
    target: Path | None = None,
    *,
    force: bool = False,
    keep: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> BackedUp:
    """Copy the database as it is at this moment.

    target: a file, or a folder for copies with the time in their name; the folder `backups`
    beside the database when left out. force: replace an older copy of that name. keep: how many
    dated copies stay in the folder, this one included.

    The copy is written by VACUUM INTO in one read transaction: nobody waits for it, and it holds
    no pages of what was deleted. It gets its name only when it is whole and SQLite finds it sound.
    """
    source = config.database_path
    path = _path(source, target, keep)
    _refuse(config, path, force=force)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _unfinished(path) as copy:
        _copy(source, copy, progress)
        posts = _checked(copy)
        _flush(copy)
        size = copy.stat().st_size
        _place(copy, path, force=force)
    _flush(path.parent)
    removed = _rotate(path, keep) if keep else []
    key = existing_key_file(config)
    return BackedUp(str(path), size, posts, removed, str(key) if key else None)


def _path(source: Path, target: Path | None, keep: int | None) -> Path:
    """The file to write; dated where the target is a folder."""
    folder = source.parent / FOLDER if target is None else target
    if target is not None and keep is None and not target.is_dir():
        return target
    if folder.exists() and not folder.is_dir():
        raise DatabaseError(f"{folder} is a file; with --keep the target is a folder")
    name = f"{source.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    taken = sum(1 for _ in folder.glob(f"{name}*.db"))  # two in one second
    return folder / (f"{name}-{taken + 1}.db" if taken else f"{name}.db")


def _refuse(config: Config, path: Path, *, force: bool) -> None:
    """Whatever --force says, the worker's own files are no targets."""
    source = config.database_path
    own = [source, *(source.with_name(source.name + end) for end in ("-wal", "-shm", ".lock"))]
    key = existing_key_file(config)
    if path.absolute().resolve() in {file.resolve() for file in (*own, *([key] if key else []))}:
        raise DatabaseError(f"{path} belongs to the worker itself; name another file")
    if path.exists() and not force:
        raise DatabaseError(f"{path} exists already; name another file, or say --force")
    if path.exists() and not _is_database(path):
        raise DatabaseError(f"{path} is no database; --force replaces an older copy only")
    log = path.with_name(path.name + "-wal")
    if log.exists():  # SQLite would apply it to the new file and ruin it
        raise DatabaseError(f"{path} is open in another program ({log.name}); close it first")


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """An empty file beside the target that its owner alone may read; gone in the end."""
    copy = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _copy(source: Path, copy: Path, progress: Callable[[int, int], None]) -> None:
    with open_existing(source) as db:
        used = count(db, "PRAGMA page_count") - count(db, "PRAGMA freelist_count")
        whole = used * count(db, "PRAGMA page_size")

        def look() -> int:
            progress(min(copy.stat().st_size, whole), whole)
            return 0  # go on

        db.conn.set_progress_handler(look, STEP)
        db.execute("VACUUM INTO ?", [str(copy)])
        progress(whole, whole)


def _checked(copy: Path) -> int:
    """How many posts it holds; DatabaseError when SQLite finds anything wrong with it."""
    with open_existing(copy, read_only=True) as db:
        said = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if said != "ok":
            raise DatabaseError(f"the copy is not sound, and was not kept: {said}")
        return count(db, "SELECT count(*) FROM posts")


def _flush(path: Path) -> None:
    """To the disk itself, so that a power failure leaves no half file under a good name."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _place(copy: Path, path: Path, *, force: bool) -> None:
    """Under its name in one step; a file that has appeared there meanwhile is left alone."""
    if force:
        copy.replace(path)
        return
    try:
        path.hardlink_to(copy)
    except FileExistsError:
        raise DatabaseError(f"{path} exists already; name another file, or say --force") from None
    except OSError:  # a file system without hard links
        copy.rename(path)


def _rotate(path: Path, keep: int) -> list[str]:
    """Remove the oldest dated copies of this database; other files in the folder are not ours."""
    stem = DATED.sub("", path.name)
    dated = [
        file
        for file in path.parent.glob("*.db")
        if DATED.search(file.name) and DATED.sub("", file.name) == stem
    ]
    dated.sort(key=lambda file: _order(file.name))
    for file in dated[:-keep]:
        file.unlink()
    return [str(file) for file in dated[:-keep]]


def _order(name: str) -> tuple[str, int]:
    moment, _, number = name.removesuffix(".db").partition("Z")
    return moment[-15:], int(number.lstrip("-") or 1)
