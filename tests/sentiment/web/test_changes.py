"""What visitors may change: labels, acknowledgements, silences; with a login and our own forms."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sentiment.database import count, rows, timestamp
from tests.sentiment.web.conftest import Visitor, say, tell


@pytest.fixture
def mention(config, db):
    """A scored mention's id."""
    tell(config, db, [say(1, "Kanzlei Ahornhof: Steuerberatung schlecht")])
    return str(count(db, "SELECT mention_id FROM scored_mentions"))


@pytest.fixture
def firing(db):
    """An alert that fires, with an explanation as the drop rule leaves it."""
    now = timestamp(datetime.now(UTC))
    facts = {"net": -40, "below": -20, "authors": 31}
    db.execute("INSERT INTO alerts (id, rule, company_id, service_id, subject, state, since_at) "
               "VALUES (7, 'threshold', 1, 2, '', 'firing', ?)", [now])  # fmt: skip
    db.execute("INSERT INTO alert_transitions (id, alert_id, from_state, to_state, reason, "
               "happened_at, detail) VALUES (9, 7, 'pending', 'firing', 'net sentiment', ?, ?)",
               [now, json.dumps(facts)])  # fmt: skip
    return "7"


def labels(db):
    return rows(
        db, "SELECT mention_id, polarity, emotions, labelled_by FROM gold_labels ORDER BY id"
    )


CHANGES = (
    ("/label", {"mention": "1", "polarity": "positive"}),
    ("/alerts/acknowledge", {"alert": "7"}),
    ("/alerts/silence", {"service": "", "for": "1d"}),
    ("/alerts/unsilence", {"silence": "1"}),
)
TOUCHED = (
    "SELECT (SELECT count(*) FROM gold_labels) + (SELECT count(acknowledged_at) FROM alerts) "
    "+ (SELECT count(*) FROM alert_silences)"
)


@pytest.mark.parametrize(("path", "fields"), CHANGES)
def test_without_a_login_nothing_changes(visitor, db, mention, firing, path, fields):
    """The form leads to the login, which leads back."""
    answer = visitor.post(path, **fields)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login?next=%2F")
    assert count(db, TOUCHED) == 0


@pytest.mark.parametrize(("path", "fields"), CHANGES)
def test_a_form_without_our_token_changes_nothing(visitor, db, mention, firing, path, fields):
    """Another site cannot send a visitor's browser here to change something."""
    visitor.log_in()
    assert visitor.post(path, forged=True, **fields).status_code == 403
    assert visitor.post(path, forged=True, csrftoken="guessed", **fields).status_code == 403
    assert count(db, TOUCHED) == 0


@pytest.mark.parametrize(("path", "fields"), CHANGES)
def test_a_link_changes_nothing(visitor, db, mention, firing, path, fields):
    """GET never writes."""
    visitor.log_in()
    query = "&".join(f"{key}={value}" for key, value in fields.items())
    assert visitor.get(f"{path}?{query}").status_code in (200, 302)
    assert count(db, TOUCHED) == 0


def test_a_correction_stands_beside_the_score(visitor, db, mention):
    """It says who and when; score and figures stay as they are."""
    before = rows(db, "SELECT * FROM scores"), rows(db, "SELECT * FROM daily_sentiment")
    visitor.log_in()
    assert "What does this text say about Steuerberatung?" in visitor.said(
        f"/label?mention={mention}"
    )
    answer = visitor.post("/label", mention=mention, polarity="positive", joy="1", surprise="1",
                          next="/posts?polarity=negative")  # fmt: skip
    assert answer.headers["location"] == "/posts?polarity=negative"
    said = visitor.said("/posts?polarity=negative")
    assert "what you said is stored" in said
    assert "Corrected: positive; joy, surprise (anna, " in said
    assert labels(db) == [{"mention_id": int(mention), "polarity": "positive",
                           "emotions": '["joy", "surprise"]', "labelled_by": "anna"}]  # fmt: skip
    assert (rows(db, "SELECT * FROM scores"), rows(db, "SELECT * FROM daily_sentiment")) == before


