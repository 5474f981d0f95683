"""A replay with the real program: undisturbed, and as a daemon that is killed again and again."""

from __future__ import annotations

import json
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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.replay_worker import NOTES, peak, stages_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.replay_feeds import Show

WORKER = Path(__file__).parent / "replay_worker.py"
GLANCE = 0.002  # seconds between two looks at the database
PATIENCE = 300.0  # seconds without any progress after which a run counts as stuck
AIM_PATIENCE = 30.0  # seconds after its first request in which a stage should be met
NEWS = 1.0  # seconds after which a worker that has done everything gets something new to read

UNMATCHED = "SELECT count(*) FROM posts WHERE matched_by IS NULL"
UNSCORED = "SELECT count(*) FROM mentions WHERE model IS NULL"
STALE = "SELECT count(*) FROM stale_days"
DELAYS = {"start": 3.0, "fetch": 0.2, "store": 0.03, "match": 0.1, "score": 0.5, "roll up": 0.005}
"""What a kill aims at, and the most seconds between its beginning and the kill."""
WORK = {"match": UNMATCHED, "score": UNSCORED, "roll up": STALE}
"""What there is to do where a stage is more than a look at the database."""
LARGEST = {"store": 300, "match": 200, "score": 600, "roll up": 60}
"""The same for kills between two writes: the last of the stage's writes that they may precede."""


class Aim(NamedTuple):
    """Where a kill should hit: at some moment of a stage, or just before its n-th write."""

    stage: str
    write: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a daemon did.

    seconds: from the first start to the last stop; stop_seconds: of that stop alone.
    during, left: how many kills met each stage, and left each kind of work undone.
    """

    seconds: float
    stop_seconds: float
    peak_mib: int
    kills: int
    during: dict[str, int]
    left: dict[str, int]


def once(config: Path, show: Show) -> dict[str, Any]:
    """Collect all there is, then match, score, roll up; what each took."""
    command = [sys.executable, WORKER, "once", config, show.finished_url]
    with (config.parent / "log.jsonl").open("ab") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def daemon(config: Path, show: Show, aims: Sequence[Aim], seed: int) -> Ran:
    """Run the daemon through the whole show; the kills are spread over it."""
    rng = random.Random(f"{seed} moments")
    during: Counter[str] = Counter()
    left: Counter[str] = Counter()
    began, most = time.monotonic(), 0
    show.hold()
    for number, aim in enumerate(aims):
        show.open(number / (len(aims) + 1))
        process = _start(config, *([aim.stage, str(aim.write)] if aim.write else []))
        _await(aim, config, show, process)
        time.sleep(0 if aim.write else rng.uniform(0, DELAYS[aim.stage]))
        most = max(most, peak(process.pid))
        during.update(_kill(process, config, aim))
        left.update(_left_undone(config.parent / "sentiment.db"))
    show.open(1.0)
    process = _start(config)
    _finish(config, show, process)
    most = max(most, peak(process.pid))
    stop_seconds = _stop(process)
    return Ran(time.monotonic() - began, stop_seconds, most, len(aims), dict(during), dict(left))


def some_aims(count: int, seed: int) -> list[Aim]:
    """Everything equally often, in random order; early writes as often as late ones."""
    rng = random.Random(f"{seed} aims")
    aims: list[Aim] = []
    while len(aims) < count:
        writes = [
            Aim(stage, round(2 * (last / 2) ** rng.random())) for stage, last in LARGEST.items()
        ]
        moments = [Aim(stage) for stage in DELAYS]
        aims += rng.sample(moments + writes, len(moments) + len(writes))
    return aims[:count]


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


def _start(config: Path, *fuse: str) -> subprocess.Popen[bytes]:
    config.with_name(NOTES).unlink(missing_ok=True)
    with (config.parent / "log.jsonl").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, WORKER, "run", config, *fuse], stdout=log, stderr=log
        )


def _await(aim: Aim, config: Path, show: Show, process: subprocess.Popen[bytes]) -> None:
    """Wait until the worker is in the stage that a kill aims at, and has work there."""
    asked = show.asked
    began = news = time.monotonic()
    while aim.stage != "start" and (now := time.monotonic()) < began + AIM_PATIENCE:
        if aim.write and process.poll() == -signal.SIGKILL:
            return
        assert process.poll() is None, "the worker ended by itself; see log.jsonl"
        if not aim.write and _is_in(aim.stage, config):
            return
        if show.asked == asked:  # still starting
            began = news = now
        if now > news + NEWS and show.waiting and not any(_work_left(config)):
            show.open(0)
            news = now
        time.sleep(GLANCE)


def _work_left(config: Path) -> list[int]:
    """What waits for each stage after storing."""
    return [look(config.parent / "sentiment.db", sql) for sql in WORK.values()]


def _is_in(stage: str, config: Path) -> bool:
    if stage not in stages_of(config):
        return False
    return stage not in WORK or look(config.parent / "sentiment.db", WORK[stage]) > 0


def _kill(process: subprocess.Popen[bytes], config: Path, aim: Aim) -> list[str]:
    """Kill the worker if it has not done so itself; in which stages it was."""
    writing = process.poll() is not None
    process.kill()
    assert process.wait() == -signal.SIGKILL, "the worker ended by itself; see log.jsonl"
    if writing:
        return [f"{aim.stage}, between two writes"]
    return sorted(stages_of(config)) or ["no stage"]


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


def _finish(config: Path, show: Show, process: subprocess.Popen[bytes]) -> None:
    """Wait until everything was read and processed."""
    asked, last, since = show.asked, None, time.monotonic()
    while True:
        left = _work_left(config)
        if show.finished and show.asked > asked and not any(left):
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
    status = process.wait(timeout=60)
    assert status == 0, f"the worker did not end well (status {status}); see log.jsonl"
    return time.monotonic() - asked
