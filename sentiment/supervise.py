"""`sentiment run`: the worker and the pages, as two processes that cannot harm each other.

This process only starts them, starts again what has crashed, and passes a stop on. Each of them
has a pipe to it as standard input: when it ends, however it ends, the pipe closes and they end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

SUPERVISED = "SENTIMENT_SUPERVISED"  # in the environment of a part
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0  # seconds before a part is started again
STEADY = 120.0  # seconds after which a crash counts as the first one
PATIENCE = 12.0  # seconds a part has to end; the worker itself gives its jobs 8
LOOK = 0.1  # seconds between two looks

log = structlog.get_logger()


class Part:
    """A process that is kept running."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = list(command)
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self._wait = FIRST_WAIT
        self.has_been_steady = False

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches this process alone."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            self.command,
            stdin=subprocess.PIPE,
            env={**os.environ, SUPERVISED: self.name},
            start_new_session=True,
        )

    @property
    def is_due(self) -> bool:
        """Whether it is to be started now."""
        return self.process is None and time.monotonic() >= self.start_at

    def ended(self) -> int | None:
        """How it has ended, once; None while it runs or waits for its next start."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self._close()
        lasted = time.monotonic() - self.started_at
        if lasted >= STEADY:
            self.has_been_steady, self._wait = True, FIRST_WAIT
        self.start_at = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT)
        return status

    def stop(self, until: float) -> None:
        """End it: with SIGTERM, and hard when it has not ended by then."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def supervise(
    commands: Mapping[str, Sequence[str]],
    *,
    vital: str,
    stopping: threading.Event | None = None,
) -> int:
    """Keep the commands running until SIGTERM, SIGINT or `stopping`; returns the exit status.

    vital: the part without which there is nothing to do: when it cannot even start (it ends with
    an error of its own before it was steady once), everything ends with its status.
    """
    stop = stopping or threading.Event()
    if threading.current_thread() is threading.main_thread():
        _on_signals(stop.set)
    parts = [Part(name, command) for name, command in commands.items()]
    status = 0
    while not stop.is_set():
        for part in parts:
            code = part.ended()
            if code is not None and code > 0 and part.name == vital and not part.has_been_steady:
                status = code
                stop.set()
            elif code is not None:
                seconds = round(part.start_at - time.monotonic())
                log.error("part_ended", part=part.name, status=code, again_in_seconds=seconds)
            elif part.is_due:
                part.start()
        stop.wait(LOOK)
    _end(parts)
    return status


def _end(parts: list[Part]) -> None:
    for part in parts:
        if part.process is not None:
            part.process.terminate()
    until = time.monotonic() + PATIENCE
    for part in parts:
        part.stop(until)


def end_with_parent() -> None:
    """In a part: end as if by SIGTERM when the process that started it is no more."""
    if SUPERVISED not in os.environ:
        return

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def is_supervised() -> bool:
    """Whether this process is a part."""
    return SUPERVISED in os.environ


def _on_signals(stop: Callable[[], None]) -> None:
    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
