"""Sees, acknowledges, silences and tries out alerts."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sentiment.commands.base import DEFAULT_CONFIG, AsJson, ConfigPath, database, load, print_json


def alerts_list(config_path: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show the alerts that are not ok, with the reason of their last change.

    Example: sentiment alerts list
    """
    from sentiment.alert import listed

    with database(load(config_path)) as db:
        _rows(listed(db), as_json=as_json, none="no alerts")


def alerts_ack(
    alert_id: Annotated[int, typer.Argument(metavar="ALERT", help="Number, as list shows it.")],
    config_path: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say that somebody knows: nothing more is sent about this alert until it is over.

    Example: sentiment alerts ack 3
    """
    from datetime import UTC, datetime

    from sentiment.alert import acknowledge

    with database(load(config_path)) as db:
        if not acknowledge(db, alert_id, datetime.now(UTC)):
            typer.echo(
                f"Error: no alert {alert_id} is firing; see: sentiment alerts list", err=True
            )
            raise typer.Exit(1)
    typer.echo(f"alert {alert_id} acknowledged")


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
    if not length:
        raise typer.BadParameter("nothing is silenced for no time at all", param_hint="--for")
    now = datetime.now(UTC)
    config = load(config_path)
    with database(config) as db:
        if not silence(db, service, now + length, comment, now):
            known = ", ".join(one.name for one in config.services)
            raise typer.BadParameter(f'no service is named "{service}"; known: {known}')
    typer.echo(f"{service or 'everything'} is silenced for {duration}")


def alerts_backtest(
    false_alarms: Annotated[
        float | None, typer.Option(min=0.01, help="False alarms a year to try instead.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Baseline to try, such as 60d.")] = None,
    config_path: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what stored posts and surveys would have raised: as configured, and with other settings.

    Example: sentiment alerts backtest --false-alarms 6
    """
    from datetime import UTC, datetime

    from sentiment.backtest import NOT_REPLAYED, backtest
    from sentiment.config import with_alerts

    config, now = load(config_path), datetime.now(UTC)
    try:
        tried = with_alerts(config, false_alarms, baseline)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--baseline") from None
    with database(config) as db:
        found = [{"settings": "present", **row} for row in backtest(config, db, now)]
        if tried != config:
            found += [{"settings": "tried", **row} for row in backtest(tried, db, now)]
    _rows(found, as_json=as_json, none="no alerts")
    typer.echo(NOT_REPLAYED, err=True)


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

    config = load(config_path)
    with database(config) as db:
        expected = plan(config, db, datetime.now(UTC), points)
    if as_json:
        print_json(expected)
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
    seen = f"after about {row['days_to_detect']:.1f} days on average"
    rest = 1 - row["detected"]
    late = f", {100 * rest:.0f} % of such drops not within half a year" if rest > 0.01 else ""
    return start + seen + late


def _rows(found: list[dict[str, Any]], *, as_json: bool, none: str) -> None:
    """Rows as JSON or as a table."""
    from sentiment.show import show_rows

    if as_json:
        print_json(found)
    elif found:
        show_rows(found)
    else:
        typer.echo(none)
