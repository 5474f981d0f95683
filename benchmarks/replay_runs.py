"""A replay with the real program: undisturbed, and as a daemon that is killed again and again."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.replay_worker import peak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.replay_feeds import Show

WORKER = Path(__file__).parent / "replay_worker.py"
GLANCE = 0.002  # seconds between two looks at the database
PATIENCE = 300.0  # seconds without any progress after which a run counts as stuck
AIM_PATIENCE = 15.0  # seconds at work in which a stage should begin; then it is killed anyway

UNMATCHED = "SELECT count(*) FROM posts WHERE matched_by IS NULL"
UNSCORED = "SELECT count(*) FROM mentions WHERE model IS NULL"
STALE = "SELECT count(*) FROM stale_days"
DELAYS = {"start": 3.0, "collect": 0.4, "match": 0.3, "score": 3.0, "roll up": 0.01}
"""What a kill aims at, and the most seconds between its beginning and the kill."""


@dataclass(slots=True)
class Killed:
    """What the kills hit. left: by what the dead worker left undone, how many kills did so."""

    kills: int = 0
    aimed: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Ran:
    """How a daemon did: seconds from the first start to the last stop, and of that stop."""

    seconds: float
    stop_seconds: float
    peak_mib: int
    killed: Killed


def once(config: Path, show: Show) -> dict[str, Any]:
    """Collect all there is, then match, score, roll up; what each took."""
    command = [sys.executable, WORKER, "once", config, show.finished_url]
    with (config.parent / "log.jsonl").open("ab") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def daemon(config: Path, show: Show, *, kills: int, seed: int) -> Ran:
    """Run the daemon through the whole show, with so many kills spread over it."""
    rng = random.Random(f"{seed} kills")
    killed, began, most = Killed(), time.monotonic(), 0
    for number, aim in enumerate(itertools.islice(_aims(rng), kills), start=1):
        show.open(number / (kills + 1))
        process = _start(config)
        _await(aim, config.parent / "sentiment.db", show, process)
        time.sleep(rng.uniform(0, DELAYS[aim]))
        most = max(most, peak(process.pid))
        _kill(process)
        killed.kills += 1
        killed.aimed[aim] += 1
        killed.left.update(_left_undone(config.parent / "sentiment.db"))
    show.open(1.0)
    process = _start(config)
    _finish(config.parent / "sentiment.db", show, process)
    most = max(most, peak(process.pid))
    stop_seconds = _stop(process)
    return Ran(time.monotonic() - began, stop_seconds, most, killed)


def _aims(rng: random.Random) -> Iterator[str]:
    """What to aim at: everything equally often, in random order."""
    while True:
        yield from rng.sample(list(DELAYS), len(DELAYS))


def look(database: Path, sql: str) -> int:
    """One number out of a database; 0 where there is none yet.

    The connection is closed at once: were it open when the worker dies, ours would be the one to
    tidy up behind it, and the worker's next start is to do that itself.
    """
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return int(db.execute(sql).fetchone()[0])
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "unable to open" in str(error):  # the worker starts
            return 0
        raise


def _start(config: Path) -> subprocess.Popen[bytes]:
    with (config.parent / "log.jsonl").open("ab") as log:
        return subprocess.Popen([sys.executable, WORKER, "run", config], stdout=log, stderr=log)


def _await(aim: str, database: Path, show: Show, process: subprocess.Popen[bytes]) -> None:
    """Wait until the worker is about the stage a kill aims at."""
    served = show.served
    begun: dict[str, Callable[[], bool]] = {
        "start": lambda: True,
        "collect": lambda: show.served > served,
        "match": lambda: look(database, UNMATCHED) > 0,
        "score": lambda: look(database, UNSCORED) > 0,
        "roll up": lambda: look(database, STALE) > 0 and not look(database, UNSCORED),
    }
    asked, since = show.asked, time.monotonic()
    while time.monotonic() < since + AIM_PATIENCE and not begun[aim]():
        assert process.poll() is None, "the worker ended by itself; see log.jsonl"
        if show.asked == asked:  # still starting
            since = time.monotonic()
        time.sleep(GLANCE)


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the worker ended by itself; see log.jsonl"


def _left_undone(database: Path) -> list[str]:
    """What a dead worker left, read from a copy so that the next start finds it as it is."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (database.name, f"{database.name}-wal"):
            if (database.parent / name).exists():
                shutil.copy2(database.parent / name, folder)
        copy = Path(folder) / database.name
        if not copy.exists():
            return ["no database yet"]
        with closing(sqlite3.connect(copy)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'posts'").fetchone():
                return ["no tables yet"]
            found = {
                name: db.execute(sql).fetchone()[0]
                for name, sql in (
                    ("posts to match", UNMATCHED),
                    ("mentions to score", UNSCORED),
                    ("days to roll up", STALE),
                )
            }
    return [name for name, count in found.items() if count] or ["nothing but polls"]


def _finish(database: Path, show: Show, process: subprocess.Popen[bytes]) -> None:
    """Wait until everything was read and processed."""
    last, since = None, time.monotonic()
    while True:
        left = [look(database, sql) for sql in (UNMATCHED, UNSCORED, STALE)]
        if show.finished and not any(left) and look(database, "SELECT count(*) FROM posts"):
            return
        assert process.poll() is None, "the worker ended by itself; see log.jsonl"
        if last != (last := [show.served, *left]):
            since = time.monotonic()
        assert time.monotonic() - since < PATIENCE, "the worker is stuck; see log.jsonl"
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> float:
    """Ask the worker to end; it must do so by itself and say that all was well."""
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0, "the worker did not end well; see log.jsonl"
    return time.monotonic() - asked
