"""The laws of the feeds that need only a term, a host, a community or some tags."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from sources.base import Context, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.presets import (
    Discourse,
    GoogleNews,
    Lemmy,
    MastodonHashtags,
    StackExchangeTags,
    article_address,
)
from sources.testing import PROMISED, Answer, Limit

DATE = "<pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate>"


def feed(*items: str) -> Answer:
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:webfeeds="urn:w"'
    inner = "".join(f"<item>{item}</item>" for item in items)
    body = f'<rss version="2.0" {spaces}><channel><title>F</title>{inner}</channel></rss>'
    return Answer(body.encode(), headers={"Content-Type": "application/rss+xml; charset=utf-8"})


def article(number: int, headline: str = "Kanzlei gewinnt", publisher: str = "Tagblatt") -> str:
    """As Google News writes it in 2026."""
    link = f"https://news.google.com/rss/articles/CBMiAUFVX3lxTE{number}?oc=5"
    inner = (
        f'&lt;a href="{link}" target="_blank"&gt;{headline}&lt;/a&gt;&amp;nbsp;&amp;nbsp;'
        f'&lt;font color="#6f6f6f"&gt;{publisher}&lt;/font&gt;'
    )
    return (
        f"<title>{headline} - {publisher}</title><link>{link}</link>"
        f'<guid isPermaLink="false">CBMiAUFVX3lxTE{number}</guid>{DATE}'
        f"<description>{inner}</description>"
        f'<source url="https://tagblatt.example">{publisher}</source>'
    )


def lemmy_post(number: int, votes: int = 3, body: str = "<p>Sehr zufrieden</p>") -> str:
    head = (
        'submitted by <a href="https://l.example/u/eva">eva</a> to '
        '<a href="https://l.example/c/recht">recht</a><br>'
        f'{votes} points | <a href="https://l.example/post/{number}">{votes} comments</a>'
        '<br><a href="https://kanzlei.example/">https://kanzlei.example/</a>'
    )
    return (
        f"<title>Kanzlei {number}</title><link>https://kanzlei.example/</link>{DATE}"
        f"<comments>https://l.example/post/{number}</comments>"
        f"<guid>https://l.example/post/{number}</guid>"
        "<dc:creator>https://l.example/u/eva</dc:creator>"
        f"<description><![CDATA[{head}{body}]]></description>"
    )


def topic(number: int, replies: int = 1) -> str:
    return (
        f"<title>Frage {number}</title><dc:creator><![CDATA[@eva Eva K.]]></dc:creator>"
        f"<link>https://forum.example/t/frage/{number}</link>{DATE}"
        f'<guid isPermaLink="false">forum.example-topic-{number}</guid>'
        "<description><![CDATA[<p>Wer kennt die Kanzlei?</p>"
        f"<p><small>{replies} Beiträge - 2 Teilnehmer</small></p>"
        f'<p><a href="https://forum.example/t/frage/{number}">Ganzes Thema lesen</a></p>]]></description>'
    )


def status(number: int) -> str:
    link = f"https://m.example/@eva/{number}"
    return (
        f'<guid isPermaLink="true">{link}</guid><link>{link}</link>{DATE}'
        f"<description>&lt;p&gt;Gut {number} #recht&lt;/p&gt;</description>"
    )


def question(number: int) -> str:
    return (
        f"<guid>https://law.example/q/{number}</guid><link>https://law.example/q/{number}</link>"
        f"<title>Frage {number}</title><author>Eva</author>{DATE}"
        "<description>&lt;p&gt;Wer haftet?&lt;/p&gt;</description>"
    )


@pytest.fixture
def private(context):
    return Context(context.client, context.folder, allow_private_addresses=True)


def read(adapter, server, private, cursor=None, **settings):
    pages = list(adapter(adapter.Settings(**settings), private).pages(cursor))
    return [post for page in pages for post in page.posts], pages


def test_google_news_is_searched_by_a_term(server, private):
    """The last week on every run, everything once; the edition chooses language and country."""
    server.script("/rss/search", feed(article(1)))
    settings = {"term": "“Kanzlei Ahornhof”", "edition": "de-AT", "api": server.url()}
    _, pages = read(GoogleNews, server, private, **settings)
    read(GoogleNews, server, private, pages[-1].cursor, **settings)
    assert [asked.params["q"] for asked in server.requests] == [
        "“Kanzlei Ahornhof” when:7d",
        "“Kanzlei Ahornhof”",
        "“Kanzlei Ahornhof” when:7d",
    ]
    places = {key: server.requests[0].params[key] for key in ("hl", "gl", "ceid")}
    assert places == {"hl": "de", "gl": "AT", "ceid": "AT:de"}


def test_google_news_gives_headlines_without_publishers(server, private):
    """The text is the headline, the publisher the author."""
    server.script("/rss/search", feed(article(1, "Sieg - Kanzlei jubelt")))
    (post, *_), _ = read(GoogleNews, server, private, term="x", api=server.url())
    assert (post.title, post.text) == ("Sieg - Kanzlei jubelt", "Sieg - Kanzlei jubelt")
    assert (post.author, post.external_id) == ("Tagblatt", "CBMiAUFVX3lxTE1")
    assert post.posted_at == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_headlines_are_plain_text(server, private):
    """Google escapes some signs twice; a reader sees them once."""
    server.script("/rss/search", feed(article(1, "Müller &amp;amp; Söhne siegt")))
    (post, *_), _ = read(GoogleNews, server, private, term="x", api=server.url())
    assert post.text == "Müller & Söhne siegt"


def test_a_google_news_link_leads_to_the_article_where_it_can():
    """Older links hold the address; newer ones are kept, Google redirects them."""
    address = b"https://tagblatt.example/artikel-1"
    packed = base64.urlsafe_b64encode(
        b"\x08\x13\x22" + bytes([len(address)]) + address + b"\xd2\x01\0"
    )
    old = f"https://news.google.com/rss/articles/{packed.decode().rstrip('=')}?oc=5"
    new = "https://news.google.com/rss/articles/CBMiAUFVX3lxTE1?oc=5"
    assert article_address(old) == address.decode()
    assert (article_address(new), article_address(None)) == (new, None)


def test_votes_and_counts_are_no_part_of_a_text(server, private):
    """What changes by the minute would make every post an edited one at every visit."""
    server.script("/feeds/c/recht.xml", feed(lemmy_post(1, 3)), feed(lemmy_post(1, -40)))
    server.script("/c/recht/5.rss", feed(topic(1, 2)), feed(topic(1, 30)))
    for adapter, settings, text in (
        (Lemmy, {"community": "recht"}, "Kanzlei 1\n\nSehr zufrieden"),
        (Discourse, {"category": "recht/5"}, "Frage 1\n\nWer kennt die Kanzlei?"),
    ):
        for _ in range(2):
            (post,), _ = read(adapter, server, private, host=server.url(), **settings)
            assert post.text == text


def test_a_lemmy_post_is_linked_not_its_link(server, private):
    """The post's own page, not the page it points at; the newest fifty are asked for."""
    server.script("/feeds/c/recht@l.example.xml", feed(lemmy_post(7)))
    (post,), _ = read(Lemmy, server, private, host=server.url(), community="!recht@l.example")
    assert (post.url, post.author) == ("https://l.example/post/7", "https://l.example/u/eva")
    assert server.requests[0].params == {"sort": "New", "limit": "50"}


