"""From a passage to the tokens a model reads: cleaning, windows, and where the target stands."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer

Place = tuple[int, int]
"""A half-open range `[start, end)` of characters or tokens."""

MAX_CHARACTERS = 4096
"""More than any window of tokens covers; longer texts are cut before they are tokenised."""


SHOUTED = 8
"""Capitals from which on a text of next to nothing else is taken to shout."""


def clean(text: str) -> str:
    """What a tokenizer takes, one character for one: no NUL, no lone surrogates, no shouting."""
    if not text.isascii() or "\0" in text:
        text = "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
    return quiet(text) if shouts(text) else text


def shouts(text: str) -> bool:
    """Whether four in five letters are capitals."""
    capitals = sum(map(str.isupper, text))
    return capitals >= SHOUTED and capitals > 4 * sum(map(str.islower, text))


def quiet(text: str) -> str:
    """Every word with its first letter alone as a capital.

    The pieces of the vocabulary are those of ordinary spelling: of texts in capitals a model sees
    crumbs. German readings gain most where all words keep a capital, as nouns do.
    """
    return "".join(
        low if before.isalpha() and len(low := c.lower()) == 1 else c
        for before, c in pairwise(" " + text)
    )


def window(length: int, places: Sequence[Place], size: int) -> Place:
    """The stretch of at most `size` units that shows most of the places, centred on them.

    Without places it is the beginning. Of places that do not fit together, the earliest group of
    the most neighbours that do is shown; of a place larger than the window, its beginning.
    """
    if length <= size:
        return 0, length
    if not places:
        return 0, size
    places = sorted(places)
    groups = [[p for p in places[i:] if p[1] - places[i][0] <= size] for i in range(len(places))]
    group = max(groups, key=len) or places[:1]
    start, end = group[0][0], min(max(p[1] for p in group), group[0][0] + size)
    start = max(0, min((start + end - size) // 2, length - size))
    return start, start + size


def shift(places: Sequence[Place], start: int, end: int) -> tuple[Place, ...]:
    """Places as seen from inside `[start, end)`; what lies outside is dropped."""
    inside = ((max(a, start) - start, min(b, end) - start) for a, b in places)
    return tuple((a, b) for a, b in inside if a < b)


def excerpt(text: str, spans: Sequence[Place]) -> tuple[str, tuple[Place, ...]]:
    """The cleaned, stripped text, cut to `MAX_CHARACTERS` round its spans, and the spans in it."""
    start, end = window(len(text), spans, MAX_CHARACTERS)
    cut = clean(text[start:end])
    start += len(cut) - len(cut.lstrip())
    return cut.strip(), shift(spans, start, start + len(cut.strip()))


def tokens_of(text: str, offsets: Sequence[Place], spans: Sequence[Place]) -> list[int]:
    """Indices of the tokens that share a visible character with a span.

    A SentencePiece token owns the space before its word, so leading spaces do not count.
    """
    if not spans:
        return []
    visible = []
    for start, end in offsets:
        piece = text[start:end]
        visible.append((start + len(piece) - len(piece.lstrip()), end))
    return [
        index
        for index, (start, end) in enumerate(visible)
        if start < end and any(start < b and end > a for a, b in spans)
    ]


def boundaries(tokenizer: Tokenizer) -> Place:
    """Ids of the tokens before and behind every text."""
    before, behind = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    if before is None or behind is None:
        raise ValueError("the tokenizer has no <s> and </s>")
    return before, behind


def framed(
    ids: Sequence[int], targets: Sequence[Sequence[int]], size: int, ends: Place
) -> tuple[list[int], list[list[int]]]:
    """Token ids cut to `size` round the targets, between the two boundary tokens.

    Args:
        ids: token ids of a text without its boundary tokens.
        targets: token indices of each target.
        size: most tokens to keep, boundary tokens included.
        ends: ids of the boundary tokens.

    Returns:
        The ids, and the targets' indices into them; a target outside the window has none.

    """
    places = [place for target in targets for place in runs(target)]
    start, end = window(len(ids), places, size - 2)
    moved = [[i - start + 1 for i in target if start <= i < end] for target in targets]
    return [ends[0], *ids[start:end], ends[1]], moved


def runs(indices: Sequence[int]) -> list[Place]:
    """Neighbouring indices, joined to places."""
    places: list[Place] = []
    for index in indices:
        if places and places[-1][1] == index:
            places[-1] = (places[-1][0], index + 1)
        else:
            places.append((index, index + 1))
    return places
