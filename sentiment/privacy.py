"""Authors become keyed pseudonyms before they reach the database."""

from __future__ import annotations

import hmac
import os
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentiment.config import Config

KEY_FILE = "pseudonym.key"


def pseudonym_key(config: Config) -> bytes:
    """The configured key, or the one in the key file beside the database, made on first use.

    Whoever holds the database alone cannot find out who wrote a post; deleting the key makes the
    pseudonyms anonymous for good.
    """
    if config.privacy.pseudonym_key is not None:
        return config.privacy.pseudonym_key.get_secret_value().encode()
    return random_key(config.database_path.parent / KEY_FILE)


def random_key(path: Path) -> bytes:
    """The random key in a file that only its owner can read, made on first use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_bytes().strip()


def existing_key_file(config: Config) -> Path | None:
    """The key file where there is one; None while the key is configured or not needed yet."""
    path = config.database_path.parent / KEY_FILE
    return path if config.privacy.pseudonym_key is None and path.exists() else None


def for_one_day(key: bytes, author: str, day: str) -> str:
    """In place of a pseudonym: it no longer links an author's days, and counts once on each.

    Made with the key: a pseudonym that still stands in the database, since its author goes on
    writing, must not be all it takes to find that author's former days.
    """
    return keyed_day(key, without_key(author, day))


def without_key(author: str, day: str) -> str:
    """What stood there before the key was used; `purge` puts `keyed_day` in its place."""
    return "-" + sha256(f"{author} {day}".encode()).hexdigest()[:15]


def keyed_day(key: bytes, former: str) -> str:
    """A name without key as one with it: a "-" and 16 hex digits, one more than before."""
    return "-" + hmac.new(key, former.encode(), sha256).hexdigest()[:16]


def forgotten_mark(hide: Callable[[str], str], ident: str) -> str:
    """What is remembered in place of a forgotten post's or answer sheet's id.

    hide: the pseudonyms of its source. No author is called so: names hold no NUL.
    """
    return hide(f"\0{ident}")


def pseudonym(key: bytes, source: str, author: str) -> str:
    """16 hex digits that stand for an author within one source, and nowhere else.

    The same name at two sources gives two pseudonyms: people are not followed across platforms.
    """
    return hmac.new(key, f"{source}\0{author}".encode(errors="replace"), sha256).hexdigest()[:16]