def test_everybody_has_one_label_a_mention_and_takes_back_their_own(app, db, mention):
    """A second word of the same person replaces the first; others' words stay."""
    anna, bert = Visitor(app).log_in("anna"), Visitor(app).log_in("bert")
    anna.post("/label", mention=mention, polarity="positive")
    anna.post("/label", mention=mention, polarity="neutral")
    bert.post("/label", mention=mention, polarity="negative", anger="1")
    assert [(row["labelled_by"], row["polarity"]) for row in labels(db)] == [
        ("anna", "neutral"), ("bert", "negative")]  # fmt: skip
    assert (
        "taken back"
        in (anna.post("/label", mention=mention, take_back="1"), anna.said("/posts"))[1]
    )
    assert [row["labelled_by"] for row in labels(db)] == ["bert"]
    anna.post("/label", mention=mention, take_back="1")
    assert "Nothing that you said is stored" in anna.said("/posts")


@pytest.mark.parametrize(("fields", "said"), [({"polarity": "great"}, "please choose"),
                                              ({}, "please choose")])  # fmt: skip
def test_what_is_no_label_is_not_stored(visitor, db, mention, fields, said):
    """The page says what is missing."""
    visitor.log_in().post("/label", mention=mention, **fields)
    assert said in visitor.said("/posts")
    assert labels(db) == []


def test_what_has_no_text_cannot_be_labelled(visitor, db, mention):
    """Unknown and erased mentions: not found, and nothing stored."""
    visitor.log_in()
    assert visitor.get("/label?mention=99").status_code == 404
    assert visitor.get("/label?mention=x").status_code == 404
    db.execute("UPDATE posts SET text = ''")
    db.execute("UPDATE mentions SET snippet = ''")
    assert visitor.get(f"/label?mention={mention}").status_code == 404
    visitor.post("/label", mention=mention, polarity="positive")
    assert "text is erased" in visitor.said("/posts")
    assert labels(db) == []


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_a_form_leads_to_our_own_pages_only(visitor, mention, path):
    """Whatever stands in `next`."""
    answer = visitor.log_in().post("/label", mention=mention, polarity="neutral", next=path)
    assert answer.headers["location"] == "/"


def test_an_alert_is_explained_and_acknowledged(visitor, db, firing):
    """What, since when, and that somebody knows."""
    assert "Steuerberatung: net sentiment below -20" in visitor.said("/alerts")
    assert "Net sentiment is -40 (31 voices)." in visitor.said("/alerts")
    visitor.log_in().post("/alerts/acknowledge", alert=firing)
    assert "The alert is acknowledged." in visitor.said("/alerts")
    assert count(db, "SELECT acknowledged_at IS NOT NULL FROM alerts") == 1
    for wrong in ("8", "x", "", "9" * 40):
        visitor.post("/alerts/acknowledge", alert=wrong)
        assert "There is no such alert" in visitor.said("/alerts")


def test_a_silence_holds_until_somebody_ends_it(visitor, db):
    """For a service or for everything; with a reason and who it was."""
    visitor.log_in().post(
        "/alerts/silence", service="Arbeitsrecht", comment="strike <b>", **{"for": "2h"}
    )
    (row,) = rows(db, "SELECT * FROM alert_silences")
    assert row["service_id"] == 1
    assert row["comment"] == "strike <b> (anna)"
    until = datetime.fromisoformat(row["until_at"])
    assert timedelta(minutes=115) < until - datetime.now(UTC) <= timedelta(hours=2)
    assert "Arbeitsrecht until" in visitor.said("/alerts")
    assert "strike <b>" not in visitor.get("/alerts").text
    visitor.post("/alerts/unsilence", silence=str(row["id"]))
    assert "Nothing is silenced." in visitor.said("/alerts")
    visitor.post("/alerts/unsilence", silence=str(row["id"]))
    assert "over already" in visitor.said("/alerts")


@pytest.mark.parametrize(("fields", "said"), [
    ({"service": "Minnerecht", "for": "1d"}, "no service “Minnerecht”"),
    ({"service": "", "for": "9999w"}, "one of the lengths offered"),
    ({"service": ""}, "one of the lengths offered"),
])  # fmt: skip
def test_what_cannot_be_silenced_is_told(visitor, db, fields, said):
    """And nothing is written."""
    visitor.log_in().post("/alerts/silence", **fields)
    assert said in visitor.said("/alerts")
    assert count(db, "SELECT count(*) FROM alert_silences") == 0


def test_who_was_told_stands_beside_the_change(visitor, db, firing):
    """Delivered, or the error and that it will be tried again."""
    db.execute("INSERT INTO notifications (transition_id, receiver, status, attempts, last_error, "
               "next_attempt_at, created_at) VALUES (9, 'team', 'waiting', 2, 'it hung up', "
               "'2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')")  # fmt: skip
    said = visitor.said("/alerts")
    assert "team: waiting (tried 2 times, again " in said
    assert "it hung up" in said
