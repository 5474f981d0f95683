"""Feeds that need no address: a term, a host, a community or some tags are enough.

Each kind says which feeds it reads and what is special about their entries; `sources.rss` reads
them.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import AfterValidator, Field

from sources import base
from sources.parts import Part, read_parts
from sources.rss import Rss, RssSettings, read_entry
from sources.text import author_name, plain_text, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sources.base import Context, Cursor, Page, Post

LEMMY_HEAD = re.compile(  # votes and comments change by the minute; the post does not
    r"^\s*submitted by <a [^>]*>[^<]*</a> to <a [^>]*>[^<]*</a>\s*<br\s*/?>\s*-?\d+ points?"
    r" \| <a [^>]*>-?\d+ comments?</a>(?:\s*<br\s*/?>\s*<a href=\"[^\"]*\">[^<]*</a>)?"
)
DISCOURSE_TAIL = re.compile(  # "5 posts - 3 participants", "Read full topic"
    r"<p><small>[^<]{0,200}</small></p>\s*<p><a [^>]{0,2000}>[^<]{0,200}</a></p>\s*$"
)
STATUS = re.compile(r"/@([\w.-]+)(?:@([\w.-]+))?/\d+$")
ARTICLE = re.compile(r"/articles/([\w-]{10,2000})")
ADDRESS = re.compile(rb"https?://[\x21-\x7e]{4,1500}")


def _host(value: str) -> str:
    """An address such as https://forum.example, whatever part of it was given."""
    whole = value if "://" in value else f"https://{value}"
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", whole, re.IGNORECASE):
        raise ValueError('expected a host such as "forum.example"')
    return whole.rstrip("/")


def _tag(value: str) -> str:
    shown = value.strip().removeprefix("#")
    if not re.fullmatch(r"[^\s/?&]{1,100}", shown):
        raise ValueError("expected a tag: one word, without the #")
    return shown


Host = Annotated[str, AfterValidator(_host)]
Tags = Annotated[list[Annotated[str, AfterValidator(_tag)]], Field(min_length=1, max_length=20)]


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of a source.

    name: what problems call it.
    once: for the first run only: a look further back.
    """

    name: str
    url: str
    once: bool = False


class Preset:
    """Reads the feeds of its settings, one after the other."""

    Settings: ClassVar[type[base.Settings]]
    refusals: ClassVar[Mapping[int, str]] = {}
    """What a status means at this service, for {name} of {host}."""
    full: ClassVar[int] = 2
    """How many entries a feed shows at a time."""

    def __init__(self, settings: Any, context: Context) -> None:
        self._settings = settings
        self._context = context

    def feeds(self) -> Sequence[Feed]:
        """Where to read."""
        raise NotImplementedError

    def read(self, entry: Any, url: str, now: datetime) -> Post:
        """The post that an entry is."""
        return read_entry(entry, url, now)

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """The posts of all feeds."""
        parts = [
            Part(feed.url, feed.name, self._rss(feed).pages, feed.once) for feed in self.feeds()
        ]
        return read_parts(parts, cursor, self._context.stopping)

    def _rss(self, feed: Feed) -> Rss:
        host = urlsplit(feed.url).netloc
        said = {
            status: text.format(name=feed.name, host=host) for status, text in self.refusals.items()
        }
        return Rss(RssSettings(url=feed.url), self._context, self.read, said, self.full)


class GoogleNewsSettings(base.Settings):
    """A search as it would be typed into Google News.

    edition: language and country of the edition, "de-DE", "de-AT", "en-US" …
    api: the address of Google News.
    """

    term: str = Field(min_length=1, max_length=500, pattern=r"\S")
    edition: str = Field(default="de-DE", pattern=r"^[a-z]{2}-[A-Z]{2}$")
    api: Host = "https://news.google.com"


class GoogleNews(Preset):
    """News that Google News finds for a term: headline, publisher and link, not the article.

    Google shows a hundred articles at most, the fitting ones before the new ones. A week's worth is
    asked for on each run, and once, on the first, all of them.
    """

    Settings = GoogleNewsSettings
    full = 100

    def feeds(self) -> Sequence[Feed]:
        """The last week's, and on the first run all."""
        term = " ".join(self._settings.term.split())
        return [
            Feed(f"{term} (last week)", self._url(f"{term} when:7d")),
            Feed(f"{term} (all)", self._url(term), once=True),
        ]

    def read(self, entry: Any, url: str, now: datetime) -> Post:
        """Headline without the publisher, publisher as author, the article's own link if known."""
        post = read_entry(entry, url, now)
        publisher = _publisher(entry)
        headline = plain_text(str(dict.get(entry, "title") or post.text), 500)
        text = headline.removesuffix(f" - {publisher}").strip() or headline
        return replace(
            post,
            title=text,
            text=text,
            author=author_name(publisher) or post.author,
            url=article_address(post.url),
        )

    def _url(self, term: str) -> str:
        language, country = self._settings.edition.split("-")
        interface = self._settings.edition if language == "en" else language
        places = {"hl": interface, "gl": country, "ceid": f"{country}:{language}"}
        return f"{self._settings.api}/rss/search?{urlencode({'q': term, **places})}"


def _publisher(entry: Any) -> str:
    source = dict.get(entry, "source")
    return plain_text(str(source.get("title") or ""), 200) if isinstance(source, dict) else ""


def article_address(link: str | None) -> str | None:
    """The article a Google News link redirects to, where the link itself tells; else the link.

    Links until 2024 hold the address in base64; of newer ones only Google knows where they lead.
    """
    found = ARTICLE.search(link or "")
    if not found:
        return link
    try:
        packed = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except (binascii.Error, ValueError):
        return link
    inside = ADDRESS.search(packed)
    return (web_address(inside[0].decode("ascii")) if inside else None) or link


