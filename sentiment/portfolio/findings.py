"""What lint says: a sentence on what is wrong, and its remedy, in German or English.

A finding carries a code with its values; the sentences stand in `sentences.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sentiment.portfolio.sentences import OPTIONAL, PLURALS, SENTENCES

if TYPE_CHECKING:
    from sentiment.config import Term

Level = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """level: "error" when something certainly does not do what it says, "warning" when figures
    are likely to be wrong, "hint" when something could be simpler. code: one of SENTENCES, with its
    values. term: the entry of config.toml; name: it is a company.
    """

    level: Level
    code: str
    term: Term
    name: bool
    values: dict[str, Any]

    @property
    def rule(self) -> str:
        """Its name, for machines."""
        return self.code.partition(" ")[0]

    def about(self, language: str) -> str:
        """How its term is called. language: "de" or "en"."""
        if language == "de":
            return f"{'Unternehmen' if self.name else 'Leistung'} „{self.term.name}“"
        return f'{"company" if self.name else "service"} "{self.term.name}"'

    def said(self, language: str) -> str:
        """What is wrong, and the remedy. language: "de" or "en"."""
        german = language == "de"
        shown = {key: _shown(key, value, german=german) for key, value in self.values.items()}
        return SENTENCES[self.code][german].format(**shown)

    def as_dict(self) -> dict[str, Any]:
        """For --json, in English."""
        return {
            "level": self.level,
            "rule": self.rule,
            "about": self.about("en"),
            "said": self.said("en"),
        }


def finding(level: Level, code: str, term: Term, *, name: bool, **values: Any) -> Finding:
    """A finding with its values: words, counts, shares of one, ISO dates."""
    return Finding(level, code, term, name, values)


def _shown(key: str, value: Any, *, german: bool) -> str:
    if key in PLURALS:
        return PLURALS[key][german][value != 1].format(n=value)
    if key in OPTIONAL:
        return OPTIONAL[key][german].format(value=value) if value else ""
    if german and key == "day":
        return format(date.fromisoformat(value), "%-d.%-m.%Y")
    if isinstance(value, float):
        return f"{100 * value:.0f} %"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "." if german else ",")
    return str(value)
