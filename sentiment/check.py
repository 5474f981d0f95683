"""Try out everything a configuration names, without storing anything."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.classifier import ModelError
from sentiment.allowances import Counted
from sentiment.assemble import adapter, http_client, load_classifier
from sentiment.database import DatabaseError, open_database
from sentiment.judge import judge
from sentiment.surveys.watch import watched
from sources.allowances import Remembered
from sources.base import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment.config import Config, Source
    from sources.allowances import Allowances
    from sources.http import Client

PAGES = 5  # of a source; a part of it that fails is told on the last page, if there are few


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was tried, whether it works, and a sentence on it."""

    what: str
    passed: bool
    said: str

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def check(config: Config) -> Iterator[Checked]:
    """Check configuration, database, sources and model, one after the other."""
    yield Checked(
        "config",
        passed=True,
        said=f"{len(config.services)} services, {len(config.competitors)} competitors, "
        f"{len(config.sources)} sources",
    )
    yield _database(config)
    with http_client(config) as client, ExitStack() as stack:
        allowances = _allowances(config, stack)
        for source in config.sources:
            yield _source(config, client, source, allowances)
    if config.surveys.folder is not None:
        yield _surveys(config)
    yield _model(config)


def _database(config: Config) -> Checked:
    try:
        with open_database(config):
            return Checked("database", passed=True, said=str(config.database_path))
    except (DatabaseError, OSError) as error:
        return Checked("database", passed=False, said=str(error))


def _allowances(config: Config, stack: ExitStack) -> Allowances:
    """What the sources use counts here too, as long as there is a database to count in."""
    try:
        return Counted(stack.enter_context(open_database(config)))
    except (DatabaseError, OSError):
        return Remembered()


def _source(config: Config, client: Client, source: Source, allowances: Allowances) -> Checked:
    what = f'source "{source.name}"'
    if not source.enabled:
        return Checked(what, passed=True, said="not enabled; not tried")
    try:
        reader = adapter(config, source, client, allowances=allowances)
        pages = list(islice(reader.pages(None), PAGES))
    except SourceError as error:
        return Checked(what, passed=False, said=str(error))
    except Exception as error:  # noqa: BLE001 (an adapter's bug must not hide the other results)
        said = f"the {source.kind} adapter failed unexpectedly ({type(error).__name__})"
        return Checked(what, passed=False, said=said)
    found = len(pages[0].posts) if pages else 0
    problems = [problem for page in pages for problem in page.problems]
    left_out = f"; {len(problems)} left out: {problems[-1]}" if problems else ""
    return Checked(what, passed=True, said=f"{found} posts on the first page{left_out}")


def _surveys(config: Config) -> Checked:
    """Whether the watched folder is there, and how many of its files are a survey's."""
    folder = config.folder / (config.surveys.folder or Path()).expanduser()
    if not folder.is_dir():
        return Checked("surveys", passed=False, said=f"the folder {folder} does not exist")
    counts = [f"{sum(1 for s, *_ in watched(config) if s is survey)} files of {survey.name}"
              for survey in config.surveys.survey]  # fmt: skip
    return Checked("surveys", passed=True, said="; ".join(counts) or "none is described yet")


def _model(config: Config) -> Checked:
    try:
        classifier = load_classifier(config)
    except ModelError as error:
        return Checked("model", passed=False, said=str(error))
    said = judge(config, classifier, f"{config.services[0].name}: sehr zufrieden, vielen Dank!")
    return Checked(
        "model",
        passed=True,
        said=f"{classifier.name}, revision {classifier.revision}; "
        f'reads "sehr zufrieden, vielen Dank!" as {said[0]["polarity"]}',
    )
