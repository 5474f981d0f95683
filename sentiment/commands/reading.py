"""Shows what is known, and what the classifier makes of a text."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, database, load, print_json

if TYPE_CHECKING:
    from models.classifier import Classifier
    from sentiment.config import Config


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

    config = load(config_path)
    judgements = judge(config, load_classifier(config), text)
    if as_json:
        print_json(judgements)
    else:
        show_judgements(judgements)


def status(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show services, sources and work waiting.

    Example: sentiment status --json
    """
    from sentiment.show import show_status
    from sentiment.status import status as read_status

    config = load(config_path)
    with database(config) as db:
        found = read_status(config, db)
    if as_json:
        print_json(found)
    else:
        show_status(found)


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
    config = load(config_path)
    with database(config) as db:
        text = write(config, db, month=month, form=form, language=language)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, "utf-8")
    typer.echo(f"{output} written.")


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
        with database(load(config_path)) as db:
            labelled = read_corrections(db)
    else:
        labelled = read_labels(file)
    config = load(config_path) if file is None or config_path.exists() else None
    first = _classifier(config, model)
    second = _classifier(config, against) if against else None
    with progress_bar() as progress:
        found = measure(
            labelled, first, second, lambda done, whole: progress("evaluate", done, whole)
        )
    if as_json:
        print_json(found)
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
