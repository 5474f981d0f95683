"""Blocks as a terminal, a Markdown reader or a browser shows them.

Quoted posts are hostile until escaped; the page has no script and loads nothing.
"""

from __future__ import annotations

import html
import io
import re
import shutil
from typing import TYPE_CHECKING

from sentiment.report.compose import Heading, Paragraph, Quote, Table
from sources.text import web_address

if TYPE_CHECKING:
    from sentiment.report.compose import Block

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1.05rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #ccc;
  vertical-align: top; }
td { font-variant-numeric: tabular-nums; } th:first-child, td:first-child { font-weight: 600; }
td small { display: block; font-size: .8rem; color: #555; white-space: nowrap; }
blockquote { margin: .8rem 0; padding-left: 1rem; border-left: 4px solid #888; }
cite { display: block; font-size: .85rem; color: #555; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616; }
  th, td { border-color: #444; } cite, td small { color: #bbb; } a { color: #9cf; } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(blocks: list[Block], language: str) -> str:
    """One self-contained page."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    body = "\n".join(map(_html, blocks))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{html.escape(text)}</p>"
        case Quote(text, where, url):
            link = web_address(url) if url else None
            shown = html.escape(where)
            if link:
                safe = html.escape(link, quote=True)
                shown += f' · <a href="{safe}" rel="noreferrer noopener">{safe}</a>'
            return f"<blockquote>{html.escape(text)}<cite>{shown}</cite></blockquote>"
        case Table(head, rows):
            top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
            lines = "\n".join(
                "<tr>" + "".join(f"<td>{_html_cell(cell)}</td>" for cell in row) + "</tr>"
                for row in rows
            )
            return (
                f'<div class="wide"><table>\n<thead><tr>{top}</tr></thead>\n'
                f"<tbody>\n{lines}\n</tbody>\n</table></div>"
            )


def _html_cell(text: str) -> str:
    """The figure, and smaller below it what its uncertainty is."""
    figure, _, more = text.partition("\n")
    return html.escape(figure) + (f"<small>{html.escape(more)}</small>" if more else "")


def markdown(blocks: list[Block], _language: str) -> str:
    """For a repository, a wiki or a mail."""
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_plain(text)}"
        case Paragraph(text):
            return _plain(text)
        case Quote(text, where, url):
            link = web_address(url) if url else None
            shown = f"{_plain(where)} <{link}>" if link else _plain(where)
            return f"> {_plain(text)}\n>\n> — {shown}"
        case Table(head, rows):
            lines = [[_cell(cell) for cell in row] for row in (head, *rows)]
            lines.insert(1, ["---"] * len(head))
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Without markup within a line."""
    return re.sub(r"([\\`*_{}\[\]<>|~&])", r"\\\1", " ".join(text.split()))


def _plain(text: str) -> str:
    """One line in which nothing is markup."""
    escaped = _cell(text)
    return re.sub(r"^(\d+)([.)])|^([#+=-])", lambda m: f"{m[1] or ''}\\{m[2] or m[3]}", escaped)


def terminal(blocks: list[Block], _language: str) -> str:
    """Lines and tables, without colours."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Lines

    out = Console(
        file=io.StringIO(),
        width=max(100, min(180, shutil.get_terminal_size((160, 50)).columns)),
        highlight=False,
        no_color=True,
    )
    for block in blocks:
        match block:
            case Heading(text, level):
                out.print(f"\n{escape(_bare(text))}" + ("\n" + "=" * len(text)) * (level == 1))
            case Paragraph(text):
                out.print(escape(_bare(text)))
            case Quote(text, where, url):
                out.print(f"  “{escape(_bare(text))}”")
                out.print(f"    {escape(_bare(f'{where} {url or str()}'))}")
            case Table(head, rows):
                table = Lines(*map(escape, head), box=box.SIMPLE_HEAD)
                for row in rows:
                    table.add_row(*(escape(_lines(cell)) for cell in row))
                out.print(table)
    file = out.file
    return file.getvalue() if isinstance(file, io.StringIO) else ""


def _lines(text: str) -> str:
    return "\n".join(map(_bare, text.split("\n")))


def _bare(text: str) -> str:
    """Without what could steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
