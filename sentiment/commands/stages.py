"""The duties of the worker, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, database, load, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

    from sentiment.config import Config


def collect(
    names: Annotated[list[str] | None, typer.Argument(help="Sources; all when empty.")] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Read the sources now and store what is new.

    Example: sentiment collect "Google News"
    """
    from dataclasses import asdict

    from sentiment.assemble import http_client
    from sentiment.collect import collect as collect_all
    from sentiment.show import reading, show_collected

    config = load(config_path)
    known = [source.name for source in config.sources]
    for name in names or []:
        if name not in known:
            raise typer.BadParameter(f'no source is named "{name}"; known: {", ".join(known)}')
    with database(config) as db, http_client(config) as client, reading() as progress:
        wanted = set(names) if names else None
        results = collect_all(config, db, client, only=wanted, progress=progress)
    if as_json:
        keys = ("source", "new", "changed", "problems", "gaps", "error")
        print_json([{k: v for k, v in asdict(r).items() if k in keys} for r in results])
    else:
        show_collected(results)
    if any(result.error for result in results):
        raise typer.Exit(1)


def match(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Find the services that stored posts are about.

    Example: sentiment match
    """
    from sentiment.match import match as match_all

    config = load(config_path)
    _stage(config, "match", "posts matched", match_all, as_json=as_json, with_config=True)


def score(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Score the mentions that the current model has not judged yet.

    Example: sentiment score
    """
    from sentiment.assemble import load_classifier
    from sentiment.score import score as score_all

    config = load(config_path)
    classifier = load_classifier(config)

    def scored(db: Database, **options: Any) -> int:
        return score_all(db, classifier, **options)

    _stage(config, "score", "mentions scored", scored, as_json=as_json)


def rollup(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Recompute the daily figures that changed.

    Example: sentiment rollup
    """
    from sentiment.rollup import rollup as roll_up

    _stage(load(config_path), "roll up", "days rolled up", roll_up, as_json=as_json)


def drivers(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Bring up to date which phrases set negative and positive mentions apart.

    Example: sentiment drivers
    """
    from sentiment.drivers import refresh_drivers

    _stage(
        load(config_path), "drivers", "lists computed", refresh_drivers, as_json=as_json,
        with_config=True,
    )  # fmt: skip


def recheck(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Look again at stored posts that are due: erase what is gone, take in what was edited.

    Example: sentiment recheck
    """
    from dataclasses import asdict

    from sentiment.assemble import http_client
    from sentiment.recheck import recheck as look_again

    config = load(config_path)
    with database(config) as db, http_client(config) as client:
        results = look_again(config, db, client)
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        for result in results:
            seen = f"{result.seen:,} seen, {result.erased:,} erased, {result.changed:,} changed"
            typer.echo(f"{result.source}: {result.error or seen}")
    if any(result.error for result in results):
        raise typer.Exit(1)


def purge(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Erase texts, links and pseudonyms older than privacy.keep_texts; scores stay.

    Example: sentiment purge
    """
    from sentiment.purge import purge as purge_old

    config = load(config_path)
    with database(config) as db:
        erased = purge_old(config, db)
    if as_json:
        print_json({"posts_erased": erased})
    else:
        typer.echo(f"{erased:,} posts erased")


def alert(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let every rule look once, and send what is to be told.

    Example: sentiment alert
    """
    from sentiment.alert import alert as judge_all
    from sentiment.notify import notify
    from sentiment.show import progress_bar

    config = load(config_path)
    with database(config) as db, progress_bar() as progress:
        changed = judge_all(config, db, progress=lambda part, whole: progress("alert", part, whole))
        sent = notify(config, db)
    if as_json:
        print_json({"transitions": changed, "messages_delivered": sent})
    else:
        typer.echo(f"{changed:,} transitions, {sent:,} messages delivered")


def _stage(
    config: Config,
    name: str,
    unit: str,
    stage: Callable[..., int],
    *,
    as_json: bool,
    with_config: bool = False,
) -> None:
    """Run one stage with a progress bar and say how much it did."""
    from sentiment.show import progress_bar

    with database(config) as db, progress_bar() as progress:
        arguments = (config, db) if with_config else (db,)
        done = stage(*arguments, progress=lambda part, whole: progress(name, part, whole))
    if as_json:
        print_json({unit.replace(" ", "_"): done})
    else:
        typer.echo(f"{done:,} {unit}")
