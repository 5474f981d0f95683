"""Models from elsewhere, on a tiny random BERT."""

import pytest

from models import classifier
from models.classifier import ModelError, Passage, Prediction

TEXTS = [Passage("the service was good"), Passage("bad"), Passage(""), Passage("was " * 500)]


def total(prediction: Prediction) -> float:
    return prediction.negative + prediction.neutral + prediction.positive


def test_a_single_label_model_shares_its_certainty_out(foreign, no_network):
    """Softmax scores come back as polarity, in order, without emotions."""
    model = classifier.load(str(foreign(["negative", "neutral", "positive"])))
    found = model.classify(TEXTS)
    assert [total(f) for f in found] == pytest.approx([1] * 4)
    assert found[2].polarity == "neutral"
    assert all(f.emotions == {} for f in (found[0], found[1], found[3]))
    assert not model.reads_targets
    assert len(model.revision) == 12


def test_it_agrees_with_transformers_own_pipeline(foreign):
    """The scores are those of the text-classification pipeline."""
    from transformers import pipeline

    path = str(foreign(["negative", "neutral", "positive"]))
    theirs = pipeline("text-classification", model=path, tokenizer=path, top_k=None)
    for passage in TEXTS[:2]:
        (ours,) = classifier.load(path).classify([passage])
        for row in theirs([passage.text])[0]:
            assert getattr(ours, row["label"]) == pytest.approx(row["score"], abs=1e-4)


def test_several_labels_may_mean_one(foreign):
    """Probabilities of labels with one meaning add up."""
    from transformers import pipeline

    path = str(foreign(["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]))
    scores = pipeline("text-classification", model=path, top_k=None)(["good"])[0]
    theirs = {row["label"]: row["score"] for row in scores}
    (ours,) = classifier.load(path).classify([Passage("good")])
    assert ours.negative == pytest.approx(theirs["1 star"] + theirs["2 stars"], abs=1e-4)


def test_a_multi_label_model_brings_emotions(foreign):
    """With `problem_type` multi-label each label stands for itself; polarities are made to add up."""
    names = ["negative", "neutral", "positive", "joy", "anger"]
    model = classifier.load(str(foreign(names, "multi_label_classification")))
    (found,) = model.classify([Passage("the service was good")])
    assert total(found) == pytest.approx(1)
    assert list(found.emotions) == ["anger", "joy"]


def test_labels_are_mapped_as_the_user_says(foreign):
    """Names that say nothing are mapped by the config."""
    path = str(foreign(["LABEL_0", "LABEL_1"]))
    one = {"LABEL_0": "negative", "LABEL_1": "positive"}
    other = {"LABEL_0": "positive", "LABEL_1": "negative"}
    (plain,) = classifier.load(path, labels=one).classify(TEXTS[:1])
    (turned,) = classifier.load(path, labels=other).classify(TEXTS[:1])
    assert plain.neutral == 0
    assert plain.negative == pytest.approx(turned.positive)


def test_unknown_labels_are_an_error(foreign):
    """A model whose labels say nothing is refused with the choices."""
    with pytest.raises(ModelError, match=r"LABEL_0.*'negative'"):
        classifier.load(str(foreign(["LABEL_0", "LABEL_1"])))


def test_an_emotion_model_alone_is_refused(foreign):
    """Emotions do not say polarity."""
    with pytest.raises(ModelError, match="polarity model is needed"):
        classifier.load(str(foreign(["joy", "anger", "fear"], "multi_label_classification")))


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json"])
def test_an_incomplete_folder_says_so(foreign, missing, no_network):
    """A folder without weights or config is an error that names the folder and what it needs."""
    path = foreign(["negative", "positive"])
    (path / missing).unlink()
    with pytest.raises(ModelError, match="is not a complete"):
        classifier.load(str(path))


def test_a_folder_that_is_not_there_says_so(no_network):
    """A path that does not exist is not looked for on the hub."""
    with pytest.raises(ModelError, match="no folder"):
        classifier.load("./nowhere/model")
