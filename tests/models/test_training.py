"""How the bundled model is made, on data made for the test."""

import random
import re
import struct
from difflib import SequenceMatcher

import numpy as np
import pytest
import torch  # noqa: TID253
from tokenizers import Tokenizer, models, pre_tokenizers

from models.evaluation import behaviour
from models.training import (
    base,
    calibrate,
    compose,
    data,
    evaluate,
    heads,
    loop,
    soup,
    vocabulary,
)
from models.training.data import Example, Reading, Resembling
from models.training.network import Network

# ---- data


def test_a_text_resembles_one_with_the_same_start_or_most_of_its_words():
    """Near-duplicates are found whatever their handles, links, case and endings."""
    known = Resembling(
        [
            "Die Bahn kommt heute wieder einmal viel zu spät und keiner sagt etwas",
            "ein kleiner grüner Kaktus steht draußen am Balkon",
        ]
    )
    assert "@bahn DIE BAHN kommt heute wieder einmal pünktlich http://t.co/x" in known
    assert "grüner kleiner Kaktus steht draußen am Balkon, ein" in known
    assert "ein kleiner roter Kaktus liegt drinnen im Schrank" not in known
    assert "Danke!" not in known


def test_emotions_that_contradict_each_other_say_no_polarity():
    """Joy alone is positive, anger alone negative, both are neither, none is neutral."""

    def polarity(*labels: str) -> int:
        record = {"text": "x", "labels": {"emotions": list(labels)}}
        return data.emotional(record, "brighter_de").readings[0].polarity

    assert [polarity("joy"), polarity("anger"), polarity("joy", "anger"), polarity()] == [
        2,
        0,
        -1,
        1,
    ]


def test_targets_keep_their_places():
    """An aspect becomes a reading of its place; the tweet's own polarity one of the whole."""
    record = {
        "text": "Lift kaputt",
        "labels": {
            "sentiment": "negative",
            "aspects": [{"polarity": "negative", "from": 0, "to": 4}],
        },
    }
    found = data.aspects(record, "mobasa").readings
    assert [(r.spans, r.polarity) for r in found] == [(((0, 4),), 0), ((), 0)]


# ---- posts put together


@pytest.fixture(scope="module")
def banks():
    return compose.banks()


def test_posts_know_where_they_name_their_services(banks):
    """Every target of a made post is the name of a service, and every clause has its label."""
    rng = random.Random(0)
    for bank in [*banks[0], *banks[1]]:
        names = {name.text.lower() for name in bank.names}
        for _ in range(300):
            made = compose.from_clauses(bank, rng)
            for reading in made.readings:
                assert 0 <= reading.polarity <= 2
                assert "{" not in made.text
                for start, end in reading.spans:
                    assert nearly(made.text[start:end], names), made.text


def nearly(word: str, names: set[str]) -> bool:
    """Whether a word is one of the names, up to a few letters changed or swapped for practice."""
    return any(
        len(word) == len(name) and SequenceMatcher(None, word.lower(), name).ratio() > 0.7
        for name in names
    )


def test_slips_of_the_pen_move_no_letter_far():
    """A misspelt text is as long as the text, so its targets stay where they are."""
    rng = random.Random(0)
    text = "Die Büroräume der Steuerberatung gefielen mir außerordentlich gut."
    written = [compose.misspelt(text, rng) for _ in range(100)]
    assert len(set(written) - {text}) > 50
    for slipped in written:
        assert len(slipped) == len(text)
        # of each of up to three slips, two letters at most stand elsewhere or are others
        assert sum(a != b for a, b in zip(slipped, text, strict=True)) <= 6


def test_a_long_post_of_one_mood_has_that_mood():
    """What each of its texts says is what the whole says, and each of them is in it."""
    parts = [Example(f"Text {n}.", "sb10k", (data.Reading((), 1),)) for n in range(3)]
    made = compose.long(parts, 1, "de", random.Random(0))
    assert [reading.polarity for reading in made.readings] == [1]
    assert all(part.text in made.text for part in parts)
    assert made.source == "long_de"


def test_dev_shares_no_clause_and_no_name_with_training(banks):
    """What dev measures was never trained on."""
    for train, dev in zip(*banks, strict=True):
        assert not set(train.clauses) & set(dev.clauses)
        assert not set(train.names) & set(dev.names)
        assert len(dev.clauses) > 10


def test_the_sentence_we_promise_is_not_trained_on():
    """The README's example is understood, not learnt by heart."""
    text = compose.CLAUSES.read_text(encoding="utf-8").lower()
    assert "war top" not in text
    assert "niemand gemeldet" not in text


