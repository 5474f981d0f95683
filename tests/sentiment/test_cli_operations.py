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


def test_lint_is_silent_about_a_sound_portfolio(folder):
    """Status 0, in both forms; with a database and without one."""
    for _ in range(2):
        done = sentiment("portfolio", "lint", "-c", folder / "config.toml")
        assert (done.returncode, done.stdout) == (0, "nothing to find fault with\n"), done.stderr
        done = sentiment("portfolio", "lint", "--json", "-c", folder / "config.toml")
        assert (done.returncode, json.loads(done.stdout)) == (0, [])
        (folder / "sentiment.db").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("aliases", "level", "status"), [('["Steuerberatung"]', "error", 1), ('["HR"]', "warning", 0)]
)
def test_lint_fails_for_errors_only(folder, aliases, level, status):
    """An alias of two services is an error, a short one a warning."""
    changed = CONFIG.replace('name = "Arbeitsrecht"', f'name = "Arbeitsrecht"\naliases = {aliases}')
    (folder / "config.toml").write_text(changed, "utf-8")
    done = sentiment("portfolio", "lint", "--json", "-c", folder / "config.toml")
    assert done.returncode == status, done.stderr
    assert {finding["level"] for finding in json.loads(done.stdout)} == {level}
    assert level in sentiment("portfolio", "lint", "-c", folder / "config.toml").stdout


def test_a_dry_run_of_another_file_shows_gains_and_losses(folder):
    """The stored mentions stay as they are, and the file's new services unknown."""
    changed = CONFIG.replace(
        'name = "Steuerberatung"', 'name = "Begeisterung"\naliases = ["begeistert"]'
    )
    (folder / "other.toml").write_text(changed, "utf-8")
    arguments = ("portfolio", "dry-run", "-c", folder / "other.toml")
    done = sentiment(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = {row["service"]: row for row in json.loads(done.stdout)["changes"]}
    assert (found["Begeisterung"]["gained"], found["Steuerberatung"]["lost"]) == (1, 1)
    shown = sentiment(*arguments)
    assert "+ Kanzlei Ahornhof, Begeisterung: Kanzlei Ahornhof: die" in shown.stdout
    with sqlite3.connect(folder / "sentiment.db") as db:
        services = db.execute("SELECT name FROM services ORDER BY 1").fetchall()
    db.close()
    assert services == [("Arbeitsrecht",), ("Steuerberatung",)]


def test_a_dry_run_without_a_database_is_a_sentence(folder):
    """There is nothing to compare with yet."""
    (folder / "sentiment.db").unlink()
    done = sentiment("portfolio", "dry-run", "-c", folder / "config.toml")
    assert done.returncode == 1
    assert "does not exist yet" in done.stderr
    assert "Traceback" not in done.stderr
