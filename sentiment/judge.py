"""What the worker would read out of a text: matching and scoring without the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.classifier import Classifier, Passage
from sentiment.matching import Matcher
from sentiment.snippets import snippet

if TYPE_CHECKING:
    from sentiment.config import Config


def judge(config: Config, classifier: Classifier, text: str) -> list[dict[str, Any]]:
    """A dict for each mention of a text about the company: who, what, and how it is meant.

    Keys: company, service (None: the company as a whole), polarity, valence, the three
    probabilities, emotion (the strongest, None if none is present), emotions, snippet.
    """
    matches = Matcher(config.companies, config.services).match(text, own=config.company.name)
    places = [
        sorted(span for other in matches if other is not this for span in other.spans)
        for this in matches
    ]
    snippets = [
        snippet(text, found.spans, others) for found, others in zip(matches, places, strict=True)
    ]
    passages = [
        Passage(text, found.spans) if classifier.reads_targets else Passage(shown)
        for found, shown in zip(matches, snippets, strict=True)
    ]
    predictions = classifier.classify(passages)
    return [
        {
            "company": found.company,
            "service": found.service,
            "polarity": said.polarity,
            "valence": round(said.valence, 4),
            "negative": round(said.negative, 4),
            "neutral": round(said.neutral, 4),
            "positive": round(said.positive, 4),
            "emotion": said.emotion,
            "emotions": {name: round(p, 4) for name, p in said.emotions.items()},
            "snippet": shown,
        }
        for found, said, shown in zip(matches, predictions, snippets, strict=True)
    ]
