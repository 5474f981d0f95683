"""Whose label means what: a foreign model's label names to ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.classifier import ModelError
from models.labels import EKMAN, POLARITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KNOWN_AS = {
    "negative": ("neg", "negativ", "very negative", "bad", "1 star", "2 stars"),
    "neutral": ("neu", "mixed", "3 stars"),
    "positive": ("pos", "positiv", "very positive", "good", "4 stars", "5 stars"),
    "anger": ("angry", "wut", "ärger"),
    "disgust": ("disgusted", "ekel"),
    "fear": ("afraid", "angst"),
    "joy": ("happy", "happiness", "freude"),
    "sadness": ("sad", "trauer", "traurigkeit"),
    "surprise": ("surprised", "überraschung"),
}
"""What models call them; ours and these are understood in any case, with `_` or `-` for a space."""

IGNORE = "ignore"
"""What a label is mapped to that should not count."""

CHOICES = (*POLARITIES, *EKMAN, IGNORE)


def map_labels(names: Sequence[str], given: Mapping[str, str] | None, model: str) -> list[str]:
    """Our label (or `ignore`) for each of a model's.

    Args:
        names: the model's labels.
        given: the user's mapping; labels it does not name speak for themselves.
        model: what to call the model in an error.

    Raises:
        ModelError: the mapping names a label the model lacks or one we do not know; a label has
            neither a plain meaning nor a mapping; or no label says negative, or none positive.

    """
    given = given or {}
    for name, ours in given.items():
        if name not in names:
            raise ModelError(f"{model} has no label {name!r}; its labels are {listed(names)}")
        if ours not in CHOICES:
            raise ModelError(f"label {name!r} is mapped to {ours!r}; choices are {listed(CHOICES)}")
    mapped = [given.get(name) or meaning(name) for name in names]
    if not set(mapped) & set(POLARITIES) and set(mapped) & set(EKMAN):
        raise ModelError(
            f"{model} knows emotions only ({listed(names)}): a polarity model is needed"
        )
    strange = [name for name, ours in zip(names, mapped, strict=True) if ours is None]
    if strange:
        raise ModelError(
            f"{model} has labels whose meaning is not known: {listed(strange)}; map each to one of "
            f"{listed(CHOICES)}, as in labels = {{ {strange[0]!r} = 'negative' }}"
        )
    missing = [ours for ours in ("negative", "positive") if ours not in mapped]
    if missing:
        raise ModelError(
            f"{model} has no label that means {' or '.join(missing)}: a polarity model is needed "
            f"(its labels are {listed(names)})"
        )
    return [ours or IGNORE for ours in mapped]


def meaning(name: str) -> str | None:
    """Our label for a name that is plain enough."""
    plain = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    for ours, others in KNOWN_AS.items():
        if plain == ours or plain in others:
            return ours
    return None


def listed(names: Sequence[str]) -> str:
    """Names for an error message."""
    return ", ".join(map(repr, names))
