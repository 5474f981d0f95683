"""Evaluate: how well a classifier agrees with labels that people gave, in a file or as corrections.

What is computed of them: models/evaluation.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from models.classifier import Passage
from models.evaluation.report import Labelled, compare, report
from models.labels import EKMAN, POLARITIES
from models.mapping import meaning
from sentiment.database import rows
from sentiment.language import detect
from sentiment.score import model_key
from sentiment.snippets import snippet
from sources.base import SourceError
from sources.tables import Line, read_lines
from sources.text import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlite_utils import Database

    from models.classifier import Classifier, Prediction

COLUMNS = ("text", "label", "target", "language", "emotions")
CHUNK = 512  # passages between two signs of progress
NONE = ("none", "no emotion", "neutral", "keine", "-")


class LabelsError(Exception):
    """The labels cannot be used; the message names file, row, column, value and remedy."""


def evaluate(
    labelled: Sequence[Labelled],
    classifier: Classifier,
    against: Classifier | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Any]:
    """The report on a model (see `models.evaluation.report`), and on another beside it.

    Keys more: against, the other model's report; paired, the first against the other. Both are
    None where there is one model.
    """
    whole = len(labelled) * (2 if against else 1)
    first = list(_read(labelled, classifier, lambda done: progress(done, whole)))
    said = report(model_key(classifier), labelled, first)
    said |= {"against": None, "paired": None}
    if against:
        second = list(_read(labelled, against, lambda done: progress(len(first) + done, whole)))
        said["against"] = report(model_key(against), labelled, second)
        said["paired"] = compare(labelled, first, second)
    return said


def _read(
    labelled: Sequence[Labelled], classifier: Classifier, progress: Callable[[int], None]
) -> Iterator[Prediction]:
    for start in range(0, len(labelled), CHUNK):
        some = labelled[start : start + CHUNK]
        if classifier.reads_targets:
            yield from classifier.classify([one.passage for one in some])
        else:
            yield from classifier.classify([Passage(x.snippet or x.passage.text) for x in some])
        progress(start + len(some))


# ---- labels from a file


def read_labels(path: Path) -> list[Labelled]:
    """The labels of a CSV, JSONL or XLSX file; LabelsError says what is wrong with it.

    Columns: text; label (a polarity); and, where wanted, target (words of the text that mean what
    the label is about), language (detected where it is empty), emotions (those of `EKMAN` that
    are present, by commas; an empty cell: none). With emotions, labels may be empty.
    """
    try:
        lines = list(read_lines(path))
    except SourceError as error:
        raise LabelsError(f"{path.name}: {error}") from error
    labelled = [_labelled(path.name, line) for line in lines]
    if not labelled:
        raise LabelsError(f"{path.name} has no rows: give one a line below the header")
    return labelled


def _labelled(file: str, line: Line) -> Labelled:
    where = f"{file}, row {line.number}"
    if line.cells is None:
        raise LabelsError(f"{where}: {line.problem}")
    cells = {name.strip().lower(): value for name, value in line.cells.items()}
    if "text" not in cells or not {"label", "emotions"} & cells.keys():
        missing = "label" if "text" in cells else "text"
        names = ", ".join(tidy(name, 40) for name in list(cells)[:20])
        raise LabelsError(
            f'{where}: no column "{missing}" among {names}; columns are {", ".join(COLUMNS)}, of '
            "which text and label are needed"
        )
    text = _words(cells, "text")
    if not text.strip():
        raise LabelsError(f"{where}, column text: it is empty; fill it or delete the row")
    polarity, emotions = _polarity(where, cells), _emotions(where, cells)
    if polarity is None and "label" in cells and not emotions:
        raise LabelsError(
            f"{where}, column label: it is empty; expected one of: {', '.join(POLARITIES)}"
        )
    spans = _spans(where, text, _words(cells, "target").strip())
    return Labelled(
        passage=Passage(text, spans),
        polarity=polarity,
        emotions=emotions,
        language=_words(cells, "language").strip().lower()[:35] or detect(text),
        snippet=snippet(text, spans) if spans else "",
    )


def _words(cells: dict[str, Any], column: str) -> str:
    value = cells.get(column)
    return "" if value is None else str(value)


def _polarity(where: str, cells: dict[str, Any]) -> str | None:
    said = _words(cells, "label").strip()
    if not said:
        return None
    polarity = meaning(said)
    if polarity not in POLARITIES:
        raise LabelsError(
            f'{where}, column label: "{tidy(said, 60)}" is no polarity; expected one of: '
            f"{', '.join(POLARITIES)}"
        )
    return polarity


def _emotions(where: str, cells: dict[str, Any]) -> frozenset[str] | None:
    """The emotions present; None where the row does not speak of them."""
    if "emotions" not in cells or (cells["emotions"] is None and "label" in cells):
        return None
    said = cells["emotions"]
    names = said if isinstance(said, list) else re.split(r"[,;|]", _words(cells, "emotions"))
    found = set()
    for name in (str(name).strip() for name in names):
        if not name or name.lower() in NONE:
            continue
        emotion = meaning(name)
        if emotion not in EKMAN:
            raise LabelsError(
                f'{where}, column emotions: "{tidy(name, 60)}" is no emotion; expected some of: '
                f"{', '.join(EKMAN)}, by commas, or nothing"
            )
        found.add(emotion)
    return frozenset(found)


def _spans(where: str, text: str, target: str) -> tuple[tuple[int, int], ...]:
    """Every place of the target in the text; as written, else in any case."""
    if not target:
        return ()
    for flags in (0, re.IGNORECASE):
        found = tuple(match.span() for match in re.finditer(re.escape(target), text, flags))
        if found:
            return found
    raise LabelsError(
        f'{where}, column target: "{tidy(target, 60)}" does not stand in the text; write it as it '
        "stands there, or leave the cell empty to judge the whole text"
    )


# ---- labels from the database


def corrections(db: Database) -> list[Labelled]:
    """What people said mentions mean, from `gold_labels`; a mention is judged by its last label."""
    found = rows(
        db,
        "SELECT g.polarity, g.emotions, m.spans, m.snippet, p.text, p.language "
        "FROM gold_labels g JOIN mentions m ON m.id = g.mention_id "
        "JOIN posts p ON p.id = m.post_id "
        "WHERE p.erased_at IS NULL AND g.id = (SELECT id FROM gold_labels WHERE mention_id = m.id "
        "ORDER BY labelled_at DESC, id DESC LIMIT 1) ORDER BY m.id",
    )
    if not found:
        raise LabelsError(
            "nobody has corrected a label yet: correct some, or give a file of labelled posts"
        )
    return [
        Labelled(
            passage=Passage(row["text"], tuple((a, b) for a, b in json.loads(row["spans"]))),
            polarity=row["polarity"],
            emotions=_corrected(row),
            language=row["language"],
            snippet=row["snippet"],
        )
        for row in found
    ]


def _corrected(row: dict[str, Any]) -> frozenset[str] | None:
    """The emotions of a correction; one of the polarity alone says nothing of them."""
    said = frozenset(json.loads(row["emotions"])) & frozenset(EKMAN)
    return said if said or row["polarity"] is None else None
