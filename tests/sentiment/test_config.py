"""A mistake names file, key, value and choices."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from sentiment import config, example_path
from sentiment.config import ConfigError, load

GOOD = """
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Arbeitsrecht"
[[sources]]
name = "forum"
kind = "rss"
url = "https://forum.example/feed"
"""
TABLE = [
    ("a misspelt key", "nmae", 'company.nmae is not a known key (did you mean "name"?)',
     GOOD.replace("[company]\nname", "[company]\nnmae")),
    ("a missing name", "company.name", "company.name is missing",
     GOOD.replace('name = "Kanzlei Ahornhof"', "")),
    ("an unknown kind", "kind", 'sources[0].kind is "redit"; expected one of: appstore, bluesky, ',
     GOOD.replace('"rss"', '"redit"')),
    ("an unknown scope", "scope", 'sources[0].scope is "mine"; expected one of: public, own',
     GOOD + 'scope = "mine"'),
    ("a duration without unit", "every", "sources[0].every is 15; expected a number and a unit",
     GOOD + "every = 15"),
    ("a key the adapter does not know", "feed", "sources[0].feed is not a known key",
     GOOD + 'feed = "x"'),
    ("no services", "services", "services", GOOD.replace("[[services]]", "[[competitors]]")),
    ("an unknown zone", "timezone", 'timezone is "Berlin"; expected an IANA name',
     'timezone = "Berlin"' + GOOD),
    ("an unknown company", "company", 'sources[0].company is "Wir"; expected one of: Kanzlei',
     GOOD + 'scope = "own"\ncompany = "Wir"'),
    ("two services of a name", "names are unique", 'two service entries are named "Arbeitsrecht"',
     GOOD + '[[services]]\nname = "Arbeitsrecht"'),
    ("a pattern without a letter", "aliases", 'pattern "*" has no letter',
     GOOD.replace('name = "Arbeitsrecht"', 'name = "Arbeitsrecht"\naliases = ["*"]')),
    ("a secret that is not set", "url", "sources[0].url is ${NO_SUCH_SECRET}, but the environment",
     GOOD.replace("https://forum.example/feed", "https://x.example/${NO_SUCH_SECRET}")),
    ("broken TOML", "table", "is not valid TOML", "[company"),
    ("one service as if there were only one", "services",
     "services: there may be several: write [[services]], with two pairs of brackets",
     GOOD.replace("[[services]]", "[services]")),
    ("surveys as if there were several", "surveys",
     "surveys: there is only one: write [surveys], with one pair of brackets",
     GOOD + "[[surveys]]"),
    ("a section that is a word", "database", 'database is "x.db"; expected a table, such as [data',
     'database = "x.db"' + GOOD),
    ("one alias without brackets", "aliases", 'aliases is "ESt"; expected a list, such as ["one"',
     GOOD.replace('name = "Arbeitsrecht"', 'name = "Arbeitsrecht"\naliases = "ESt"')),
    ("a number in words", "port", 'web.port is "https"; expected a whole number',
     GOOD + '[web]\nport = "https"'),
    ("a number out of range", "port", "web.port is 80800; expected 65535 or less",
     GOOD + "[web]\nport = 80800"),
    ("yes in another language", "web", 'web.enabled is "ja"; expected true or false',
     GOOD + '[web]\nenabled = "ja"'),
    ("a decimal comma", "alerts", 'is "2,5"; expected a number, such as 2.5',
     GOOD + '[alerts]\nfalse_alarms_per_year = "2,5"'),
    ("hours without minutes", "quiet_hours",
     'is "20-7"; expected two times such as "20:00-07:30" (in "Team")',
     GOOD + '[[receivers]]\nname = "Team"\nurl = "json://x"\nquiet_hours = "20-7"'),
    ("an address without its beginning", "url", 'expected an address without a path, such as "http',
     GOOD + '[web]\nurl = "sentiment.example.org"'),
    ("a language in words", "language", 'is "Deutsch"; expected two small letters such as "de"',
     GOOD + 'language = "Deutsch"'),
    ("a source in a list of many", "every", '(in "forum")', GOOD + 'every = "often"'),
    ("no pause at all", "every", 'sources[0].every is "0m"; expected "1s" or more',
     GOOD + 'every = "0m"'),
    ("a key of the whole file below a section", "timezone",
     "is not a known key here: timezone stands above the first section",
     GOOD + 'timezone = "Europe/Berlin"'),
    ("a company that would not count", "company", 'counts only with scope = "own"',
     GOOD + 'company = "Kanzlei Ahornhof"'),
]  # fmt: skip


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("why", "key", "said", "text"), TABLE, ids=[row[0] for row in TABLE])
def test_a_mistake_is_named(tmp_path, why, key, said, text):
    """File, key, value and choices stand in the sentence."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)
    assert said in str(caught.value)


