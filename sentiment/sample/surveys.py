"""The sample firm's client survey, as a survey tool would export it. Every answer is invented.

Employment law loses in the survey what it loses in public, but a week later; the other services
stay as they are. Class A are the largest clients, C the smallest.
"""

from __future__ import annotations

import csv
import random
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

WEEKS = 12
SOUR_FROM = 7  # days ago: a week after the posts turned
PER_WEEK = {  # answer sheets a week
    "Steuerberatung": 26, "Arbeitsrecht": 30, "Erbrecht": 9, "Familienrecht": 9, "Mietrecht": 8,
    "Lohnbuchhaltung": 10, "Gründungsberatung": 6, "Due Diligence": 3,
}  # fmt: skip
CLASSES = {"A": (0.2, 0.5), "B": (0.35, 0.1), "C": (0.45, -0.2)}  # share; how much happier
NOBODY_KNOWS = 0.05  # share of questions that are not answered
GOOD = (
    "Alles bestens, gerne wieder.",
    "Schnelle Rückmeldung und klare Worte.",
    "Sehr freundlich, und die Fristen wurden gehalten.",
    "Ich habe mich gut beraten gefühlt.",
    "Kompetent und geduldig.",
    "Tolle Betreuung vom ersten Termin an.",
    "Endlich jemand, der zuhört.",
    "Das Ergebnis ist besser, als ich gehofft hatte.",
    "Super Team, man wird ernst genommen.",
)
GOOD_MORE = (
    "",
    "Vielen Dank!",
    "Auch die Rechnung war genau wie besprochen.",
    "Mails wurden noch am selben Tag beantwortet.",
    "Ich empfehle die Kanzlei gerne weiter.",
    "Selbst am Freitagnachmittag war noch jemand da.",
    "Die Unterlagen waren tadellos vorbereitet.",
)
SO_SO = (
    "Unterlagen kamen per Post.",
    "Der Termin war am Dienstag.",
    "Im Großen und Ganzen in Ordnung.",
    "Ging so.",
    "Das Verfahren läuft noch.",
    "Wir hatten zwei Besprechungen.",
    "Gesprochen wurde vor allem über die nächsten Schritte.",
)
BAD = (
    "Seit zwei Wochen ruft niemand zurück.",
    "Frist versäumt.",
    "Die Rechnung war viel höher als besprochen.",
    "Mein Ansprechpartner hat schon wieder gewechselt, keiner kennt die Akte.",
    "Drei Mails, keine Antwort.",
    "Schlecht vorbereitet zum Gerichtstermin erschienen.",
    "Man wird von einem zum anderen verbunden.",
    "Der Rückruf kam nie.",
)
BAD_MORE = (
    "",
    "Ich bin sehr enttäuscht.",
    "Eine Frechheit.",
    "So verliert man Mandanten.",
    "Das war früher besser.",
    "Ich suche mir jetzt eine andere Kanzlei.",
    "Dafür zahle ich nicht noch einmal.",
)
HEADER = ["id", "submitdate", "lastpage", "startlanguage", "Klasse", "Leistung", "Weiterempfehlung",
          "Zufriedenheit", "Einfachheit", "Anmerkung"]  # fmt: skip


def write(directory: Path, today: date) -> None:
    """Write surveys/mandantenbefragung.csv: twelve weeks of answers that end on the day before."""
    (directory / "surveys").mkdir(exist_ok=True)
    path = directory / "surveys" / "mandantenbefragung.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(HEADER)
        table.writerows(_rows(today))


def _rows(today: date) -> list[list[str]]:
    chance = random.Random(20251)  # noqa: S311 - the same sample every time
    sheets = sorted(
        (chance.randrange(1, 7 * WEEKS), service)
        for service, weekly in PER_WEEK.items()
        for _ in range(weekly * WEEKS)
    )
    return [
        _sheet(chance, number, today - timedelta(days=days_ago), service, days_ago)
        for number, (days_ago, service) in enumerate(reversed(sheets), start=1)
    ]


def _sheet(chance: random.Random, number: int, day: date, service: str, days_ago: int) -> list[str]:
    """One client's answers: a mood between −1 and 1, and what it makes of each question."""
    name = chance.choices(list(CLASSES), [share for share, _ in CLASSES.values()])[0]
    sour = service == "Arbeitsrecht" and days_ago <= SOUR_FROM
    mood = chance.gauss((-0.3 if sour else 0.45) + CLASSES[name][1] * 0.3, 0.45)
    at = f"{day} {chance.randrange(8, 19):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
    handed_in = chance.random() > 0.03
    answers = [
        _answer(chance, mood, 0, 10, lift=1.6),
        _answer(chance, mood, 1, 5, lift=0.4),
        _answer(chance, mood, 1, 7, lift=0.6),
    ]
    words = _words(chance, mood)
    page = "3" if handed_in else "1"
    return [str(number), at if handed_in else "", page, "de", name, service, *answers, words]


def _answer(chance: random.Random, mood: float, low: int, high: int, *, lift: float) -> str:
    if chance.random() < NOBODY_KNOWS:
        return chance.choice(("", "weiß nicht", "99"))
    middle, half = (low + high) / 2, (high - low) / 2
    return str(round(max(low, min(high, middle + lift + half * mood + chance.gauss(0, 0.5)))))


def _words(chance: random.Random, mood: float) -> str:
    if chance.random() > 0.12:
        return ""
    if mood < -0.3:
        return f"{chance.choice(BAD)} {chance.choice(BAD_MORE)}".strip()
    if mood > 0.25:
        return f"{chance.choice(GOOD)} {chance.choice(GOOD_MORE)}".strip()
    return chance.choice(SO_SO)