def test_german_word_order_follows_the_connector():
    """A clause turns round behind an adverb and sends its verb to the end behind `während`."""
    clause = compose.clause("{nom} | war | wirklich gut", (2,))
    assert compose.ordered(clause, "start") == "{Nom} war wirklich gut"
    assert compose.ordered(clause, "inverted") == "war {nom} wirklich gut"
    assert compose.ordered(clause, "last") == "{nom} wirklich gut war"


def test_splicing_moves_the_targets_of_both_posts():
    """In a spliced post each target is still found at its place."""
    first = Example("  Der Bus war pünktlich.", "mobasa", (Reading(((6, 9),), 2),))
    second = Example("Die Rolltreppe steht.", "mobasa", (Reading(((4, 14),), 0), Reading((), 0)))
    made = compose.splice(first, second, random.Random(1))
    assert [made.text[a:b] for r in made.readings for a, b in r.spans] == ["Bus", "Rolltreppe"]


# ---- base, losses, calibration


def test_q4_blocks_hold_low_nibbles_first():
    """A block is a scale and sixteen bytes: low nibbles are weights 0-15, high ones 16-31."""
    block = struct.pack("<e", 0.5) + bytes([0x80 | j for j in range(16)])
    expected = [(j - 8) * 0.5 for j in range(16)] + [0.0] * 16
    assert base.q4(block).ravel().tolist() == expected


def test_priors_count_only_what_is_labelled():
    """A label that is not known counts neither as yes nor as no; targets have their own."""
    unknown = (-1,) * 6
    readings = [
        Reading((), 0, unknown, (1, *(-1,) * 27)),
        Reading((), 0, unknown, (0, *(-1,) * 27)),
        Reading(((0, 1),), 2),
    ]
    found = loop.prior("s", readings)
    assert (found.whole.exp() / 3).tolist() == pytest.approx([3 / 5, 1 / 5, 1 / 5])
    assert (found.target.exp() / 3).tolist() == pytest.approx([1 / 4, 1 / 4, 1 / 2])
    assert found.emotion[6].sigmoid().item() == pytest.approx(0.5)


def test_raw_logits_stand_for_the_shares_expected():
    """Where a set's own shares are those expected, it adds nothing to the logits."""
    (shares,) = [loop.EXPECTED["mobasa", True]]
    readings = [Reading(((0, 1),), k) for k in range(3) for _ in range(round(1000 * shares[k]))]
    found = loop.prior("mobasa", readings)
    assert found.target.tolist() == pytest.approx([0, 0, 0], abs=0.01)


def test_the_rate_rises_and_falls_twice():
    """Once for the short run, once for the long one; a trained network has no short run."""
    for short, expected in ((loop.SHORT, 2), (0.0, 1)):
        rates = [loop.rate(k / 1000, short) for k in range(1001)]
        peaks = [k for k in range(1, 1000) if rates[k - 1] < rates[k] > rates[k + 1]]
        assert len(peaks) == expected
        assert max(rates) <= 1
        assert rates[-1] == 0.02


def test_a_threshold_is_where_f1_is_best():
    """Two labels that are told apart at different logits get different thresholds."""
    logits = torch.tensor([[-2.0, 1.0], [-1.0, 2.0], [0.0, 3.0], [1.0, 3.5]])
    truth = torch.tensor([[0, 0], [1, 0], [1, 1], [1, 1]])
    first, second = calibrate.thresholds([(logits, truth)])
    assert -2 < first <= -1
    assert 2 < second <= 3


def test_a_large_set_says_more_about_a_threshold_than_a_small_one():
    """Two sets that want another threshold each: it is that of the one with four times the texts."""
    at = torch.tensor([[-2.0], [0.0], [0.0], [0.0], [2.0]])
    high = (at.repeat(40, 1), (at > 1).long().repeat(40, 1))
    low = (at.repeat(10, 1), (at > -1).long().repeat(10, 1))
    low[0][4::5] = 0  # nothing lies beyond
    assert calibrate.thresholds([high, low])[0] > 0
    assert calibrate.thresholds([high, low, low, low])[0] < 0


def test_the_temperature_cools_what_is_too_sure():
    """Logits that are right three times in four deserve odds of three to one."""
    logits = torch.tensor([[5.0, 0.0]] * 4)
    wanted = torch.tensor([0, 0, 0, 1])
    found = calibrate.polarity_temperature(logits, wanted, torch.ones(4))
    assert 5 / found == pytest.approx(np.log(3), rel=0.35)


