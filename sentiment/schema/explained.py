"""What each column of each view means, for the docs and for whoever shows the views."""

from __future__ import annotations

from models.labels import EKMAN
from sentiment.schema import survey_explained

_COMPANY = "the company, or a competitor"
_SERVICE = "entry of the service portfolio; empty: the company as a whole"
_EMOTION_SHARES = {
    emotion: f"share of votes (0 to 1) in which {emotion} is present" for emotion in EKMAN
}

_PERIOD = {
    "company": _COMPANY,
    "service": _SERVICE,
    "{period}": "",
    "mentions": "scored mentions; copies of a near-identical text count once, survey comments not",
    "authors": "votes: an author counts once per service and day; n of all figures here",
    "positive": "votes that are positive (the mean of the author's mentions of the day)",
    "neutral": "votes that are neutral",
    "negative": "votes that are negative",
    "net_sentiment": "100 × (positive − negative) / authors, −100 to 100; the scale of NPS",
    "net_sentiment_low": "lower end of its 95 % interval (adjusted Wald AW(3,T), Rocks 2016)",
    "net_sentiment_high": "upper end of its 95 % interval",
    "attention": "share (0 to 1) of all mentions of the period, all companies and services",
    **_EMOTION_SHARES,
    "raw_mentions": "scored mentions with all copies",
}


def _period(column: str, meaning: str) -> dict[str, str]:
    return {
        (column if name == "{period}" else name): (meaning if name == "{period}" else said)
        for name, said in _PERIOD.items()
    }


