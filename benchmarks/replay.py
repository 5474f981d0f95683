"""Recorded streams through the real worker: nothing is lost, nothing counted twice, and how fast.

    python benchmarks/replay.py --data DIR [--out DIR] [--limit N] [--kills N] [--seed S]

Three recordings are shown as feeds by a server on loopback: six days of tweets at airlines (a
window of the newest ones, polled once an hour of theirs), an App Store's 46 daily polls (exactly
the reviews each poll found) and an insurer's reviews (growing, in pages). Three runs:

1. undisturbed: everything collected, matched, scored and rolled up, one after the other;
2. the daemon, while the server answers with 304, 429, 500, 503, silence, resets, short bodies
   and half documents; with `--kills`, it is killed (SIGKILL) that many times on the way, at
   random moments of each stage and between two of its writes;
3. everything once more into the database of the second run.

Afterwards the databases of 1 and 2 must be equal row for row, and 3 must change nothing. Exit
status 1 if a claim does not hold. The recordings are not part of this project; their texts are
neither printed nor logged. They name no authors: those are invented here, three posts to one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import re
import shlex
import sqlite3
import sys
import tempfile
import unicodedata
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.replay_compare import Compared, compare, rebuilt
from benchmarks.replay_feeds import FAULTS, Entry, Feed, Show, atom, growing, hourly, rss
from benchmarks.replay_runs import Ran, daemon, look, once, some_aims

if TYPE_CHECKING:
    from collections.abc import Iterator

AIRLINES = {  # "Delta" in the recording's own column is JetBlue: the handle in the text counts
    "United Airlines": "united",
    "US Airways": "usairways",
    "Southwest Airlines": "southwestair",
    "JetBlue Airways": "jetblue",
    "American Airlines": "americanair",
    "Virgin America": "virginamerica",
    "Delta Air Lines": "delta",
}
CONFIG = """
[company]
name = "Airlines of the United States"
[[competitors]]
name = "ÖRAG Rechtsschutz"
[[competitors]]
name = "Corona-Datenspende"
{services}
[[services]]
name = "Rechtsschutzversicherung"
aliases = ["Rechtsschutz"]
[[services]]
name = "App"
aliases = ["Application", "Datenspende-App"]
{sources}
[privacy]
pseudonym_key = "one key for all runs"
keep_texts = "36500d"
{model}"""
SERVICE = '[[services]]\nname = "{name}"\naliases = ["@{handle}"]\n'
SOURCE = """[[sources]]
name = "{name}"
kind = "rss"
url = "{url}"
every = "1s"
scope = "own"
company = "{company}"
allow_private_addresses = true
"""
COMPANY = {
    "airlines": "Airlines of the United States",
    "app reviews": "Corona-Datenspende",
    "insurer reviews": "ÖRAG Rechtsschutz",
}
STAGES = {
    "fetch": "entries fetched and parsed",
    "store": "entries stored or known",
    "match": "posts matched",
    "score": "mentions scored",
    "roll up": "days of a service rolled up",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must be so, and what was found."""

    said: str
    found: str
    holds: bool


def main() -> None:
    """Replay, report, and fail if a claim does not hold."""
    options = _options()
    with _folder(options.out) as folder, Show(feeds(options)) as show:
        report, claims, tables = replay(
            show, folder, kills=options.kills, seed=options.seed, threads=options.threads
        )
        _print(report, claims, tables)
        result = {
            **report,
            "claims": [asdict(claim) for claim in claims],
            "compared": [asdict(table) for table in tables],
        }
        (folder / "replay.json").write_text(json.dumps(result, indent=2, ensure_ascii=False))
        if options.out:
            print(f"As JSON: {folder / 'replay.json'}")
    sys.exit(0 if all(claim.holds for claim in claims) else 1)


def replay(
    show: Show, folder: Path, *, kills: int, seed: int, threads: int | None = None
) -> tuple[dict[str, Any], list[Claim], list[Compared]]:
    """The three runs, and what came of them."""
    plain, disturbed = (
        _configured(folder / name, show, threads) for name in ("undisturbed", "disturbed")
    )
    database = disturbed.parent / "sentiment.db"

    _say("1 of 3: undisturbed")
    show.rewind(None)
    undisturbed = once(plain, show)
    _say(f"2 of 3: the daemon, with faults and {kills} kills")
    show.rewind(seed)
    ran = daemon(disturbed, show, some_aims(kills, seed), seed)
    given = show.given
    claims = [*_complete(show, database), *_handles(show, database)]
    _say("3 of 3: everything once more")
    show.rewind(None)
    again = once(disturbed, show)
    _say("comparing")
    tables = [
        *compare(plain.parent / "sentiment.db", database),
        *(rebuilt(path, folder / "afresh.db") for path in (database,)),
    ]
    claims += [
        Claim("a second replay stores nothing", f"{again['new']} new", again["new"] == 0),
        Claim("… and changes nothing", f"{again['changed']} changed", again["changed"] == 0),
        *_equal(tables),
        Claim("every kind of fault was met", _spoken(given), all(given.values())),
        Claim("the worker was killed", f"{ran.kills} times", ran.kills == kills),
    ]
    return _report(show, database, undisturbed, ran, given), claims, tables