def test_every_mistake_is_named_at_once(tmp_path):
    """Two mistakes give two lines."""
    text = GOOD.replace("[company]", "[company]\nnick = 1").replace('"rss"', '"redit"')
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2


def test_a_secret_is_filled_in_and_never_shown(tmp_path, monkeypatch):
    """Secrets come from the environment or a file and do not show in any representation."""
    monkeypatch.setenv("KEY_OF_TEST", "s3cret")
    (tmp_path / "key").write_text("from file\n")
    text = GOOD + '[privacy]\npseudonym_key = "${KEY_OF_TEST} ${file:key}"'
    loaded = load(written(tmp_path, text))
    assert loaded.privacy.pseudonym_key.get_secret_value() == "s3cret from file"
    assert "s3cret" not in repr(loaded)


def test_a_wrong_value_with_a_secret_in_it_is_shown_as_it_was_written(tmp_path, monkeypatch):
    """The placeholder is shown, not what it stands for."""
    monkeypatch.setenv("KEY_OF_TEST", "s3cret")
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, GOOD + 'every = "${KEY_OF_TEST}"'))
    assert "s3cret" not in str(caught.value)
    assert "${KEY_OF_TEST}" in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "said"),
    [("${EMPTY_IN_TEST}", "EMPTY_IN_TEST is empty"), ("${file:empty}", "which is empty")],
)
def test_an_empty_secret_is_told_before_a_service_refuses_it(tmp_path, monkeypatch, secret, said):
    """A variable that a script set to nothing, or a file that was never filled."""
    monkeypatch.setenv("EMPTY_IN_TEST", "")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, GOOD + f'[privacy]\npseudonym_key = "{secret}"'))


def test_an_editors_mark_is_read_over_and_another_encoding_told(tmp_path):
    """UTF-8 may begin with its mark; of Windows-1252 the line is named."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(path).company.name == "Kanzlei Ahornhof"
    path.write_bytes(GOOD.replace("Ahornhof", "Erlenmühle").encode("cp1252"))
    with pytest.raises(
        ConfigError, match=r"is not UTF-8 text \(line 3\): save it in that encoding"
    ):
        load(path)


def test_a_missing_file_says_how_to_get_one(tmp_path):
    """Who has no configuration yet is told about `sentiment init`."""
    with pytest.raises(ConfigError, match="sentiment init"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("hidden", ["\\u202E", "\\u0007", "\\u2028"])
def test_names_are_to_be_seen(tmp_path, hidden):
    """They stand on every page: none turns the writing around, none holds controls."""
    with pytest.raises(ConfigError, match="is not to be seen"):
        load(written(tmp_path, GOOD + f'[[competitors]]\nname = "Bir{hidden}ke"'))


def test_durations(tmp_path):
    """Numbers with a unit."""
    loaded = load(written(tmp_path, GOOD + 'every = "2h"'))
    assert loaded.sources[0].every == timedelta(hours=2)


def test_the_example_is_valid_and_shows_every_key():
    """What `sentiment init` writes loads, and holds each key at least as a comment."""
    text = example_path().read_text("utf-8")
    load(example_path())
    for section in (config.Config, config.Term, config.Source, config.Model, config.Privacy,
                    config.Database, config.Alerts,
                    config.ThresholdRule, config.VolumeRule, config.EmotionRule, config.SurveyRule,
                    config.SourceRule, config.ServiceAlerts, config.Receiver,
                    config.Web):  # fmt: skip
        for key in section.model_fields:
            if key != "folder":
                assert re.search(rf"^(# )?(\[\[?)?([a-z]+\.)?{key}\b", text, re.MULTILINE), key


def test_the_repository_shows_the_example():
    """config.toml at the top is the file that `sentiment init` writes."""
    top = Path(__file__).parents[2] / "config.toml"
    assert top.read_text("utf-8") == example_path().read_text("utf-8")
