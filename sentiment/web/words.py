"""Texts, numbers and dates in German and English."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from babel import Locale, dates, numbers

from sentiment.web.phrases import PHRASES

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

LANGUAGES = ("de", "en")
MINUS = "−"
NOTHING = "–"


class Words:
    """A language's way of saying things. Numbers that are None are a dash."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.locale = Locale("de", "DE") if language == "de" else Locale("en", "GB")
        self.zone = zone

    def say(self, key: str, **values: Any) -> str:
        """A phrase, with its gaps filled. KeyError: nobody wrote it."""
        return PHRASES[key][LANGUAGES.index(self.language)].format(**values)

    def count(self, value: float | None) -> str:
        """A whole number: 1.234."""
        return NOTHING if value is None else numbers.format_decimal(value, "#,##0", self.locale)

    def points(self, value: float | None) -> str:
        """Net sentiment, NPS: a whole number with its sign, as in +12 or −3."""
        if value is None:
            return NOTHING
        whole = round(value)
        sign = "+" if whole > 0 else MINUS if whole < 0 else ""
        return sign + self.count(abs(whole))

    def mean(self, value: float | None) -> str:
        """A mean on a short scale: 4,1."""
        return NOTHING if value is None else str(numbers.format_decimal(value, "0.0", self.locale))

    def short(self, value: float | None) -> str:
        """A number with a decimal only where it has one: 4 or 4,5."""
        return NOTHING if value is None else str(numbers.format_decimal(value, "0.#", self.locale))

    def number(self, value: float) -> str:
        """A number that may be anything, with four digits that count: 0,6667 or 12,5."""
        return f"{value:.4g}".replace(".", numbers.get_decimal_symbol(self.locale))

    def signed(self, value: float | None, digits: int = 2) -> str:
        """A number with its sign, as valence has it: +0,81."""
        if value is None:
            return NOTHING
        shown = numbers.format_decimal(abs(value), f"0.{'0' * digits}", self.locale)
        return f"{'+' if value > 0 else MINUS if value < 0 else ''}{shown}"

    def percent(self, share: float | None) -> str:
        """A share of 1 as whole percent."""
        return (
            NOTHING if share is None else numbers.format_percent(share, "#,##0\u00a0%", self.locale)
        )

    def interval(self, low: float | None, high: float | None) -> str:
        """The ends of an interval in whole points."""
        if low is None or high is None:
            return NOTHING
        return self.say("interval", low=self.points(low), high=self.points(high))

    def day(self, value: date | str | None, form: str = "medium") -> str:
        """A date: 5. März 2026 (long), 05.03.2026 (medium)."""
        if not value:
            return NOTHING
        moment = value if isinstance(value, date) else date.fromisoformat(value[:10])
        return dates.format_date(moment, form, self.locale)

    def month(self, value: str) -> str:
        """2026-10 as Oktober 2026."""
        return dates.format_skeleton("yMMMM", date.fromisoformat(f"{value}-01"), locale=self.locale)

    def time(self, value: str | None) -> str:
        """A moment as the database has it, in the configured time zone."""
        if not value:
            return NOTHING
        moment = datetime.fromisoformat(value).astimezone(self.zone)
        return dates.format_datetime(moment, "short", locale=self.locale)

    def language_name(self, code: str) -> str:
        """A language's own name for itself on the switch, ours in the filters."""
        if code == "und":
            return self.say("language_unknown")
        return str(Locale(code).get_display_name(code if code in LANGUAGES else self.language))

    def language_of_posts(self, code: str | None) -> str:
        """The name of a post's language in the visitor's language."""
        if not code or code == "und":
            return self.say("language_unknown")
        return str(self.locale.languages.get(code, code))
