"""Every service that the tests speak to, for a look by hand.

`python -m tests.sources.everyone` starts all of them on loopback and prints the `[[sources]]` that
read from them; Ctrl-C ends them.
"""

from __future__ import annotations

import importlib
import json
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from sources import registry
from sources.conformance import Conformance
from sources.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


def suites() -> dict[str, Conformance]:
    """Kind → the suite that knows its settings and its service."""
    kinds = {place.replace(":", "."): kind for kind, place in registry.KINDS.items()}
    found = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if "(Conformance):" not in path.read_text("utf-8"):
            continue
        module = importlib.import_module(f"tests.sources.{path.stem}")
        for suite in vars(module).values():
            if (
                isinstance(suite, type)
                and issubclass(suite, Conformance)
                and suite is not Conformance
            ):
                kind = kinds.get(f"{suite.adapter.__module__}.{suite.adapter.__qualname__}")
                if kind:
                    found[kind] = suite()
    return found


def entry(kind: str, suite: Conformance, server: Server) -> dict[str, Any]:
    """A `[[sources]]` entry that reads from the server."""
    common = {"name": kind, "kind": kind, "scope": "own", "allow_private_addresses": True}
    return common | dict(suite.settings(server))


def as_toml(source: dict[str, Any]) -> Iterator[str]:
    """The entry as config.toml has it."""
    yield "[[sources]]"
    for key, value in source.items():
        if isinstance(value, dict):
            pairs = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items())
            yield f"{key} = {{ {pairs} }}"
        else:
            yield f"{key} = {json.dumps(value)}"
    yield ""


def main() -> None:
    """Serve until Ctrl-C."""
    with ExitStack() as stack:
        for kind, suite in suites().items():
            server = stack.enter_context(Server())
            suite.serve(server)
            print("\n".join(as_toml(entry(kind, suite, server))), flush=True)
        Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