_METRICS = {
    "csat": "CSAT of the month: mean answer on its own scale",
    "csat_top2": "share of the two best CSAT answers, in points of 100",
    "nps": "NPS of the month: 100 × (promoters 9–10 − detractors 0–6) / answers",
    "ces": "CES of the month: mean answer on its own scale",
}
_SURVEY_COLUMNS = {
    f"{metric}{suffix}": said.format(meaning)
    for metric, meaning in _METRICS.items()
    for suffix, said in {
        "": "{}",
        "_low": "lower end of its 95 % interval",
        "_high": "upper end of its 95 % interval",
        "_responses": "answers behind it (n)",
        "_change": "against the month before",
    }.items()
}

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "scored_mentions": (
        "One row a scored mention: what was said about which service, and how it was meant.",
        {
            "mention_id": "id of the mention",
            "company": _COMPANY,
            "service": _SERVICE,
            "source": "name of the source in config.toml",
            "source_kind": "its kind: rss, file, …",
            "language": "ISO 639-1 code of the post's language; empty: not detectable",
            "posted_at": "when it was written, UTC, ISO 8601",
            "day": "its date in the configured time zone",
            "url": "link to the post",
            "snippet": "what was said about this service",
            "polarity": "negative, neutral or positive: the most probable of the three",
            "valence": "p(positive) − p(negative), −1 to 1",
            "emotion": "strongest emotion that is present; empty: none",
            **{emotion: f"probability of {emotion}; 0.5 and more: present" for emotion in EKMAN},
            "rating": "the author's own stars, 1 to 5, where the source has them",
            "model": "model that scored it, name@revision",
            "negative": "probability of negative",
            "neutral": "probability of neutral",
            "positive": "probability of positive; the three add up to 1",
            "author": "keyed pseudonym of the author, per source",
            "is_copy": "1: near-identical to an earlier post, not counted again",
            "post_id": "id of the post",
            "finer_emotions": "the model's finer emotions that are present, strongest first",
        },
    ),
    "service_daily": (
        "One row a company, service and day.",
        _period("day", "date in the configured time zone"),
    ),
    "service_weekly": (
        "The same by week.",
        _period("period", "the week's Monday"),
    ),
    "service_monthly": (
        "The same by month.",
        _period("period", "month, YYYY-MM"),
    ),
    "service_drivers": (
        "One row a phrase that sets a service's negative and positive mentions apart.",
        {
            "company": _COMPANY,
            "service": _SERVICE,
            "period": "28 days, 90 days, 365 days, or a month, YYYY-MM",
            "from_day": "its first day",
            "to_day": "its last day",
            "polarity": "negative or positive: where the phrase is said more often",
            "phrase": "one to three words, in the form in which they are written most often",
            "mentions": "mentions of this polarity that have the phrase, copies counted once",
            "authors": "authors of this polarity who say it, at least 3; counted once each",
            "of_authors": "all authors of this polarity in the period",
            "other_authors": "authors of the opposite polarity who say it",
            "of_other_authors": "all authors of the opposite polarity",
            "log_odds": "log-odds ratio with an informative Dirichlet prior (Monroe et al. 2008): "
            "0 is equally often, 0.7 about twice, 2.3 about ten times as often",
            "low": "lower end of its 95 % interval",
            "high": "upper end of its 95 % interval",
            "z": "how sure that is; the clearest phrase has the largest, 1.96 is beyond chance",
            "beyond_chance": "1: the interval misses 0; 0: stands out, but may be chance",
            "example_mention_id": "the mention with the phrase and the strongest valence",
            "updated_at": "when the period was last computed, UTC",
        },
    ),
    "service_scorecard": (
        "One row a service of the own company and month: public sentiment beside the surveys.",
        {
            "service": "entry of the service portfolio",
            "period": "month, YYYY-MM",
            **{
                name: _PERIOD[name]
                for name in (
                    "net_sentiment",
                    "net_sentiment_low",
                    "net_sentiment_high",
                    "mentions",
                    "authors",
                    "attention",
                )
            },
            "emotion": "emotion with the largest share of votes; empty: none was present",
            "net_sentiment_change": "against the month before, in points",
            "attention_change": "against the month before",
            **_SURVEY_COLUMNS,
        },
    ),
    "survey_scores": (
        "Survey scores by service, customer class and month; empty below `min_responses` people.",
        {
            "service": "entry of the service portfolio; empty: the company as a whole",
            "segment": "customer class (A, B, C …); empty: all of them",
            "period": "month, YYYY-MM",
            "metric": "csat, csat_top2, nps or ces",
            "value": "CSAT and CES on their own scale, NPS and csat_top2 in points of 100",
            "low": "lower end of its 95 % interval",
            "high": "upper end of its 95 % interval",
            "responses": "answers behind it (n)",
            "effective_responses": "what they are worth with the survey's weights (Kish)",
            "scale_low": "lower end of the scale that value is on",
            "scale_high": "its upper end",
        },
    ),
    **survey_explained.VIEWS,
    "model_changes": (
        "One row a mention and former model: old scores beside the present ones.",
        {
            "mention_id": "id of the mention",
            "company": _COMPANY,
            "service": _SERVICE,
            "snippet": "what was said about this service",
            "old_model": "the former model",
            "old_polarity": "its polarity",
            "old_valence": "its valence",
            "new_model": "the model whose score counts now",
            "new_polarity": "its polarity",
            "new_valence": "its valence",
        },
    ),
    "active_alerts": (
        "Alerts that are pending or firing.",
        {
            "alert_id": "id of the alert",
            "rule": "the rule that raised it",
            "company": _COMPANY,
            "service": _SERVICE,
            "subject": "what else it is about: a source, a survey's metric and class, an emotion",
            "state": "pending or firing",
            "since_at": "since when, UTC",
            "acknowledged_at": "when somebody said that they know, UTC",
            "reason": "why it came into this state",
            "detail": "the figures behind the reason, as JSON",
        },
    ),
    "source_health": (
        "One row a source of config.toml: how it fares.",
        {
            "source": "its name",
            "kind": "its kind",
            "health": "ok, not read yet, silent (no success for five intervals), quiet (no new "
            "post for ten times the usual interval), failing, disabled",
            "last_success_at": "last time it was read to its end, UTC",
            "posts": "posts stored from it",
            "posts_last_day": "of these, collected in the last 24 hours",
            "usual_posts_a_day": "mean of the last 28 days",
            "last_error": "what went wrong last, in words; empty: all is well",
            "error_count": "failures since the last success",
            "last_attempt_at": "last time it was tried, UTC",
            "next_attempt_at": "when it will be tried next, UTC",
            "problems": "what its last reading had to leave out, counted",
            "last_problem": "the last of these, in words: a row, a part that failed",
            "gaps": "times in the last 30 days that posts were lost, since the service shows so "
            "many at a time",
            "last_gap": "the last of these, in words; empty: none",
            "last_gap_at": "when it was found, UTC",
            "quota": "what is left of the service's allowance, in words",
            "recheck_error": "why stored posts could not be looked at again; empty: all is well",
        },
    ),
}
"""View → (what a row is, {column: what it means})."""


def _by(unit: str, view: str, period: str) -> tuple[str, dict[str, str]]:
    return (
        f"The same as {view} by {unit}.",
        {
            name: said.replace("month, YYYY-MM", period).replace("month", unit)
            for name, said in VIEWS[view][1].items()
        },
    )


for _view in ("survey_scores", "service_scorecard"):
    VIEWS[f"{_view}_weekly"] = _by("week", _view, "the week's Monday")
VIEWS["survey_scores_daily"] = (
    (
        "The same as survey_scores by day, for all customer classes together; shown where every "
        "day of the week and of the month that has answers has enough of them."
    ),
    _by("day", "survey_scores", "date in the configured time zone")[1]
    | {"segment": "always empty: all customer classes"},
)
