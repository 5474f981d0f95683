"""What becomes of alerts when the ground beneath them changes: settings, portfolio, rows, clocks."""

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from sentiment import drop, message
from sentiment.alert import acknowledge, alert, due, plan, silence
from sentiment.backtest import backtest
from sentiment.database import agree, get_state, rows, set_state, timestamp
from sentiment.decision import Evidence
from sentiment.message import explained
from sentiment.notify import TRANSITIONS, notify
from sentiment.reasons import why
from sentiment.rollup import rollup
from tests.sentiment.firm import FIRM, firm
from tests.sentiment.test_alert import answers, firing, reason, states
from tests.sentiment.test_notify import Inbox, receiver
from tests.sentiment.voices import MODEL, SOUR, START, all_read, live, say

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


pytestmark = pytest.mark.usefixtures("few_streams")


@pytest.fixture
def crowded(config, db):
    """Sixty usual days, then two with ten times the voices; the volume is told."""
    live(db, 0, 60)
    now = live(db, 60, 2, a_day=30)
    alert(config, db, now=now)
    assert firing(db, "volume") == [""]
    return now


def later(db, now, days=2):
    """All sources were read again some days later."""
    all_read(db, now + days * DAY)
    return now + days * DAY


# -- what is no longer watched ---------------------------------------------------------------------


@pytest.mark.parametrize("changes", [
    {"services": FIRM["services"][1:]},
    {"alerts": {"services": [{"service": "Arbeitsrecht", "enabled": False}]}},
], ids=["removed", "switched off"])  # fmt: skip
def test_an_alert_on_a_service_that_is_no_longer_watched_ends(tmp_path, db, soured, changes):
    """It says so, and nobody is reminded of it for ever."""
    config = firm(tmp_path, **changes)
    agree(db, config)
    now = later(db, soured, 8)
    alert(config, db, now=now)
    assert firing(db, "drop") == []
    assert reason(db, "resolved") == "it is no longer watched"
    alert(config, db, now=later(db, now, 8))
    assert states(db) == ["pending", "firing", "resolved", "ok"]


@pytest.mark.parametrize("rule", ["volume", "survey", "source"])
def test_an_alert_of_a_rule_that_was_switched_off_ends(tmp_path, config, db, crowded, rule):
    """No rule is left that could say that it is over."""
    answers(db, crowded, 9, 40, ago=60)
    answers(db, crowded, 5, 40, ago=5)
    db.execute("UPDATE sources SET disabled = 1 WHERE id = 2")
    for minutes in (0, 11):
        alert(config, db, now=crowded + minutes * MINUTE)
    assert firing(db, rule)
    off = firm(tmp_path, alerts={rule: {"enabled": False}})
    alert(off, db, now=later(db, crowded))
    assert firing(db, rule) == []


def test_an_alert_of_a_source_that_was_removed_ends(tmp_path, config, db):
    """So does one of a customer class that is no longer watched."""
    now = live(db, 0, 2)
    answers(db, now, 9, 40, ago=60)
    answers(db, now, 5, 40, ago=5)
    db.execute("UPDATE sources SET disabled = 1 WHERE id = 2")
    for minutes in (0, 11):
        alert(config, db, now=now + minutes * MINUTE)
    assert (firing(db, "source"), firing(db, "survey")) == (["reviews"], ["nps", "nps A"])
    fewer = firm(tmp_path, sources=FIRM["sources"][:1], alerts={"survey": {"segments": []}})
    agree(db, fewer)
    alert(fewer, db, now=later(db, now))
    assert (firing(db, "source"), firing(db, "survey")) == ([], ["nps"])


def test_what_was_not_looked_at_in_a_pass_that_was_cut_short_goes_on(config, db, soured):
    """A worker that is told to stop ends no alert."""
    alert(config, db, now=soured + MINUTE, stopping=lambda: True)
    assert firing(db, "drop") == [""]


# -- data that vanish ------------------------------------------------------------------------------


