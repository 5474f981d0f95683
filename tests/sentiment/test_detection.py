"""The sequential test: what it finds, when, and what it leaves alone."""

import numpy as np
import pytest

from sentiment import detection
from sentiment.detection import Test as Settings
from sentiment.detection import Votes, calibrate, first_guess, plan, scores, watch, without_weekdays

MONDAY = 738_886  # an ordinal


def votes(values, a_day=4, first=MONDAY):
    values = np.asarray(values, dtype=float)
    at = np.arange(len(values)) * 86400.0 / a_day
    return Votes(at, first + (at // 86400).astype(np.int64), values)


def usual(n, seed=0, mean=0.3, deviation=0.6):
    return np.random.default_rng(seed).normal(mean, deviation, n)


def with_drop(before=360, during=60, after=0, by=0.6):
    values = usual(before + during + after)
    values[before : before + during] -= by
    return votes(values)


LEVEL = Settings(7.0)


def test_a_drop_is_found_soon_and_dated_to_its_beginning():
    """A drop by one standard deviation is found within two weeks; the onset is near the truth."""
    stream = with_drop()
    (episode,) = watch(stream, LEVEL).episodes
    began = float(stream.at[360])
    assert abs(episode.onset_at - began) < 3 * 86400
    assert began < episode.alarm_at < began + 14 * 86400
    assert episode.mean == pytest.approx(0.3, abs=0.1)


def test_a_rise_is_no_drop():
    """The test is one-sided."""
    assert watch(with_drop(by=-0.6), LEVEL).episodes == []


def test_a_drop_that_ends_is_over():
    """When the votes are as before, the drop ends as recovered, and its votes are no baseline."""
    seen = watch(with_drop(during=60, after=100), LEVEL)
    (episode,) = seen.episodes
    assert episode.ending == "recovered"
    assert seen.mean == pytest.approx(0.3, abs=0.15)


def test_a_drop_that_stays_becomes_the_usual_state():
    """After `accept_after` days the lower level is the baseline, and no alarm is raised again."""
    seen = watch(with_drop(during=600, by=1.0), LEVEL)
    (episode,) = seen.episodes
    assert episode.ending == "usual"
    assert episode.ended_at - episode.alarm_at == pytest.approx(60 * 86400, abs=86400)
    assert seen.mean == pytest.approx(-0.7, abs=0.15)


def test_nothing_is_said_without_a_baseline():
    """Nineteen votes are none."""
    assert watch(votes([0.5] * 10 + [-1.0] * 9), LEVEL).score == -np.inf


def test_evidence_before_the_start_does_not_count():
    """What lies before `start_at` is baseline only."""
    stream = with_drop(before=360, during=20)
    assert watch(stream, LEVEL).episodes
    assert not watch(stream, LEVEL, start_at=float(stream.at[-1]) + 1).episodes


def test_the_simulation_watches_as_the_worker_does():
    """The vectorised sums and the calendar's sums raise the same alarm."""
    n, window = 460, 360
    stream = with_drop(before=400)
    settings = Settings(7.0, baseline=90)
    at = [
        step
        for step, (score, _) in enumerate(scores(stream.value[None, :], window, settings))
        if score[0] >= settings.level
    ]
    (episode,) = watch(stream, settings, start_at=float(stream.at[window])).episodes
    assert float(stream.at[window + at[0]]) == episode.alarm_at
    assert n == len(stream)


def test_weekdays_are_removed_where_there_are_any():
    """A strong weekday effect goes; pure chance is left nearly as it is."""
    noise = usual(4 * 7 * 12)
    plain = votes(noise)
    weekly = votes(noise + np.repeat([0.4, 0.2, 0, 0, 0, -0.2, -0.4], 4).tolist() * 12)
    assert np.abs(without_weekdays(weekly).value - noise).mean() < 0.1
    assert np.abs(without_weekdays(plain).value - noise).mean() < 0.05


def test_a_drop_is_no_weekday():
    """Removing weekdays leaves a drop of the level as large as it was."""
    stream = with_drop(before=336, during=56, by=1.0)
    cleaned = without_weekdays(stream).value
    assert cleaned[:336].mean() - cleaned[336:].mean() == pytest.approx(
        stream.value[:336].mean() - stream.value[336:].mean(), abs=0.1
    )


def storm(times, a_day=20, days=40):
    """Days of so many voices, evenly spread; the last has `times` as many."""
    at = [day + np.arange(n) / n for day, n in enumerate([a_day] * (days - 1) + [times * a_day])]
    at = np.concatenate(at)
    return Votes(at * 86400, MONDAY + at.astype(np.int64), usual(len(at)))


def worth(stream):
    """Observations that the last day makes."""
    return int((detection.without_bursts(stream).day == stream.day[-1]).sum())


def test_a_storm_is_worth_few_independent_voices():
    """However many come for one reason, they count for about ten; their mean is what it was."""
    assert worth(storm(1)) == 20
    assert worth(storm(10)) < 20
    assert worth(storm(100)) <= worth(storm(10))
    calm, last = detection.without_bursts(storm(10)), storm(10)
    of_storm = calm.day == calm.day[-1]
    assert calm.value[of_storm].mean() == pytest.approx(
        last.value[last.day == last.day[-1]].mean(), abs=0.15
    )


def test_a_busy_day_within_chance_is_left_alone():
    """A day with a third more voices is no storm."""
    stream = storm(1.3)
    assert len(detection.without_bursts(stream)) == len(stream)


def test_a_storm_is_known_as_one_in_its_first_hours():
    """A day seen to the third hour counts no more than the same voices seen in the evening."""
    whole = storm(20)
    morning = whole.where(whole.at < whole.at[-1] // 86400 * 86400 + 3 * 3600)
    assert worth(morning) < 15
    assert worth(morning) <= worth(whole)


def test_the_threshold_is_the_same_for_the_same_votes():
    """Simulation is seeded."""
    stream = votes(usual(200, seed=1))
    assert calibrate(stream, 4.0) == calibrate(stream, 4.0)


def test_fewer_false_alarms_need_a_higher_threshold():
    """And a calibrated one lies near that of independent normal votes, when they are."""
    stream = votes(usual(360, seed=2))
    often, seldom = calibrate(stream, 8.0), calibrate(stream, 1.0)
    assert often.level < seldom.level
    assert seldom.level == pytest.approx(first_guess(stream, 1.0).level, abs=1.2)


def test_moods_that_last_raise_the_threshold():
    """Days that swing together are no evidence of a drop."""
    swings = np.repeat(np.random.default_rng(3).normal(0, 0.5, 45), 8)
    calm = votes(usual(360, seed=3))
    moody = votes(usual(360, seed=3) + swings)
    assert detection.moods(moody) @ detection.MOODS > 1.7 > detection.moods(calm) @ detection.MOODS
    assert calibrate(moody, 2.0).level > calibrate(calm, 2.0).level + 0.5


def test_moods_are_learnt_from_all_the_past():
    """A year of independent days lowers the threshold that a month of them leaves uncertain."""
    month, year = votes(usual(120, seed=6)), votes(usual(1440, seed=6))
    likely = detection.moods(month)[0], detection.moods(year)[0]
    assert likely[1] > likely[0] > detection.USUAL[0] - 0.1
    assert calibrate(month, 2.0, past=year).level < calibrate(month, 2.0).level


def test_a_level_that_shifts_slowly_is_no_mood():
    """Each quarter has a mean of its own."""
    drift = np.repeat([0.0, 0.4, -0.4, 0.2], 364)
    assert detection.moods(votes(usual(1456, seed=7) + drift))[0] > detection.USUAL[0]


def test_false_alarms_come_as_seldom_as_accepted():
    """One a year is accepted: independent streams raise between half and one and a half."""
    rng = np.random.default_rng(4)
    test = calibrate(votes(rng.normal(size=180), a_day=2), 1.0)
    streams = rng.normal(size=(300, 180 + 730))
    alarms = 0
    for score, anew in scores(streams, 180, test):
        anew[:] = score >= test.level
        alarms += int(anew.sum())
    assert 0.5 < alarms / 300 < 1.5


def test_busy_services_are_watched_in_bundles():
    """Two hundred votes a day make a hundred observations; a drop is found all the same."""
    stream = votes(np.concatenate([usual(18000), usual(600, seed=9) - 0.6]), a_day=200)
    settings = first_guess(stream, 1.0)
    assert settings.size == 2
    (episode,) = watch(stream, settings).episodes
    assert episode.alarm_at - float(stream.at[18000]) < 86400


def test_a_plan_says_what_to_expect():
    """Large drops are seen sooner than small ones, and more of them."""
    stream = votes(usual(360, seed=5))
    settings = calibrate(stream, 1.0)
    large, small = (plan(stream, settings, 1.0, drop) for drop in (0.6, 0.2))
    assert large.days_to_detect < small.days_to_detect
    assert large.detected >= small.detected > 0
    assert large.days_to_false_alarm == pytest.approx(365.25)


@pytest.mark.parametrize("values", [[0.9] * 100, [0.9] * 99 + [-0.9]])
def test_a_service_that_all_agree_on_does_not_alarm_at_the_first_other_opinion(values):
    """No variance is no certainty."""
    settings = calibrate(votes(values), 1.0)
    assert not watch(votes(values), settings).episodes
