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
