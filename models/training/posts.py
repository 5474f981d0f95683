"""Whole posts, written and labelled for this project: what the labelled sets hardly have.

Those are opinions in dry words, news and questions that are neutral whatever words they hold, and
several services in one post. In `posts/*.txt` each line is a post:

    - anger: Wieder 25 Minuten auf den {Bus|-} gewartet
    ? .: {Beratung|+} top, nur die {Terminvergabe|-} dauert

First what it says as a whole (`-`, `0`, `+`; `?` where it is mixed), then the emotions its writer
shows (`.` for none), then the text; a service stands in braces with what is said about it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from models.labels import EKMAN
from models.training.data import NO_EMOTIONS, UNKNOWN, Example, Reading, Sets, fold, one_hot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.text import Place

FOLDER = Path(__file__).with_name("posts")
KINDS = ("transport", "reviews")
"""Kinds of posts with polarities so unlike others' that they are sets by themselves: most of what
mentions a railway is neutral, hardly a review is."""
SIGNS = "-0+"
DEV_FOLDS = 10
"""One post in so many is kept for dev."""
LINE = re.compile(r"([-0+?]) ([a-z, .]+): (.+)")
MARK = re.compile(r"\{([^{}|]+)\|([-0+])\}")


def read(folder: Path = FOLDER) -> tuple[Sets, Sets]:
    """Training and dev posts as sets by kind and language: `posts_de`, `transport_de`, `posts_en`.

    A file is called language, what it is about, and whatever else tells it apart.

    Raises:
        ValueError: a line is not of the form above; it names file and line.

    """
    train: Sets = {}
    dev: Sets = {}
    for path in sorted(folder.glob("*.txt")):
        language, _, rest = path.stem.partition("-")
        about = rest.split("-")[0]
        source = f"{about if about in KINDS else 'posts'}_{language}"
        for one in examples(path, source):
            kept = dev if fold(one.text, DEV_FOLDS) == 0 else train
            kept.setdefault(source, []).append(one)
    return train, dev


def examples(path: Path, source: str) -> Iterator[Example]:
    """The posts of one file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                yield example(line, source)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def example(line: str, source: str) -> Example:
    """The post of one line, with a reading for each service and one for the whole."""
    found = LINE.fullmatch(line.strip())
    if not found:
        raise ValueError("write a sign (- 0 + ?), emotions or a point, a colon and the text")
    sign, named, marked = found.groups()
    emotions = emotions_of(sign, named)
    text, places = unmarked(marked.replace(r"\n", "\n"))
    readings = [
        # the emotion is the writer's: only where one service is spoken of it is surely about that
        Reading(spans, polarity, emotions if len(places) == 1 else NO_EMOTIONS)
        for (_, polarity), spans in places.items()
    ]
    if sign in SIGNS:
        readings.append(Reading((), SIGNS.index(sign), emotions))
    elif not readings:
        raise ValueError("a mixed post has to say which service is meant how")
    return Example(text, source, tuple(readings))


def emotions_of(sign: str, named: str) -> tuple[int, ...]:
    """1 or 0 for each of `EKMAN`; an opinion without a named emotion may have one all the same."""
    labels = [label.strip() for label in named.split(",")]
    if labels == ["."]:
        return (0,) * len(EKMAN) if sign == "0" else (UNKNOWN,) * len(EKMAN)
    if unknown := set(labels) - set(EKMAN):
        raise ValueError(f"{', '.join(sorted(unknown))}: expected some of {', '.join(EKMAN)}")
    return one_hot(labels, EKMAN)


def unmarked(marked: str) -> tuple[str, dict[tuple[str, int], tuple[Place, ...]]]:
    """The text without its marks, and the places of each name and sign in it."""
    text, at = "", 0
    places: dict[tuple[str, int], tuple[Place, ...]] = {}
    for mark in MARK.finditer(marked):
        text += marked[at : mark.start()]
        at = mark.end()
        key = (mark[1].lower(), SIGNS.index(mark[2]))
        places[key] = (*places.get(key, ()), (len(text), len(text) + len(mark[1])))
        text += mark[1]
    text += marked[at:]
    if "{" in text or "}" in text:
        raise ValueError("a service is marked as {name|sign}")
    return text, places
