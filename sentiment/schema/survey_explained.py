"""What the columns of the further survey views mean."""

from __future__ import annotations

_CHANGE = "against the month before"
_LOW, _HIGH = "lower end of its 95 % interval", "upper end of its 95 % interval"

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "service_changes": (
        (
            "One row a service of the own company, month and figure: the figure, the month "
            "before, and "
            "whether the change is beyond chance."
        ),
        {
            "service": "entry of the service portfolio",
            "period": "month, YYYY-MM",
            "metric": "net_sentiment, csat, csat_top2, nps or ces",
            "value": "the figure, on its own scale",
            "low": _LOW,
            "high": _HIGH,
            "n": "votes or answers behind it",
            "before": "the figure of the month before",
            "n_before": "votes or answers behind that",
            "change": _CHANGE,
            "change_low": "lower end of the change's 95 % interval (MOVER, Zou and Donner 2008)",
            "change_high": "upper end of the change's 95 % interval",
            "scale_low": "lower end of the figure's scale",
            "scale_high": "its upper end",
            "beyond_chance": "1: the change's interval does not touch 0",
        },
    ),
    "divergence": (
        "One row a service, month and survey figure: does the survey move as the public does?",
        {
            "service": "entry of the service portfolio",
            "period": "month, YYYY-MM",
            "metric": "the survey's figure: nps, csat or ces",
            "verdict": "public falls alone, survey rises alone, both fall, opposite, no clear "
            "change …; alone: the difference of the two changes is beyond chance too",
            "public": "net sentiment of public posts, without survey comments",
            "public_change": _CHANGE,
            "public_change_low": _LOW,
            "public_change_high": _HIGH,
            "public_n": "votes of the month",
            "survey": "the survey's figure, on its own scale",
            "survey_change": _CHANGE,
            "survey_change_low": _LOW,
            "survey_change_high": _HIGH,
            "survey_n": "answers of the month",
            "difference": "public change less survey change, both on a scale from −100 to 100",
            "difference_low": _LOW,
            "difference_high": _HIGH,
            "sentence_de": "the verdict and its numbers as a German sentence",
            "sentence_en": "the same in English",
        },
    ),
    "lead_lag": (
        (
            "One row a service, survey figure and shift: how the monthly changes of public "
            "sentiment "
            "go with those of the survey some months later. Only with at least 12 changes of both; "
            "with seven shifts looked at, one misses 0 by chance in about every third table."
        ),
        {
            "service": "entry of the service portfolio",
            "metric": "the survey's figure: nps, csat or ces",
            "shift": "months by which the survey comes after the public; below 0: before it",
            "months": "pairs of months behind it",
            "correlation": "−1 to 1",
            "low": "lower end of its 95 % interval (Fisher)",
            "high": _HIGH,
            "sentence_de": "the same as a German sentence",
            "sentence_en": "the same in English",
        },
    ),
    "survey_comment_scores": (
        (
            "One row a scored survey comment whose author gave a number too: what the classifier "
            "read, "
            "and what the author's own number says."
        ),
        {
            "survey": "its name in config.toml",
            "service": "what was asked about; empty: the company as a whole",
            "posted_at": "when it was written, UTC",
            "day": "its date in the configured time zone",
            "snippet": "the comment, without names and addresses",
            "polarity": "what the classifier read",
            "valence": "p(positive) − p(negative), −1 to 1",
            "rating": "the author's number, brought to a scale from 1 to 5",
            "rating_polarity": "positive from 3.75, negative up to 2.25, else neutral",
            "post_id": "id of the post",
        },
    ),
}
