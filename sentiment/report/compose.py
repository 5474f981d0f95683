"""The report as blocks: headings, sentences, tables and quotations, in German or English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from babel.dates import format_date
from babel.numbers import format_decimal

from sentiment.reasons import reason_text
from sentiment.report.gather import DRIVER_DAYS
from sentiment.report.words import WORDS
from sentiment.schema.intervals import MIN_VOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment.phrases import Driver
    from sentiment.report.gather import Found, Row

NAMES = {"net_sentiment": "net", "nps": "NPS", "csat": "CSAT", "ces": "CES"}


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; level 1 is the page's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or two."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head; the first column is text, the others are figures.

    What stands in a cell's second line is the figure's uncertainty.
    """

    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's words, where they stand, and a link if there is one."""

    text: str
    where: str
    url: str | None


Block = Heading | Paragraph | Table | Quote


class Say:
    """Words and numbers of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.words = WORDS[language]

    def __call__(self, key: str, **values: object) -> str:
        """A phrase with its gaps filled."""
        return self.words[key].format(**values)

    def number(self, value: float | None, digits: int = 0, *, sign: bool = False) -> str:
        """A number as the language writes it; a dash for none."""
        if value is None:
            return "–"
        places = "." + "0" * digits if digits else ""
        form = f"+#,##0{places};-#,##0{places}" if sign else f"#,##0{places}"
        rounded = round(value, digits) + 0.0  # no minus before a zero
        text: str = format_decimal(rounded, form, locale=self.language)
        return text.replace("-", "−").removeprefix("+" if rounded == 0 else "\0")

    def interval(self, low: float, high: float, digits: int = 0, *, sign: bool = False) -> str:
        """Both ends."""
        ends = [self.number(end, digits, sign=sign) for end in (low, high)]
        return f" {self.words['to']} ".join(ends)

    def month(self, period: str) -> str:
        """A period such as 2026-03 as the month's name and year."""
        day = date.fromisoformat(f"{period}-01")
        return str(format_date(day, "LLLL y", locale=self.language))

    def day(self, day: str) -> str:
        """A date as the language writes it."""
        return str(format_date(date.fromisoformat(day), "medium", locale=self.language))

    def metric(self, name: str) -> str:
        """The name of a figure."""
        return self.words["net"] if name == "net_sentiment" else NAMES[name]


def compose(found: Found, language: str) -> list[Block]:
    """The whole report on a month."""
    say = Say(language)
    return [
        Heading(say("title", company=found.company, month=say.month(found.month)), 1),
        *_summary(found, say),
        *_scorecard(found, say),
        *_segments(found, say),
        *_changes(found, say),
        *_together(found, say),
        *_alerts(found, say),
        Paragraph(say("method", votes=MIN_VOTES)),
    ]


def _summary(found: Found, say: Say) -> Iterator[Block]:
    if not found.scorecard:
        yield Paragraph(say("nothing"))
        return
    if found.today:
        yield Paragraph(say("running", day=say.day(found.today)))
    yield Paragraph(say("basis", **_basis(found, say)))
    falls, rises = (
        [row for row in found.changes if (row["change"] < 0) is down] for down in (True, False)
    )
    sentences = [say("falls", services=_moves(falls, say))] if falls else []
    sentences += [say("rises", services=_moves(rises, say))] if rises else []
    if sentences and len({row["service"] for row in found.changes}) < len(found.scorecard):
        sentences.append(say("others"))
    yield Paragraph(" ".join(sentences) or say("calm"))


def _basis(found: Found, say: Say) -> dict[str, str]:
    """How much there is: mentions, and answers to all questions."""
    asked = ("csat_responses", "nps_responses", "ces_responses")
    answers = sum(row[name] or 0 for row in found.scorecard for name in asked)
    mentions = sum(row["mentions"] or 0 for row in found.scorecard)
    return {"mentions": say.number(mentions), "answers": say.number(answers)}


def _moves(changes: list[Row], say: Say) -> str:
    """As in "Arbeitsrecht (Stimmung, NPS), Mietrecht (CSAT)"."""
    figures: dict[str, list[str]] = {}
    for row in changes:
        figures.setdefault(row["service"], []).append(say.metric(row["metric"]))
    return ", ".join(f"{service} ({', '.join(names)})" for service, names in figures.items())


