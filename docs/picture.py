"""Draws docs/status.svg from a configuration: `python docs/picture.py sample/config.toml`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from sentiment import show
from sentiment.config import load
from sentiment.database import open_database
from sentiment.status import status

# rich's picture would fetch its fonts from elsewhere
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def draw(config_path: Path) -> str:
    """The status of a configuration as SVG."""
    config = load(config_path)
    with open_database(config) as db:
        found = status(config, db)
    found["database"] = config.database.path.name
    show.out = Console(record=True, width=88, force_terminal=True, highlight=False)
    show.show_status(found)
    return show.out.export_svg(title="sentiment status", code_format=FORMAT)


if __name__ == "__main__":
    target = Path(__file__).parent / "status.svg"
    target.write_text(draw(Path(sys.argv[1])), "utf-8")
