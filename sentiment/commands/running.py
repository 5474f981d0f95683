"""Sets up, tries out and runs the worker and its pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, database, load, print_json

if TYPE_CHECKING:
    from sentiment.config import Config


def init(
    path: Annotated[
        Path | None, typer.Argument(help="File to write, or folder with --sample.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Write a fictional sample company with its posts.")
    ] = False,
) -> None:
    """Write a commented config.toml, or a whole sample company.

    Examples: sentiment init config.toml; sentiment init --sample sample
    """
    if sample:
        from sentiment.sample import write

        folder = path or Path("sample")
        write(folder)
        typer.echo(f"Sample company (fictional) written to {folder}.")
        typer.echo(f"Next: sentiment run --config {folder / 'config.toml'}")
        return
    from sentiment import example_path

    target = path or DEFAULT_CONFIG
    if target.exists():
        raise FileExistsError(f"{target} exists already; name another file or move it away first")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(example_path().read_text("utf-8"), "utf-8")
    typer.echo(f"{target} written. Edit it, then: sentiment check --config {target}")


def check(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Validate the configuration, try each source once without storing, load the model.

    Example: sentiment check --config config.toml
    """
    from sentiment.check import check as run_checks
    from sentiment.show import show_checks

    results = []
    for result in run_checks(load(config_path)):
        results.append(result)
        if not as_json:
            show_checks([result])
    if as_json:
        print_json([result.as_dict() for result in results])
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def run(
    config_path: ConfigPath = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Do every duty once, then exit.")] = False,
    web: Annotated[bool, typer.Option(help="Show the pages, too, if [web] says so.")] = True,
) -> None:
    """Run the worker and the pages until Ctrl-C, or every duty once.

    Examples: sentiment run; sentiment run --no-web; sentiment run --once
    """
    from sentiment.lock import only_worker

    config = load(config_path)
    if web and config.web.enabled and not once:
        raise typer.Exit(_run_both(config_path))
    with only_worker(config):
        if once:
            _run_once(config)
        else:
            _run_daemon(config, config_path)


def _run_both(config_path: Path) -> int:
    """The worker and the pages as two processes; see supervise.py."""
    from sentiment.supervise import supervise

    program = [sys.executable, "-m", "sentiment"]
    options = ["--config", str(config_path)]
    commands = {
        "worker": [*program, "run", "--no-web", *options],
        "pages": [*program, "serve", *options],
    }
    return supervise(commands, vital="worker")


def _run_daemon(config: Config, config_path: Path) -> None:
    from sentiment.log import configure
    from sentiment.show import announce
    from sentiment.supervise import end_with_parent, is_supervised
    from sentiment.worker import Worker, handle_signals

    configure(daemon=True)
    worker = Worker(config)
    handle_signals(worker)
    end_with_parent()
    announce(config, config_path, pages=is_supervised())
    worker.run()


def _run_once(config: Config) -> None:
    from functools import cache

    from sentiment.assemble import http_client, load_classifier
    from sentiment.collect import collect as collect_all
    from sentiment.drivers import refresh_drivers
    from sentiment.notify import notify
    from sentiment.pipeline import process
    from sentiment.purge import purge as purge_old
    from sentiment.recheck import recheck
    from sentiment.show import (
        progress_bar,
        reading,
        show_collected,
        show_processed,
        show_surveys,
    )
    from sentiment.surveys.watch import pick_up

    model = cache(lambda: load_classifier(config))
    with database(config) as db, http_client(config) as client:
        with reading() as progress:
            results = collect_all(config, db, client, patient=True, progress=progress)
        surveys = pick_up(config, db)
        looked_at = recheck(config, db, client)
        with progress_bar() as bars:
            done = process(config, db, model, progress=bars)
        notify(config, db)
        purge_old(config, db)
        refresh_drivers(config, db)
    show_collected(results)
    show_surveys(surveys)
    show_processed(done)
    errors = [result.error for result in results] + [look.error for look in looked_at]
    if any([*errors, *(survey.error for survey in surveys)]):
        raise typer.Exit(1)


def serve(
    config_path: ConfigPath = DEFAULT_CONFIG,
    password: Annotated[
        bool, typer.Option("--password", help="Only ask for a password and print its hash.")
    ] = False,
) -> None:
    """Show the pages in a browser until Ctrl-C; `sentiment run` does so, too.

    Examples: sentiment serve; sentiment serve --password
    """
    if password:
        from sentiment.web.access import hashed

        typer.echo(
            hashed(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
        )
        return
    from sentiment.supervise import end_with_parent, is_supervised
    from sentiment.web.server import serve as serve_pages

    config = load(config_path)
    if not is_supervised():
        typer.echo(f"{config.company.name}: {config.web.address}  (Ctrl-C ends it)")
    end_with_parent()
    serve_pages(config, config_path)
