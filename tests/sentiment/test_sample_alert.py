"""The sample company: one alert, for the right service, readable in both languages."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.classifier import Prediction
from sentiment.assemble import http_client
from sentiment.collect import collect
from sentiment.config import load
from sentiment.database import open_database, rows
from sentiment.drivers import refresh_drivers
from sentiment.message import compose
from sentiment.notify import TRANSITIONS
from sentiment.pipeline import process
from sentiment.sample import gold, write

KINDS = {"negative": (0.9, 0.07, 0.03), "neutral": (0.1, 0.8, 0.1), "positive": (0.03, 0.07, 0.9)}


class Careful:
    """Reads every post of the sample as its labels say."""

    name = "gold"
    revision = "1"
    reads_targets = True

    def __init__(self, settings):
        self.names = [term.name for term in settings.services]
        self.said = {}
        for post in gold():
            for label in post.about:
                key = (squeezed(post.read), label.company == settings.company.name)
                self.said.setdefault(key, []).append(label)

    def classify(self, passages):
        return [self.read(passage) for passage in passages]

    def read(self, passage):
        """What most of the post's labels say: enough where services do not differ in a post."""
        labels = self.said.get((squeezed(passage.text), True), [])
        kinds = [label.polarity for label in labels] or ["neutral"]
        emotion = next((label.emotion for label in labels if label.emotion), None)
        emotions = dict.fromkeys(("anger", "disgust", "fear", "joy", "sadness", "surprise"), 0.1)
        if emotion:
            emotions[emotion] = 0.9
        return Prediction(*KINDS[max(set(kinds), key=kinds.count)], emotions)


def squeezed(text):
    return "".join(character for character in text.lower() if character.isalnum())


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample after its first run, through the real adapters and stages."""
    folder = tmp_path_factory.mktemp("sample") / "firm"
    write(folder)
    config = load(folder / "config.toml")
    with open_database(config) as db, http_client(config) as client:
        collect(config, db, client)
        process(config, db, lambda: Careful(config))
        yield db


def test_the_sample_fires_exactly_one_alert_for_the_service_that_soured(sample):
    """Employment law; nothing pends or fires for any other service, source or rule."""
    found = rows(sample, "SELECT rule, service, state FROM active_alerts")
    assert found == [{"rule": "drop", "service": "Arbeitsrecht", "state": "firing"}]
    fired = rows(sample, "SELECT count(*) AS n FROM alert_transitions WHERE to_state = 'firing'")
    assert fired == [{"n": 1}]


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("de", ["[1] Arbeitsrecht: Es wird schlechter darüber gesprochen", "Die Stimmung fiel von +",
                "Durch Zufall", "Vor allem Wut", "Die Beiträge, die am meisten wiegen:", "Woher:",
                "ohne die lauteste Stimme, ohne die lauteste Diskussion und ohne die lauteste Quelle",
                "keine Umfrageantworten", "sentiment alerts ack"]),
        ("en", ["[1] Arbeitsrecht: people speak worse of it", "Net sentiment fell from +", "By chance",
                "Mostly anger", "The posts that weigh most:", "Where from:",
                ("without its loudest author, without its loudest thread and without its loudest "
                "source"), "no survey answers", "sentiment alerts ack"]),
    ],
    ids=["de", "en"],
)  # fmt: skip
def test_its_message_says_all_there_is_to_say(sample, language, wanted):
    """Which service, how far, since when, how sure, why, where from, and what it hangs on."""
    fired = [row for row in rows(sample, TRANSITIONS) if row["to_state"] == "firing"]
    message = compose(sample, 1, fired, language, datetime.now(UTC))
    text = f"{message.title}\n{message.body}"
    for part in wanted:
        assert part in text
    weightiest = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(weightiest) == 3
    for line in weightiest:  # of posts that weigh alike, the weekday decides which are shown
        assert ("https://" in line) != ("Mandantenportal" in line)  # exports have no links
    assert "{" not in text


def test_its_drivers_are_what_its_posts_complain_about(sample):
    """The new portal above all; no names, no debris."""
    [file] = [row["file"] for row in rows(sample, "PRAGMA database_list") if row["name"] == "main"]
    refresh_drivers(load(Path(file).parent / "config.toml"), sample)
    found = rows(
        sample,
        "SELECT phrase, authors, other_authors FROM service_drivers WHERE period = '90 days' "
        "AND company LIKE 'Wiedehopf%' AND service = 'Arbeitsrecht' AND polarity = 'negative' "
        "ORDER BY z DESC",
    )
    assert found[0]["phrase"] == "Portal"
    assert found[0]["authors"] > 3 * found[0]["other_authors"]
    assert {row["phrase"] for row in found} <= {"Portal", "neue", "Hotline", "Wochen"}