def test_an_alert_whose_posts_are_gone_ends(config, db, soured):
    """The portfolio was mended and most posts mean something else: nothing is left of the drop."""
    db.execute("DELETE FROM mentions WHERE id > 10")
    db.execute("UPDATE posts SET matched_by = 'r'")
    rollup(db)
    alert(config, db, now=soured + MINUTE)
    assert reason(db, "resolved").startswith("seen again")


def test_a_plain_alert_without_data_ends_when_a_drop_would_be_usual(tmp_path, db):
    """A storm on a quiet service was told; so few write afterwards that no figure can end it."""
    config = firm(tmp_path, alerts={"threshold": {"below": 60}})
    now = live(db, 0, 50)
    alert(config, db, now=now)
    assert firing(db, "threshold") == [""]
    alert(config, db, now=later(db, now, 20))
    assert firing(db, "threshold") == [""]
    alert(config, db, now=later(db, now, 61))
    assert firing(db, "threshold") == []
    assert reason(db, "resolved", "threshold") == "fewer than 20 authors in 14 days"
    (row,) = rows(db, "SELECT json_extract(detail, '$.below') AS below FROM alert_transitions "
                  "WHERE to_state = 'resolved'")  # fmt: skip
    assert row["below"] == 60  # the message names the figure


def test_a_drop_of_which_few_speak_goes_on(tmp_path, db, few_streams):
    """What it is measured against stands still, however few have spoken since."""
    config = firm(tmp_path, alerts={"baseline": "30d"})
    live(db, 0, 100)
    alert(config, db, now=live(db, 100, 7, SOUR))
    assert firing(db, "drop") == [""]
    alert(config, db, now=live(db, 145, 1, SOUR, a_day=1))
    assert firing(db, "drop") == [""]


def test_a_drop_that_nobody_speaks_of_any_more_ends(config, db, soured):
    """Sixty days without a voice: neither a recovery nor the usual, and no reminder for ever."""
    alert(config, db, now=later(db, soured, 30))
    assert firing(db, "drop") == [""]
    now = later(db, soured, 70)
    alert(config, db, now=now)
    assert reason(db, "resolved").startswith("nobody has spoken of it")
    for days in (2, 9):
        alert(config, db, now=later(db, now, days))
    assert firing(db, "drop") == []


def test_an_import_of_what_ended_in_a_drop_long_ago_raises_nothing(config, db):
    """The last voices of an old file were bad; that is no news."""
    live(db, 0, 100)
    now = later(db, live(db, 100, 7, SOUR), 100)
    alert(config, db, now=now)
    assert "firing" not in states(db)


# -- people ----------------------------------------------------------------------------------------


def test_what_fired_in_a_silence_is_told_when_the_silence_ends(tmp_path, db, soured):
    """Two hours of silence must not cost the week until the next reminder."""
    config, inbox = firm(tmp_path, receivers=[receiver()]), Inbox()
    silence(db, "Arbeitsrecht", soured + 2 * HOUR, "", soured)
    for minutes in (1, 60, 125, 130, 500):
        now = soured + minutes * MINUTE
        all_read(db, now)
        alert(config, db, now=now)
        notify(config, db, now=now, send=inbox)
        assert len(inbox.got) == (minutes > 120)
    assert "weiterhin" in inbox.got[0][2]


def test_what_is_acknowledged_stays_quiet_when_a_silence_ends(tmp_path, db, soured):
    """Somebody knows."""
    config, inbox = firm(tmp_path, receivers=[receiver()]), Inbox()
    silence(db, "Arbeitsrecht", soured + 2 * HOUR, "", soured)
    notify(config, db, now=soured + MINUTE, send=inbox)
    (row,) = rows(db, "SELECT id FROM alerts WHERE state = 'firing'")
    acknowledge(db, row["id"], soured)
    alert(config, db, now=soured + 3 * HOUR)
    notify(config, db, now=soured + 3 * HOUR, send=inbox)
    assert inbox.got == []


