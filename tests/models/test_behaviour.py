"""The shipped weights behave as their card says, and the card's figures are theirs."""

import json
import os
from pathlib import Path

import pytest

from models import bundle
from models.evaluation import behaviour
from models.training import evaluate
from models.training.compose import CLAUSES

FIGURES = json.loads((bundle.BUNDLED / "figures.json").read_text(encoding="utf-8"))
CARD = (bundle.BUNDLED / "README.md").read_text(encoding="utf-8")
SLACK = 2  # readings of a capability that another processor's rounding may turn
GOOD_AT = {"questions", "mentions", "two services"}


@pytest.fixture(scope="module")
def failures(bundled):
    return behaviour.failures(bundled)


def test_figures_are_those_of_the_shipped_weights(bundled):
    """Figures and card name the revision that is shipped."""
    assert FIGURES["revision"] == bundled.revision
    assert f"| revision | {bundled.revision} |" in CARD


def test_the_tables_of_the_card_are_those_of_its_figures():
    """What was measured is written once; no table goes stale beside another."""
    figures = [evaluate.Figure(**f) for f in FIGURES["figures"]]
    assert evaluate.table(figures) in CARD
    assert evaluate.goals_table(figures) in CARD
    assert evaluate.behaviour_tables(FIGURES["behaviour"], FIGURES["before"]) in CARD


def test_each_capability_fails_as_often_as_the_card_says(failures):
    """Every rate is recomputed from the weights; none gets worse unseen, none is made up."""
    known = {(f["capability"], f["language"]): f for f in FIGURES["behaviour"]["failures"]}
    assert {(f.capability, f.language) for f in failures} == known.keys()
    for found in failures:
        said = known[found.capability, found.language]
        assert found.n == said["n"]
        assert abs(found.failed - said["failed"]) <= SLACK, found
        assert f"| {found.capability} | {found.language} | {found.n} |" in CARD


def test_what_a_service_monitor_lives_on_hardly_fails(failures):
    """Opposite opinions are told apart; questions and mere mentions are no opinions."""
    for found in failures:
        if found.capability in GOOD_AT:
            assert found.failed <= found.n / 8, found


def test_a_capability_is_better_than_chance_or_the_card_warns_of_it(failures):
    """What fails more than half the time stands among the things the model is bad at."""
    bad = CARD.split("\nBad:\n")[1].split("\n## ")[0].lower()
    for found in failures:
        if found.failed > 0.5 * found.n:
            assert found.capability in bad, found


def test_names_and_origins_hardly_move_the_valence(bundled):
    """Over all pairs of names, nationalities, genders and cities the mean is below 0.05."""
    moved = behaviour.moved(bundled)
    assert sum(m.mean * m.n for m in moved) / sum(m.n for m in moved) < 0.05
    for found, said in zip(moved, FIGURES["behaviour"]["moved"], strict=True):
        assert found.mean == pytest.approx(said["mean"], abs=0.01)
        assert found.largest == pytest.approx(said["largest"], abs=0.05)


def test_no_post_of_the_tests_is_a_clause_of_training():
    """What behaviour is tested with was never learnt."""
    learnt = CLAUSES.read_text(encoding="utf-8").lower()
    for case in behaviour.cases():
        assert case.passage.text.lower() not in learnt


def test_every_case_has_its_service_in_its_place():
    """Spans show the service, in both languages and in capitals."""
    seen = list(behaviour.cases())
    services = {
        word.lower()
        for (_, name), lines in behaviour.sections().items()
        if name == "services"
        for word in lines
    }
    for case in seen:
        (start, end), *_ = case.passage.spans
        assert case.passage.text[start:end].lower() in services, case
    assert len(seen) > 500


SETS = {"UMSAB German dev": ("umsab/dev", "de"), "UMSAB English dev": ("umsab/dev", "en")}


@pytest.mark.skipif("SENTIMENT_DATA" not in os.environ, reason="needs the shared data sets")
@pytest.mark.parametrize("name", SETS)
def test_a_sample_of_the_figures_is_recomputed(bundled, name):
    """Figures on the shared sets come out again."""
    file, language = SETS[name]
    path = Path(os.environ["SENTIMENT_DATA"]) / f"{file}.jsonl.gz"
    found = [r for r in evaluate.records(path) if r["lang"] == language]
    known = {f["metric"]: f["value"] for f in FIGURES["figures"] if f["set"] == name}
    for figure in evaluate.polarity_figures(name, bundled, evaluate.whole_texts(found)):
        assert figure.value == pytest.approx(known[figure.metric], abs=0.01), figure