def _scorecard(found: Found, say: Say) -> Iterator[Block]:
    if not found.scorecard:
        return
    yield Heading(say("scorecard"))
    head = [say(key) for key in ("service", "net", "mentions", "attention", "emotion")]
    yield Table(
        [*head, "CSAT", say("top2"), "NPS", "CES"],
        [_scores(row, say) for row in found.scorecard],
    )


def _scores(row: Row, say: Say) -> list[str]:
    net = "–"
    if row["mentions"]:
        enough = row["authors"] >= MIN_VOTES
        net = _figure(row, "net_sentiment", say, sign=True) if enough else say("few")
    attention = None if row["attention"] is None else 100 * row["attention"]
    return [
        row["service"],
        net,
        say.number(row["mentions"]),
        "–" if attention is None else f"{say.number(attention)} %",
        say.words.get(row["emotion"] or "", "–"),
        _survey(row, "csat", say, 2),
        _survey(row, "csat_top2", say, 0, unit=" %"),
        _survey(row, "nps", say, 0, sign=True),
        _survey(row, "ces", say, 2),
    ]


def _figure(
    row: Row, name: str, say: Say, digits: int = 0, *, sign: bool = False, unit: str = ""
) -> str:
    """As in "−12 (−30 to +5)"; what stands in brackets, on a line of its own."""
    value = say.number(row[name], digits, sign=sign)
    interval = say.interval(row[f"{name}_low"], row[f"{name}_high"], digits, sign=sign)
    return f"{value}{unit}\n({interval})"


def _survey(
    row: Row, name: str, say: Say, digits: int, *, sign: bool = False, unit: str = ""
) -> str:
    if row[f"{name}_responses"] is None:
        return "–"
    if row[name] is None:
        return say("hidden")
    said = _figure(row, name, say, digits, sign=sign, unit=unit)
    return f"{said}, n {say.number(row[f'{name}_responses'])}"


def _segments(found: Found, say: Say) -> Iterator[Block]:
    names = sorted({row["segment"] for row in found.segments})
    if not names:
        return
    yield Heading(say("segments"))
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in found.segments:
        digits, sign = (0, True) if row["metric"] == "nps" else (2, False)
        value = say("hidden")
        if row["value"] is not None:
            interval = say.interval(row["low"], row["high"], digits, sign=sign)
            value = f"{say.number(row['value'], digits, sign=sign)}\n({interval})"
        shown = f"{value}, n {say.number(row['responses'])}"
        cells.setdefault((row["service"], row["metric"]), {})[row["segment"]] = shown
    yield Table(
        [say("service"), say("figure"), *names],
        [
            [service, say.metric(metric), *(of.get(name, "–") for name in names)]
            for (service, metric), of in cells.items()
        ],
    )


def _changes(found: Found, say: Say) -> Iterator[Block]:
    if not found.compared:
        return
    yield Heading(say("changes"))
    expected = say.number(found.compared * 0.05, 1)
    for service, posts in found.posts.items():
        yield Heading(service, 3)
        for row in found.changes:
            if row["service"] == service:
                yield Paragraph(_change(row, say))
        yield from _drivers(found.drivers[service], say)
        for post in posts:
            where = f"{post['source']}, {say.day(post['day'])}"
            yield Quote(post["snippet"], where, post["url"])
    key = "chance" if found.changes else "no_changes"
    yield Paragraph(say(key, compared=say.number(found.compared), expected=expected))


def _change(row: Row, say: Say) -> str:
    digits, sign = (0, True) if row["metric"] in ("net_sentiment", "nps") else (2, False)
    change = _difference(row["value"], row["before"], digits)
    return say(
        "fell" if row["change"] < 0 else "rose",
        figure=say.metric(row["metric"]),
        before=say.number(row["before"], digits, sign=sign),
        value=say.number(row["value"], digits, sign=sign),
        change=say.number(change, digits, sign=True),
        what=say("voices" if row["metric"] == "net_sentiment" else "answers"),
        interval=say.interval(row["change_low"], row["change_high"], digits, sign=True),
        n=say.number(row["n"]),
        n_before=say.number(row["n_before"]),
    )


def _difference(value: float, before: float, digits: int) -> float:
    """As a reader gets it by subtracting what is printed."""
    return round(value, digits) - round(before, digits)