def test_a_reminder_gives_the_figures_of_its_day(config, db, soured):
    """A week later more people have spoken; the message does not repeat last week's numbers."""
    now = live(db, 107, 8, SOUR)
    alert(config, db, now=now)
    first, again = (
        json.loads(row["detail"])
        for row in rows(
            db, "SELECT detail FROM alert_transitions WHERE to_state = 'firing' ORDER BY id"
        )
    )
    assert again["authors"] >= first["authors"] + 20


def test_a_suspicion_of_a_drop_ends_no_other_alert(config, db, crowded, monkeypatch):
    """What nobody has been told cannot have said it already."""
    now = later(db, crowded, 1)
    db.execute("UPDATE alerts SET state = 'pending' WHERE rule = 'drop' AND service_id = 1")
    hint = Evidence("suspected", why("suspected"))
    monkeypatch.setattr(drop, "evidence", lambda *_args, **_more: hint)
    alert(config, db, now=crowded + MINUTE)
    db.execute("UPDATE alerts SET since_at = ? WHERE rule = 'volume'", [timestamp(now - 9 * DAY)])
    alert(config, db, now=crowded + 2 * MINUTE)
    assert firing(db, "volume") == [""]


# -- trying out ------------------------------------------------------------------------------------


def test_trying_out_leaves_a_firing_alert_its_level(tmp_path, config, db, soured):
    """Neither plan nor backtest writes, in another week and with other settings either."""
    before = get_state(db, "alert level 1")
    now = later(db, soured, 8)
    plan(config, db, now, 40)
    backtest(config, db, now)
    backtest(firm(tmp_path, alerts={"false_alarms_per_year": 12}), db, now)
    assert get_state(db, "alert level 1") == before


# -- clocks ----------------------------------------------------------------------------------------


def test_a_clock_that_was_ahead_stops_nothing(config, db, crowded):
    """A pass in the wrong year; the next ones go on at the right time."""
    set_state(db, "alerts checked", timestamp(crowded + 365 * DAY))
    assert due(db, crowded)
    db.execute("UPDATE alerts SET since_at = ?", [timestamp(crowded + 365 * DAY)])
    alert(config, db, now=later(db, crowded, 4))
    assert firing(db, "volume") == []


def test_a_message_that_was_put_off_by_a_wrong_clock_is_sent(tmp_path, db, soured):
    """An attempt that is due in a year was planned in the wrong one."""
    config = firm(tmp_path, receivers=[receiver()])
    notify(config, db, now=soured, send=Inbox(fail=1))
    db.execute("UPDATE notifications SET next_attempt_at = ?", [timestamp(soured + 365 * DAY)])
    inbox = Inbox()
    notify(config, db, now=soured + HOUR, send=inbox)
    assert len(inbox.got) == 1


