"""What a request to be forgotten is about: the posts and survey answers concerned.

Names and ids are looked for as the pseudonyms they have become, made with the same key; a purged
post has its author's pseudonym of that one day, which is looked for too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from sentiment.database import rows
from sentiment.privacy import (
    for_one_day,
    forgotten_mark,
    pseudonym,
    pseudonym_key,
    without_key,
)
from sources.text import author_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlite_utils import Database

    from sentiment.config import Config

SURVEY = "survey"  # the kind of source under which comments of surveys stand
SHORTEST_NAME = 3  # characters; shorter ones stand in any text
MAX_NAMED = 100

Sheet = tuple[str, str]  # survey, pseudonym of an answer sheet


@dataclass(slots=True)
class Concerned:
    """Whose data is to go. posts, answers: row ids. sheets: the survey sheets they stand on.

    names: as the person is called in texts, for a hint at other people's posts.
    """

    posts: set[int] = field(default_factory=set)
    answers: set[int] = field(default_factory=set)
    sheets: set[Sheet] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


class RequestError(Exception):
    """The request cannot mean anybody; the sentence says what to add."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the person who asks can be found by, as the command line takes it.

    author: with source or kind. post: an address. id: a post's, with source. respondent, answer:
    ids in a survey's files, with survey.
    """

    author: str = ""
    post: str = ""
    id: str = ""
    respondent: str = ""
    answer: str = ""
    source: str = ""
    kind: str = ""
    survey: str = ""


def concerned(config: Config, db: Database, request: Request) -> Concerned:
    """What a request is about; empty when nothing of it is stored, RequestError when unclear."""
    _check(config, db, request)
    if request.author:
        return posts_of_author(config, db, request.author, source=request.source, kind=request.kind)
    if request.post:
        return posts_at(db, request.post)
    if request.id:
        return post_with_id(db, request.source, request.id)
    return answers_of(
        config, db, request.survey, respondent=request.respondent, sheet=request.answer
    )


def _check(config: Config, db: Database, request: Request) -> None:
    ways = ("author", "post", "id", "respondent", "answer")
    if sum(bool(getattr(request, way)) for way in ways) != 1:
        raise RequestError(
            "say who or what by one of --author, --post, --id, --respondent, --answer"
        )
    if request.author and not (request.source or request.kind):
        raise RequestError(
            "the same name at two places may be two people: say --source or --kind beside --author"
        )
    if request.id and not request.source:
        raise RequestError("an id is known within a source only: say --source beside --id")
    if (request.respondent or request.answer) and not request.survey:
        raise RequestError("an id is known within a survey only: say --survey beside it")
    sources = [row for row in _sources(db) if row["kind"] != SURVEY]
    surveys = {row["survey"] for row in rows(db, "SELECT DISTINCT survey FROM survey_responses")}
    surveys |= {survey.name for survey in config.surveys.survey}
    for given, what, known in (
        (request.source, "source", {row["name"] for row in sources}),
        (request.kind, "kind", {row["kind"] for row in sources}),
        (request.survey, "survey", surveys),
    ):
        if given and given not in known:
            raise RequestError(f'"{given}" is no {what} here; known: {", ".join(sorted(known))}')


def posts_of_author(
    config: Config, db: Database, name: str, *, source: str = "", kind: str = ""
) -> Concerned:
    """The posts of an author at one source, or at all sources of a kind."""
    found = Concerned(names=_called(name))
    key = pseudonym_key(config)
    for row in _sources(db):
        if row["kind"] == SURVEY or row["name"] != (source or row["name"]):
            continue
        if row["kind"] == (kind or row["kind"]):
            hidden = {pseudonym(key, row["name"], called) for called in found.names}
            found.posts |= _by_author(db, row["id"], hidden, key)
    return found


def _called(name: str) -> set[str]:
    """The ways a source may write a name: as it stands, and with or without its @ or u/."""
    shown = author_name(name) or name
    bare = re.sub(r"^(?:@|/?u/)", "", shown)
    return {shown, bare, f"@{bare}"}


def _by_author(db: Database, source_id: int, hidden: set[str], key: bytes) -> set[int]:
    marks = json.dumps(sorted(hidden))
    direct = rows(
        db,
        "SELECT id FROM posts WHERE source_id = ? AND author IN (SELECT value FROM json_each(?))",
        source_id,
        marks,
    )
    of_a_day = rows(
        db, "SELECT id, author, day FROM posts WHERE source_id = ? AND author LIKE '-%'", source_id
    )
    return {row["id"] for row in direct} | {
        row["id"] for row in of_a_day if _is_of_a_day(key, row["author"], row["day"], hidden)
    }


def _is_of_a_day(key: bytes, author: str, day: str, hidden: set[str]) -> bool:
    """Whether an author of one day is one of those, by the key or as it was written before."""
    names = ({for_one_day(key, one, day), without_key(one, day)} for one in hidden)
    return any(author in either for either in names)


def posts_at(db: Database, url: str) -> Concerned:
    """The posts with an address, at whatever source; some feeds give it as their id."""
    bare = re.sub(r"^https?://", "", url.strip()).rstrip("/")
    forms = [f"{scheme}://{bare}{end}" for scheme in ("https", "http") for end in ("", "/")]
    found = rows(
        db,
        "SELECT p.id FROM posts p JOIN sources s ON s.id = p.source_id "
        "JOIN json_each(?) form ON form.value IN (p.url, p.external_id) WHERE s.kind <> ?",
        json.dumps([*forms, url.strip()]),
        SURVEY,
    )
    return Concerned({row["id"] for row in found})


def post_with_id(db: Database, source: str, external_id: str) -> Concerned:
    """The post of a source that has this id there."""
    found = rows(
        db,
        "SELECT p.id FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE s.name = ? AND s.kind <> ? AND p.external_id = ?",
        source,
        SURVEY,
        external_id.strip(),
    )
    return Concerned({row["id"] for row in found})


def answers_of(
    config: Config, db: Database, survey: str, *, respondent: str = "", sheet: str = ""
) -> Concerned:
    """Everything a respondent has answered to a survey, or all that stands on one answer sheet.

    respondent, sheet: the ids as the survey's files have them.
    """
    key = pseudonym_key(config)
    hide = partial(pseudonym, key, f"survey {survey}")
    who = hide(" ".join(respondent.split())) if respondent else None
    wanted = {(survey, hide(" ".join(sheet.split())))} if sheet else set()
    if who:
        for table, person in (("survey_responses", "respondent"), (_COMMENTS, "author")):
            wanted |= {
                (survey, row["response"])
                for row in rows(db, f"SELECT * FROM {table} WHERE survey = ?", survey)
                if row[person] is not None
                and (row[person] == who or _is_of_a_day(key, row[person], row["day"], {who}))
            }
    return on_sheets(db, wanted)


_COMMENTS = "(SELECT c.*, p.author, p.day FROM survey_comments c JOIN posts p ON p.id = c.post_id)"


def on_sheets(db: Database, sheets: Iterable[Sheet]) -> Concerned:
    """The answers and comments that stand on these answer sheets."""
    found = Concerned()
    for survey, response in sheets:
        where = "WHERE survey = ? AND response = ?"
        answers = rows(db, f"SELECT id FROM survey_responses {where}", survey, response)
        comments = rows(db, f"SELECT post_id FROM survey_comments {where}", survey, response)
        if answers or comments:
            found.sheets.add((survey, response))
        found.answers |= {row["id"] for row in answers}
        found.posts |= {row["post_id"] for row in comments}
    return found


def marked(config: Config, db: Database, marks: set[str]) -> Concerned:
    """What stands here of that which another copy of the database remembers as forgotten."""
    key = pseudonym_key(config)
    found = Concerned()
    sql = (
        "SELECT p.id, p.external_id, s.name FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE s.kind <> ?"
    )
    for row in db.query(sql, [SURVEY]):
        if forgotten_mark(partial(pseudonym, key, row["name"]), row["external_id"]) in marks:
            found.posts.add(row["id"])
    sheets = rows(
        db,
        "SELECT survey, response FROM survey_responses WHERE response IS NOT NULL "
        "UNION SELECT survey, response FROM survey_comments",
    )
    again = {(row["survey"], row["response"]) for row in sheets}
    again = {
        sheet for sheet in again if forgotten_mark(_of_survey(key, sheet[0]), sheet[1]) in marks
    }
    on = on_sheets(db, again)
    return Concerned(found.posts | on.posts, on.answers, on.sheets)


def _of_survey(key: bytes, survey: str) -> Callable[[str], str]:
    return partial(pseudonym, key, f"survey {survey}")


def with_copies(db: Database, found: Concerned) -> set[int]:
    """The posts and all near-identical ones: a copy of somebody's words is their words."""
    wanted = json.dumps(sorted(found.posts))
    grouped = rows(
        db,
        "WITH firsts AS (SELECT DISTINCT ifnull(duplicate_of, id) AS id FROM posts "
        "WHERE id IN (SELECT value FROM json_each(?))) "
        "SELECT id FROM posts WHERE (id IN firsts OR duplicate_of IN firsts) "
        "AND external_id NOT IN (SELECT mark FROM forgotten)",
        wanted,
    )
    return {row["id"] for row in grouped}


