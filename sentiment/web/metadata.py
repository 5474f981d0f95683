"""What Datasette is told about the database: texts, queries, and limits.

Units stand in the columns' texts: Datasette's own would append them to every cell.
"""

from __future__ import annotations

import re
from typing import Any

from models.labels import EKMAN
from sentiment.schema import explained, explained_de
from sentiment.schema.tables import tables
from sentiment.web.queries import QUERIES, Said

NAME = "sentiment"
"""The database's name in addresses: that of its file without suffix."""

SETTINGS: dict[str, int | bool] = {
    # A count of a million mentions takes a second; nothing may take minutes.
    "sql_time_limit_ms": 5000,
    # Suggesting facets tries every column of every page; ours stand in the metadata.
    "suggest_facets": False,
    # A facet that takes longer is left out with a note, so that a page of millions still opens.
    "facet_time_limit_ms": 200,
    "default_facet_size": 15,
    "default_page_size": 50,
    "max_returned_rows": 1000,
    "allow_download": False,
    "allow_csv_stream": True,
    "max_csv_mb": 100,
    # Readers do not wait for the writer; more threads than this only fight for the processor.
    "num_sql_threads": 3,
    # Figures change by the minute.
    "default_cache_ttl": 0,
}
"""Datasette's settings, tried out on a million mentions (benchmarks/queries.py)."""

HIDDEN = (
    "sketches",
    "stale_days",
    "state",
    "period_sentiment",
    "driver_lists",
    "drivers",
    "survey_responses",  # single answers: figures are in the views, which hide those of few people
    "survey_sums",
    "stale_survey_days",
    "share_bounds",
    "_sqlite_migrations",
)
"""What only the worker reads; the search index's own tables are hidden by Datasette."""

TITLE = Said("Stimmung zu unseren Leistungen", "Sentiment about our services")
DESCRIPTION = Said(
    "Was öffentlich über unsere Leistungen gesagt wird, neben CSAT, NPS und CES. Beginnen Sie mit "
    "den Abfragen: Sie beantworten, was am häufigsten gefragt wird.",
    "What is said in public about our services, beside CSAT, NPS and CES. Begin with the queries: "
    "they answer what is asked most.",
)
MENTIONS = {
    "sort_desc": "posted_at",
    "facets": ["service", "polarity", "emotion", "source"],
    "sortable_columns": ["posted_at", "day", "valence", "rating", *EKMAN],
}
SHOWN: dict[str, dict[str, Any]] = {
    "scored_mentions": MENTIONS,
    "service_daily": {"sort_desc": "day"},
    "service_drivers": {"sort_desc": "z", "facets": ["service", "polarity", "period"]},
    "service_weekly": {"sort_desc": "period"},
    "service_monthly": {"sort_desc": "period"},
    "service_scorecard": {"sort_desc": "period"},
    "survey_scores": {"sort_desc": "period", "facets": ["metric", "segment"]},
    "posts": {"sort_desc": "id", "fts_table": "posts_fts", "fts_pk": "id"},
    "companies": {"label_column": "name"},
    "services": {"label_column": "name"},
    "sources": {"label_column": "name"},
}


def metadata(language: str) -> dict[str, Any]:
    """Datasette's metadata in "de" or "en", canned queries included."""
    described = {name: _described(*said) for name, said in tables().items()}
    described |= {name: _described(*said) for name, said in views(language).items()}
    for name, more in SHOWN.items():
        described[name] = {**described[name], **more}
    for name in HIDDEN:
        described[name] = {**described.get(name, {}), "hidden": True}
    return {
        "title": TITLE[language],
        "description": DESCRIPTION[language],
        "databases": {NAME: {"tables": described, "queries": canned(language)}},
    }


def canned(language: str) -> dict[str, dict[str, Any]]:
    """The questions as Datasette's canned queries."""
    return {
        query.id: {
            "title": query.question[language],
            "description": f"{query.reading[language]} {_defaults(query.defaults, language)}",
            "sql": query.sql(language),
            "params": list(query.defaults),
        }
        for query in QUERIES
    }


def views(language: str) -> dict[str, tuple[str, dict[str, str]]]:
    """View → (what a row is, {column: what it means}); English where no German text is."""
    if language != "de":
        return explained.VIEWS
    german = explained_de.VIEWS
    return {
        name: (
            german[name][0] if name in german else row,
            {column: german.get(name, ("", {}))[1].get(column, said)
             for column, said in columns.items()},
        )
        for name, (row, columns) in explained.VIEWS.items()
    }  # fmt: skip


def search_words(words: str) -> str:
    """What somebody types as an FTS5 query: beginnings of words, however they spell umlauts and ß.

    "Kuendigung" finds Kündigung, Kündigungsfrist and Kuendigung. Phrases in double quotes stay
    exact but for spelling. Datasette calls this `escape_fts`. Empty when nothing is left of it.
    """
    parts = re.findall(r'"[^"]*"?|\S+', words)
    terms = [_term(part.strip('"'), exact=part.startswith('"')) for part in parts]
    return " AND ".join(term for term in terms if term)


def _term(text: str, *, exact: bool) -> str:
    plain = " ".join(re.findall(r"\w+", text))
    if not plain:
        return ""
    star = "" if exact else "*"
    found = sorted({f'"{spelling}"{star}' for spelling in spellings(plain)})
    return found[0] if len(found) == 1 else f"({' OR '.join(found)})"


def spellings(word: str) -> set[str]:
    """Ways to write a word: ä or ae, ö or oe, ü or ue, ß or ss. The index folds ä to a itself."""
    lower = word.lower()
    long, short = lower, lower
    for umlaut, pair in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        long = long.replace(umlaut, pair)
        short = short.replace(pair, umlaut)
    return {lower, long, short}


def _described(row: str, columns: dict[str, str]) -> dict[str, Any]:
    return {
        "description": row,
        "columns": columns,
    }


def _defaults(defaults: Any, language: str) -> str:
    if not defaults:
        return ""
    empty = "alle" if language == "de" else "all"
    said = ", ".join(f"{name}: {value or empty}" for name, value in defaults.items())
    return f"{'Vorgaben' if language == 'de' else 'Defaults'} – {said}."