def _drivers(drivers: list[Driver], say: Say) -> Iterator[Block]:
    for polarity in ("negative", "positive"):
        mine = [driver for driver in drivers if driver.polarity == polarity]
        clear, faint = (
            "; ".join(_driver(driver, say) for driver in mine if (driver.low > 0) is beyond)
            for beyond in (True, False)
        )
        sentences = [say(f"drivers_{polarity}", phrases=clear, days=DRIVER_DAYS)] if clear else []
        key = "drivers_faint" if clear else f"drivers_{polarity}_faint"
        sentences += [say(key, phrases=faint, days=DRIVER_DAYS)] if faint else []
        if sentences:
            yield Paragraph(" ".join(sentences))


def _driver(driver: Driver, say: Say) -> str:
    return say(
        f"driver_{driver.polarity}",
        phrase=driver.phrase,
        authors=say.number(driver.authors),
        voices=say.number(driver.voices),
        other_authors=say.number(driver.other_authors),
        other_voices=say.number(driver.other_voices),
    )


def _together(found: Found, say: Say) -> Iterator[Block]:
    if not found.together and not found.agreement:
        return
    yield Heading(say("together"))
    moved = [row for row in found.together if row["verdict"] != "no clear change"]
    alike: dict[tuple[str, str], list[Row]] = {}
    for row in moved:
        alike.setdefault((row["service"], row["verdict"]), []).append(row)
    for of_one in alike.values():
        yield Paragraph(_moved(of_one, say))
    if found.together and not moved:
        yield Paragraph(say("quiet"))
    for row in found.shifts:
        yield Paragraph(_shift(row, say))
    if found.shifts:
        yield Paragraph(say("shifts_chance"))
    for row in found.agreement:
        yield Paragraph(_agreement(row, say))


def _moved(alike: list[Row], say: Say) -> str:
    """The view's verdict in words, with the numbers of each figure that it holds for."""
    first = alike[0]
    verdict = first[f"sentence_{say.language}"].split(" (")[0]
    changes = [_step(first, "public", say("public"), 0, say)]
    for row in alike:
        digits = 0 if row["metric"] == "nps" else 2
        changes.append(_step(row, "survey", say.metric(row["metric"]), digits, say))
    return f"{first['service']}: {verdict} ({', '.join(changes)})."


def _step(row: Row, of: str, name: str, digits: int, say: Say) -> str:
    """As in "NPS −27 [−48 to −6]"."""
    low, high = row[f"{of}_change_low"], row[f"{of}_change_high"]
    change = _difference(row[of], row[of] - row[f"{of}_change"], digits)
    interval = say.interval(low, high, digits, sign=True)
    return f"{name} {say.number(change, digits, sign=True)} [{interval}]"


def _shift(row: Row, say: Say) -> str:
    key = "leads" if row["shift"] > 0 else "lags" if row["shift"] < 0 else "at_once"
    return say(
        key,
        service=row["service"],
        figure=say.metric(row["metric"]),
        shift=say("month_one" if abs(row["shift"]) == 1 else "month_more", n=abs(row["shift"])),
        correlation=say.number(row["correlation"], 2, sign=True),
        interval=say.interval(row["low"], row["high"], 2, sign=True),
        months=say.number(row["months"]),
    )


def _agreement(row: Row, say: Say) -> str:
    return say(
        "agreement",
        survey=row["survey"],
        same=say.number(row["agreement"]),
        interval=say.interval(row["agreement_low"], row["agreement_high"]),
        n=say.number(row["comments"]),
        opposite=say.number(row["opposite"]),
    )


def _alerts(found: Found, say: Say) -> Iterator[Block]:
    if found.alerts:
        yield Heading(say("alerts"))
    for row in found.alerts:
        yield Paragraph(_alert(row, say))


def _alert(row: dict[str, Any], say: Say) -> str:
    subject = row["subject"].upper() if row["rule"] == "survey" else row["subject"]
    about = row["service"] or subject or row["company"] or row["rule"]
    reason = re.sub(r"(?<=\s)-(?=\d)", "−", reason_text(row, say.language)).rstrip(".")
    since, until = (
        say.day(moment[:10]) if moment else "" for moment in (row["since_at"], row["over_at"])
    )
    return say(
        "alert_over" if until else "alert", about=about, since=since, until=until, reason=reason
    )
