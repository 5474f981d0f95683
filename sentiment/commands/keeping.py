"""Copies of the database, and what has to be erased from it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, database, load, print_json


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

    config = load(config_path)
    with progress_bar() as progress:
        made = back_up(
            config,
            target,
            force=force,
            keep=keep,
            progress=lambda part, whole: progress("backup", part, whole),
        )
    if as_json:
        print_json(made.as_dict())
        return
    typer.echo(f"{made.path} written: {made.posts:,} posts, {made.bytes / 1e6:,.1f} MB")
    for removed in made.removed:
        typer.echo(f"{removed} removed: {keep} are kept")
    if made.key:
        typer.echo(f"Keep apart from it, and as safe: {made.key} (the key of the pseudonyms)")


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

    config = load(config_path)
    request = Request(author, post, ident, respondent, answer, source, kind, survey)
    with database(config) as db:
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
        print_json(done.as_dict())
    else:
        show_forgotten(done)
    if not done and as_in is None:
        raise typer.Exit(1)
