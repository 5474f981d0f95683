"""How long the browser waits for pages while the worker writes.

    python benchmarks/million.py --out FILE
    python benchmarks/pages.py FILE [--times 40]

FILE's database gets new posts meanwhile: a second process stores, matches, scores (by a trivial
classifier: the model's own time is not the question here) and rolls up without pause. The server is
`sentiment serve` as people start it, asked over loopback by one visitor, each page for another
service every time. Prints a Markdown table of milliseconds, with and without the writer.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from models.classifier import Passage, Prediction
from sentiment.config import Config, load
from sentiment.database import open_database, rows, transaction
from sentiment.match import match
from sentiment.rollup import rollup
from sentiment.score import score
from sentiment.store import store_posts
from sources.base import Post

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGES = {
    "overview": "/",
    "overview, 7 days": "/?period=7d",
    "overview, 90 days": "/?period=90d",
    "overview, 365 days": "/?period=365d",
    "overview, 90 days, German": "/?period=90d&language=de",
    "service": "/service?name={service}",
    "service, 90 days": "/service?name={service}&period=90d",
    "service, 365 days": "/service?name={service}&period=365d",
    "service, most telling": "/service?name={service}&order=telling",
    "chart of sentiment": "/chart/sentiment.svg?name={service}",
    "chart of surveys, 90 days": "/chart/surveys.svg?name={service}&period=90d",
    "posts": "/posts?service={service}",
    "alerts": "/alerts",
    "sources": "/sources",
    "portfolio": "/portfolio",
}


class Trivial:
    """Gives every passage the same score."""

    name, revision, reads_targets = "trivial", "1", True

    def classify(self, passages: Sequence[Passage]) -> list[Prediction]:
        return [Prediction(0.2, 0.3, 0.5, {"joy": 0.6}) for _ in passages]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--times", type=int, default=40)
    options = parser.parse_args()
    file = options.file.with_suffix(".toml")
    config = load(file)
    names = [service.name for service in config.services]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores\n")
    with served(file, config) as address:
        quiet = measured(address, names, options.times)
        with writing(file) as written:
            busy = measured(address, names, options.times)
        posts = written.value
    print("| page | median | p95 | while writing: median | p95 | kB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in PAGES:
        cells = [f"{value:,.0f}" for part in (quiet, busy) for value in part[name][:2]]
        print(f"| {name} | {' | '.join(cells)} | {busy[name][2] / 1000:,.0f} |")
    print(f"\n{posts:,} posts were stored, matched, scored and rolled up meanwhile")


@contextmanager
def served(file: Path, config: Config) -> Iterator[str]:
    """`sentiment serve` on a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "config.toml"
        text = re.sub(r"(?ms)^\[(web|database)\]\n.*?(?=^\[|\Z)", "", file.read_text("utf-8"))
        copy.write_text(
            f'{text}\n[web]\nport = {port}\n[database]\npath = "{config.database_path}"\n', "utf-8"
        )
        command = [sys.executable, "-m", "sentiment", "serve", "--config", str(copy)]
        process = subprocess.Popen(command)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address)
            yield address
        finally:
            process.terminate()
            process.wait()


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(address + "/login").read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


def measured(address: str, names: list[str], times: int) -> dict[str, tuple[float, float, int]]:
    """Median and 95th percentile in ms, and the size, of each page."""
    taken: dict[str, list[float]] = {name: [] for name in PAGES}
    size = dict.fromkeys(PAGES, 0)
    for turn in range(-1, times):  # the first turn warms up
        service = quote(names[turn % len(names)])
        for name, path in PAGES.items():
            began = time.perf_counter()
            body = urllib.request.urlopen(address + path.format(service=service)).read()
            if turn >= 0:
                taken[name].append(1000 * (time.perf_counter() - began))
                size[name] = max(size[name], len(body))
    return {
        name: (statistics.median(one), statistics.quantiles(one, n=20)[-1], size[name])
        for name, one in taken.items()
    }


@contextmanager
def writing(file: Path) -> Iterator[Any]:
    """A process that goes on writing; gives how many posts it has written."""
    written = multiprocessing.Value("q", 0)
    stop = multiprocessing.Event()
    process = multiprocessing.Process(target=_write, args=(file, written, stop))
    process.start()
    try:
        yield written
    finally:
        stop.set()
        process.join()


def _write(file: Path, written: Any, stop: Any) -> None:
    config, classifier = load(file), Trivial()
    run = time.time_ns()
    with open_database(config) as db:
        model = rows(db, "SELECT value FROM state WHERE key = 'model'")[0]["value"]
        classifier.name, _, classifier.revision = model.partition("@")
        sources = [row["id"] for row in rows(db, "SELECT id FROM sources WHERE kind <> 'survey'")]
        while not stop.is_set():
            first = written.value
            posts = [_post(config, run, number) for number in range(first, first + 50)]
            with transaction(db):
                for place, source in enumerate(sources):
                    store_posts(db, source, posts[place :: len(sources)], str, config.zone)
            match(config, db)
            score(db, classifier)
            rollup(db)
            written.value += len(posts)


def _post(config: Config, run: int, number: int) -> Post:
    service = config.services[number % len(config.services)].name
    text = f"{config.company.name}: {service} war gut, sagt Nummer {number} von {run}."
    return Post(external_id=f"{run}-{number}", text=text, posted_at=datetime.now(UTC))


if __name__ == "__main__":
    main()
