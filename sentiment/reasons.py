"""Why an alert changed its state: a code with its values, told in German or English.

The English sentence stands in the transition's row for whoever reads the table; code and values
stand in its `detail`, from which the other languages are made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sentiment.faults import in_language

if TYPE_CHECKING:
    from collections.abc import Mapping

SENTENCES: dict[str, tuple[str, str]] = {  # English, German
    # the state machine
    "enough": ("there are enough data", "Es liegen genug Daten vor"),
    "quiet": ("it stayed quiet", "Es blieb ruhig"),
    "unfounded": ("the suspicion did not hold", "Der Verdacht hat sich nicht bestätigt"),
    "goes on": (
        "it goes on: the repeat interval has passed",
        "Es hält an: Der Abstand für Wiederholungen ist verstrichen",
    ),
    "unsilenced": (
        "it goes on, and the silence is over",
        "Es hält an, und die Stummschaltung ist vorbei",
    ),
    "unwatched": ("it is no longer watched", "Das wird nicht mehr beobachtet"),
    # what freezes
    "not read": ("not read at present: {names}", "Zurzeit nicht gelesen: {names}"),
    "unscored": (
        "{n} mentions wait for the present model's scores",
        "{n} Erwähnungen warten auf die Werte des jetzigen Modells",
    ),
    "unmatched": ("{n} posts wait to be read", "{n} Beiträge warten darauf, gelesen zu werden"),
    # the drop
    "too few": (
        "fewer than {authors} authors or {days} to learn from",
        "Weniger als {authors} Stimmen oder {days}, um daraus zu lernen",
    ),
    "other sources": (
        "nothing fell but by sources that came or went: {names}",
        "Ein Abfall zeigt sich nur durch neue oder entfernte Quellen: {names}",
    ),
    "suspected": (
        "the mentions may be getting worse",
        "Die Erwähnungen werden womöglich schlechter",
    ),
    "fell": (
        "valence fell from {before:+.2f} to {after:+.2f} since {since}",
        "Die Valenz fiel von {before:+.2f} auf {after:+.2f} seit dem {since}",
    ),
    "recovered": (
        "the mentions are as they were before",
        "Die Erwähnungen sind wieder so wie zuvor",
    ),
    "usual": (
        "the lower level has lasted so long that it is the usual one now",
        "Das niedrigere Niveau dauert so lange an, dass es nun das übliche ist",
    ),
    "unheard": (
        "nobody has spoken of it for so long that nothing more can be said",
        "Seit so langer Zeit spricht niemand mehr darüber, dass sich nichts mehr dazu sagen lässt",
    ),
    "no drop": (
        "seen again, with late posts and present scores, there is no drop",
        "Mit nachgereichten Beiträgen und heutigen Werten ist kein Abfall mehr zu sehen",
    ),
    "told": ("told by the alert on the drop", "Die Meldung über den Abfall sagt es schon"),
    # the plainer rules
    "few in window": (
        "fewer than {authors} authors in {days}",
        "Weniger als {authors} Stimmen in {days_dative}",
    ),
    "below": (
        "net sentiment {net:+.0f} is below {below:+.0f}",
        "Die Netto-Stimmung {net:+.0f} liegt unter {below:+.0f}",
    ),
    "above": (
        "net sentiment is {net:+.0f} again",
        "Die Netto-Stimmung liegt wieder bei {net:+.0f}",
    ),
    "no past": ("fewer than {days} before", "Weniger als {days} davor"),
    "many": (
        "{authors} authors in {days}, usually {usual:.1f}",
        "{authors} Stimmen in {days_dative}, üblich sind {usual:.1f}",
    ),
    "as many": ("{authors} authors in {days} again", "Wieder {authors} Stimmen in {days_dative}"),
    "few": ("fewer than {authors} authors", "Weniger als {authors} Stimmen"),
    "risen": (
        "{emotion} in {after:.0f} % of the posts, usually {before:.0f} %",
        "{emotion} in {after:.0f} % der Beiträge, üblich sind {before:.0f} %",
    ),
    "calm": ("{emotion} is usual again", "{emotion} ist wieder so häufig wie sonst"),
    "few answers": ("fewer than {answers} answers", "Weniger als {answers} Antworten"),
    "scored lower": (
        "{metric} fell from {before:.1f} to {after:.1f}",
        "{metric} fiel von {before:.1f} auf {after:.1f}",
    ),
    "scored again": (
        "{metric} is no longer clearly lower",
        "{metric} liegt nicht mehr deutlich niedriger",
    ),
    # operations
    "disabled": (
        "disabled after an error that no retry can mend{error}",
        "Abgeschaltet nach einem Fehler, den kein neuer Versuch behebt{error}",
    ),
    "failed": ("failed {n} times{error}", "{n}-mal fehlgeschlagen{error}"),
    "silent": ("not read for {n} hours{error}", "Seit {n} Stunden nicht gelesen{error}"),
    "read again": ("it is read again", "Sie wird wieder gelesen"),
    "works": ("it works again", "Sie läuft wieder"),
    "disk": (
        "{free:.1f} GB free on the disk of the database",
        "{free:.1f} GB frei auf dem Datenträger der Datenbank",
    ),
}
NAMES = {
    "en": {"anger": "anger", "fear": "fear"},
    "de": {"anger": "Wut", "fear": "Angst"},
}


@dataclass(frozen=True)
class Reason:
    """One of SENTENCES with its values: numbers, names, ISO dates."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """The sentence, without a full stop. language: "de" or "en"."""
        sentence = SENTENCES[self.code][language == "de"]
        return sentence.format(**shown(self.values, language))

    def stored(self) -> dict[str, Any]:
        """What `detail` keeps of it, ready for JSON."""
        return {"code": self.code, **self.values}


def why(code: str, **values: Any) -> Reason:
    """A reason with its values."""
    return Reason(code, values)


def reason_text(row: Mapping[str, Any], language: str) -> str:
    """The reason of a transition in "de" or "en".

    row: of alert_transitions or active_alerts; `reason` and `detail` are used. What was written
    before reasons had codes stays in English.
    """
    stored = json.loads(row["detail"] or "{}").get("reason")
    return told(stored if stored and stored["code"] in SENTENCES else row["reason"], language)


def told(stored: dict[str, Any] | str, language: str) -> str:
    """The sentence of a reason that was `stored`, or of what was written before they had codes."""
    if isinstance(stored, str):
        return stored
    values = {key: value for key, value in stored.items() if key != "code"}
    return Reason(stored["code"], values).text(language)


class _Number(float):
    """A number with a decimal comma."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec).replace(".", ",")


def shown(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Values as a sentence in that language takes them: days in words, decimal commas, names."""
    return dict(_shown(values, language))


def _shown(values: Mapping[str, Any], language: str) -> list[tuple[str, Any]]:
    german = language == "de"
    out: list[tuple[str, Any]] = []
    for key, value in values.items():
        shown = value
        if key == "since":
            shown = format(date.fromisoformat(value), "%-d.%-m.%Y" if german else "%-d %B %Y")
        elif key == "days":
            one, more = ("ein Tag", "Tage") if german else ("a day", "days")
            shown = one if value == 1 else f"{value} {more}"
            out.append(("days_dative", "einem Tag" if value == 1 else f"{value} Tagen"))
        elif key == "emotion":
            shown = NAMES[language].get(value, value)
        elif key == "error":
            shown = f": {in_language(value, language)}" if value else ""
        elif key == "names":
            shown = ", ".join(value)
        elif german and isinstance(value, float):
            shown = _Number(value)
        out.append((key, shown))
    return out
