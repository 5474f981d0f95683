"""The bundled model: what it must get right, and what must not shake it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from models import bundle, classifier
from models.classifier import ModelError, Passage, Prediction
from models.labels import EKMAN, POLARITIES

ROOT = Path(classifier.__file__).parents[1]


def about(text: str, *names: str) -> list[Passage]:
    """A passage for each name, at its places in the text."""
    return [
        Passage(text, tuple((i, i + len(n)) for i in range(len(text)) if text.startswith(n, i)))
        for n in names
    ]


def numbers(prediction: Prediction) -> list[float]:
    return [
        prediction.negative,
        prediction.neutral,
        prediction.positive,
        *prediction.emotions.values(),
    ]


TWO_SERVICES = [
    ("Die Steuerberatung war top, aber im Arbeitsrecht hat sich niemand gemeldet.", "Steuerberatung", "Arbeitsrecht"),
    ("Die Steuerberatung ist top, aber im Arbeitsrecht meldet sich niemand.", "Steuerberatung", "Arbeitsrecht"),
    ("Im Arbeitsrecht hat sich niemand gemeldet, die Steuerberatung war dafür top.", "Steuerberatung", "Arbeitsrecht"),
    ("Mit der Zahnreinigung bin ich sehr zufrieden, die Abrechnung ist dagegen eine Katastrophe.", "Zahnreinigung", "Abrechnung"),
    ("The dentist was wonderful, but reception was incredibly rude.", "dentist", "reception"),
    ("Billing is a nightmare. Roadside assistance, on the other hand, was fantastic.", "Roadside assistance", "Billing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "praised", "damned"), TWO_SERVICES)
def test_two_services_of_one_post_get_their_own_polarity(bundled, text, praised, damned):
    """A post that praises one service and damns another is clearly both."""
    good, bad = bundled.classify(about(text, praised, damned))
    assert good.polarity == "positive"
    assert bad.polarity == "negative"
    assert good.valence > 0.3
    assert bad.valence < -0.3


@pytest.mark.parametrize(
    ("text", "polarity"),
    [
        ("Ich bin rundum zufrieden, vielen Dank!", "positive"),
        ("Nicht schlecht, die neue App.", "positive"),
        ("Unverschämt teuer und unfreundlich.", "negative"),
        ("Nie wieder!", "negative"),
        ("Hat jemand Erfahrung mit der Kanzlei?", "neutral"),
        ("Die Filiale öffnet montags um neun.", "neutral"),
        ("Absolutely brilliant service, thank you!", "positive"),
        ("Worst insurance ever, they never pay.", "negative"),
        ("The office is on the third floor.", "neutral"),
    ],
)
def test_plain_words_are_understood(bundled, text, polarity):
    """What nobody would dispute, the model does not either."""
    assert bundled.classify([Passage(text)])[0].polarity == polarity


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("Ich bin stinksauer auf diese Versicherung!", "anger"),
        ("Ich freue mich riesig, danke!", "joy"),
        ("Das macht mich unendlich traurig.", "sadness"),
        ("I am so happy with this, thank you!", "joy"),
        ("I am absolutely furious about this.", "anger"),
        ("I'm terrified of losing my home.", "fear"),
    ],
)
def test_plain_emotions_are_felt(bundled, text, emotion):
    """An emotion that is spelt out is found; a related one may be found beside it."""
    assert bundled.classify([Passage(text)])[0].emotions[emotion] >= 0.5


def test_probabilities_are_probabilities(bundled):
    """Polarities add up to 1; the six emotions are each in 0...1."""
    (found,) = bundled.classify([Passage("Die Hotline war freundlich, aber langsam.")])
    assert found.negative + found.neutral + found.positive == pytest.approx(1, abs=1e-5)
    assert tuple(found.emotions) == EKMAN
    assert all(0 <= p <= 1 for p in numbers(found))
    assert len(found.finer) == 28


HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "NUL": "gut\0schlecht",
    "surrogate": "gut \ud83d schlecht",
    "megabyte": "Die Kanzlei ist gut. " * 50_000,
    "one word": "x" * 100_000,
    "emoji": "👍" * 500,
    "other scripts": "これはペンです хорошо شكرا",
    "combining": "e" + "\u0301" * 5000,
    "html": "<script>alert(1)</script>" * 100,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_breaks_it(bundled, text):
    """Every string gets an answer, in little time."""
    start = time.monotonic()
    found = bundled.classify([Passage(text), Passage(text, ((0, 3), (len(text) - 1, len(text))))])
    assert all(np.isfinite(numbers(f)).all() for f in found)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("spans", [((5, 2),), ((-3, 1),), ((90, 99),), ((0, 10_000),), ((3, 3),)])
def test_a_span_that_points_nowhere_does_no_harm(bundled, spans):
    """Spans outside the text or empty read as far as they are inside, else as no span."""
    (found,) = bundled.classify([Passage("Alles gut gelaufen.", spans)])
    assert found.polarity in POLARITIES


def test_a_text_without_words_is_neutral(bundled):
    """Where nothing is said, nothing is felt."""
    for found in bundled.classify([Passage(""), Passage("  \n")]):
        assert (found.polarity, found.emotion) == ("neutral", None)


def test_answers_come_in_order_and_do_not_depend_on_the_company_they_keep(bundled):
    """A passage gets the same answer alone, in any order, and among others."""
    passages = [Passage(f"{text} Vorgang {i}.") for i in range(40) for text, *_ in TWO_SERVICES]
    together = np.array([numbers(f) for f in bundled.classify(passages)])
    backwards = np.array([numbers(f) for f in bundled.classify(passages[::-1])])[::-1]
    assert np.abs(together - backwards).max() < 0.02
    for i in (0, 77, 200):
        alone = np.array(numbers(bundled.classify([passages[i]])[0]))
        assert np.abs(together[i] - alone).max() < 0.02


def test_the_same_question_gets_the_same_answer(bundled):
    """Two identical runs agree to the last bit."""
    passages = [p for text, a, b in TWO_SERVICES for p in about(text, a, b)]
    assert bundled.classify(passages) == bundled.classify(passages)


def test_passages_of_one_text_share_a_forward_pass(bundled):
    """However many services a post names, the encoder reads it once."""
    text, a, b = TWO_SERVICES[0]
    rows, owners = bundled.rows([*about(text, a, b), Passage(text), Passage("Anderes.")])
    assert [len(row.targets) for row in rows] == [3, 1]
    assert owners == [[[0], [1], [2]], [[3]]]


def test_what_is_far_from_the_target_is_not_read_in_a_long_text(bundled):
    """A long post is read round the place that names the service."""
    filler = "Heute war das Wetter wechselhaft und wir fuhren mit dem Rad. " * 80
    text = filler + "Die Kanzlei war fantastisch, wirklich klasse! " + filler
    (found,) = bundled.classify(about(text, "Kanzlei"))
    assert found.polarity == "positive"


def test_fp32_agrees_with_the_fast_path(bundled):
    """On a CPU without bf16 the answers are nearly the same."""
    import torch

    from models import inference

    manifest, arrays = bundle.read(bundle.BUNDLED)
    encoder = inference.PackedEncoder(manifest, arrays, torch.float32)
    slow = inference.Bundled(manifest, encoder, bundled.tokenizer)
    passages = [p for text, a, b in TWO_SERVICES for p in [*about(text, a, b), Passage(text)]]
    ours = np.array([numbers(f) for f in bundled.classify(passages)])
    exact = np.array([numbers(f) for f in slow.classify(passages)])
    assert np.abs(ours - exact).max() < 0.05


def test_the_bundle_is_small_and_says_what_it_holds(bundled):
    """At most 45 MB in all, and the revision is the hash of the weights."""
    files = [path for path in bundle.BUNDLED.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 45_000_000
    assert bundled.revision == bundle.fingerprint(bundle.BUNDLED / bundle.WEIGHTS)
    assert bundled.reads_targets


def test_a_bundle_elsewhere_is_loaded_by_its_folder(bundled, tmp_path):
    """What training wrote can be used and compared like any other model."""
    for name in (bundle.MANIFEST, bundle.TOKENIZER, bundle.WEIGHTS):
        (tmp_path / name).symlink_to(bundle.BUNDLED / name)
    found = classifier.load(str(tmp_path))
    assert (found.revision, found.reads_targets) == (bundled.revision, True)


def test_a_missing_file_is_named(tmp_path):
    """An incomplete bundle says which file is missing and what to do."""
    from models.inference import load_bundled

    with pytest.raises(ModelError, match=r"config\.json.*reinstall"):
        load_bundled(tmp_path)


def test_int8_storage_keeps_each_weight_within_half_a_step():
    """Quantised rows differ from the original by half a step of their scale at most."""
    matrix = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    values, scale = bundle.quantise(matrix)
    back = bundle.dequantise({"w": values, "w.scale": scale})["w"]
    assert (np.abs(back - matrix) <= scale[:, None] * 0.501).all()


def test_the_bundled_model_needs_no_network(no_network):
    """Loading and reading open no connection."""
    found = classifier.load("bundled", threads=2).classify([Passage("Alles bestens!")])
    assert found[0].polarity == "positive"


def test_importing_the_classifier_does_not_import_torch():
    """Commands that score nothing start without torch."""
    code = (
        "import models.classifier, sys; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )
