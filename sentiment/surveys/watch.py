"""The watched folder: files that survey tools or people put there are imported once they are whole.

A file is read again when it, or what config.toml says of its survey, has changed.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import structlog

from sentiment.database import now, rows
from sentiment.surveys.importing import fingerprint, import_survey
from sentiment.surveys.reading import SurveyError
from sentiment.surveys.staging import Imported
from sources.base import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.surveys.settings import Survey

log = structlog.get_logger()

SETTLE = 2.0  # seconds without a change; before that a file may still be being written
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
CELLS = ("off", "no_answers", "error")  # results that quote cells
QUOTED = re.compile(r'(column "[^"]*": )"[^"]*[^\W\d_][^"]*"')
FAR = 3600.0  # a time of change further ahead: a clock is off, and waiting would not help


def pick_up(
    config: Config, db: Database, *, stopping: Callable[[], bool] = lambda: False
) -> list[Imported]:
    """Import what is new in the folder; a file that is refused is a result with an error."""
    results = []
    for survey, path, name in watched(config):
        if stopping():
            break
        state = _state(survey, path)
        if state is None or _known(db, survey, name) == state:
            continue
        try:
            result = _import(config, db, survey, path, stopping)
        except Stopped:
            break
        _remember(db, survey, name, state, result)
        results.append(result)
    return results


def find_survey(config: Config, path: Path, name: str | None) -> Survey:
    """The survey of that name, else the only one whose pattern fits the file."""
    surveys = config.surveys.survey
    if not surveys:
        raise SurveyError(
            "config.toml has no [[surveys.survey]]; docs/surveys.md shows how to describe one"
        )
    known = ", ".join(f'"{survey.name}"' for survey in surveys)
    if name is not None:
        named = [survey for survey in surveys if survey.name == name]
        if not named:
            raise SurveyError(f'no survey is named "{name}"; known: {known}')
        return named[0]
    fitting = [survey for survey in surveys if path.match(survey.files)]
    if len(fitting) == 1:
        return fitting[0]
    raise SurveyError(f"{path.name} may be of several surveys or none; say --survey: {known}")


def watched(config: Config) -> Iterator[tuple[Survey, Path, str]]:
    """Every file of every survey, and its name within the folder."""
    folder = config.surveys.folder
    if folder is None:
        return
    root = config.folder / folder.expanduser()
    for survey in config.surveys.survey:
        for path in sorted(root.glob(survey.files)):
            if path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~")):
                yield survey, path, path.relative_to(root).as_posix()


def _state(survey: Survey, path: Path) -> str | None:
    """What tells a file that was read from one that was not; None: it may not be whole yet."""
    try:
        found = path.stat()
    except OSError:
        return None
    if 0 <= time.time() - found.st_mtime < SETTLE or 0 < found.st_mtime - time.time() < FAR:
        return None
    return f"{found.st_size} {found.st_mtime_ns} {fingerprint(survey)}"


def _known(db: Database, survey: Survey, name: str) -> str | None:
    sql = "SELECT state FROM survey_files WHERE survey = ? AND file = ?"
    found = rows(db, sql, survey.name, name)
    return str(found[0]["state"]) if found else None


def _import(
    config: Config, db: Database, survey: Survey, path: Path, stopping: Callable[[], bool]
) -> Imported:
    try:
        result = import_survey(config, db, survey, path, stopping=stopping)
    except SurveyError as error:
        log.warning("survey_refused", survey=survey.name, error=_without_words(str(error)))
        return Imported(survey.name, path.name, error=str(error))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Imported(survey.name, path.name, error=f"{path.name} cannot be read: {reason}")
    log.info(
        "survey_imported", survey=survey.name, file=path.name, new=result.new,
        changed=result.changed, off=len(result.off),
    )  # fmt: skip
    return result


def _remember(db: Database, survey: Survey, name: str, state: str, result: Imported) -> None:
    """What became of the file; of its cells only numbers, for words may be names."""
    counts = {key: value for key, value in result.as_dict().items() if key not in CELLS}
    db.execute(
        "INSERT OR REPLACE INTO survey_files (survey, file, state, imported_at, error, result) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            survey.name,
            name,
            state,
            now(),
            _without_words(result.error) or None,
            json.dumps(counts, ensure_ascii=False),
        ],
    )


def _without_words(error: str) -> str:
    """The sentence without the words of cells, which whoever imports by hand may see."""
    return QUOTED.sub(r'\1"…"', error)
