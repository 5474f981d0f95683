"""What a receiver reads: an alert in German or English, with the posts behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sentiment.database import rows
from sentiment.reasons import reason_text, shown, told
from sentiment.schema.survey_views import MIN_RESPONSES, figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlite_utils import Database

QUOTE = 220  # characters of a post

WORDS = {
    "en": {
        "drop": "{service}: people speak worse of it",
        "threshold": "{service}: net sentiment below {below:+.0f}",
        "volume": "{service}: many more people talk about it",
        "emotion": "{service}: more {emotion}",
        "survey": "{subject} is falling{of}",
        "source": "Source “{subject}” is no longer read",
        "mend": "Once that is put right, restart the worker: the source is then read again.",
        "job": "The worker fails at a duty: {subject}",
        "disk": "Disk nearly full: {said}",
        "over": "over: {title}",
        "again": "still: {title}",
        "several": "{n} alerts: {names}",
        "fall": "Net sentiment fell from {before:+.0f} to {after:+.0f} (95 %: {low:+.0f} to "
        "{high:+.0f}; scale -100 to +100), since {since}: {authors} voices, compared with "
        "{authors_before} before.",
        "valence_fall": "Valence fell from {before:+.0f} to {after:+.0f} (scale -100 to +100), "
        "since {since}: {authors} voices, compared with {authors_before} before.",
        "sure": "By chance such a thing happens about once in {span} for this service.",
        "surer": "By chance such a thing happens less than once in {span} for this service.",
        "years": "{n} years", "months": "{n} months", "days": "{n} days",
        "emotion_rose": "Mostly {emotion}: in {after} % of the posts, {before} % before.",
        "posts": "The posts that weigh most:",
        "sources": "Where from: {shares}.",
        "still": "It would also be an alert {without}.",
        "not_still": "It would be no alert {without}: look there first.",
        "and": " and ",
        "author": "without its loudest author",
        "thread": "without its loudest thread",
        "source_out": "without its loudest source",
        "surveys": "Surveys, last 90 days: {scores}.",
        "no_surveys": "There are no survey answers on this service in the last 90 days.",
        "few_surveys": "In the last 90 days too few people answered a survey on this service.",
        "net": "Net sentiment is {net:+.0f} ({authors} voices).",
        "many": "{authors} voices in {days}; usually {usual:.1f}.",
        "rose": "In {after} % of the posts; usually in {before} %.",
        "scored": "From {before} to {after} ({answers} answers).",
        "reason": "Why: {reason}.",
        "act": "Nothing more until it is over: sentiment alerts ack {alert}",
        "of": " for {service}", "class": "{metric} of customer class {segment}",
        "anger": "anger", "disgust": "disgust", "fear": "fear", "joy": "joy",
        "sadness": "sadness", "surprise": "surprise", "decimal": ".", "day": "{0:%-d %B %Y}",
        "quote": "“{}”",
    },
    "de": {
        "drop": "{service}: Es wird schlechter darüber gesprochen",
        "threshold": "{service}: Netto-Stimmung unter {below:+.0f}",
        "volume": "{service}: Viel mehr Menschen sprechen darüber",
        "emotion": "{service}: mehr {emotion}",
        "survey": "{subject} sinkt{of}",
        "source": "Quelle „{subject}“ wird nicht mehr gelesen",
        "mend": "Sobald das behoben ist, starten Sie den Worker neu: Dann wird die Quelle wieder "
        "gelesen.",
        "job": "Der Dienst scheitert an einer Aufgabe: {subject}",
        "disk": "Speicher fast voll: {said}",
        "over": "vorbei: {title}",
        "again": "weiterhin: {title}",
        "several": "{n} Meldungen: {names}",
        "fall": "Die Stimmung fiel von {before:+.0f} auf {after:+.0f} (95 %: {low:+.0f} bis "
        "{high:+.0f}; Skala -100 bis +100), seit dem {since}: {authors} Stimmen, verglichen mit "
        "{authors_before} in der Zeit davor.",
        "valence_fall": "Die Valenz fiel von {before:+.0f} auf {after:+.0f} (Skala -100 bis +100), "
        "seit dem {since}: {authors} Stimmen, verglichen mit {authors_before} in der Zeit davor.",
        "sure": "Durch Zufall kommt so etwas bei dieser Leistung etwa alle {span} vor.",
        "surer": "Durch Zufall kommt so etwas bei dieser Leistung seltener als alle {span} vor.",
        "years": "{n} Jahre", "months": "{n} Monate", "days": "{n} Tage",
        "emotion_rose": "Vor allem {emotion}: in {after} % der Beiträge, vorher in {before} %.",
        "posts": "Die Beiträge, die am meisten wiegen:",
        "sources": "Woher: {shares}.",
        "still": "Es wäre auch {without} eine Meldung.",
        "not_still": "Es wäre {without} keine Meldung: Sehen Sie dort zuerst nach.",
        "and": " und ",
        "author": "ohne die lauteste Stimme",
        "thread": "ohne die lauteste Diskussion",
        "source_out": "ohne die lauteste Quelle",
        "surveys": "Umfragen der letzten 90 Tage: {scores}.",
        "no_surveys": "Zu dieser Leistung gibt es aus den letzten 90 Tagen keine Umfrageantworten.",
        "few_surveys": "Zu dieser Leistung haben in den letzten 90 Tagen zu wenige Menschen auf "
        "Umfragen geantwortet.",
        "net": "Die Netto-Stimmung liegt bei {net:+.0f} ({authors} Stimmen).",
        "many": "{authors} Stimmen in {days_dative}; üblich sind {usual:.1f}.",
        "rose": "In {after} % der Beiträge; üblich sind {before} %.",
        "scored": "Von {before} auf {after} ({answers} Antworten).",
        "reason": "Grund: {reason}.",
        "act": "Nichts mehr senden, bis es vorbei ist: sentiment alerts ack {alert}",
        "of": " bei {service}", "class": "{metric} der Kundenklasse {segment}",
        "anger": "Wut", "disgust": "Ekel", "fear": "Angst", "joy": "Freude",
        "sadness": "Trauer", "surprise": "Überraschung", "decimal": ",", "day": "{0:%-d.%-m.%Y}",
        "quote": "„{}“",
    },
}  # fmt: skip
SURVEYS = f"""
SELECT *, people >= {MIN_RESPONSES} AS shown
FROM ({figures("service_id = :service AND day > date(:now, '-90 days')")})
"""


@dataclass(frozen=True)
class Message:
    """What is sent. id: the same whenever it is sent again. pictures: file names with PNGs."""

    id: int
    title: str
    body: str
    pictures: tuple[tuple[str, bytes], ...] = ()


def compose(
    db: Database, message_id: int, transitions: list[dict[str, Any]], language: str, now: datetime
) -> Message:
    """One message for transitions that belong together.

    transitions: id, rule, subject, service, service_id, alert_id, from_state, to_state, reason,
    detail.
    """
    parts = [_part(db, row, language, now) for row in transitions]
    if len(parts) == 1:
        title, body = parts[0]
    else:
        words = WORDS[language]
        names = ", ".join(dict.fromkeys(_about(row, words) for row in transitions))
        title = words["several"].format(n=len(parts), names=names)
        body = "\n\n".join(f"{head}\n{text}" for head, text in parts)
    return Message(message_id, f"[{message_id}] {title}", body)


def explained(
    db: Database, transition: dict[str, Any], language: str, now: datetime
) -> tuple[str, list[str]]:
    """The title and the paragraphs of a transition (see `compose`), without its posts."""
    facts = json.loads(transition["detail"])
    paragraphs = [
        text for kind, text in _lines(db, transition, facts, language, now) if kind != "posts"
    ]
    return _title(transition, facts, language), paragraphs


def _part(db: Database, row: dict[str, Any], language: str, now: datetime) -> tuple[str, str]:
    words, facts = WORDS[language], json.loads(row["detail"])
    title = _title(row, facts, language)
    if row["to_state"] == "resolved":
        return words["over"].format(title=title), words["reason"].format(
            reason=reason_text(row, language)
        )
    lines = [text for _, text in _lines(db, row, facts, language, now)]
    lines.append(words["act"].format(alert=row["alert_id"]))
    if row["from_state"] == "firing":
        title = words["again"].format(title=title)
    return title, "\n\n".join(lines)


def _title(row: dict[str, Any], facts: dict[str, Any], language: str) -> str:
    words = WORDS[language]
    kind, subject = row["rule"], row["subject"]
    if kind == "source" and subject == "disk":
        kind = "disk"
    if kind == "source" and subject.startswith("job "):
        kind, subject = "job", subject.removeprefix("job ")
    values = {
        "service": row["service"] or "",
        "subject": _asked(subject, words) if kind == "survey" else subject,
        "below": facts.get("below", 0.0),
        "said": told(facts.get("said", ""), language),
        "emotion": words.get(row["subject"], ""),
        "of": words["of"].format(service=row["service"]) if row["service"] else "",
    }
    return words[kind].format(**values)


def _about(row: dict[str, Any], words: dict[str, str]) -> str:
    """What a transition is about, in a list of several."""
    subject: str = row["service"] or row["subject"]
    if row["rule"] == "survey" and not row["service"]:
        return _asked(subject, words)
    return subject.removeprefix("job ")


def _asked(subject: str, words: dict[str, str]) -> str:
    """The metric of a survey, and the customer class if it is of one."""
    metric, _, segment = subject.partition(" ")
    if not segment:
        return metric.upper()
    return words["class"].format(metric=metric.upper(), segment=segment)


def _lines(
    db: Database, row: dict[str, Any], facts: dict[str, Any], language: str, now: datetime
) -> Iterator[tuple[str, str]]:
    """Paragraphs, each with a word that says which one it is."""
    words = WORDS[language]
    plain = {"threshold": "net", "volume": "many", "emotion": "rose", "survey": "scored"}
    if row["rule"] in plain:
        values = shown(facts, language)
        if row["rule"] == "survey":  # NPS in whole points, as everywhere
            form = "+.0f" if row["subject"].startswith("nps") else ".2f"
            values |= {name: format(values[name], form) for name in ("before", "after")}
        yield row["rule"], words[plain[row["rule"]]].format(**values)
    if row["rule"] == "source" and row["subject"] != "disk":
        said = facts.get("said", "")
        yield "source", told(said, language)
        if isinstance(said, dict) and said.get("code") == "disabled":
            yield "mend", words["mend"]
    if row["rule"] != "drop" or "since" not in facts:
        return
    yield "fall", _fall(facts, words)
    years = facts["years_between"]
    sure = words["surer" if years >= 1000 else "sure"]
    yield "sure", sure.format(span=_span(years, words))
    if risen := facts["emotion"]:
        told_emotion = {**risen, "emotion": words[risen["name"]]}
        yield "emotion", words["emotion_rose"].format(**told_emotion)
    yield "posts", "\n".join([words["posts"], *_posts(db, weightiest(db, row), words)])
    shares = ", ".join(f"{part['name']} {part['share']} %" for part in facts["sources"])
    yield "sources", words["sources"].format(shares=shares)
    without = dict(facts["without"])
    if len(facts["sources"]) == 1:
        without.pop("source", None)  # without its only source there is nothing at all
    yield "without", _without(without, words)
    yield "surveys", _surveys(db, row["service_id"], words, now)


def _fall(facts: dict[str, Any], words: dict[str, str]) -> str:
    """How far: by the net sentiment, which the pages show, unless only the valence has fallen."""
    day = words["day"].format(date.fromisoformat(facts["since"]))
    late, early = facts.get("net"), facts.get("net_before")
    if not (late and early and late["net"] < early["net"]):
        return words["valence_fall"].format(**{**facts, "since": day})
    values = {"after": late["net"], "before": early["net"], "authors_before": early["authors"]}
    return words["fall"].format(since=day, **late, **values)


def _span(years: float, words: dict[str, str]) -> str:
    """A time in the unit in which it is a number that people can picture."""
    if years >= 2:
        n = f"{years:.0f}" if years >= 10 else f"{years:.1f}".removesuffix(".0")
        return words["years"].format(n=n.replace(".", words["decimal"]))
    if years >= 2 / 12:
        return words["months"].format(n=round(12 * years))
    return words["days"].format(n=max(2, round(365 * years)))


def weightiest(db: Database, transition: dict[str, Any]) -> list[int]:
    """The mentions that weigh most: those that still mean the service.

    A post may be read anew and mean something else; the number of its mention is given again.
    """
    found = rows(
        db,
        "SELECT m.id FROM json_each(?) j JOIN mentions m ON m.id = j.value AND m.service_id = ? "
        "JOIN companies c ON c.id = m.company_id AND c.own = 1 ORDER BY j.key",
        json.dumps(json.loads(transition["detail"]).get("mentions", [])),
        transition["service_id"],
    )
    return [row["id"] for row in found]


def _posts(db: Database, mentions: list[int], words: dict[str, str]) -> Iterator[str]:
    """Their words as they stand in the database now: what was erased is not told."""
    found = {
        row["mention_id"]: row
        for row in rows(
            db,
            "SELECT * FROM scored_mentions WHERE mention_id IN (SELECT value FROM json_each(?))",
            json.dumps(mentions),
        )
    }
    for mention in mentions:
        row = found.get(mention)
        if row and row["snippet"]:
            quote = " ".join(row["snippet"].split())
            quote = quote if len(quote) <= QUOTE else quote[: QUOTE - 1].rstrip() + "…"
            day = words["day"].format(date.fromisoformat(row["day"]))
            quote = words["quote"].format(quote)
            yield f"- {day}, {row['source']}: {quote} {row['url'] or ''}".rstrip()


def _without(holds: dict[str, bool], words: dict[str, str]) -> str:
    """Whether it hangs on one voice, thread or source."""
    names = {"author": "author", "thread": "thread", "source": "source_out"}
    falls = [words[names[name]] for name in names if not holds.get(name, True)]
    if falls:
        return words["not_still"].format(without=_series(falls, words))
    every = [words[names[name]] for name in names if name in holds]
    return words["still"].format(without=_series(every, words))


def _series(parts: list[str], words: dict[str, str]) -> str:
    """a, b and c"""
    return words["and"].join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _surveys(db: Database, service: int, words: dict[str, str], now: datetime) -> str:
    found = list(db.query(SURVEYS, {"service": service, "now": now.astimezone(UTC).isoformat()}))
    if not found:
        return words["no_surveys"]
    shown = [row for row in found if row["shown"]]
    if not shown:
        return words["few_surveys"]
    scores = [
        f"{row['metric'].upper()} "
        + (f"{row['mean']:+.0f}" if row["metric"] == "nps" else f"{row['mean']:.1f}").replace(
            ".", words["decimal"]
        )
        + f" (n = {row['n']})"
        for row in sorted(shown, key=lambda row: str(row["metric"]))
    ]
    return words["surveys"].format(scores=", ".join(scores))
