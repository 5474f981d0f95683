"""The laws of the feed adapter."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.rss import Rss, parse_feed
from sources.testing import PROMISED, Answer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://example.com/feed"


def rss(*items: str, channel: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:im="http://itunes.apple.com/rss" xmlns:review="urn:review" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>F</title>{channel}'
        + "".join(f"<item>{item}</item>" for item in items)
        + "</channel></rss>"
    ).encode()


def parse(body: bytes, **headers: str):
    return parse_feed(
        body, {name.replace("_", "-"): text for name, text in headers.items()}, URL, NOW
    )


def one(*parts: str) -> Post:
    feed = parse(rss("".join(parts)))
    assert feed.problems == []
    (post,) = feed.posts
    return post


def item(number: int) -> str:
    return f"<guid>id{number}</guid><title>Titel {number}</title><pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate>"


def reader(context: Context, url: str, **options) -> Rss:
    private = Context(
        context.client, context.folder, context.stopping, allow_private_addresses=True
    )
    return Rss(Rss.Settings(url=url, **options), private)


def texts(pages) -> list[str]:
    return [post.text for page in pages for post in page.posts]


def test_an_rss_item_becomes_a_post():
    """Title and text in one, plain; the rest as the feed has it, time in UTC."""
    assert one(
        "<guid isPermaLink='false'>a1</guid><link>https://example.com/1</link>"
        "<title>Schnell &amp;amp; gut</title>"
        "<description>&lt;p&gt;Die Kanzlei war &lt;b&gt;top&lt;/b&gt;.&lt;/p&gt;&lt;p&gt;Danke!&lt;/p&gt;</description>"
        "<pubDate>Sun, 01 Feb 2026 10:00:00 +0100</pubDate>"
        "<author>max@example.com (Max M.)</author><im:rating>5</im:rating>"
    ) == Post(
        external_id="a1",
        text="Schnell & gut\n\nDie Kanzlei war top.\n\nDanke!",
        posted_at=datetime(2026, 2, 1, 9, tzinfo=UTC),
        title="Schnell & gut",
        url="https://example.com/1",
        author="Max M.",
        rating=5.0,
    )


def test_an_atom_entry_becomes_a_post():
    """Atom too; relative links start at the feed's address."""
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry>
        <id>tag:example.com,2026:1</id><title type="html">A &lt;b&gt;B&lt;/b&gt;</title>
        <link href="/post/1"/><updated>2026-02-01T10:00:00Z</updated>
        <author><name>Eva</name><email>eva@example.com</email></author>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Eins<br/>Zwei</div></content>
        </entry></feed>"""
    (post,) = parse(body).posts
    assert (post.external_id, post.url) == ("tag:example.com,2026:1", "https://example.com/post/1")
    assert (post.author, post.posted_at) == ("Eva", datetime(2026, 2, 1, 10, tzinfo=UTC))
    assert post.text == "A B\n\nEins\nZwei"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Hallo<script>alert(1)</script><style>p{}</style> Welt", "Hallo Welt"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>eins</li><li>zwei</li></ul>", "eins\n\nzwei"),
        ("5 &euro; &amp; mehr&nbsp;Zeit", "5 € & mehr Zeit"),
        ("<p>I &lt;3 it</p>", "I <3 it"),
        ("<img src=x onerror=alert(1)>gut", "gut"),
        ("<a href='javascript:alert(1)'>Link</a>", "Link"),
        ("<p>Rechts\u00adberatung\u200b</p>", "Rechtsberatung"),
        ("<p>u\u0308ber</p>", "über"),
        ("<p>\u202egnal\u202c</p>", "gnal"),
        ("<p>👩\u200d⚕️ top</p>", "👩\u200d⚕️ top"),
        ("<p>" + "x" * 30_000 + "</p>", "x" * 20_000),
    ],
)
def test_markup_becomes_plain_text(html, text):
    """No tags, scripts, hidden or dangerous characters; paragraphs stay apart."""
    assert one(f"<guid>1</guid><description><![CDATA[{html}]]></description>").text == text


@pytest.mark.parametrize(
    ("title", "body", "text"),
    [
        ("Sehr gut", "Sehr gut beraten worden", "Sehr gut beraten worden"),
        (
            "Der Anfang eines lang…",
            "Der Anfang eines langen Textes",
            "Der Anfang eines langen Textes",
        ),
        ("Urteil - Tagblatt", "Urteil Tagblatt", "Urteil - Tagblatt"),
        ("Gut", "Gute Leute", "Gut\n\nGute Leute"),
        ("Nie wieder", "👎👎", "Nie wieder\n\n👎👎"),
        ("👍", "Danke", "👍\n\nDanke"),
        ("Nur Titel", "", "Nur Titel"),
        ("", "Nur Text", "Nur Text"),
    ],
)
def test_a_title_is_said_once(title, body, text):
    """A title that the text repeats is not repeated; nothing else is dropped."""
    assert (
        one(f"<guid>1</guid><title>{title}</title><description>{body}</description>").text == text
    )


@pytest.mark.parametrize(
    ("date", "posted_at"),
    [
        ("Sun, 01 Feb 2026 10:00:00 GMT", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("2026-02-01T10:00:00+02:00", datetime(2026, 2, 1, 8, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 10:00:00 GMT", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("Mon, 02 Mar 2099 10:00:00 GMT", NOW),
        ("Thu, 01 Jan 1970 00:00:00 GMT", NOW),
        ("gestern", NOW),
        ("", NOW),
    ],
)
def test_dates_are_believed_within_reason(date, posted_at):
    """More than a day ahead, before 1990, unreadable or missing: posted now."""
    assert one(f"<guid>1</guid><title>T</title><pubDate>{date}</pubDate>").posted_at == posted_at


def test_an_entry_without_guid_is_known_by_its_link_or_its_words():
    """Guid, else link, else a hash of title and date: the same on every poll."""
    assert (
        one("<link>https://example.com/1</link><title>T</title>").external_id
        == "https://example.com/1"
    )
    first = one("<title>T</title><pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate>")
    again = one(
        "<title>T</title><pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate><description>x</description>"
    )
    other = one("<title>T</title><pubDate>Sun, 02 Feb 2026 10:00:00 GMT</pubDate>")
    assert first.external_id == again.external_id != other.external_id


@pytest.mark.parametrize(
    ("tag", "rating"),
    [
        ("<im:rating>4</im:rating>", 4.0), ("<review:rating>4,5</review:rating>", 4.5),
        ("<im:rating>0</im:rating>", None), ("<im:rating>5.5</im:rating>", None),
        ("<im:rating>gut</im:rating>", None), ("", None),
    ],
)  # fmt: skip
def test_stars_are_read_where_there_are_any(tag, rating):
    """One to five, or none."""
    assert one("<guid>1</guid><title>T</title>", tag).rating == rating


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("<dc:creator>Eva K.</dc:creator>", "Eva K."), ("<author>eva@example.com</author>", None),
        ("<dc:creator>@eva@social.example</dc:creator>", "@eva@social.example"), ("", None),
    ],
)  # fmt: skip
def test_mail_addresses_are_no_names(author, name):
    """An author is a name; e-mail addresses are dropped."""
    assert one("<guid>1</guid><title>T</title>", author).author == name


def test_a_link_that_is_no_web_address_is_dropped():
    """javascript: never reaches a dashboard."""
    assert one("<guid>1</guid><title>T</title><link>javascript:alert(1)</link>").url is None


def test_an_entry_without_text_is_reported():
    """It is left out and named; the others are taken."""
    feed = parse(rss("<guid>leer</guid>", item(2)))
    assert [post.external_id for post in feed.posts] == ["id2"]
    assert feed.problems == ["entry 1 (leer) has no text"]


def test_an_id_used_twice_is_reported():
    """The first entry counts; the same entry twice is no problem."""
    feed = parse(rss(item(1), item(1), "<guid>id1</guid><title>Anders</title>"))
    assert [post.text for post in feed.posts] == ["Titel 1"]
    assert feed.problems == ["entry 3 has the id of another (id1)"]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "an empty answer"), (b" \n", "an empty answer"),
        (b"<!DOCTYPE html><html><body>Wartung</body></html>", "a web page"),
        (b'{"error": 1}', "JSON"), (b"\x00\x01\x02", "no XML"), (b"Hallo", "no XML"),
        (b"<soap/>", "XML of another kind"), (b"/etc/passwd", "no XML"),
        (b"http://127.0.0.1/", "no XML"),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_named(body, what):
    """The sentence says what came back in its place."""
    with pytest.raises(SourceError, match=what):
        parse(body)


def test_an_empty_feed_is_no_error():
    """A quiet source is quiet, not broken."""
    assert parse(rss()).posts == []


@pytest.mark.parametrize("cut", range(20, len(rss(item(1), item(2))) - 6, 29))
def test_a_document_that_breaks_off_gives_whole_entries_only(cut):
    """Half a post is never stored: it waits for the whole document."""
    body = rss(item(1), item(2))
    try:
        feed = parse(body[:cut])
    except SourceError:
        return
    assert not feed.complete
    assert feed.posts == parse(body).posts[: len(feed.posts)]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (rss("<guid>1</guid><title>Müller</title>"), {"content-type": "text/xml; charset=iso-8859-1"}),
        (rss("<guid>1</guid><title>Müller</title>").decode().encode("cp1252"), {}),
        (b"\xef\xbb\xbf" + rss("<guid>1</guid><title>Müller</title>"), {}),
        (rss("<guid>1</guid><title>Müller</title>").decode().replace("utf-8", "utf-16").encode("utf-16"), {}),
        (rss("<guid>1</guid><title>Müller</title>").decode().replace("utf-8", "x-unknown").encode(), {}),
        (rss("<guid>1</guid><title>Müller</title>"), {"content-type": "text/html"}),
    ],
)  # fmt: skip
def test_broken_encodings_are_mended(body, headers):
    """Wrong headers, byte order marks, and Windows text that says it is UTF-8."""
    feed = parse_feed(body, headers, URL, NOW)
    assert "Müller" in feed.posts[0].text
    assert feed.complete


def test_entity_bombs_are_harmless():
    """Entities that multiply, and entities that read files, expand to nothing."""
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [{entities}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = bomb.encode() + b"<rss><channel><item><title>a &l9; &f; b</title></item></channel></rss>"
    begun = time.thread_time()
    text = "".join(post.text for post in parse(body).posts)
    assert time.thread_time() - begun < 3
    assert len(text) < 1000
    assert "root:" not in text


def test_hostile_markup_takes_no_hours():
    """Tags nested a hundred thousand deep are read in no time."""
    for tag in ("<div>", "<ul>", "<span>", "<a><b>", "<p ", "<p '", "<table><tr>"):
        begun = time.thread_time()
        parse(rss(f"<guid>1</guid><description><![CDATA[{tag * 50_000}]]></description>"))
        assert time.thread_time() - begun < 2, tag


@settings(max_examples=150, deadline=None)
@given(
    st.binary()
    | st.text().map(str.encode)
    | st.binary().map(lambda junk: rss("<title>" + junk.decode("latin-1")))
)
def test_no_bytes_raise_anything_but_a_source_error(body):
    """Whatever a server sends, the answer is posts or a sentence."""
    with contextlib.suppress(SourceError):
        feed = parse(body, content_type="text/xml")
        assert all(post.text and post.external_id for post in feed.posts)


WHOLE = rss(*(item(number) for number in range(3)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)), st.binary(max_size=5))
def test_no_damage_raises_anything_but_a_source_error(start, end, junk):
    """Nor does a feed with a piece cut out or scribbled over."""
    with contextlib.suppress(SourceError):
        parse(WHOLE[:start] + junk + WHOLE[end:])


def test_a_feed_is_read_once(server, context):
    """A first poll brings posts, the second a 304 and the cursor as it was."""
    server.script("/feed", Answer(rss(item(1)), etag='"1"'))
    adapter = reader(context, server.url("/feed"))
    (first,) = adapter.pages(None)
    (again,) = adapter.pages(first.cursor)
    assert [post.external_id for post in first.posts] == ["id1"]
    assert (again.posts, again.cursor) == ([], first.cursor)
    assert server.requests[1].headers["if-none-match"] == '"1"'


def test_the_same_body_is_not_read_twice(server, context):
    """A server without validators costs a transfer, not a page of posts."""
    server.script("/feed", Answer(rss(item(1))))
    adapter = reader(context, server.url("/feed"))
    (first,) = adapter.pages(None)
    (again,) = adapter.pages(first.cursor)
    assert (again.posts, again.cursor) == ([], first.cursor)


def test_a_cursor_belongs_to_its_address(server, context):
    """Another address starts afresh: no old validator hides its posts."""
    server.script("/a", Answer(rss(item(1)), etag='"1"'))
    server.script("/b", Answer(rss(item(1)), etag='"1"'))
    (first,) = reader(context, server.url("/a")).pages(None)
    (other,) = reader(context, server.url("/b")).pages(first.cursor)
    assert len(other.posts) == 1


def test_a_feed_that_breaks_off_is_read_again(server, context):
    """Its whole entries are delivered, the cursor stays, and the error is transient."""
    whole = rss(item(1), item(2))
    server.script("/feed", Answer(whole[:-60], etag='"1"'), Answer(whole, etag='"1"'))
    adapter = reader(context, server.url("/feed"))
    pages = adapter.pages(None)
    first = next(pages)
    with pytest.raises(SourceError, match="breaks off after 1 complete entries") as caught:
        next(pages)
    assert (first.cursor, [post.external_id for post in first.posts]) == ({}, ["id1"])
    assert not caught.value.permanent
    assert texts(adapter.pages(first.cursor)) == ["Titel 1", "Titel 2"]


@pytest.mark.parametrize(
    ("channel", "headers", "wait"),
    [
        ("<ttl>60</ttl>", {}, timedelta(hours=1)),
        ("<ttl>60</ttl>", {"Cache-Control": "public, max-age=7200"}, timedelta(hours=2)),
        ("<ttl>9999999</ttl>", {}, timedelta(days=1)),
        ("", {"Cache-Control": "max-age=99999999999999999999"}, timedelta(days=1)),
        ("", {"Cache-Control": "no-cache, max-age=600"}, None),
        ("<ttl>-5</ttl>", {"Expires": "0"}, None),
        ("", {}, None),
    ],
)
def test_a_feed_says_when_to_come_back(server, context, channel, headers, wait):
    """The longest of TTL, max-age and Expires, at most a day."""
    server.script("/feed", Answer(rss(item(1), channel=channel), headers=headers))
    adapter = reader(context, server.url("/feed"))
    (page,) = adapter.pages(None)
    (again,) = adapter.pages(page.cursor)
    assert (page.next_poll, again.next_poll, again.cursor) == (wait, wait, page.cursor)


def paged(server, *documents: bytes) -> None:
    """Documents that point to each other by rel="next"."""
    for number, document in enumerate(documents):
        link = f'<link xmlns="http://www.w3.org/2005/Atom" rel="next" href="/p{number + 1}"/>'
        last = number == len(documents) - 1
        body = document if last else document.replace(b"</title>", b"</title>" + link.encode(), 1)
        server.script(f"/p{number}", Answer(body))


def test_older_pages_are_read_until_one_is_known(server, context):
    """The first poll reads all pages; a later one stops where the last one began."""
    paged(server, rss(item(3)), rss(item(2)), rss(item(1)))
    adapter = reader(context, server.url("/p0"))
    pages = list(adapter.pages(None))
    assert texts(pages) == ["Titel 3", "Titel 2", "Titel 1"]
    assert [bool(page.cursor) for page in pages] == [False, False, True]
    paged(server, rss(item(5)), rss(item(4), item(3)), rss(item(2)))
    assert texts(adapter.pages(pages[-1].cursor)) == ["Titel 5", "Titel 4", "Titel 3"]


def test_pages_that_go_in_circles_end(server, context):
    """So does a feed without an end: after max_pages."""
    paged(server, rss(item(2)), rss(item(1)), rss(item(0)))
    server.script(
        "/p1",
        Answer(
            rss(item(1)).replace(
                b"</title>",
                b'</title><link xmlns="http://www.w3.org/2005/Atom" rel="next" href="/p0"/>',
                1,
            )
        ),
    )
    assert texts(reader(context, server.url("/p0")).pages(None)) == [
        "Titel 2",
        "Titel 1",
        "Titel 2",
    ]
    assert texts(reader(context, server.url("/p0"), max_pages=1).pages(None)) == ["Titel 2"]


def test_a_missing_page_does_not_end_the_feed(server, context):
    """A page that is gone is an error, but not one that disables the source."""
    paged(server, rss(item(2)), rss(item(1)))
    server.script("/p1", Answer(status=404))
    pages = reader(context, server.url("/p0")).pages(None)
    assert texts([next(pages)]) == ["Titel 2"]
    with pytest.raises(SourceError, match="page 2 of the feed") as caught:
        next(pages)
    assert not caught.value.permanent


def test_a_local_feed_is_read(context):
    """A path is relative to the folder of the configuration; the same file is read once."""
    (context.folder / "feed.xml").write_bytes(rss(item(1)))
    adapter = Rss(Rss.Settings(path="feed.xml"), context)
    (first,) = adapter.pages(None)
    (again,) = adapter.pages(first.cursor)
    assert (texts([first]), texts([again])) == (["Titel 1"], [])


@pytest.mark.parametrize("path", ["missing.xml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_sentence(context, path):
    """Missing, a folder, or no path at all."""
    with pytest.raises(SourceError, match="cannot be read"):
        list(Rss(Rss.Settings(path=path), context).pages(None))


@pytest.mark.parametrize(
    "options", [{}, {"url": "https://a.example/", "path": "x"}, {"url": "feed.xml"}, {"uri": "x"}]
)
def test_settings_ask_for_one_place(options):
    """A url or a path, and no key that nobody knows."""
    with pytest.raises(ValidationError):
        Rss.Settings(**options)


def test_settings_are_quick_to_load():
    """Importing an adapter for its settings loads none of the libraries it reads with."""
    code = "import sys, sources.rss, sources.file; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"feedparser", "httpx", "httpcore", "nh3", "openpyxl", "stamina"} & set(loaded)


def test_one_broken_byte_does_not_break_all_umlauts():
    """A stray byte in a UTF-8 feed is lost, not the encoding of everything else."""
    body = rss("<guid>1</guid><title>Müller, Größe, Öl, süß, Bär, Zürich, Köln, Föhr, Tür!</title>")
    (post,) = parse(body.replace(b"!", b"\xff")).posts
    assert post.title.startswith("Müller, Größe, Öl, süß, Bär, Zürich, Köln, Föhr, Tür")


@pytest.mark.parametrize(
    ("written", "text"),
    [("&#55357;&#56832; gut", "😀 gut"), ("&#xD800;gut", "gut"), ("&#0;gut&#x110000;", "gut")],
)
def test_characters_that_do_not_exist_are_dropped(written, text):
    """Emoji in two halves are joined; what is no character does not cost the feed."""
    assert one(f"<guid>1</guid><title>{written}</title>").text == text


def test_an_entry_that_cannot_be_read_does_not_hide_the_others():
    """Where the parser fails on the whole, the entries are read one by one."""
    broken = '<x:where xmlns:x="http://www.georss.org/georss"><x:where/></x:where>'
    feed = parse(rss(item(1), f"<guid>b</guid><title>B</title>{broken}", item(3)))
    assert {"Titel 1", "Titel 3"} <= {post.text for post in feed.posts}
    assert feed.complete


def test_a_gap_is_told(server, context):
    """A full feed without a post of the last visit has moved on too far: that is said."""
    server.script("/feed", Answer(rss(item(1), item(2))), Answer(rss(item(4), item(5))))
    adapter = reader(context, server.url("/feed"))
    (first,) = adapter.pages(None)
    (second,) = adapter.pages(first.cursor)
    assert first.gaps == []
    assert "may be missing" in second.gaps[0]
    assert texts([second]) == ["Titel 4", "Titel 5"]


class TestRss(Conformance):
    """A feed in two pages (RFC 5005), with validators."""

    adapter = Rss
    limits = PROMISED
    offers = 4

    def settings(self, server):
        return {"url": server.url("/feed")}

    def serve(self, server, more=0):
        mail = f"<author>{PRIVATE}</author>"
        following = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="next" href="/feed/2"/>'
        new = [item(n) for n in range(4 + more, 2, -1)]
        first = rss(*new, channel=following)
        server.script("/feed", Answer(first, etag=f'"{more}"'))
        server.script("/feed/2", Answer(rss(item(2), item(1) + mail)))
