"""Brings in files by hand."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, database, load, print_json


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

    config = load(config_path)
    with database(config) as db, http_client(config) as client:
        result = import_file(config, db, client, file, name=source or file.stem, own=own)
    if as_json:
        keys = ("source", "new", "changed", "problems", "error")
        print_json({key: getattr(result, key) for key in keys})
    else:
        show_collected([result])
    if result.error:
        raise typer.Exit(1)


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

    config = load(config_path)
    with database(config) as db, progress_bar() as progress, listed_in(listing) as listed:
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
        print_json(result.as_dict())
    else:
        show_survey(result)