def named_in(db: Database, names: Iterable[str], apart_from: set[int]) -> list[dict[str, Any]]:
    """Posts of others whose text holds one of the names: a person has to look at these.

    Source, id and address of each, at most a hundred.
    """
    long = [name for name in names if len(name.lstrip("@")) >= SHORTEST_NAME]
    if not long:
        return []
    whole = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in long), re.IGNORECASE)
    sql = (
        "SELECT p.id, s.name AS source, p.external_id, p.url, p.text FROM posts p "
        "JOIN sources s ON s.id = p.source_id WHERE p.text <> '' ORDER BY p.id"
    )
    found = (row for row in db.query(sql) if whole.search(row["text"]))
    others = (row for row in found if row["id"] not in apart_from)
    return [
        {key: row[key] for key in ("source", "external_id", "url")}
        for row in islice(others, MAX_NAMED)
    ]


def by_source(db: Database, posts: set[int]) -> dict[str, int]:
    """How many of the posts stand at which source."""
    found = rows(
        db,
        "SELECT s.name FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE p.id IN (SELECT value FROM json_each(?))",
        json.dumps(sorted(posts)),
    )
    return dict(sorted(Counter(row["name"] for row in found).items()))


def _sources(db: Database) -> list[dict[str, Any]]:
    return rows(db, "SELECT id, name, kind FROM sources ORDER BY id")
