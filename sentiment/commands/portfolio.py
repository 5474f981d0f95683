"""Checks the service portfolio, and tries out changes to it."""

from __future__ import annotations

from typing import Annotated

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, load, print_json


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

    config = load(config_path)
    with progress_bar() as progress:
        if config.database_path.exists():
            with open_existing(config.database_path, read_only=True) as db:
                found = lint(config, db, days=days, progress=lambda a, b: progress("read", a, b))
        else:
            found = lint(config, None)
    if as_json:
        print_json([finding.as_dict() for finding in found])
    else:
        show_findings(found)
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


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

    config = load(config_path)
    with open_existing(config.database_path, read_only=True) as db, progress_bar() as progress:
        tried = trial(config, db, examples=examples, progress=lambda a, b: progress("read", a, b))
    if as_json:
        print_json(tried.as_dict())
    else:
        show_trial(tried)
