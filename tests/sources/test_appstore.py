"""The laws of the App Store adapter, against a server that speaks Apple's feed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sources.appstore import AppStore, parse_reviews
from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.testing import PROMISED, Answer

APP = "1234567890"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(number: int, *, words: str = "", stars: int = 4, hour: int | None = None) -> str:
    updated = (START + timedelta(hours=number if hour is None else hour)).isoformat()
    return (
        f"<entry><updated>{updated}</updated><id>{number}</id><title>Titel {number}</title>"
        f'<content type="text">{words or f"Die App half mir {number}"}</content>'
        "<link rel='related' href='https://apps.apple.com/de/review?id=1&amp;type=Purple%20Software'/>"
        f"<im:voteSum>0</im:voteSum><im:rating>{stars}</im:rating><im:version>1.2</im:version>"
        f"<author><name>nutzer{number}</name><uri>https://itunes.apple.com/de/reviews/id{number}</uri>"
        '</author><content type="html">&lt;table&gt;&lt;b&gt;Titel&lt;/b&gt;&lt;/table&gt;</content></entry>'
    )


def feed(*entries: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns:im="http://itunes.apple.com/rss" '
        'xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><id>https://itunes.apple.com</id>'
        "<title>iTunes Store: Rezensionen</title><updated>2026-03-01T00:00:00-07:00</updated>"
        + "".join(entries)
        + "</feed>"
    ).encode()


class Store:
    """Apple's feed: fifty a page, ten pages, the latest changed first."""

    def __init__(self, server, size: int = 2) -> None:
        self.reviews: dict[str, list[str]] = {}
        self.server, self.size = server, size

    def open(self, *countries: str) -> None:
        for country in countries:
            for number in range(1, 12):
                path = (
                    f"/{country}/rss/customerreviews/page={number}/id={APP}/sortby=mostrecent/xml"
                )
                self.server.script(path, lambda asked: self.answer(asked.path))

    def answer(self, path: str) -> Answer:
        country, number = re.match(r"/(\w+)/.*page=(\d+)/", path).groups()
        if int(number) > 10:
            return Answer(b"CustomerReviews RSS page depth is limited to 10", status=400)
        start = (int(number) - 1) * self.size
        return Answer(
            feed(*self.reviews.get(country, [])[start : start + self.size]),
            headers={"Content-Type": "text/xml; charset=UTF-8"},
        )


@pytest.fixture
def store(server):
    opened = Store(server)
    opened.open("de", "at")
    return opened


@pytest.fixture
def adapter(server, context):
    private = Context(context.client, context.folder, allow_private_addresses=True)

    def made(*countries: str):
        return AppStore(
            AppStore.Settings(app=APP, countries=countries or ["de"], api=server.url()), private
        )

    return made


def ids(pages) -> list[str]:
    return [post.external_id for page in pages for post in page.posts]


def told(pages) -> list[str]:
    return [problem for page in pages for problem in page.problems]


def test_a_review_becomes_a_post():
    """Title and text, the stars as rating, the moment of the last change, no markup."""
    (post,) = parse_reviews(feed(entry(7, words="Hängt &amp; stürzt ab", stars=1)), "", START).posts
    assert post == Post(
        external_id="7",
        title="Titel 7",
        text="Titel 7\n\nHängt & stürzt ab",
        posted_at=START + timedelta(hours=7),
        url="https://apps.apple.com/de/review?id=1&type=Purple%20Software",
        author="nutzer7",
        rating=1.0,
    )


def test_the_app_itself_is_no_review():
    """Older feeds begin with the app, which has no stars."""
    app = "<entry><id>1</id><title>Unsere App</title><summary>Beschreibung</summary></entry>"
    assert [p.external_id for p in parse_reviews(feed(app, entry(2)), "", START).posts] == ["2"]


def test_all_countries_are_read_to_their_ends(store, adapter):
    """The first run reads every page; the same review in two countries is one."""
    store.reviews = {"de": [entry(n) for n in (5, 4, 3, 2, 1)], "at": [entry(9), entry(5)]}
    assert ids(adapter("de", "AT").pages(None)) == ["5", "4", "3", "2", "1", "9"]


