"""What `[[surveys.survey]]` says of a survey: which columns of its export mean what."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sentiment.surveys.answers import SCALES, Scale, scale
from sentiment.surveys.presets import PRESETS

Metric = Literal["csat", "nps", "ces"]
USUAL = {"csat": "1-5", "nps": "0-10", "ces": "1-7"}


class Part(BaseModel):
    """A table within a survey's table: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Question(Part):
    """A question that is answered with a number.

    column: its header in a wide file; in a long one, how the question column names it.
    service: what it asks about; without, the row's service, else the company as a whole.
    scale: "1-5", "0-10", any two whole numbers, "grades" (1 best, 6 worst) or "smileys".
    reversed: the low end is the good one.
    labels: answers in words -> their number on the scale as printed.
    no_answer: codes that mean "no answer", beside the usual words.
    """

    column: str = Field(min_length=1)
    metric: Metric
    service: str | None = None
    scale: str = ""
    reversed: bool = False
    labels: dict[str, float] = {}
    no_answer: list[str | int] = []

    @field_validator("scale")
    @classmethod
    def _known_scale(cls, name: str) -> str:
        if name and name not in SCALES and not _two_numbers(name):
            raise ValueError('expected two numbers such as "1-5", or: ' + ", ".join(sorted(SCALES)))
        return name

    @model_validator(mode="after")
    def _nps_has_eleven_answers(self) -> Question:
        if self.metric == "nps" and (self.range.low, self.range.high) != (0, 10):
            raise ValueError(f'nps is asked from 0 to 10, not on "{self.scale}"')
        return self

    @property
    def range(self) -> Scale:
        """The scale as declared, or the usual one of the metric."""
        return scale(self.scale or USUAL[self.metric], reverse=self.reversed)


class Comment(Part):
    """A question answered in words; its answers become posts about `service`."""

    column: str = Field(min_length=1)
    service: str | None = None


class Long(Part):
    """The columns of a file with one row an answer: what was asked, and what was said."""

    question: str
    answer: str


class Survey(Part):
    """One survey and how its exports are written.

    files: pattern of its files in the watched folder.
    preset: the tool that writes the files; says where id and date stand, and the tool's habits.
    id: column of the answer sheet's id. respondent: column that tells people apart, if they may
    answer more than once. service, segment, weight: columns that hold them for the whole row.
    header_rows: how many rows the header has; the header may stand below title lines.
    drop: further columns with names or addresses, taken out of comments wherever they appear.
    """

    name: str = Field(min_length=1, max_length=200)
    files: str = Field(default="*", min_length=1)
    preset: str = "generic"
    id: str | None = None
    respondent: str | None = None
    date: str | None = None
    date_format: str | None = None
    service: str | None = None
    segment: str | None = None
    weight: str | None = None
    language: str | None = Field(default=None, pattern="^[a-z]{2}$")
    long: Long | None = None
    header_rows: int | None = Field(default=None, ge=1, le=5)
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    sheet: str | None = None
    questions: list[Question] = []
    comments: list[Comment] = []
    drop: list[str] = []

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"expected one of: {', '.join(sorted(PRESETS))}")
        return name

    @field_validator("files")
    @classmethod
    def _within_the_folder(cls, pattern: str) -> str:
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
            raise ValueError("give a pattern relative to [surveys] folder")
        return pattern

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        try:
            "".encode(name or "utf-8")
        except LookupError:
            raise ValueError('expected an encoding such as "utf-8", "cp1252", "utf-16"') from None
        return name

    @model_validator(mode="after")
    def _asks_something(self) -> Survey:
        if not self.questions and not self.comments:
            raise ValueError("name at least one of questions and comments")
        keys = [(q.column, q.service) for q in self.questions]
        if len(set(keys)) < len(keys):
            twice = next(column for column, service in keys if keys.count((column, service)) > 1)
            raise ValueError(f'two questions read the column "{twice}" for the same service')
        return self


def scale_conflict(surveys: list[Survey]) -> str | None:
    """The sentence about a metric of one service that is asked on two scales; they do not mix."""
    seen: dict[tuple[str, str | None], tuple[str, Scale]] = {}
    for survey in surveys:
        for question in survey.questions:
            key = question.metric, question.service
            where = f'"{question.column}" of {survey.name}'
            other, range_ = seen.setdefault(key, (where, question.range))
            if (range_.low, range_.high) != (question.range.low, question.range.high):
                of = f" of {question.service}" if question.service else ""
                return f"{question.metric}{of} has two scales, in {other} and {where}: keep to one"
    return None


def _two_numbers(name: str) -> bool:
    found = re.fullmatch(r"(\d{1,2})-(\d{1,3})", name)
    return bool(found) and int(found[1]) < int(found[2]) if found else False
