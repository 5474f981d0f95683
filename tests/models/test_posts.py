"""Posts that were written for training: their form, and that nothing is trained on that is tested."""

import os
import re
from pathlib import Path

import pytest

from models.evaluation import behaviour
from models.training import posts
from models.training.data import UNKNOWN, Resembling, records
from tests.models.test_bundled import TWO_SERVICES


@pytest.fixture(scope="module")
def written():
    return posts.read()


def test_a_line_says_what_is_meant_of_each_service_and_of_the_whole():
    """Marks go out of the text and become the places of its targets; the emotion is the writer's."""
    found = posts.example("- anger: Der {Bus|-} kam nicht,\\nder Bus!", "posts_de")
    assert found.text == "Der Bus kam nicht,\nder Bus!"
    anger = (1, 0, 0, 0, 0, 0)
    assert [(r.spans, r.polarity, r.emotions) for r in found.readings] == [
        (((4, 7),), 0, anger),
        ((), 0, anger),
    ]


def test_a_mixed_post_is_read_by_its_services_alone():
    """`?` gives no reading of the whole, and nobody knows which service an emotion is about."""
    found = posts.example("? joy: {Arzt|+} gut, {Empfang|-} nicht, {Labor|0}", "posts_de")
    assert [(r.spans[0], r.polarity) for r in found.readings] == [
        ((0, 4), 2),
        ((10, 17), 0),
        ((25, 30), 1),
    ]
    assert all(set(r.emotions) == {UNKNOWN} for r in found.readings)


def test_a_service_named_twice_is_one_target():
    """Its places are read together, whatever their case."""
    found = posts.example("- .: {Bahn|-} weg. #{bahn|-}", "posts_de")
    assert found.readings[0].spans == ((0, 4), (11, 15))


def test_an_opinion_without_a_named_emotion_may_have_one():
    """A point says "none" of a neutral post, and nothing of the others."""
    assert set(posts.emotions_of("0", ".")) == {0}
    assert set(posts.emotions_of("-", ".")) == {UNKNOWN}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x .: Bus", "write a sign"),
        ("- hunger: Bus", "hunger: expected some of anger"),
        ("- .: Der {Bus|schlecht}", "marked as"),
        ("? .: Der Bus", "which service"),
    ],
)
def test_a_line_of_another_form_is_refused_with_its_place(tmp_path, line, says):
    """File and line are named."""
    (tmp_path / "de-x.txt").write_text(f"# heading\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"de-x.txt, line 2: .*{says}"):
        posts.read(tmp_path)


def test_every_post_that_is_shipped_is_read(written):
    """All lines have the form; every set has posts of every polarity, for training and dev."""
    for sets in written:
        assert set(sets) == {"posts_de", "posts_en", "transport_de", "reviews_de"}
        for name in sets:
            assert {r.polarity for e in sets[name] for r in e.readings} == {0, 1, 2}
    marked = [e for e in written[0]["posts_de"] for r in e.readings if r.spans]
    assert len(marked) > 1000


def test_dev_posts_are_not_trained_on(written):
    """A post is for one or the other."""
    train, dev = ({e.text for found in sets.values() for e in found} for sets in written)
    assert not train & dev


def test_no_post_resembles_what_a_test_or_the_readme_asks(written):
    """What a capability is tested by, and what we promise, was not learnt by heart."""
    promised = [text for text, *_ in TWO_SERVICES]
    tested = Resembling([*promised, *(case.passage.text for case in behaviour.cases())])
    assert [e.text for sets in written for v in sets.values() for e in v if e.text in tested] == []


def runs(text: str, words: int = 9) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return {tuple(found[i : i + words]) for i in range(len(found) - words + 1)}


@pytest.mark.skipif("SENTIMENT_DATA" not in os.environ, reason="needs the shared data sets")
def test_no_post_repeats_a_shared_text(written):
    """Not even nine words in a row: the posts are ours, the sets' texts stay out."""
    ours = {
        run: e.text for sets in written for v in sets.values() for e in v for run in runs(e.text)
    }
    for path in sorted(Path(os.environ["SENTIMENT_DATA"]).glob("*/*.jsonl.gz")):
        for record in records(path):
            repeated = [ours[run] for run in runs(record.get("text") or "") if run in ours]
            assert repeated == [], path
