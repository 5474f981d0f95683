"""The command line. The daemon is a list of things one can also do by hand: each is a command.

Modules that take long to import are imported by the commands that need them.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlite_utils import Database

    from models.classifier import Classifier
    from sentiment.config import Config

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Public sentiment per service, beside the surveys. Start with: sentiment init",
)
import_app = typer.Typer(no_args_is_help=True, help="Bring in files by hand.")
app.add_typer(import_app, name="import")
alerts_app = typer.Typer(no_args_is_help=True, help="See, acknowledge, silence and try out alerts.")
app.add_typer(alerts_app, name="alerts")

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="SENTIMENT_CONFIG", help="The configuration file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable result.")]
DEFAULT_CONFIG = Path("config.toml")
WRONG_USAGE = 2
# These log nothing and are spared the import of structlog.
QUICK: tuple[list[str], ...] = ([], ["--help"], ["init"], ["status"])


def main() -> None:
    """Entry point: errors that a person can act on are one sentence, not a traceback."""
    if sys.argv[1:2] not in QUICK:
        from sentiment.log import configure

        configure()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(1)
    except Exception as error:
        status = _status_of(error)
        if status is None:
            raise
        typer.echo(f"Error: {error}", err=True)
        sys.exit(status)


def _status_of(error: Exception) -> int | None:
    """Exit status for an error with a sentence for the user; None for a bug."""
    from models.classifier import ModelError
    from sentiment.config import ConfigError

    if isinstance(error, ConfigError):
        return WRONG_USAGE
    if isinstance(error, ModelError | OSError):
        return 1
    from sentiment.evaluate import LabelsError
    from sentiment.surveys.reading import SurveyError

    if isinstance(error, SurveyError | LabelsError):
        return 1
    from sqlite3 import OperationalError

    from sentiment.database import DatabaseError

    return 1 if isinstance(error, DatabaseError | OperationalError) else None


@app.command()
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
    target.write_text(example_path().read_text("utf-8"), "utf-8")
    typer.echo(f"{target} written. Edit it, then: sentiment check --config {target}")


@app.command()
def check(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Validate the configuration, try each source once without storing, load the model.

    Example: sentiment check --config config.toml
    """
    from sentiment.check import check as run_checks
    from sentiment.show import show_checks

    results = []
    for result in run_checks(_load(config_path)):
        results.append(result)
        if not as_json:
            show_checks([result])
    if as_json:
        _print_json([result.as_dict() for result in results])
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command()
def run(
    config_path: ConfigPath = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Do every duty once, then exit.")] = False,
    web: Annotated[bool, typer.Option(help="Show the pages, too, if [web] says so.")] = True,
) -> None:
    """Run the worker and the pages until Ctrl-C, or every duty once.

    Examples: sentiment run; sentiment run --no-web; sentiment run --once
    """
    from sentiment.lock import only_worker

    config = _load(config_path)
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
    with _database(config) as db, http_client(config) as client:
        with reading() as progress:
            results = collect_all(config, db, client, progress=progress)
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


@app.command()
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

    config = _load(config_path)
    known = [source.name for source in config.sources]
    for name in names or []:
        if name not in known:
            raise typer.BadParameter(f'no source is named "{name}"; known: {", ".join(known)}')
    with _database(config) as db, http_client(config) as client, reading() as progress:
        wanted = set(names) if names else None
        results = collect_all(config, db, client, only=wanted, progress=progress)
    if as_json:
        keys = ("source", "new", "changed", "problems", "gaps", "error")
        _print_json([{k: v for k, v in asdict(r).items() if k in keys} for r in results])
    else:
        show_collected(results)
    if any(result.error for result in results):
        raise typer.Exit(1)