def test_posts_that_were_made_say_nothing_of_how_sure_to_be():
    """They are surer to be read than anybody's: the temperature is that of real sets."""

    def read(sure: float) -> calibrate.Predicted:
        labels = [k % 3 for k in range(120)]
        logits = torch.zeros(120, 3)
        logits[range(120), [k if i % 4 else (k + 1) % 3 for i, k in enumerate(labels)]] = sure
        known = [Reading((), k, (k % 2,) * 6, (k % 2,) * 28) for k in labels]
        return calibrate.Predicted(logits, torch.randn(120, 34), known)

    torch.manual_seed(0)
    real = {"goemotions": read(4.0)}
    found = calibrate.calibrate(real).polarity_temperature
    assert calibrate.calibrate(real | {"posts_de": read(0.5)}).polarity_temperature == found
    assert calibrate.calibrate(real | {"sb10k": read(0.5)}).polarity_temperature != found


# ---- the run


@pytest.fixture
def small():
    """A tiny random encoder, a word tokenizer, and posts to learn from."""
    words = ["<s>", "<pad>", "</s>", "<unk>", "gut", "schlecht", "bus", "bahn", "war"]
    engine = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    engine.pre_tokenizer = pre_tokenizers.Whitespace()
    hidden, draw = 8, np.random.default_rng(0)

    def matrix(*shape: int) -> np.ndarray:
        return draw.normal(size=shape).astype(np.float32) / 3

    arrays = {
        "word.weight": matrix(len(words), hidden),
        "position": matrix(32, hidden),
        "norm.weight": np.ones(hidden, np.float32),
        "norm.bias": np.zeros(hidden, np.float32),
    }
    shapes = {"qkv": (24, 8), "out": (8, 8), "up": (16, 8), "down": (8, 16)}
    for name, shape in shapes.items():
        arrays[f"layers.0.{name}.weight"] = matrix(*shape)
        arrays[f"layers.0.{name}.bias"] = matrix(shape[0])
    for name in ("norm1", "norm2"):
        arrays[f"layers.0.{name}.weight"] = np.ones(hidden, np.float32)
        arrays[f"layers.0.{name}.bias"] = np.zeros(hidden, np.float32)
    posts = [
        Example("bus war gut bahn war schlecht", "s", (Reading(((0, 3),), 2), Reading(((12, 16),), 0))),
        Example("bahn war gut bus war schlecht", "s", (Reading(((0, 4),), 2), Reading(((13, 16),), 0))),
        Example("bus war", "s", (Reading((), 1),)),
    ] * 50  # fmt: skip
    return base.Base(hidden, 2, 1, arrays, {}), engine, loop.Material({"s": posts}, [])


def run(small, work, monkeypatch, cut: int | None = None):
    """Train for a few batches; a run may be cut off."""
    encoder, engine, material = small
    monkeypatch.setattr(loop, "BATCH_TOKENS", 64)
    torch.manual_seed(0)
    random.seed(0)
    network = Network(encoder)
    honest, count = loop.loss, 0

    def counted(*arguments):
        nonlocal count
        count += 1
        if count == cut:
            raise KeyboardInterrupt
        return honest(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "loss", counted)
        return loop.train(network, material, engine, tokens=2000, seed=0, work=work, every=5)


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(small, tmp_path, monkeypatch):
    """Training goes on from the last checkpoint: same batches, same dropout, same weights."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(small, tmp_path / "a", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(small, tmp_path / "b", monkeypatch, cut=13)
    resumed = run(small, tmp_path / "b", monkeypatch)
    assert all(torch.allclose(whole[name], resumed[name], atol=1e-5) for name in whole)


def test_padding_changes_nothing(small):
    """A text's logits are the same alone and beside a longer one."""
    encoder, engine, material = small
    torch.manual_seed(0)
    network = Network(encoder).eval()
    texts = loop.encode(engine, material.sets["s"][:3], 32)
    together, _ = network(loop.collate(texts))
    alone = torch.cat([network(loop.collate([text]))[0] for text in texts])
    assert torch.allclose(together, alone, atol=0.02)


def test_what_a_batch_needs_goes_where_the_network_is(small):
    """On another device nothing stays behind: torch refuses to mix two (`meta` stands for a GPU)."""
    encoder, engine, material = small
    network = Network(encoder)
    network.place(torch.device("meta"))
    texts = loop.encode(engine, material.sets["s"][:3], 32)
    total = loop.losses(
        network.train()(loop.collate(texts)),
        loop.Wanted.of(
            ["s"] * 5, [r for t in texts for r in t.readings], loop.priors(material.sets["s"])
        ).to(network.device),
    ).sum()
    torch.autograd.backward(total)
    assert network.precision == torch.bfloat16
    assert {p.grad.device.type for p in network.parameters()} == {"meta"}