def test_a_source_that_is_never_read_holds_alerts_up_for_a_day(config, db):
    """A first reading that hangs must not silence everything for good."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    db.execute("UPDATE sources SET last_attempt_at = NULL, last_success_at = NULL WHERE id = 2")
    for hours, expected in ((0, []), (23, []), (25, [""])):
        db.execute("UPDATE sources SET last_success_at = ? WHERE id = 1",
                   [timestamp(now + hours * HOUR)])  # fmt: skip
        alert(config, db, now=now + hours * HOUR)
        assert firing(db, "drop") == expected


def test_a_post_that_is_ahead_of_the_clock_is_heard_when_it_is_so_late(config, db):
    """Some sources give times that are still to come; nothing else changes in between."""
    live(db, 0, 30)
    noon = START + 30 * DAY
    say(db, noon + HOUR, -1)
    rollup(db)
    heard = [
        len(drop.assess_once(db, config, 1, MODEL, noon + hours * HOUR).heard.votes)
        for hours in (0, 2)
    ]
    assert heard[1] == heard[0] + 1


def test_the_reason_names_the_day_of_the_configured_zone(tmp_path, db):
    """A drop that begins at one in the morning in Berlin begins on that day, not the one before."""
    config = firm(tmp_path)
    assert config.timezone == "Europe/Berlin"
    began = START.replace(month=7, hour=23)
    episode = drop.Episode(began.timestamp(), began.timestamp(), 0.5, 0.4, 90, 0.0)
    votes = drop.Votes(*(drop.np.array([value]) for value in (began.timestamp(), 1, -0.5)))
    assert drop.fell(episode, votes, config).values["since"] == "2026-07-06"


# -- sources ---------------------------------------------------------------------------------------


def test_a_source_that_was_added_is_no_rush(config, db):
    """Its voices were there before; only nobody read them."""
    live(db, 0, 60)
    live(db, 58, 4, a_day=30, source=2)
    alert(config, db, now=live(db, 60, 2))
    assert firing(db, "volume") == []


def test_a_source_that_was_added_is_no_drop(config, db):
    """Where people write elsewhere, too, and more harshly, nobody has changed their mind."""
    live(db, 0, 100)
    live(db, 100, 7, SOUR, a_day=6, source=2)
    now = live(db, 100, 7)
    alert(config, db, now=now)
    assert firing(db, "drop") == firing(db, "emotion") == []
    assert reason(db, "no-data") == "nothing fell but by sources that came or went: reviews"


def test_those_who_were_there_before_are_heard_beside_a_source_that_was_added(config, db):
    """Their own drop fires, and is told by their posts alone."""
    live(db, 0, 100)
    live(db, 100, 7, source=2)
    now = live(db, 100, 7, SOUR, seed=1)
    alert(config, db, now=now)
    assert firing(db, "drop") == [""]


def test_a_source_that_was_there_before_is_heard_about_a_service_for_the_first_time(config, db):
    """It was read all the time; that it speaks of this service now, and how, is news."""
    live(db, 0, 100)
    live(db, 0, 100, source=2, service=2)
    live(db, 100, 7, SOUR, a_day=6, source=2)
    now = live(db, 100, 7)
    alert(config, db, now=now)
    assert firing(db, "drop") == [""]


@pytest.mark.parametrize(("active", "fires"), [(1, [""]), (0, [])], ids=["silent", "removed"])
def test_a_source_that_was_removed_is_no_drop(config, db, active, fires):
    """Those who are left say what they always said; why one that is read falls silent is news."""
    live(db, 0, 100, (0.0, 0.1, 0.9), a_day=6, source=2)
    live(db, 0, 100, (0.6, 0.2, 0.2))
    now = live(db, 100, 12, (0.6, 0.2, 0.2))
    db.execute("UPDATE sources SET active = ? WHERE id = 2", [active])
    alert(config, db, now=now)
    assert firing(db, "drop") == fires


@pytest.mark.parametrize(("urls", "threads"), [
    (["https://news.example/item?id=1", "https://news.example/item?id=2"], 2),
    (["https://v.example/watch?v=a&lc=1", "https://v.example/watch?v=a&lc=2"], 1),
    (["https://forum.example/t/7#p1", "https://forum.example/t/7#p2"], 1),
], ids=["ids", "comments", "posts"])  # fmt: skip
def test_a_thread_is_a_page(config, db, urls, threads):
    """Not the whole of a site whose pages differ only in what follows the question mark."""
    for number, url in enumerate(urls):
        say(db, START + number * HOUR, -1, url=url)
    found = drop.heard(db, config.alerts, 1, MODEL, START + DAY)
    assert len(set(found.thread)) == threads


# -- settings that cannot work ---------------------------------------------------------------------


@pytest.mark.parametrize(("alerts", "said"), [
    ({"volume": {"window": "12h"}}, "whole days"),
    ({"threshold": {"window": "36h"}}, "whole days"),
    ({"emotion": {"window": "0d"}}, "whole days"),
    ({"accept_after": "0d"}, "whole days"),
    ({"repeat": "0m"}, "1h"),
])  # fmt: skip
def test_a_setting_of_the_alerts_that_cannot_work_is_refused(tmp_path, alerts, said):
    """Windows are counted in whole days; a reminder each minute is none."""
    with pytest.raises(ValidationError) as caught:
        firm(tmp_path, alerts=alerts)
    assert said in str(caught.value)


def test_messages_that_would_expire_in_the_quiet_hours_are_refused(tmp_path):
    """Whoever is told from half past seven on must not have it given up at midnight."""
    night = {"quiet_hours": "20:00-07:30"}
    with pytest.raises(ValidationError) as caught:
        firm(tmp_path, receivers=[receiver(expires_after="6h", **night)])
    assert "expires_after" in str(caught.value)
    assert firm(tmp_path, receivers=[receiver(expires_after="13h", **night)])


# -- words -----------------------------------------------------------------------------------------


def told_of(db, rule, language):
    """Title and paragraphs of the last time that it fired."""
    where = "WHERE t.to_state = 'firing' AND a.rule = ? ORDER BY t.id DESC LIMIT 1"
    (row,) = rows(db, f"{TRANSITIONS} {where}", rule)
    return explained(db, row, language, START)


def test_a_message_gives_the_figures_of_the_pages(config, db, soured):
    """What it calls net sentiment is what the view has for these days."""
    (row,) = rows(db, "SELECT detail FROM alert_transitions WHERE to_state = 'firing'")
    since = json.loads(row["detail"])["since"]
    (figure,) = rows(
        db,
        "SELECT 100.0 * (sum(positive) - sum(negative)) / sum(authors) AS net, "
        "sum(authors) AS authors FROM service_daily "
        "WHERE service = 'Arbeitsrecht' AND day >= ?",
        since,
    )
    _, paragraphs = told_of(db, "drop", "en")
    assert f" to {figure['net']:+.0f} (95 %" in paragraphs[0]
    assert f" {figure['authors']} voices" in paragraphs[0]


def test_an_only_source_is_not_said_to_be_the_cause(config, db, soured):
    """Without the only source there is nothing at all; that says nothing about it."""
    _, paragraphs = told_of(db, "drop", "de")
    (without,) = [text for text in paragraphs if text.startswith("Es wäre")]
    assert (
        without
        == "Es wäre auch ohne die lauteste Stimme und ohne die lauteste Diskussion eine Meldung."
    )


@pytest.mark.parametrize(("years", "span"), [
    (0.003, "2 Tage"), (0.08, "29 Tage"), (0.5, "6 Monate"), (2, "2 Jahre"), (2.5, "2,5 Jahre"),
    (41.7, "42 Jahre"),
])  # fmt: skip
def test_how_seldom_chance_does_so_is_told_in_a_unit_that_fits(years, span):
    """Never "every 0.0 years"."""
    assert message._span(years, message.WORDS["de"]) == span


def test_german_figures_have_a_comma(config, db, crowded):
    """And two days are two days."""
    _, (said, *_) = told_of(db, "volume", "de")
    assert said == "60 Stimmen in 2 Tagen; üblich sind 6,0."


def test_a_customer_class_is_named_as_one(tmp_path, db):
    """Not "NPS PRIVAT"; and NPS has no decimals."""
    config = firm(tmp_path, alerts={"survey": {"segments": ["Privat"]}})
    now = live(db, 0, 2)
    answers(db, now, 9, 40, ago=60)
    answers(db, now, 5, 40, ago=5)
    db.execute("UPDATE survey_responses SET segment = 'Privat', service_id = NULL")
    alert(config, db, now=now)
    assert told_of(db, "survey", "de") == (
        "NPS der Kundenklasse Privat sinkt",
        ["Von +100 auf -100 (40 Antworten)."],
    )


def test_posts_that_mean_something_else_now_are_not_shown(config, db, soured):
    """The number of a mention that is gone is given to the next one, about another service."""
    (row,) = rows(db, f"{TRANSITIONS} WHERE t.to_state = 'firing'")
    gone, *kept = message.weightiest(db, row)
    db.execute("UPDATE mentions SET service_id = 2 WHERE id = ?", [gone])
    assert message.weightiest(db, row) == kept
    title, body = message._part(db, row, "de", soured)
    assert "Arbeitsrecht" in title
    assert f"Wortlaut {gone}“" not in body
    assert f"„Wortlaut {kept[0]}“" in body
