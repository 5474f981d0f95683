"""Backup, forgetting and the portfolio on the command line."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.sentiment.test_cli import CONFIG, FEED, sentiment


@pytest.fixture
def folder(tmp_path):
    """A firm that has read and matched its one post."""
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "feed.xml").write_text(FEED, "utf-8")
    for command in ("collect", "match"):
        assert sentiment(command, "-c", tmp_path / "config.toml").returncode == 0
    return tmp_path


def test_a_backup_says_what_it_wrote_and_refuses_to_write_it_again(folder):
    """Status 0 with the file's figures, then status 1 and a sentence."""
    arguments = ("backup", folder / "copy.db", "-c", folder / "config.toml")
    done = sentiment(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["posts"] == 1
    with sqlite3.connect(folder / "copy.db") as copy:
        assert copy.execute("SELECT count(*) FROM posts").fetchone() == (1,)
    copy.close()
    again = sentiment(*arguments)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert "Traceback" not in again.stderr
    forced = sentiment(*arguments, "--force")
    assert forced.returncode == 0
    assert "1 posts" in forced.stdout


def test_forgetting_shows_first_and_erases_then(folder):
    """The dry run's figures are the erasure's; a second time there is nothing left, status 1."""
    arguments = ("forget", "--source", "forum", "--id", "1", "-c", folder / "config.toml")
    dry = sentiment(*arguments, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    assert json.loads(dry.stdout)["posts"] == {"forum": 1}
    done = sentiment(*arguments)
    assert done.returncode == 0, done.stderr
    assert "forum: 1 posts erased" in done.stdout
    again = sentiment(*arguments)
    assert again.returncode == 1
    assert "nothing of that is stored" in again.stdout
    assert sentiment("collect", "--json", "-c", folder / "config.toml").returncode == 0
    with sqlite3.connect(folder / "sentiment.db") as db:
        assert db.execute("SELECT text FROM posts").fetchall() == [("",)]
    db.close()


def test_a_request_that_means_nobody_is_wrong_usage(folder):
    """Status 2, and a sentence on what to add."""
    done = sentiment("forget", "--author", "Eva", "-c", folder / "config.toml")
    assert done.returncode == 2
    assert "--source or --kind" in " ".join(done.stderr.replace("│", " ").split())