def test_heads_learn_what_their_encoder_tells_apart():
    """Good and bad lie apart in what the encoder sees, so few rounds are enough."""
    torch.manual_seed(0)
    wanted = [k % 3 for k in range(300)]
    vectors = torch.randn(300, 8) * 0.3
    vectors[range(300), wanted] += 2
    seen = heads.Seen(vectors, ["s"] * 300, [Reading((), k) for k in wanted])
    shapes = {"polarity_up": (4, 8), "polarity": (3, 4), "emotion_up": (4, 8), "emotion": (34, 4)}
    arrays = {}
    for name, shape in shapes.items():
        arrays[f"{name}.weight"] = torch.randn(shape).numpy() / 3
        arrays[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    trained = heads.Heads(arrays)
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    recipe = {"polarity": heads.Recipe(100, 0.02), "emotion": heads.Recipe(1, 0.02, keep=1.0)}
    heads.train(trained, {"polarity": seen, "emotion": seen}, 0, recipe)
    polarity, _ = trained(vectors)
    assert torch.equal(trained.state_dict()["emotion.weight"], before["emotion.weight"])
    assert (polarity.argmax(1) == torch.tensor(wanted)).float().mean() > 0.95


def test_an_interval_holds_its_value():
    """The bootstrap interval of a mean lies round it, and narrows with n."""
    right = np.array([1.0, 0.0] * 200)
    found = evaluate.figure("s", "m", np.arange(400), lambda i: float(right[i].mean()))
    assert found.low < found.value == 0.5 < found.high
    assert found.high - found.low == pytest.approx(0.098, abs=0.02)


def test_a_head_learns_to_lean_by_the_kind_of_text_and_ignores_labels():
    """It tells kinds apart by what it sees, moves its lines as told, and keeps its opinion."""
    torch.manual_seed(0)
    shapes = {"polarity_up": (8, 6), "polarity": (3, 8), "emotion_up": (8, 6), "emotion": (34, 8)}
    arrays = {f"{k}.weight": torch.randn(v).numpy() / 3 for k, v in shapes.items()}
    arrays |= {f"{k}.bias": np.zeros(v[0], np.float32) for k, v in shapes.items()}
    trained = heads.Heads(arrays).eval()
    vectors = torch.randn(400, 6)
    vectors[:200, 0] += 4
    vectors[200:, 0] -= 4
    with torch.no_grad():
        before = trained.head("polarity", vectors).softmax(-1)
    seen = heads.Seen(vectors, ["news"] * 200 + ["else"] * 200, [Reading((), 0)] * 400)
    recipe = {
        "polarity": heads.Recipe(
            150,
            0.02,
            {"news": 1, "else": 1},
            lean={("news", False): (0.0, 0.0, -2.0), heads.OTHERS: (0.0, 0.0, 0.0)},
        ),
        "emotion": heads.Recipe(0, 0.0, keep=1.0),
    }
    heads.train(trained, {"polarity": seen, "emotion": seen}, 0, recipe)
    with torch.no_grad():
        after = trained.head("polarity", vectors).softmax(-1)
    odds = (after[:, 2] / after[:, 1]).log() - (before[:, 2] / before[:, 1]).log()
    assert odds[:200].mean() == pytest.approx(-2, abs=0.3)
    assert odds[200:].mean() == pytest.approx(0, abs=0.3)


def test_the_mean_of_two_encoders_keeps_the_heads_and_pieces_of_the_second():
    """Rows of the vocabulary are averaged by piece, not by number."""
    first = {"word.weight": np.array([[1.0], [2.0]]), "norm.bias": np.array([4.0])}
    second = {
        "word.weight": np.array([[10.0], [20.0], [30.0]]),
        "norm.bias": np.array([8.0]),
        "polarity.bias": np.array([5.0]),
    }
    first["polarity.bias"] = np.array([9.0])
    mean = soup.average((first, ["a", "b"]), (second, ["b", "new", "a"]), 0.25)
    assert mean["word.weight"].ravel().tolist() == [8.0, 20.0, 22.75]
    assert mean["norm.bias"].tolist() == [7.0]
    assert mean["polarity.bias"].tolist() == [5.0]
    both = soup.average((first, ["a", "b"]), (second, ["b", "new", "a"]), 0.25, heads=True)
    assert both["polarity.bias"].tolist() == [6.0]


@pytest.mark.parametrize("kind", compose.FILLERS)
def test_fillers_stand_in_posts_of_every_polarity(kind):
    """Who, where, and an adjective that may be negated: none of them tells how one was served."""
    train, _ = compose.banks()[0]
    rng = random.Random(1)
    seen = set()
    for _ in range(2000):
        post = compose.from_clauses(train, rng)
        if any(word in post.text for word in train.fillers[kind]):
            seen |= {reading.polarity for reading in post.readings}
    assert seen == {0, 1, 2}


def test_names_and_cities_of_labelled_texts_are_swapped():
    """Targets stay where they were said, and a name gives way to the same one everywhere."""
    bank = compose.banks()[0][0]
    text = "Berlin: Anna von der Linie 5 in Köln half. Danke, Anna!"
    places = tuple((m.start(), m.end()) for m in re.finditer("Anna|Linie 5", text))
    example = Example(text, "s", (Reading(places, 2), Reading((), 2)))
    swap, rng = compose.Swap(bank), random.Random(0)
    seen = [swap(example, rng) for _ in range(200)]
    assert 0 < sum(one == example for one in seen) < 80
    for one in seen:
        if one == example:
            continue
        said = [one.text[a:b] for a, b in one.readings[0].spans]
        assert said[1] == "Linie 5"
        assert said[0] == said[2] in bank.fillers["person"]
        city, other = re.fullmatch(
            r"(\w+(?: \w+)?): .* in (\w+(?: \w+)?) half.*", one.text
        ).groups()
        assert {city, other} <= set(bank.fillers["city"])


@pytest.mark.parametrize("kind", compose.PROPER)
def test_names_that_are_tested_are_put_into_no_text(kind):
    """The behaviour tests ask for names that training has not practised."""
    tested = {name for lang in ("de", "en") for name in behaviour.sections()[lang, kind]}
    for bank in compose.banks()[0]:
        assert not tested & set(bank.fillers[kind])
        assert tested & set(compose.Swap(bank).kind)


def test_a_text_without_names_is_left_alone():
    """And a word that begins like a city is none."""
    example = Example("Die Kölner Bahn, wie immer", "s", ())
    swap = compose.Swap(compose.banks()[0][0])
    assert swap(example, random.Random(0)) is example


def test_a_teacher_is_learnt_from_where_there_is_no_label(small, tmp_path, monkeypatch):
    """What it thinks of texts that nobody has labelled is what a run comes to think."""
    encoder, engine, _ = small
    unlabelled = [
        Example(text, "s", (Reading((), data.UNKNOWN),)) for text in ("bus gut", "bahn schlecht")
    ] * 40
    monkeypatch.setattr(loop, "BATCH_TOKENS", 64)
    monkeypatch.setattr(loop, "HEAD_RATE", 0.02)
    torch.manual_seed(3)
    teacher = Network(encoder)
    teacher.polarity.bias.data = torch.tensor([2.0, 0.0, -2.0])
    torch.manual_seed(4)
    student = Network(encoder)
    texts = loop.encode(engine, unlabelled[:2], 32)
    before, _ = loop.predict(student, texts)
    material = loop.Material({"s": unlabelled}, [])
    weights = loop.train(
        student, material, engine, tokens=4000, seed=0, work=tmp_path, teacher=teacher
    )
    student.load_state_dict(weights)
    wanted, after = (loop.predict(one, texts)[0].softmax(-1) for one in (teacher, student))
    assert (before.softmax(-1) - wanted).abs().max() > 0.3
    assert (after - wanted).abs().max() < 0.1


def test_a_student_reads_with_the_vocabulary_of_its_teacher():
    """Each piece keeps its own vector, in the teacher's order."""
    full = small_vocabulary(["<s>", "<pad>", "</s>", "<unk>", "a", "b", "c", "d"])
    pruned = vocabulary.cut(full, [0, 1, 2, 3, 5, 7])
    alike = vocabulary.like(full, pruned)
    assert alike.tokenizer == pruned.tokenizer
    assert alike.arrays["word.weight"].ravel().tolist() == [0, 1, 2, 3, 5, 7]


def small_vocabulary(pieces: list[str]) -> base.Base:
    """An encoder of nothing but pieces, numbered by their vectors."""
    tokenizer = {
        "model": {"vocab": [[piece, -float(i)] for i, piece in enumerate(pieces)], "unk_id": 3},
        "added_tokens": [{"id": 0}],
        "post_processor": {"special_tokens": {"<s>": {"ids": [0]}}},
    }
    vectors = np.arange(len(pieces), dtype=np.float32)[:, None]
    return base.Base(1, 1, 1, {"word.weight": vectors}, tokenizer)