def feeds(options: argparse.Namespace) -> list[Feed]:
    """The recordings as feeds."""
    tweets = _read(options.data / "airline_stream/stream_unlabelled.jsonl.gz")[: options.limit]
    reviews = {entry.id: entry for entry in _read(options.data / "reviews_app_de/stream.jsonl.gz")}
    polls = [poll["ids"] for poll in _lines(options.data / "reviews_app_de/polls.jsonl.gz")]
    insurer = _read(options.data / "reviews_oerag_de/stream.jsonl.gz")
    shown = [[reviews[name] for name in dict.fromkeys(poll)] for poll in polls]
    return [
        Feed("airlines", hourly(tweets), rss),
        Feed("app reviews", shown, atom),
        Feed("insurer reviews", growing(insurer, options.seed, 30), atom, page=20),
    ]


def _read(path: Path) -> list[Entry]:
    """A recording in order of time."""
    entries = [
        Entry(
            id=record["id"],
            text=record["text"],
            title=record.get("title") or "",
            time=datetime.fromisoformat(record["time"]).astimezone(UTC),
            rating=record["labels"].get("stars"),
            author=f"Author {number // 3}",
        )
        for number, record in enumerate(_lines(path))
    ]
    return sorted(entries, key=lambda entry: entry.time)


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _configured(folder: Path, show: Show, threads: int | None) -> Path:
    """A configuration like anybody's, for these feeds."""
    folder.mkdir(parents=True)
    sources = "".join(
        SOURCE.format(name=feed.name, url=feed.url, company=COMPANY[feed.name])
        for feed in show.feeds
    )
    services = "".join(SERVICE.format(name=name, handle=AIRLINES[name]) for name in AIRLINES)
    path = folder / "config.toml"
    model = f"[model]\nthreads = {threads}\n" if threads else ""
    path.write_text(CONFIG.format(services=services, sources=sources, model=model), "utf-8")
    return path


def _complete(show: Show, database: Path) -> Iterator[Claim]:
    """Whether every post offered was stored, once, as it was."""
    with closing(sqlite3.connect(database)) as db:
        for feed in show.feeds:
            stored = db.execute(
                "SELECT p.external_id, p.text, p.rating FROM posts p "
                "JOIN sources s ON s.id = p.source_id WHERE s.name = ?",
                [feed.name],
            ).fetchall()
            offered = feed.offered
            lost = len(offered.keys() - {name for name, _, _ in stored})
            harmed = sum(not _same(offered[name], *rest) for name, *rest in stored)
            yield Claim(
                f"{feed.name}: each of {len(offered):,} posts stored once",
                f"{len(stored):,} stored, {lost} lost",
                len(stored) == len(offered) and not lost,
            )
            yield Claim(
                f"{feed.name}: texts and stars as offered", f"{harmed} otherwise", not harmed
            )


def _same(offered: Entry, text: str, rating: float | None) -> bool:
    """Whether the words that were offered were stored; a title that says the same may be gone."""
    heard = _words(text)
    said = _words(offered.text)
    both = _words(offered.title) + said
    return heard in (said, both) and rating == offered.rating


def _words(text: str) -> str:
    return "".join(re.findall(r"\w", unicodedata.normalize("NFC", text))).casefold()


def _handles(show: Show, database: Path) -> Iterator[Claim]:
    """Whether each airline is found where its handle stands."""
    feed = next(feed for feed in show.feeds if feed.name == "airlines")
    with closing(sqlite3.connect(database)) as db:
        found = set(
            db.execute(
                "SELECT p.external_id, v.name FROM mentions m JOIN posts p ON p.id = m.post_id "
                "JOIN services v ON v.id = m.service_id"
            )
        )
    wanted = {
        (entry.id, name)
        for entry in feed.offered.values()
        for name, handle in AIRLINES.items()
        if re.search(rf"(?<![\w@.]){'@' + handle}(?!\w)", entry.text, re.IGNORECASE)
    }
    yield Claim(
        f"each of {len(wanted):,} handles is a mention of its airline",
        f"{len(wanted - found)} are not",
        wanted <= found,
    )