@app.command()
def match(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Find the services that stored posts are about.

    Example: sentiment match
    """
    from sentiment.match import match as match_all

    config = _load(config_path)
    _stage(config, "match", "posts matched", match_all, as_json=as_json, with_config=True)


@app.command()
def score(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Score the mentions that the current model has not judged yet.

    Example: sentiment score
    """
    from sentiment.assemble import load_classifier
    from sentiment.score import score as score_all

    config = _load(config_path)
    classifier = load_classifier(config)

    def scored(db: Database, **options: Any) -> int:
        return score_all(db, classifier, **options)

    _stage(config, "score", "mentions scored", scored, as_json=as_json)


@app.command()
def rollup(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Recompute the daily figures that changed.

    Example: sentiment rollup
    """
    from sentiment.rollup import rollup as roll_up

    _stage(_load(config_path), "roll up", "days rolled up", roll_up, as_json=as_json)


@app.command()
def drivers(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Bring up to date which phrases set negative and positive mentions apart.

    Example: sentiment drivers
    """
    from sentiment.drivers import refresh_drivers

    _stage(
        _load(config_path), "drivers", "lists computed", refresh_drivers, as_json=as_json,
        with_config=True,
    )  # fmt: skip


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

    with _database(config) as db, progress_bar() as progress:
        arguments = (config, db) if with_config else (db,)
        done = stage(*arguments, progress=lambda part, whole: progress(name, part, whole))
    if as_json:
        _print_json({unit.replace(" ", "_"): done})
    else:
        typer.echo(f"{done:,} {unit}")


@import_app.command("posts")
def import_posts(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSONL or XLSX.")],
    source: Annotated[
        str | None, typer.Option(help="Name to file the posts under; the file's name if empty.")
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="Every post is about the company, named or not.")
    ] = False,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Store the posts of a file once. Importing it again adds only what is new.

    Example: sentiment import posts reviews.csv --own --source "Trusted Shops"
    """
    from sentiment.assemble import http_client
    from sentiment.collect import import_file
    from sentiment.show import show_collected

    config = _load(config_path)
    with _database(config) as db, http_client(config) as client:
        result = import_file(config, db, client, file, name=source or file.stem, own=own)
    if as_json:
        keys = ("source", "new", "changed", "problems", "error")
        _print_json({key: getattr(result, key) for key in keys})
    else:
        show_collected([result])
    if result.error:
        raise typer.Exit(1)


@import_app.command("surveys")
def import_surveys(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX.")],
    survey: Annotated[
        str | None, typer.Option(help="Which [[surveys.survey]]; by the file's name if empty.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what was recognised; store nothing.")
    ] = False,
    *,
    listing: Annotated[
        Path | None,
        typer.Option("--list", help="Write every cell that is no answer into this CSV file."),
    ] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Store the answers and comments of a survey tool's export; all of it or nothing.

    Importing it again, or a longer export, adds only what is new; corrected rows are updated.

    Example: sentiment import surveys export.csv --dry-run
    """
    from sentiment.rollup import rollup as roll_up
    from sentiment.show import progress_bar, show_survey
    from sentiment.surveys.importing import import_survey
    from sentiment.surveys.listing import listed_in
    from sentiment.surveys.watch import find_survey

    config = _load(config_path)
    with _database(config) as db, progress_bar() as progress, listed_in(listing) as listed:
        result = import_survey(
            config,
            db,
            find_survey(config, file, survey),
            file,
            dry_run=dry_run,
            progress=progress,
            listed=listed,
        )
        if not dry_run:
            roll_up(db, progress=lambda part, whole: progress("roll up", part, whole))
    if as_json:
        _print_json(result.as_dict())
    else:
        show_survey(result)


@app.command("try")
def try_text(
    text: Annotated[str, typer.Argument(help="A post, as somebody might write it.")],
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show what the worker would read out of a text about the company. Nothing is stored.

    Example: sentiment try "Die Beratung war top, nur die Rechnung kam spät."
    """
    from sentiment.assemble import load_classifier
    from sentiment.judge import judge
    from sentiment.show import show_judgements

    config = _load(config_path)
    judgements = judge(config, load_classifier(config), text)
    if as_json:
        _print_json(judgements)
    else:
        show_judgements(judgements)


@app.command()
def status(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show services, sources and work waiting.

    Example: sentiment status --json
    """
    from sentiment.show import show_status
    from sentiment.status import status as read_status

    config = _load(config_path)
    with _database(config) as db:
        found = read_status(config, db)
    if as_json:
        _print_json(found)
    else:
        show_status(found)


@app.command()
def report(
    month: Annotated[
        str | None, typer.Option(help="YYYY-MM; the last month with figures if empty.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="terminal, markdown or html (one page, no scripts).")
    ] = "terminal",
    language: Annotated[
        str | None, typer.Option(help="de or en; as in config.toml if empty.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; the screen if empty.")] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Report on a month: scorecard, what changed beyond chance, and posts that explain it.

    Example: sentiment report --month 2026-03 --format html --output march.html
    """
    from sentiment.report import RENDER
    from sentiment.report import report as write

    for value, known, option in (
        (form, [*RENDER], "--format"),
        (language or "de", ["de", "en"], "--language"),
    ):
        if value not in known:
            raise typer.BadParameter(f"expected one of: {', '.join(known)}", param_hint=option)
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise typer.BadParameter("expected a month such as 2026-03", param_hint="--month")
    config = _load(config_path)
    with _database(config) as db:
        text = write(config, db, month=month, form=form, language=language)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, "utf-8")
    typer.echo(f"{output} written.")


@app.command()
def purge(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Erase texts, links and pseudonyms older than privacy.keep_texts; scores stay.

    Example: sentiment purge
    """
    from sentiment.purge import purge as purge_old

    config = _load(config_path)
    with _database(config) as db:
        erased = purge_old(config, db)
    if as_json:
        _print_json({"posts_erased": erased})
    else:
        typer.echo(f"{erased:,} posts erased")


@app.command()
def recheck(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Look again at stored posts that are due: erase what is gone, take in what was edited.

    Example: sentiment recheck
    """
    from dataclasses import asdict

    from sentiment.assemble import http_client
    from sentiment.recheck import recheck as look_again

    config = _load(config_path)
    with _database(config) as db, http_client(config) as client:
        results = look_again(config, db, client)
    if as_json:
        _print_json([asdict(result) for result in results])
    else:
        for result in results:
            seen = f"{result.seen:,} seen, {result.erased:,} erased, {result.changed:,} changed"
            typer.echo(f"{result.source}: {result.error or seen}")
    if any(result.error for result in results):
        raise typer.Exit(1)


@app.command()
def alert(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let every rule look once, and send what is to be told.

    Example: sentiment alert
    """
    from sentiment.alert import alert as judge_all
    from sentiment.notify import notify
    from sentiment.show import progress_bar

    config = _load(config_path)
    with _database(config) as db, progress_bar() as progress:
        changed = judge_all(config, db, progress=lambda part, whole: progress("alert", part, whole))
        sent = notify(config, db)
    if as_json:
        _print_json({"transitions": changed, "messages_delivered": sent})
    else:
        typer.echo(f"{changed:,} transitions, {sent:,} messages delivered")


@alerts_app.command("list")
def alerts_list(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show the alerts that are not ok, with the reason of their last change.

    Example: sentiment alerts list
    """
    from sentiment.alert import listed

    with _database(_load(config_path)) as db:
        _rows(listed(db), as_json=as_json, none="no alerts")


@alerts_app.command("ack")
def alerts_ack(
    alert_id: Annotated[int, typer.Argument(metavar="ALERT", help="Number, as list shows it.")],
    config_path: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say that somebody knows: nothing more is sent about this alert until it is over.

    Example: sentiment alerts ack 3
    """
    from datetime import UTC, datetime

    from sentiment.alert import acknowledge

    with _database(_load(config_path)) as db:
        if not acknowledge(db, alert_id, datetime.now(UTC)):
            typer.echo(
                f"Error: no alert {alert_id} is firing; see: sentiment alerts list", err=True
            )
            raise typer.Exit(1)
    typer.echo(f"alert {alert_id} acknowledged")


@alerts_app.command("silence")
def alerts_silence(
    service: Annotated[
        str | None, typer.Argument(help="Service; everything when left out.")
    ] = None,
    duration: Annotated[str, typer.Option("--for", help="How long, such as 2h or 3d.")] = "1d",
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    config_path: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Send nothing about a service, or about anything, for a while.

    Example: sentiment alerts silence Arbeitsrecht --for 2d --comment "strike, we know"
    """
    from datetime import UTC, datetime

    from sentiment.alert import silence
    from sentiment.config import parse_duration

    try:
        length = parse_duration(duration)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
    now = datetime.now(UTC)
    config = _load(config_path)
    with _database(config) as db:
        if not silence(db, service, now + length, comment, now):
            known = ", ".join(one.name for one in config.services)
            raise typer.BadParameter(f'no service is named "{service}"; known: {known}')
    typer.echo(f"{service or 'everything'} is silenced for {duration}")


@alerts_app.command("backtest")
def alerts_backtest(
    false_alarms: Annotated[
        float | None, typer.Option(min=0.01, help="False alarms a year to try instead.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Baseline to try, such as 60d.")] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what the stored posts would have raised: as configured, and with other settings.

    Example: sentiment alerts backtest --false-alarms 6
    """
    from datetime import UTC, datetime

    from sentiment.alert import backtest
    from sentiment.config import with_alerts

    config, now = _load(config_path), datetime.now(UTC)
    tried = with_alerts(config, false_alarms, baseline)
    with _database(config) as db:
        found = [{"settings": "present", **row} for row in backtest(config, db, now)]
        if tried != config:
            found += [{"settings": "tried", **row} for row in backtest(tried, db, now)]
    _rows(found, as_json=as_json, none="no alerts")


@alerts_app.command("plan")
def alerts_plan(
    points: Annotated[
        float, typer.Option(min=1, max=200, help="Size of the drop, in points of net sentiment.")
    ] = 20,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say what to expect of each service before anything is switched on.

    Example: sentiment alerts plan --points 20
    """
    from datetime import UTC, datetime

    from sentiment.alert import plan

    config = _load(config_path)
    with _database(config) as db:
        expected = plan(config, db, datetime.now(UTC), points)
    if as_json:
        _print_json(expected)
        return
    for row in expected:
        typer.echo(_expectation(row))


def _expectation(row: dict[str, Any]) -> str:
    if row["votes_a_day"] is None:
        return f"{row['service']}: too few posts to learn from"
    start = (
        f"{row['service']}: at {row['votes_a_day']:.1f} voices a day, one false alarm in about "
        f"{row['days_to_false_alarm']:,.0f} days; a drop of {row['points']:.0f} points seen "
    )
    if row["days_to_detect"] is None:
        return start + "not within half a year"
    seen = f"within about {row['days_to_detect']:.1f} days"
    rest = 1 - row["detected"]
    return start + seen + (f", and {100 * rest:.0f} % of such drops never" if rest > 0.01 else "")


def _rows(found: list[dict[str, Any]], *, as_json: bool, none: str) -> None:
    """Rows as JSON or as a table."""
    from sentiment.show import show_rows

    if as_json:
        _print_json(found)
    elif found:
        show_rows(found)
    else:
        typer.echo(none)


def _load(path: Path) -> Config:
    from sentiment.config import load

    return load(path)


@contextmanager
def _database(config: Config) -> Iterator[Database]:
    from sentiment.database import open_database

    with open_database(config) as db:
        yield db


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


@app.command()
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

    config = _load(config_path)
    if not is_supervised():
        typer.echo(f"{config.company.name}: {config.web.address}  (Ctrl-C ends it)")
    end_with_parent()
    serve_pages(config, config_path)


@app.command()
def backup(
    target: Annotated[
        Path | None,
        typer.Argument(help="File or folder to write; the folder backups beside the database."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an older copy.")] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep so many dated copies in the folder.")
    ] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Copy the database, whole and checked, while the worker goes on writing.

    Example: sentiment backup /var/backups/sentiment --keep 14
    """
    from sentiment.backup import backup as back_up
    from sentiment.show import progress_bar

    config = _load(config_path)
    with progress_bar() as progress:
        made = back_up(
            config,
            target,
            force=force,
            keep=keep,
            progress=lambda part, whole: progress("backup", part, whole),
        )
    if as_json:
        _print_json(made.as_dict())
        return
    typer.echo(f"{made.path} written: {made.posts:,} posts, {made.bytes / 1e6:,.1f} MB")
    for removed in made.removed:
        typer.echo(f"{removed} removed: {keep} are kept")
    if made.key:
        typer.echo(f"Keep apart from it, and as safe: {made.key} (the key of the pseudonyms)")


@app.command()
def forget(
    *,
    author: Annotated[str, typer.Option(help="Their name there; with --source or --kind.")] = "",
    post: Annotated[str, typer.Option(help="The address of a post.")] = "",
    ident: Annotated[str, typer.Option("--id", help="A post's id there; with --source.")] = "",
    respondent: Annotated[str, typer.Option(help="As in a survey's files; with --survey.")] = "",
    answer: Annotated[str, typer.Option(help="Id of an answer sheet; with --survey.")] = "",
    source: Annotated[str, typer.Option(help="Name of the source.")] = "",
    kind: Annotated[str, typer.Option(help="All sources of this kind, such as reddit.")] = "",
    survey: Annotated[str, typer.Option(help="Name of the survey.")] = "",
    as_in: Annotated[
        Path | None,
        typer.Option(help="Repeat what this other database has forgotten, after a restore."),
    ] = None,
    copies: Annotated[
        bool, typer.Option(help="Near-identical posts of others, too; --no-copies leaves them.")
    ] = True,
    with_scores: Annotated[
        bool, typer.Option("--with-scores", help="Take the scores out of the figures, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show how much it is; erase nothing.")
    ] = False,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Erase for good what a person asks to be erased (Article 17 of the GDPR).

    Examples: sentiment forget --author @erika --source forum --dry-run;
    sentiment forget --post https://forum.example/t/17; sentiment forget --survey Mandanten
    --respondent 4711
    """
    from sentiment.concerned import Request, RequestError, concerned
    from sentiment.forget import forget as erase
    from sentiment.forget import forget_as_in
    from sentiment.rollup import rollup as roll_up
    from sentiment.show import show_forgotten

    config = _load(config_path)
    request = Request(author, post, ident, respondent, answer, source, kind, survey)
    with _database(config) as db:
        if as_in is not None:
            done = forget_as_in(config, db, as_in, dry_run=dry_run)
        else:
            try:
                who = concerned(config, db, request)
            except RequestError as error:
                raise typer.BadParameter(str(error)) from None
            done = erase(config, db, who, copies=copies, with_scores=with_scores, dry_run=dry_run)
        if not dry_run:
            roll_up(db)
    if as_json:
        _print_json(done.as_dict())
    else:
        show_forgotten(done)
    if not done and as_in is None:
        raise typer.Exit(1)


portfolio_app = typer.Typer(
    no_args_is_help=True, help="Check the service portfolio, and try out changes to it."
)
app.add_typer(portfolio_app, name="portfolio")


@portfolio_app.command("lint")
def portfolio_lint(
    days: Annotated[
        int, typer.Option(min=1, help="Tell services that nobody has named for so long.")
    ] = 90,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with the services' and companies' names and rules, and the remedy.

    Judged by the patterns themselves and by the stored posts. Exit status 1 when there are errors.

    Example: sentiment portfolio lint
    """
    from sentiment.database import open_existing
    from sentiment.portfolio.lint import lint
    from sentiment.show import progress_bar, show_findings

    config = _load(config_path)
    with progress_bar() as progress:
        if config.database_path.exists():
            with open_existing(config.database_path, read_only=True) as db:
                found = lint(config, db, days=days, progress=lambda a, b: progress("read", a, b))
        else:
            found = lint(config, None)
    if as_json:
        _print_json([finding.as_dict() for finding in found])
    else:
        show_findings(found)
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


@portfolio_app.command("dry-run")
def portfolio_dry_run(
    examples: Annotated[int, typer.Option(min=0, max=50, help="Snippets shown of each.")] = 3,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show which mentions a changed portfolio would gain and lose. Nothing is stored.

    Example: sentiment portfolio dry-run --config changed.toml
    """
    from sentiment.database import open_existing
    from sentiment.portfolio.trial import trial
    from sentiment.show import progress_bar, show_trial

    config = _load(config_path)
    with open_existing(config.database_path, read_only=True) as db, progress_bar() as progress:
        tried = trial(config, db, examples=examples, progress=lambda a, b: progress("read", a, b))
    if as_json:
        _print_json(tried.as_dict())
    else:
        show_trial(tried)


@app.command()
def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV, JSONL or XLSX: text, label; target, language, emotions where wanted.",
        ),
    ] = None,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="Use the labels that people corrected.")
    ] = False,
    *,
    model: Annotated[
        str | None,
        typer.Option(help="bundled, a folder or a hub id; as in config.toml if empty."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another model, on the same labels, with a paired test.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="File to draw into: .svg, or .html for a page.")
    ] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Measure a classifier on labelled posts: figures with 95 % intervals, one model or two.

    Without a file it measures on the labels that people corrected.

    Example: sentiment evaluate labels.csv --against ./our-model --picture evaluation.html
    """
    from models.evaluation import picture as draw
    from sentiment.evaluate import corrections as read_corrections
    from sentiment.evaluate import evaluate as measure
    from sentiment.evaluate import read_labels
    from sentiment.show import progress_bar, show_evaluation

    if file is not None and corrections:
        raise typer.BadParameter("give a file or --corrections, not both", param_hint="FILE")
    if picture is not None and picture.suffix.lower() not in (".svg", ".html"):
        raise typer.BadParameter("expected a name ending in .svg or .html", param_hint="--picture")
    if file is None:
        with _database(_load(config_path)) as db:
            labelled = read_corrections(db)
    else:
        labelled = read_labels(file)
    config = _load(config_path) if file is None or config_path.exists() else None
    first = _classifier(config, model)
    second = _classifier(config, against) if against else None
    with progress_bar() as progress:
        found = measure(
            labelled, first, second, lambda done, whole: progress("evaluate", done, whole)
        )
    if as_json:
        _print_json(found)
    else:
        show_evaluation(found)
    if picture is not None:
        html = picture.suffix.lower() == ".html"
        picture.write_text(draw.page(found) if html else draw.svg(found), "utf-8")
        typer.echo(f"{picture} written.", err=as_json)


def _classifier(config: Config | None, name: str | None) -> Classifier:
    """The named model; without a name the configured one, or the bundled one."""
    from models import classifier
    from sentiment.assemble import load_classifier

    if config is not None and name in (None, config.model.name):
        return load_classifier(config)
    threads = config.model.threads if config else None
    return classifier.load(name or "bundled", threads=threads)
