"""Writes the pages that follow from the program itself: `python docs/generate.py`.

A test holds them equal, so that they cannot go stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sentiment.cli import app
from sentiment.schema.explained import VIEWS
from sentiment.web.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent


def commands_md() -> str:
    """Every command with its help, arguments and options."""
    exit_status = "Exit status: 0 done, 1 failed, 2 wrong usage or a mistake in the configuration."
    parts = ["# Commands", "", exit_status]
    for path, command in _commands(typer.main.get_command(app), ("sentiment",)):
        parts += ["", f"## {' '.join(path)}", "", *_paragraphs(command.help)]
        parts += ["", "| argument or option | meaning |", "|---|---|"]
        parts += [f"| {_names(option)} | {option.help or ''} |" for option in command.params]
    return "\n".join(parts) + "\n"


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _names(option: Any) -> str:
    written = option.opts if option.param_type_name == "option" else [option.name.upper()]
    return ", ".join(f"`{name}`" for name in written)


def database_md() -> str:
    """Every view with its columns."""
    parts = [(DOCS / "database.in.md").read_text("utf-8").rstrip()]
    for view, (row, columns) in VIEWS.items():
        parts += ["", f"### {view}", "", row, "", "| column | meaning |", "|---|---|"]
        parts += [f"| `{name}` | {meaning} |" for name, meaning in columns.items()]
    return "\n".join(parts) + "\n"


def queries_md() -> str:
    """Every question with its SQL."""
    parts = [(DOCS / "queries.in.md").read_text("utf-8").rstrip(), ""]
    parts += [f"- [{query.question.en}](#{query.id})" for query in QUERIES]
    for query in QUERIES:
        asked = "&".join(f"{name}={value}" for name, value in query.defaults.items())
        empty = ", ".join(
            f"`{name}` ({f'empty: {value}' if value else 'empty: all'})"
            for name, value in query.defaults.items()
        )
        parts += ["", f"## {query.id}", "", f"**{query.question.en}** {query.question.de}", ""]
        parts += [f"{query.reading.en}", ""]
        parts += [f"Browser: `/sentiment/{query.id}{'?' + asked if asked else ''}`"]
        parts += [f"Parameters: {empty}." if empty else "No parameters.", ""]
        parts += ["```sql", query.sql("en"), "```"]
    return "\n".join(parts) + "\n"


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


PAGES = {"commands.md": commands_md, "database.md": database_md, "queries.md": queries_md}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (DOCS / name).write_text(write(), "utf-8")
