"""What lint says: a sentence on what is wrong, and its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sentiment.config import Term

Level = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """level: "error" when something certainly does not do what it says, "warning" when figures
    are likely to be wrong, "hint" when something could be simpler. rule: its name, for machines.
    about: the entry of config.toml.
    """

    level: Level
    rule: str
    about: str
    said: str

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def about(term: Term, *, name: bool) -> str:
    """How a term is called in a finding; name: it is a company."""
    return f'{"company" if name else "service"} "{term.name}"'
