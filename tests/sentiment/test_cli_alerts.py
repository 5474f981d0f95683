"""`sentiment alert` and `sentiment alerts …` as a person or a script uses them."""

import json

import pytest
from typer.testing import CliRunner

from sentiment import cli, detection
from sentiment.alert import alert
from sentiment.config import load
from sentiment.database import open_database
from tests.sentiment.voices import SOUR, live

CONFIG = """
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Arbeitsrecht"
[[services]]
name = "Steuerberatung"
[[sources]]
name = "forum"
kind = "rss"
path = "feed.xml"
"""


@pytest.fixture
def sentiment(tmp_path, monkeypatch):
    """The command line on a firm whose employment law has soured and is firing."""
    monkeypatch.setattr(detection, "STREAMS", 40)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, "utf-8")
    config = load(path)
    with open_database(config) as db:
        live(db, 0, 100)
        alert(config, db, now=live(db, 100, 7, SOUR))

    def run(*arguments):
        return CliRunner().invoke(cli.app, [*arguments, "--config", str(path)])

    return run


def test_list_shows_what_fires_and_ack_what_is_known(sentiment):
    """The number that list shows is the one that ack takes."""
    (row,) = json.loads(sentiment("alerts", "list", "--json").stdout)
    assert (row["service"], row["state"], row["acknowledged_at"]) == (
        "Arbeitsrecht", "firing", None)  # fmt: skip
    assert sentiment("alerts", "ack", str(row["id"])).exit_code == 0
    (row,) = json.loads(sentiment("alerts", "list", "--json").stdout)
    assert row["acknowledged_at"]
    assert "Arbeitsrecht" in sentiment("alerts", "list").stdout


def test_an_unknown_alert_cannot_be_acknowledged(sentiment):
    """Exit status 1 and where to look."""
    done = sentiment("alerts", "ack", "999")
    assert done.exit_code == 1
    assert "sentiment alerts list" in done.output


def test_silence_takes_a_service_and_a_duration(sentiment):
    """A misspelt service or duration is wrong usage."""
    assert sentiment("alerts", "silence", "Arbeitsrecht", "--for", "2d").exit_code == 0
    assert sentiment("alerts", "silence").exit_code == 0
    assert sentiment("alerts", "silence", "Arbeitsrcht").exit_code == 2
    assert sentiment("alerts", "silence", "--for", "soon").exit_code == 2
    assert sentiment("alerts", "silence", "--for", "0d").exit_code == 2


def test_backtest_shows_present_and_tried_settings(sentiment):
    """The same drop is found by both; nothing is written."""
    found = json.loads(sentiment("alerts", "backtest", "--false-alarms", "8", "--json").stdout)
    assert {row["settings"] for row in found} == {"present", "tried"}
    assert {row["service"] for row in found} == {"Arbeitsrecht"}


def test_backtest_says_which_rule_it_cannot_replay(sentiment):
    """Beside the rows, not among them: who reads the table or the JSON gets rows only."""
    for form in ([], ["--json"]):
        done = sentiment("alerts", "backtest", *form)
        assert 'The rule "source" is not replayed' in done.stderr
        assert "not replayed" not in done.stdout


def test_plan_says_what_to_expect_in_a_sentence(sentiment):
    """A line for each service."""
    lines = sentiment("alerts", "plan", "--points", "60").stdout.splitlines()
    assert "one false alarm in about 365 days" in lines[0]
    assert lines[1] == "Steuerberatung: too few posts to learn from"


def test_alert_is_one_pass(sentiment):
    """Counts in JSON."""
    done = sentiment("alert", "--json")
    assert done.exit_code == 0
    said = done.stdout[done.stdout.index("{") :]  # the log is not set up here
    assert set(json.loads(said)) == {"transitions", "messages_delivered"}
