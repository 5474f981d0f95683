"""One worker a database: two would ask every source twice."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentiment.database import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment.config import Config


@contextmanager
def only_worker(config: Config) -> Iterator[None]:
    """Hold the lock file beside the database; DatabaseError when another worker holds it.

    The system lets go of it when the process ends, however it ends.
    """
    path = config.database_path.with_name(config.database_path.name + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseError(
                f"another worker is running on {config.database_path}; stop it first"
            ) from None
        yield