class DiscourseSettings(base.Settings):
    """A Discourse forum: all its posts, or the topics of a category or a tag.

    category: as in the category's address: "versicherung/12" of forum.example/c/versicherung/12.
    """

    host: Host
    category: str | None = Field(default=None, pattern=r"^[\w%/.-]+$", max_length=200)
    tag: Annotated[str, AfterValidator(_tag)] | None = None


class Discourse(Preset):
    """What is written in a Discourse forum."""

    Settings = DiscourseSettings
    refusals: ClassVar[Mapping[int, str]] = {
        403: "{host} shows {name} to its members only: ask the forum to open it, or remove the "
        "source",
        404: "{host} has no feed of {name}: it is no Discourse forum, asks for a login, or "
        "category or tag are written in another way; compare them with the address in a browser",
    }
    full = 25

    def feeds(self) -> Sequence[Feed]:
        """Categories and tags have topics only; the whole forum has every post."""
        at, category, tag = self._settings.host, self._settings.category, self._settings.tag
        feeds = []
        if category:
            path = category.strip("/").removeprefix("c/")
            feeds.append(Feed(f"category {category}", f"{at}/c/{path}.rss"))
        if tag:
            feeds.append(Feed(f"tag {tag}", f"{at}/tag/{quote(tag, safe='')}.rss"))
        return feeds or [Feed("all posts", f"{at}/posts.rss")]

    def read(self, entry: Any, url: str, now: datetime) -> Post:
        """Without the counts below the text, which change; an author is known by the @name."""
        _cut(entry, DISCOURSE_TAIL)
        post = read_entry(entry, url, now)
        handle = re.match(r"@[\w.-]+", post.author or "")
        return replace(post, author=handle[0]) if handle else post


class LemmySettings(base.Settings):
    """A community of a Lemmy server.

    community: its name, with @server where it lives on another one.
    """

    host: Host
    community: str = Field(pattern=r"^!?[\w.-]+(@[\w.-]+)?$", max_length=200)


class Lemmy(Preset):
    """The posts of a Lemmy community, the newest fifty at a time; comments have no feed."""

    Settings = LemmySettings
    refusals: ClassVar[Mapping[int, str]] = {
        400: "{host} knows no {name}: check how it is written in the address of its page",
        404: "{host} has no Lemmy feeds: check the host",
        403: "{host} shows {name} to its members only: choose another server",
    }
    full = 50

    def feeds(self) -> Sequence[Feed]:
        """One feed, newest first."""
        name = self._settings.community.removeprefix("!")
        at = f"{self._settings.host}/feeds/c/{quote(name, safe='@')}.xml"
        return [Feed(f"community {name}", f"{at}?sort=New&limit=50")]

    def read(self, entry: Any, url: str, now: datetime) -> Post:
        """Without the votes above the text, which change; linked to the post, not to its link."""
        _cut(entry, LEMMY_HEAD)
        post = read_entry(entry, url, now)
        page = web_address(str(dict.get(entry, "comments") or dict.get(entry, "id") or ""))
        return replace(post, url=page or post.url)


class StackExchangeTagsSettings(base.Settings):
    """New questions under some tags of a Stack Exchange site, each tag with a feed of its own."""

    site: Host
    tags: Tags


class StackExchangeTags(Preset):
    """New questions; answers, comments and search need the kind `stackexchange`."""

    Settings = StackExchangeTagsSettings
    refusals: ClassVar[Mapping[int, str]] = {
        404: "{host} has no {name}: check the site and how the tag is written there",
    }
    full = 30

    def feeds(self) -> Sequence[Feed]:
        """One a tag."""
        return [
            Feed(f"tag {tag}", f"{self._settings.site}/feeds/tag?{urlencode(query)}")
            for tag in self._settings.tags
            for query in [{"tagnames": tag, "sort": "newest"}]
        ]


class MastodonHashtagsSettings(base.Settings):
    """Some hashtags as one Mastodon server sees them."""

    host: Host
    tags: Tags


class MastodonHashtags(Preset):
    """Posts with a hashtag, the newest twenty at a time; for more, the kind `mastodon`."""

    Settings = MastodonHashtagsSettings
    refusals: ClassVar[Mapping[int, str]] = dict.fromkeys(
        (401, 403, 404, 410, 422),
        "{host} does not show {name} to everybody: check the host, choose another server, or use "
        "the kind mastodon with an access token",
    )
    full = 20

    def feeds(self) -> Sequence[Feed]:
        """One a tag."""
        at = self._settings.host
        return [
            Feed(f"hashtag #{tag}", f"{at}/tags/{quote(tag, safe='')}.rss")
            for tag in self._settings.tags
        ]

    def read(self, entry: Any, url: str, now: datetime) -> Post:
        """The author stands only in the address: https://server/@name/1234."""
        post = read_entry(entry, url, now)
        found = STATUS.search(post.url or "")
        if not found:
            return post
        server = found[2] or urlsplit(post.url or "").hostname
        return replace(post, author=f"@{found[1]}@{server}")


def _cut(entry: Any, part: re.Pattern[str]) -> None:
    """Take a part out of an entry's text, wherever the text is."""
    for detail in [dict.get(entry, "summary_detail"), *(dict.get(entry, "content") or [])]:
        if isinstance(detail, dict) and isinstance(detail.get("value"), str):
            detail["value"] = part.sub("", detail["value"])
