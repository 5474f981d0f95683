"""Text as people wrote it, out of whatever markup it came in."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata

MAX_TEXT = 20_000  # characters; the longest post that is kept in full
MAX_MARKUP = 100_000  # characters of HTML that are looked at
MAX_ID = 500  # characters; a longer id is replaced by its hash

BLOCK = re.compile(
    r"<(?:br|/?(?:address|article|aside|blockquote|caption|center|dd|details|dir|div|dl|dt|fieldset"
    r"|figcaption|figure|footer|form|h[1-6]|header|hr|li|main|menu|nav|ol|p|pre|section|summary"
    r"|table|tbody|td|tfoot|th|thead|tr|ul))\b(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*>",
    re.IGNORECASE,
)
DROPPED = {"script", "style", "template", "iframe", "object", "noembed", "noframes"}
MARKUP = re.compile(
    r"</?(?:a|b|blockquote|br|div|em|font|h[1-6]|i|img|li|ol|p|script|span|strong|style|table|u|ul)"
    r"(?:\s[^<>]*)?/?>|&(?:amp|lt|gt|quot|apos|nbsp|[aou]uml|szlig|#\d{1,7}|#x[0-9a-f]{1,6});",
    re.IGNORECASE,
)
# Control characters, soft hyphens, invisible spaces, direction overrides and lone surrogates:
# nobody sees them, but they split words, hide text, or cannot be stored. Zero-width joiners stay,
# emoji and some scripts need them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff"
    "\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
WORD = re.compile(r"\w+")
MAIL = re.compile(r"[\w.+%-]+@[\w-]+\.[\w.-]+")


def tidy(text: str, limit: int = MAX_TEXT) -> str:
    """Plain text with composed umlauts, single spaces, and at most one empty line in a row."""
    text = unicodedata.normalize("NFC", INVISIBLE.sub("", text[: 4 * limit]))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:limit].rstrip()


def plain_text(markup: str, limit: int = MAX_TEXT) -> str:
    """The text of an HTML fragment: paragraphs as lines, entities decoded, scripts gone."""
    import nh3  # kept out of start-up

    source = " ".join(INVISIBLE.sub("", markup[:MAX_MARKUP]).split())
    lines = BLOCK.sub("\n", source)
    return tidy(html.unescape(nh3.clean(lines, tags=set(), clean_content_tags=DROPPED)), limit)


def looks_like_markup(text: str) -> bool:
    """Whether a cell that may be either holds HTML; "I <3 it" does not."""
    return MARKUP.search(text[:MAX_MARKUP]) is not None


def as_utf8(body: bytes) -> bytes | None:
    """The bytes as valid UTF-8 when that is what they are, a few broken ones aside; else None.

    Umlauts that happen to be UTF-8 are UTF-8, whatever a header or a declaration says.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) and not body.startswith(b"\xff\xfe\0\0"):
        return body.decode("utf-16", "replace").encode()
    if body.count(0) * 10 < len(body):
        body = body.replace(b"\0", b"")
    if b"\0" in body or b"\x1b" in body:
        return None  # UTF-32, or one of the encodings that switch by escape
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    foreign = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text.encode() if broken * 10 <= foreign else None


def headed(title: str, body: str) -> tuple[str, str]:
    """Title and full text of a post, the title said once.

    Many feeds fill the title with the first words of the text, or the text with the title.
    """
    if not body or _begins(title, body):
        return title, title
    if not title or _begins(body, title):
        return (title if body.startswith(title) else ""), body
    return title, f"{title}\n\n{body}"[:MAX_TEXT].rstrip()


def author_name(name: str) -> str | None:
    """The name without any e-mail address; None when nothing is left."""
    shown = tidy(name, 200)
    if not shown.startswith("@"):  # @name@server is an address in the fediverse, not e-mail
        shown = MAIL.sub("", shown).strip(" <>()[],;\"'")
    return shown or None


def stable_id(*parts: str) -> str:
    """The same id for the same words, today and in ten years."""
    words = "\n".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]


def known_id(given: str) -> str:
    """An id as the source gives it; a hash where it is too long to keep."""
    shown = INVISIBLE.sub("", given).strip()
    return shown if len(shown) <= MAX_ID else stable_id(shown)


def web_address(link: str) -> str | None:
    """The link when it is one a reader may safely follow."""
    shown = INVISIBLE.sub("", link).strip()
    safe = re.match(r"https?://[^\s\"'<>]+$", shown, re.IGNORECASE)
    return shown if safe and len(shown) <= 2000 else None


def _begins(whole: str, part: str) -> bool:
    """Whether a text begins with the words of another, which may be cut short ("and so o…")."""
    cut = part.removesuffix("...").removesuffix("…")
    words, start = WORD.findall(whole.casefold()), WORD.findall(cut.casefold())
    if not start:
        return False
    if cut == part:
        return words[: len(start)] == start
    return "".join(words).startswith("".join(start))
