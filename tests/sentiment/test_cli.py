"""The command line as a person or a script uses it."""

import json
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sentiment import cli
from sentiment.config import load
from sentiment.lock import only_worker

FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>t</title><link>https://x.example</link><description>d</description>
<item><guid>1</guid><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>
<description>Kanzlei Ahornhof: die Steuerberatung ist hervorragend, ich bin begeistert.</description>
</item></channel></rss>"""
CONFIG = """
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Steuerberatung"
[[services]]
name = "Arbeitsrecht"
[[sources]]
name = "forum"
kind = "rss"
path = "feed.xml"
"""


def sentiment(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own."""
    command = [sys.executable, "-c", "from sentiment.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "feed.xml").write_text(FEED, "utf-8")
    return tmp_path


def commands(app, path=()):
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from ((*path, name, sub) for sub in command.commands)
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", list(commands(cli.app)), ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    """--help shows an example that begins like the command."""
    shown = CliRunner().invoke(cli.app, [*command, "--help"]).output
    assert f"sentiment {' '.join(command)}" in " ".join(shown.split())
    assert "Example" in shown


def test_init_writes_a_configuration_that_loads_and_does_not_overwrite(tmp_path):
    """A second init refuses, says why, and leaves the file alone."""
    assert sentiment("init", tmp_path / "config.toml").returncode == 0
    tomllib.loads((tmp_path / "config.toml").read_text("utf-8"))
    (tmp_path / "config.toml").write_text("mine")
    again = sentiment("init", tmp_path / "config.toml")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert (tmp_path / "config.toml").read_text() == "mine"


def test_init_makes_the_folders_above_the_file(tmp_path):
    """As the guide has it: sentiment init /etc/sentiment/config.toml."""
    done = sentiment("init", tmp_path / "etc" / "sentiment" / "config.toml")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc" / "sentiment" / "config.toml").is_file()


def test_what_the_system_refuses_is_told_without_its_numbers(tmp_path):
    """Which file, and why."""
    (tmp_path / "file").write_text("")
    done = sentiment("init", tmp_path / "file" / "config.toml")
    assert (done.returncode, done.stderr) == (1, f"Error: {tmp_path}/file: File exists\n")


def test_run_once_leaves_alone_what_asked_for_it(folder):
    """A source that failed waits as long as in the daemon; asked for by name, it is read at once."""
    (folder / "feed.xml").rename(folder / "gone.xml")
    assert sentiment("collect", "-c", folder / "config.toml").returncode == 1
    (folder / "gone.xml").rename(folder / "feed.xml")
    again = sentiment("run", "--once", "-c", folder / "config.toml")
    assert again.returncode == 1
    assert "forum: left alone until" in again.stdout
    assert "feed.xml cannot be read" in again.stdout
    done = sentiment("collect", "forum", "-c", folder / "config.toml")
    assert (done.returncode, done.stdout) == (0, "forum: 1 new, 0 changed\n")


def test_run_once_does_every_duty(folder):
    """From a feed to a scored mention and a daily figure, in one command."""
    done = sentiment("run", "--once", "--config", folder / "config.toml")
    assert done.returncode == 0, done.stderr
    assert "1 new" in done.stdout
    with sqlite3.connect(folder / "sentiment.db") as db:
        found = db.execute("SELECT service, polarity, language FROM scored_mentions").fetchall()
        figures = db.execute("SELECT service, net_sentiment FROM service_daily").fetchall()
    assert found == [("Steuerberatung", "positive", "de")]
    assert figures == [("Steuerberatung", 100.0)]
    db.close()


def test_the_stages_by_hand_do_what_the_daemon_does(folder):
    """collect, match, score, rollup and drivers in turn end where run --once ends."""
    said = []
    for command in ("collect", "match", "score", "rollup", "drivers"):
        done = sentiment(command, "--json", "--config", folder / "config.toml")
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[0][0]["new"] == 1
    assert said[1:-1] == [{"posts_matched": 1}, {"mentions_scored": 1}, {"days_rolled_up": 1}]
    assert said[-1] == {"lists_computed": 15}


def test_a_failing_source_is_status_one_and_a_sentence(folder):
    """The others are read all the same."""
    (folder / "feed.xml").unlink()
    done = sentiment("collect", "--json", "--config", folder / "config.toml")
    assert done.returncode == 1
    assert "feed.xml" in json.loads(done.stdout)[0]["error"]


def test_a_configuration_mistake_is_status_two_and_no_traceback(folder):
    """Wrong usage: nothing was done."""
    (folder / "config.toml").write_text(CONFIG.replace('"rss"', '"redit"'))
    done = sentiment("status", "--config", folder / "config.toml")
    assert done.returncode == 2
    assert 'sources[0].kind is "redit"' in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_source_is_status_two_and_names_those_there_are(folder):
    """`sentiment collect Nowhere` says which sources there are."""
    done = sentiment("collect", "Nowhere", "--config", folder / "config.toml")
    assert done.returncode == 2
    assert "forum" in done.stderr


def test_check_says_one_line_for_each_thing(folder):
    """Config, database, each source and the model; nothing is stored."""
    done = sentiment("check", "--config", folder / "config.toml")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert [line.split()[1].rstrip(":") for line in lines] == [
        "config", "database", "source", "model",
    ]  # fmt: skip
    with sqlite3.connect(folder / "sentiment.db") as db:
        assert db.execute("SELECT count(*) FROM posts").fetchone() == (0,)
    db.close()


def test_check_fails_when_a_source_does(folder):
    """The others are tried all the same."""
    (folder / "feed.xml").unlink()
    done = sentiment("check", "--config", folder / "config.toml")
    assert done.returncode == 1
    assert "failed source" in done.stdout
    assert "ok     model" in done.stdout


def test_try_shows_each_service_with_its_own_polarity(folder):
    """Two services with opposite polarity in one sentence."""
    text = "Die Steuerberatung war top, aber im Arbeitsrecht hat sich niemand gemeldet."
    done = sentiment("try", text, "--json", "--config", folder / "config.toml")
    found = {row["service"]: row["polarity"] for row in json.loads(done.stdout)}
    assert found == {"Steuerberatung": "positive", "Arbeitsrecht": "negative"}
    assert not (folder / "sentiment.db").exists()


def test_importing_a_file_twice_adds_nothing(folder):
    """Imported posts count, and are there once."""
    (folder / "old.csv").write_text(
        "Datum;Name;Sterne;Kommentar\n01.03.2026;Erika;5;Super Steuerberatung\n", "utf-8"
    )
    for new in (1, 0):
        done = sentiment("import", "posts", folder / "old.csv", "--own", "--json", "--config",
                         folder / "config.toml")  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["new"] == new
    assert json.loads(sentiment("match", "--json", "-c", folder / "config.toml").stdout) == {
        "posts_matched": 1
    }


def test_status_of_an_empty_database(folder):
    """Before the first run there is a status too."""
    done = sentiment("status", "--json", "--config", folder / "config.toml")
    found = json.loads(done.stdout)
    assert [row["authors"] for row in found["services"]] == [0, 0]
    assert found["waiting"] == {"posts_to_match": 0, "mentions_to_score": 0, "days_to_roll_up": 0}
    assert "not read yet" in sentiment("status", "--config", folder / "config.toml").stdout


def test_a_second_worker_on_a_database_is_refused(folder):
    """Two workers would ask every source twice: the second says so and ends."""
    with only_worker(load(folder / "config.toml")):
        done = sentiment("run", "--once", "--config", folder / "config.toml")
    assert done.returncode == 1
    assert "another worker is running" in done.stderr
    assert sentiment("run", "--once", "--config", folder / "config.toml").returncode == 0


def test_a_folder_that_cannot_be_written_is_a_sentence(folder):
    """What the system refuses is told in words, without a traceback."""
    (folder / "config.toml").write_text(CONFIG + '[database]\npath = "feed.xml/x.db"\n')
    done = sentiment("status", "--config", folder / "config.toml")
    assert done.returncode == 1
    assert "feed.xml" in done.stderr
    assert "Traceback" not in done.stderr