def test_a_later_run_reads_what_is_new_and_an_overlap(store, adapter, server):
    """New and edited reviews come first; reading ends three days before the last known one."""
    store.reviews["de"] = [entry(n, hour=24 * n) for n in range(12, 0, -1)]
    *_, last = adapter().pages(None)
    edited = entry(2, words="Doch besser", hour=24 * 14)
    store.reviews["de"] = [edited, entry(13, hour=24 * 13), *store.reviews["de"]]
    server.requests.clear()
    found = ids(adapter().pages(last.cursor))
    assert found[:2] == ["2", "13"]
    assert 2 <= len(server.requests) <= 4
    assert told(adapter().pages(last.cursor)) == []


def test_more_new_reviews_than_ten_pages_are_a_gap(store, adapter):
    """What Apple no longer shows cannot be read: that is said, never passed over."""
    store.reviews["de"] = [entry(1)]
    *_, last = adapter().pages(None)
    store.reviews["de"] = [entry(n, hour=24 * n) for n in range(60, 30, -1)]
    pages = list(adapter().pages(last.cursor))
    assert len(ids(pages)) == 20
    assert "de: more was written" in pages[-1].gaps[0]
    assert [gap for page in pages[:-1] for gap in page.gaps] == []


def test_an_empty_list_is_not_no_reviews(store, adapter):
    """Where there were reviews before, the cursor stays and the fault is told."""
    store.reviews["de"] = [entry(1)]
    *_, last = adapter().pages(None)
    store.reviews["de"] = []
    (empty,) = adapter().pages(last.cursor)
    assert (empty.posts, empty.cursor) == ([], last.cursor)
    assert "sent an empty list" in empty.problems[0]
    store.reviews["de"] = [entry(2), entry(1)]
    assert ids(adapter().pages(empty.cursor)) == ["2", "1"]


def test_a_country_without_reviews_is_told_once(store, adapter):
    """On the first visit nobody can know whether the list is empty or broken."""
    store.reviews["de"] = []
    (first,) = adapter().pages(None)
    (second,) = adapter().pages(first.cursor)
    assert "no reviews yet" in first.problems[0]
    assert second.problems == []


def test_one_country_down_does_not_hide_the_other(store, adapter, server):
    """A country that fails is a problem; the other is read."""
    store.reviews["at"] = [entry(1)]
    server.script(
        f"/de/rss/customerreviews/page=1/id={APP}/sortby=mostrecent/xml", Answer(status=500)
    )
    pages = list(adapter("de", "at").pages(None))
    assert ids(pages) == ["1"]
    assert told(pages)[0].startswith("de: ")


@pytest.mark.parametrize(
    ("status", "said", "permanent"),
    [(404, "check `app` and `countries`", True), (403, "asked again later", False)],
)
def test_refusals_are_sentences(server, adapter, status, said, permanent):
    """An unknown app is for the operator; too many requests are for time."""
    path = f"/de/rss/customerreviews/page=1/id={APP}/sortby=mostrecent/xml"
    server.script(path, Answer(status=status))
    with pytest.raises(SourceError, match=said) as caught:
        list(adapter().pages(None))
    assert caught.value.permanent is permanent


@pytest.mark.parametrize(
    "app", [1234567890, "id1234567890", "https://apps.apple.com/de/app/kanzlei/id1234567890?l=en"]
)
def test_an_app_is_given_by_number_or_address(app):
    """What one finds in the browser is good enough."""
    assert AppStore.Settings(app=app).app == APP


@pytest.mark.parametrize("wrong", [{"app": "kanzlei"}, {"app": APP, "countries": ["Deutschland"]}])
def test_settings_refuse_what_is_no_app(wrong):
    """A name is no number, a country has two letters."""
    with pytest.raises(ValidationError):
        AppStore.Settings(**wrong)


class TestAppStore(Conformance):
    adapter = AppStore

    def settings(self, server):
        return {"app": APP, "countries": ["de", "at"], "api": server.url()}

    limits = PROMISED  # Apple names none

    def serve(self, server, more=0):
        mail = f"<author><email>{PRIVATE}</email><name>x</name></author>"
        shop = Store(server)
        shop.open("de", "at")
        shop.reviews = {
            "de": [
                entry(n).replace("</entry>", f"{mail}</entry>")
                for n in (*range(100 + more, 100, -1), 3, 2, 1)
            ],
            "at": [entry(4)],
        }