def test_a_discourse_forum_is_read_whole_or_in_part(server, private):
    """Every post of the forum, or the topics of a category and a tag."""
    server.script("/posts.rss", feed(topic(1)))
    server.script("/c/recht/5.rss", feed(topic(2)))
    server.script("/tag/haftung.rss", feed(topic(2), topic(3)))
    whole, _ = read(Discourse, server, private, host=server.url())
    part, _ = read(
        Discourse, server, private, host=server.url(), category="recht/5", tag="#haftung"
    )
    assert [post.external_id[-1] for post in whole + part] == ["1", "2", "3"]
    assert whole[0].author == "@eva"


def test_the_author_of_a_mastodon_post_stands_in_its_address(server, private):
    """The feed names nobody; name and server make a person."""
    server.script("/tags/recht.rss", feed(status(1)))
    (post,), _ = read(MastodonHashtags, server, private, host=server.url(), tags=["#recht"])
    assert (post.author, post.text) == ("@eva@m.example", "Gut 1 #recht")


def test_each_stack_exchange_tag_has_its_feed(server, private):
    """Questions under two tags; the same question under both is one."""
    server.script("/feeds/tag", feed(question(1)), feed(question(1), question(2)))
    posts, _ = read(StackExchangeTags, server, private, site=server.url(), tags=["erbe", "c#"])
    assert {post.external_id for post in posts} == {
        "https://law.example/q/1",
        "https://law.example/q/2",
    }
    assert [asked.params["tagnames"] for asked in server.requests] == ["erbe", "c#"]


def test_a_feed_that_fails_does_not_hide_the_others(server, private):
    """One unknown tag is a problem in words; all unknown are an error that says what to do."""
    server.script("/tags/gut.rss", feed(status(1)))
    settings = {"host": server.url(), "tags": ["fehlt", "gut"]}
    posts, pages = read(MastodonHashtags, server, private, **settings)
    assert len(posts) == 1
    (problem,) = [problem for page in pages for problem in page.problems]
    assert problem.startswith(f"hashtag #fehlt: 127.0.0.1:{server.port} does not show")
    assert "check the host, choose another server" in problem
    with pytest.raises(SourceError, match="check the host") as caught:
        read(MastodonHashtags, server, private, host=server.url(), tags=["fehlt"])
    assert caught.value.permanent


