"""`sentiment evaluate`: labels from a file or from corrections; mistakes are told by their place."""

import json

import pytest
from typer.testing import CliRunner

from sentiment import evaluate
from sentiment.cli import app
from sentiment.database import count
from sentiment.evaluate import LabelsError, corrections, read_labels
from sentiment.match import match
from tests.sentiment.firm import WordClassifier
from tests.sentiment.test_gold_labels import collected, label

CSV = "text;Label;target\nDie Beratung ist gut.;positiv;beratung\nAlles schlecht;negative;\n"


def written(folder, content, name="labels.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_csv_and_its_jsonl_are_the_same_labels(tmp_path):
    """Columns in any case and order, targets in any case, labels in German too."""
    from_csv = read_labels(written(tmp_path, CSV))
    lines = (
        {"target": "Beratung", "text": "Die Beratung ist gut.", "label": "positive"},
        {"text": "Alles schlecht", "label": "neg"},
    )
    jsonl = "\n".join(json.dumps(line) for line in lines)
    assert read_labels(written(tmp_path, jsonl, "labels.jsonl")) == from_csv
    assert from_csv[0].passage.spans == ((4, 12),)
    assert [one.polarity for one in from_csv] == ["positive", "negative"]
    assert from_csv[0].emotions is None


def test_emotions_may_stand_alone(tmp_path):
    """Without a label column only emotions are judged; an empty cell means none."""
    found = read_labels(written(tmp_path, 'text,emotions\na,"joy, Angst"\nb,\n'))
    assert [one.emotions for one in found] == [frozenset({"joy", "fear"}), frozenset()]
    assert [one.polarity for one in found] == [None, None]


WRONG = [
    ("text,label\n", "labels.csv has no rows"),
    ("words,label\na,neutral\n", 'row 2: no column "text" among words, label'),
    ("text,mood\na,good\n", 'row 2: no column "label"'),
    ("text,label\na,goood\n", 'row 2, column label: "goood" is no polarity; expected one of: neg'),
    ("text,label\na,joy\n", 'row 2, column label: "joy" is no polarity'),
    ("text,label\n ,neutral\n", "row 2, column text: it is empty"),
    ("text,label\na,\n", "row 2, column label: it is empty"),
    ("text,label,target\na,neutral,bus\n", 'row 2, column target: "bus" does not stand in'),
    ("text,label,emotions\na,neutral,glee\n", 'row 2, column emotions: "glee" is no emotion'),
    ("text,label\na,neutral,b,c\n", "row 2: 4 cells where the header has 2"),
    (b"PK\x03\x04not a sheet", "labels.csv: not an Excel file"),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_a_mistake_is_told_by_its_place(tmp_path, content, message):
    """File, row, column, value and what would be right; nothing is measured."""
    with pytest.raises(LabelsError, match=r"^labels\.csv") as told:
        read_labels(written(tmp_path, content))
    assert message in str(told.value)


def test_a_line_that_is_no_json_is_told_by_its_number(tmp_path):
    """Broken or foreign lines of JSONL are refused, not passed over."""
    good = '{"text": "a", "label": "neutral"}\n'
    for bad in ("{", "[1]", '{"text": "a", "label": NaN}'):
        with pytest.raises(LabelsError, match=r"labels\.jsonl, row 2"):
            read_labels(written(tmp_path, good + bad + "\n", "labels.jsonl"))


class Snippets(WordClassifier):
    """Knows nothing of targets, as a model from elsewhere."""

    reads_targets = False


def test_a_model_without_targets_reads_what_is_said_about_the_target(tmp_path):
    """It is given the snippet, as it is at work."""
    between = "Der Weg dorthin war weit. " * 20
    text = f"Die Beratung ist gut. {between}Der Empfang war schlecht."
    path = written(tmp_path, f"text,label,target\n{text},negative,Empfang\n")
    model = Snippets()
    found = evaluate.evaluate(read_labels(path), model)
    assert "Beratung" not in model.seen[0].text
    assert found["micro_f1"] == 1


def test_corrections_are_measured(config, db):
    """The last word of anybody counts, for polarity and emotions; without any, that is said."""
    with pytest.raises(LabelsError, match="nobody has corrected"):
        corrections(db)
    collected(db, "Kanzlei Ahornhof: die Steuerberatung ist gut.")
    match(config, db)
    mention = count(db, "SELECT id FROM mentions WHERE service_id IS NOT NULL")
    label(db, mention, "negative")
    label(db, mention, "positive", by="grace", emotions='["joy"]')
    (one,) = corrections(db)
    assert (one.polarity, one.emotions) == ("positive", frozenset({"joy"}))
    assert evaluate.evaluate([one], WordClassifier())["confusion"]["positive"]["positive"] == 1


def test_the_command_measures_compares_and_draws(tmp_path, monkeypatch):
    """Contract keys as fractions of 1; a second model beside the first; a picture."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("models.classifier.load", lambda name, **_: WordClassifier(name))
    written(tmp_path, CSV)
    arguments = ["evaluate", "labels.csv", "--against", "2", "--picture", "p.svg", "--json"]
    done = CliRunner().invoke(app, arguments)
    found = json.loads(done.stdout)
    assert found["n"] == 2
    assert found["macro_f1"] == found["micro_f1"] == 1.0
    assert found["per_class"]["positive"]["recall"] == 1.0
    assert found["against"]["model"] == "words@2"
    assert found["paired"]["p_value"] == 1.0
    assert (tmp_path / "p.svg").read_text().startswith("<svg")
    table = CliRunner().invoke(app, ["evaluate", "labels.csv"])
    assert "macro-F1" in table.stdout


def test_wrong_usage_is_told(tmp_path):
    """A file beside --corrections, a picture of an unknown kind, a file that is not there."""
    path = str(written(tmp_path, CSV))
    for arguments in ([path, "--corrections"], [path, "--picture", "a.png"], ["nowhere.csv"]):
        assert CliRunner().invoke(app, ["evaluate", *arguments]).exit_code == 2
