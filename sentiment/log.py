"""Structured logs on standard error: for people on a terminal, JSON lines elsewhere.

Post texts, author names and secrets are never logged; errors of sources are sentences that the
adapters keep free of them.
"""

from __future__ import annotations

import sys

import structlog


def configure(*, daemon: bool = False) -> None:
    """Set up logging for this process: the daemon tells what it does, a command only troubles."""
    terminal = sys.stderr.isatty()
    render = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(
                fmt="%H:%M:%S" if terminal else "iso", utc=not terminal
            ),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info" if daemon else "error"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
