"""Near-identical texts: syndicated articles, retweets, copied posts."""

from __future__ import annotations

import hashlib
import heapq
import re
import unicodedata

SHINGLE = 3
"""Words in a shingle."""

SKETCH = 4
"""Values in a sketch: texts of similarity 0.7 share one with probability of about 0.99."""

FEWEST_WORDS = 8
"""Texts of fewer words are stock phrases ("great service, thank you"), never copies."""

SIMILAR = 0.7
"""Jaccard similarity of the shingles from which on two texts count as one."""

_FORWARDED = re.compile(r"^\W*(?:(?:rt|mt|via)\b[\s:]*@?\w*|fwd?|wg|aw|re)\b\s*:\s*")
_NOT_WORDS = re.compile(r"(?:https?://|www\.)\S+|@\w+(?:[.@]\w+)*")
_WORD = re.compile(r"[^\W_]+")


def sketch(text: str) -> tuple[int, ...]:
    """The smallest hashes of a text's shingles, ascending; near-identical texts share some.

    A bottom-k sketch (Broder, "On the resemblance and containment of documents", 1997) with
    k = 4, of 64-bit signed integers as SQLite stores them. Empty for texts of fewer than eight
    words. The same in every process and on every machine.
    """
    return tuple(heapq.nsmallest(SKETCH, map(_hash, _shingles(text))))


def same(a: str, b: str) -> bool:
    """Whether two texts are near-identical: Jaccard similarity of at least 0.7.

    Never for texts of fewer than eight words, not even for equal ones.
    """
    first, second = _shingles(a), _shingles(b)
    if not first or not second:
        return False
    return len(first & second) >= SIMILAR * len(first | second)


def _shingles(text: str) -> frozenset[str]:
    words = _words(text)
    if len(words) < FEWEST_WORDS:
        return frozenset()
    return frozenset(" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))


def _words(text: str) -> list[str]:
    """The words without what copies change: case, punctuation, emoji, links, handles, "RT @x:"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = plain.replace("\u00ad", "").replace("\u200b", "")
    return _WORD.findall(_NOT_WORDS.sub(" ", _FORWARDED.sub("", plain)))


def _hash(shingle: str) -> int:
    digest = hashlib.blake2b(shingle.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
