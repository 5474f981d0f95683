"""The command line. The daemon is a list of things one can also do by hand: each is a command."""

from __future__ import annotations

import sys

import typer

from sentiment.commands import alerting, importing, keeping, portfolio, reading, running, stages

WRONG_USAGE = 2
# These log nothing and are spared the import of structlog.
QUICK: tuple[list[str], ...] = ([], ["--help"], ["init"], ["status"])

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Public sentiment per service, beside the surveys. Start with: sentiment init",
)
import_app = typer.Typer(no_args_is_help=True, help="Bring in files by hand.")
alerts_app = typer.Typer(no_args_is_help=True, help="See, acknowledge, silence and try out alerts.")
portfolio_app = typer.Typer(
    no_args_is_help=True, help="Check the service portfolio, and try out changes to it."
)
for part, name in ((import_app, "import"), (alerts_app, "alerts"), (portfolio_app, "portfolio")):
    app.add_typer(part, name=name)

for command in (
    running.init, running.check, running.run, running.serve,
    stages.collect, stages.match, stages.score, stages.rollup, stages.drivers, stages.alert,
    stages.recheck, stages.purge,
    reading.status, reading.report, reading.evaluate,
    keeping.backup, keeping.forget,
):  # fmt: skip
    app.command()(command)
app.command("try")(reading.try_text)
import_app.command("posts")(importing.import_posts)
import_app.command("surveys")(importing.import_surveys)
alerts_app.command("list")(alerting.alerts_list)
alerts_app.command("ack")(alerting.alerts_ack)
alerts_app.command("silence")(alerting.alerts_silence)
alerts_app.command("backtest")(alerting.alerts_backtest)
alerts_app.command("plan")(alerting.alerts_plan)
portfolio_app.command("lint")(portfolio.portfolio_lint)
portfolio_app.command("dry-run")(portfolio.portfolio_dry_run)


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
        typer.echo(f"Error: {_sentence(error)}", err=True)
        sys.exit(status)


def _sentence(error: Exception) -> str:
    """What the system refuses, without its number."""
    if not (isinstance(error, OSError) and error.strerror and error.filename):
        return str(error)
    return f"{error.filename}: {error.strerror}"


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