def test_a_server_that_is_down_is_no_permanent_error(server, private):
    """One feed gone and one server error: the source is tried again."""
    server.script("/tags/b.rss", Answer(status=500))
    with pytest.raises(SourceError) as caught:
        read(MastodonHashtags, server, private, host=server.url(), tags=["a", "b"])
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("adapter", "answer", "settings"),
    [
        (Lemmy, 400, {"community": "fehlt"}), (Lemmy, 404, {"community": "x"}),
        (Discourse, 403, {}), (Discourse, 404, {"tag": "x"}),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(server, private, adapter, answer, settings):
    """What a status means depends on who answers."""
    for path in ("/feeds/c/fehlt.xml", "/feeds/c/x.xml", "/posts.rss", "/tag/x.rss"):
        server.script(path, Answer(status=answer))
    with pytest.raises(SourceError, match=r"check|ask|compare") as caught:
        read(adapter, server, private, host=server.url(), **settings)
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("adapter", "settings"),
    [
        (GoogleNews, {"term": " "}), (GoogleNews, {"term": "x", "edition": "deutsch"}),
        (Discourse, {"host": "for um"}), (Discourse, {"host": "ftp://forum.example"}),
        (Discourse, {"host": "forum.example", "category": "a?b"}),
        (Lemmy, {"host": "l.example", "community": "a/b"}),
        (MastodonHashtags, {"host": "m.example", "tags": []}),
        (MastodonHashtags, {"host": "m.example", "tags": ["zwei Worte"]}),
        (StackExchangeTags, {"site": "law.stackexchange.com", "tags": [""]}),
    ],
)  # fmt: skip
def test_settings_refuse_what_leads_nowhere(adapter, settings):
    """A term, a host, a name: anything else is refused at once."""
    with pytest.raises(ValidationError):
        adapter.Settings(**settings)


def test_a_host_needs_no_scheme():
    """forum.example means https://forum.example; a path in front of the forum stays."""
    assert Discourse.Settings(host="forum.example/").host == "https://forum.example"
    assert Discourse.Settings(host="example.com/forum").host == "https://example.com/forum"


class TestGoogleNews(Conformance):
    adapter = GoogleNews

    def settings(self, server):
        return {"term": PRIVATE, "api": server.url()}

    limits = PROMISED

    def serve(self, server, more=0):
        new = [article(100 + n, f"Neu {n}") for n in range(more, 0, -1)]
        week = feed(*new, article(3), article(2))
        everything = feed(article(2), article(1, f"Mail {1}"))
        server.script(
            "/rss/search", lambda asked: week if "when:7d" in asked.params["q"] else everything
        )


class TestLemmy(Conformance):
    adapter = Lemmy

    def settings(self, server):
        return {"host": server.url(), "community": "recht"}

    limits = PROMISED

    def serve(self, server, more=0):
        posts = [lemmy_post(n) for n in range(2 + more, 0, -1)]
        server.script("/feeds/c/recht.xml", feed(*posts))


class TestMastodonHashtags(Conformance):
    adapter = MastodonHashtags

    def settings(self, server):
        return {"host": server.url(), "tags": ["a", "b"]}

    limits = (*PROMISED, Limit(300, 300))

    def serve(self, server, more=0):
        server.script("/tags/a.rss", feed(*[status(n) for n in range(3 + more, 1, -1)]))
        server.script("/tags/b.rss", feed(status(1)))


class TestDiscourse(Conformance):
    adapter = Discourse

    def settings(self, server):
        return {"host": server.url(), "category": "recht/5", "tag": "haftung"}

    limits = (*PROMISED, Limit(50, 10), Limit(200, 60))

    def serve(self, server, more=0):
        server.script("/c/recht/5.rss", feed(*[topic(n) for n in range(3 + more, 1, -1)]))
        server.script("/tag/haftung.rss", feed(topic(2), topic(1).replace("Eva K.", PRIVATE)))


class TestStackExchangeTags(Conformance):
    adapter = StackExchangeTags

    def settings(self, server):
        return {"site": server.url(), "tags": ["erbe", "miete"]}

    limits = PROMISED

    def serve(self, server, more=0):
        inherited = [question(n) for n in range(3 + more, 1, -1)]
        pages = {"erbe": feed(*inherited), "miete": feed(question(1))}
        server.script("/feeds/tag", lambda asked: pages[asked.params["tagnames"]])
