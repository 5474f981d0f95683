"""The worker under test, as a process of its own.

    python benchmarks/replay_worker.py run CONFIG [STAGE N]  the daemon: `sentiment run`
    python benchmarks/replay_worker.py once CONFIG URL       one stage after the other, timed

Both are the program's own functions; only the HTTP client is more impatient than usual, so that
faults take moments and not minutes. The daemon notes the stages it is in for whoever kills it;
with STAGE and N it kills itself before the N-th statement by which that stage changes the
database. `once` reads the sources until URL answers "True", heeds no waiting times, and prints
what each stage took as JSON: it is the undisturbed run.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from sentiment import assemble, cli, collect, config, database, log, pipeline, worker
from sources.http import Client, default_user_agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


PRESENT = threading.local()  # the stage this thread is in
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|COMMIT)")
NOTES = "stages"  # a file beside the configuration, one byte a stage
STAGES = {  # where the daemon looks each stage up
    "fetch": (worker, "collect_source"),
    "store": (collect, "store_page"),
    "match": (pipeline, "match"),
    "score": (pipeline, "score"),
    "roll up": (pipeline, "rollup"),
}


def impatient(settings: config.Config, stopping: Callable[[], bool] = lambda: False) -> Client:
    """The product's client with small numbers."""
    return Client(
        default_user_agent(settings.contact),
        timeout=1.5,
        deadline=6.0,
        backoff=0.05,
        interval=0.0,
        patience=1.5,
        stopping=stopping,
    )


def run(path: str, stage: str = "", writes: str = "0") -> None:
    """`sentiment run`, in this process."""
    worker.http_client = impatient
    notes = os.open(Path(path).with_name(NOTES), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for place, (known, (module, name)) in enumerate(STAGES.items()):
        setattr(module, name, noted(known, getattr(module, name), notes, place))
    if stage:
        database.connect = fused(database.connect, stage, int(writes))
    sys.argv = ["sentiment", "run", "--no-web", "--config", path]
    cli.main()


def noted(name: str, stage: Callable[..., Any], notes: int, place: int) -> Callable[..., Any]:
    """The stage, which says in its byte of the notes how many threads are in it."""
    lock, inside = threading.Lock(), 0

    def enter(change: int) -> None:
        nonlocal inside
        with lock:
            inside += change
            os.pwrite(notes, bytes([inside]), place)

    @functools.wraps(stage)
    def run_stage(*values: Any, **named: Any) -> Any:
        before = getattr(PRESENT, "stage", "")
        PRESENT.stage = name
        enter(1)
        try:
            return stage(*values, **named)
        finally:
            enter(-1)
            PRESENT.stage = before

    return run_stage


def fused(connect: Callable[..., Any], stage: str, writes: int) -> Callable[..., Any]:
    """Connections that end this process in the midst of a stage's writing."""
    count = itertools.count(1)

    def burn(statement: str) -> None:
        writing = getattr(PRESENT, "stage", "") == stage and WRITES.match(statement)
        if writing and next(count) == writes:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def opened(path: Path) -> Iterator[Any]:
        with connect(path) as db:
            db.conn.set_trace_callback(burn)
            yield db

    return opened


def stages_of(config: Path) -> set[str]:
    """The stages that the daemon of this configuration is in, or was in when it died."""
    try:
        notes = config.with_name(NOTES).read_bytes()
    except FileNotFoundError:
        return set()
    return {stage for stage, inside in zip(STAGES, notes, strict=False) if inside}


def once(path: str, finished_url: str) -> None:
    """Collect everything, then match, score and roll up all of it."""
    log.configure()
    settings = config.load(Path(path))
    with database.open_database(settings) as db, impatient(settings) as client:
        counts = collected(settings, db, client, finished_url)
        model, loading = timed(lambda: assemble.load_classifier(settings))
        matched, matching = timed(lambda: pipeline.match(settings, db))
        scored, scoring = timed(lambda: pipeline.score(db, model))
        days, rolling = timed(lambda: pipeline.rollup(db))
    print(
        json.dumps(
            {
                **counts,
                "load model": {"done": 1, "seconds": loading},
                "match": {"done": matched, "seconds": matching},
                "score": {"done": scored, "seconds": scoring},
                "roll up": {"done": days, "seconds": rolling},
                "peak_mib": peak("self"),
            }
        )
    )


def collected(settings: config.Config, db: Any, client: Client, finished_url: str) -> dict:
    """Read all sources until the server has no more; what that took."""
    store = {"done": 0, "seconds": 0.0}
    plain = collect.store_page

    def store_page(db: Any, source: int, page: Any, *rest: Any) -> Any:
        result, seconds = timed(lambda: plain(db, source, page, *rest))
        store["done"] += len(page.posts)
        store["seconds"] += seconds
        return result

    collect.store_page = store_page
    began, new, changed = time.perf_counter(), 0, 0
    while urlopen(finished_url).read() != b"True":
        results = collect.collect(settings, db, client)
        new += sum(result.new for result in results)
        changed += sum(result.changed for result in results)
        problems = [result.error for result in results if result.error]
        assert not problems, problems
    seconds = time.perf_counter() - began
    fetch = {"done": store["done"], "seconds": seconds - store["seconds"]}
    return {"fetch": fetch, "store": store, "new": new, "changed": changed}


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the seconds it took."""
    began = time.perf_counter()
    return act(), time.perf_counter() - began


def peak(process: int | str) -> int:
    """Most memory the process has held so far, in MiB; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) // 1024 for x in lines if x.startswith("VmHWM")), 0)


if __name__ == "__main__":
    {"run": run, "once": once}[sys.argv[1]](*sys.argv[2:])