def _equal(tables: list[Compared]) -> Iterator[Claim]:
    for table in tables:
        close = f", {table.close} within rounding (≤ {table.largest:.4f})" if table.close else ""
        shown = "".join(f"\n    {text}" for text in table.differences[:3])
        yield Claim(
            f"{table.table}: as in the undisturbed run"
            if "afresh" not in table.table
            else table.table,
            f"{table.rows:,} rows{close}, {len(table.differences)} differ{shown}",
            not table.differences,
        )


def _report(
    show: Show, database: Path, undisturbed: dict[str, Any], ran: Ran, given: dict[str, int]
) -> dict[str, Any]:
    counts = {
        "posts offered": sum(len(feed.offered) for feed in show.feeds),
        "posts stored": look(database, "SELECT count(*) FROM posts"),
        "posts with a mention": look(database, "SELECT count(DISTINCT post_id) FROM mentions"),
        "… of a service": look(
            database,
            "SELECT count(DISTINCT post_id) FROM mentions WHERE service_id IS NOT NULL",
        ),
        "mentions": look(database, "SELECT count(*) FROM mentions"),
        "mentions scored": look(database, "SELECT count(*) FROM scores"),
        "duplicates linked": look(
            database, "SELECT count(*) FROM posts WHERE duplicate_of IS NOT NULL"
        ),
        "daily figures": look(database, "SELECT count(*) FROM daily_sentiment"),
    }
    return {
        "command": shlex.join(["python", *sys.argv]),
        "machine": _machine(),
        "counts": counts,
        "polls": {feed.name: len(feed.steps) for feed in show.feeds},
        "undisturbed": undisturbed,
        "daemon": asdict(ran),
        "answers": given,
    }


def _print(report: dict[str, Any], claims: list[Claim], tables: list[Compared]) -> None:
    print(f"{report['command']}\n{report['machine']}\n")
    for name, count in report["counts"].items():
        print(f"{name:46s} {count:10,}")
    print(f"\n{'undisturbed run':46s} {'count':>10s} {'seconds':>9s} {'per second':>11s}")
    for stage, unit in STAGES.items():
        took = report["undisturbed"][stage]
        rate = took["done"] / max(took["seconds"], 1e-9)
        print(f"{unit:46s} {took['done']:10,} {took['seconds']:9.1f} {rate:11,.0f}")
    print(f"{'peak memory, MiB':46s} {report['undisturbed']['peak_mib']:10,}")
    ran = report["daemon"]
    print(f"\n{'daemon, with faults':46s} {'':10s} {ran['seconds']:9.1f}")
    print(f"{'peak memory, MiB':46s} {ran['peak_mib']:10,}")
    print(f"{'seconds from SIGTERM to its end':46s} {ran['stop_seconds']:10.1f}")
    for kind, count in report["answers"].items():
        print(f"  {'answers: ' + kind:44s} {count:10,}")
    for what, found in (("during", "during"), ("leaving", "left")):
        for name, count in sorted(ran[found].items()):
            print(f"  {f'kills {what} {name}':44s} {count:10,}")
    print(f"\nClaims ({sum(table.rows for table in tables):,} rows compared)")
    for claim in claims:
        print(f"{'holds ' if claim.holds else 'FAILS '} {claim.said}: {claim.found}")


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    name = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    python = f"Python {platform.python_version()}"
    return f"{name or platform.processor()}, {os.cpu_count()} cores, {python}"


def _spoken(given: dict[str, int]) -> str:
    return ", ".join(f"{given[kind]} × {kind}" for kind in FAULTS)


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Where configurations, databases and logs go: kept when asked for."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="replay-") as made:
            yield Path(made)
    else:
        out.mkdir(parents=True, exist_ok=True)
        yield out


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--out", type=Path, help="new folder to keep databases and logs in")
    parser.add_argument("--limit", type=int, help="only so many tweets")
    parser.add_argument("--kills", type=int, default=0, help="how often the worker is killed")
    parser.add_argument("--threads", type=int, help="of the model; fewer on a busy machine")
    parser.add_argument("--seed", type=int, default=0, help="of faults and kills")
    return parser.parse_args()


if __name__ == "__main__":
    main()
