"""The laws of the Trustpilot adapter, against a server that speaks its public API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.testing import Answer, Limit, json_answer
from sources.trustpilot import Trustpilot, parse_reviews

KEY = "tp-api-key-1"
UNIT = "46d6a890000064000500e0c3"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def review(number: int, *, words: str = "", stars: int = 4, day: int | None = None) -> dict:
    written = START + timedelta(days=number if day is None else day)
    return {
        "id": f"{number:024x}",
        "stars": stars,
        "title": f"Titel {number}",
        "text": words or f"Beratung {number} war gut",
        "language": "de",
        "createdAt": written.isoformat().replace("+00:00", "Z"),
        "updatedAt": None,
        "consumer": {"id": f"c{number}", "displayName": f"Kunde {number}", "displayLocation": "DE"},
        "referralEmail": PRIVATE,
        "referenceId": PRIVATE,
        "companyReply": {"text": "Vielen Dank!"},
    }


class Service:
    """Trustpilot: pages of perPage reviews, newest first, for whoever has the key."""

    def __init__(self, server, reviews: list[dict], size: int | None = None) -> None:
        self.reviews, self.size = reviews, size
        server.script("/v1/business-units/find", self.find)
        server.script(f"/v1/business-units/{UNIT}/reviews", self.list)
        server.script("/v1/reviews/*", self.one)

    def one(self, asked) -> Answer:
        if asked.headers.get("apikey") != KEY:
            return json_answer({"message": "Invalid API key"}, 401)
        found = [each for each in self.reviews if asked.path.endswith(each["id"])]
        return json_answer(found[0]) if found else json_answer({"message": "Not found"}, 404)

    def find(self, asked) -> Answer:
        if asked.headers.get("apikey") != KEY:
            return json_answer({"message": "Invalid API key"}, 401)
        if asked.params["name"] != "kanzlei.example":
            return json_answer({"message": "Business unit not found", "errorCode": 1005}, 404)
        return json_answer({"id": UNIT, "displayName": "Kanzlei", "links": []})

    def list(self, asked) -> Answer:
        if asked.headers.get("apikey") != KEY:
            return json_answer({"message": "Invalid API key"}, 401)
        size = self.size or min(int(asked.params["perPage"]), 100)
        start = (int(asked.params["page"]) - 1) * size
        shown = self.reviews[start : start + size]
        more = start + size < len(self.reviews)
        links = [{"href": "https://api.trustpilot.com/", "method": "GET", "rel": "next-page"}]
        return json_answer({"links": links if more else [], "reviews": shown})


@pytest.fixture
def adapter(server, context):
    private = Context(context.client, context.folder, allow_private_addresses=True)

    def made(**settings):
        keys = {"api_key": KEY, "domain": "kanzlei.example", "api": server.url(), **settings}
        return Trustpilot(Trustpilot.Settings(**keys), private)

    return made


def ids(pages) -> list[int]:
    return [int(post.external_id, 16) for page in pages for post in page.posts]


def test_a_review_becomes_a_post():
    """Title and text, stars as rating; e-mail address and order number stay where they are."""
    found = parse_reviews({"reviews": [review(7, words="Gut &amp; günstig", stars=5)]}, START)
    assert found.posts == [
        Post(
            external_id=f"{7:024x}",
            title="Titel 7",
            text="Titel 7\n\nGut &amp; günstig",
            posted_at=START + timedelta(days=7),
            url=f"https://www.trustpilot.com/reviews/{7:024x}",
            author="Kunde 7",
            rating=5.0,
        )
    ]
    assert not found.more


def test_all_reviews_are_read_once(server, adapter):
    """The first run reads to the end, a hundred at a time; the company is looked up once."""
    Service(server, [review(n) for n in range(250, 0, -1)])
    pages = list(adapter().pages(None))
    assert ids(pages) == list(range(250, 0, -1))
    asked = [request.path.rsplit("/", 1)[1] for request in server.requests]
    assert asked == ["find", "reviews", "reviews", "reviews"]
    assert server.requests[1].params == {"perPage": "100", "page": "1", "orderBy": "createdat.desc"}
    server.requests.clear()
    list(adapter().pages(pages[-1].cursor))
    assert [request.path.rsplit("/", 1)[1] for request in server.requests] == ["reviews"]


def test_a_later_run_ends_a_month_behind_the_known(server, adapter):
    """So edits of the last month are seen, and older pages are left in peace."""
    service = Service(server, [review(n) for n in range(100, 0, -1)], size=20)
    *_, last = adapter().pages(None)
    service.reviews = [review(101), review(100, words="Doch nicht"), *service.reviews[1:]]
    pages = list(adapter().pages(last.cursor))
    assert (len(pages), pages[0].posts[1].text) == (2, "Titel 100\n\nDoch nicht")


def test_a_run_that_was_cut_short_goes_on(server, adapter):
    """It goes back one page, as new reviews move the others on, and loses none."""
    service = Service(server, [review(n) for n in range(10, 0, -1)], size=2)
    pages = adapter().pages(None)
    begun = [next(pages) for _ in range(3)]
    service.reviews = [review(11), *service.reviews]
    rest = list(adapter().pages(begun[-1].cursor))
    assert set(ids(begun)) | set(ids(rest)) >= set(range(1, 11))
    assert 11 in ids(adapter().pages(rest[-1].cursor))


def test_another_domain_is_looked_up_anew(server, adapter):
    """A company's id is remembered for its own domain only, and another one is read to its end."""
    service = Service(server, [review(1)])
    *_, last = adapter().pages(None)
    service.reviews, service.size = [review(n, day=-99) for n in (3, 2)], 1
    other = {**last.cursor, "unit": "0" * 24}
    assert ids(adapter(domain=None, business_unit=UNIT).pages(other)) == [3, 2]
    with pytest.raises(SourceError, match=r"no company other\.example: check `domain`") as caught:
        list(adapter(domain="other.example").pages(last.cursor))
    assert caught.value.permanent


def test_deleted_reviews_are_found_out(server, adapter):
    """A re-check gives reviews as they are now, None for those gone; a refusal erases nothing."""
    there, gone = f"{1:024x}", f"{2:024x}"
    service = Service(server, [])
    server.script(f"/v1/reviews/{there}", json_answer(review(1, words="Doch gut")))
    checked = dict(adapter().recheck([there, gone]))
    assert (checked[there].text, checked[gone]) == ("Titel 1\n\nDoch gut", None)
    service.reviews = [review(3)]
    server.script("/v1/reviews/*", Answer(b"no", 404))
    with pytest.raises(SourceError, match="no single reviews"):
        list(adapter().recheck([gone]))
    service.reviews = []
    server.script(f"/v1/reviews/{gone}", json_answer({"message": "Invalid API key"}, 401))
    with pytest.raises(SourceError, match="copy `api_key` anew"):
        list(adapter().recheck([gone]))
    server.script(f"/v1/business-units/{UNIT}/reviews", Answer(b"no", 404))
    with pytest.raises(SourceError, match="`business_unit`"):
        list(adapter().recheck([gone]))


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "copy `api_key` anew"), (403, "paid plans"), (404, "`business_unit`")],
)
def test_refusals_say_what_to_do(server, adapter, status, said):
    """Key, plan, company: each is another thing to correct. The key is never repeated."""
    path = f"/v1/business-units/{UNIT}/reviews"
    server.script(path, json_answer({"message": f"no {KEY}"}, status))
    with pytest.raises(SourceError, match=said) as caught:
        list(adapter(domain=None, business_unit=UNIT).pages(None))
    assert caught.value.permanent
    assert KEY not in str(caught.value)


def test_too_many_requests_are_obeyed(server, adapter):
    """A 429 is no permanent error, and the wait is the one asked for."""
    server.script(
        f"/v1/business-units/{UNIT}/reviews", Answer(status=429, headers={"Retry-After": "300"})
    )
    with pytest.raises(SourceError) as caught:
        list(adapter(domain=None, business_unit=UNIT).pages(None))
    assert (caught.value.permanent, caught.value.retry_after) == (False, timedelta(minutes=5))


@pytest.mark.parametrize(
    "wrong", [{}, {"domain": "a.example", "business_unit": UNIT}, {"domain": "Kanzlei GmbH"}]
)
def test_settings_ask_for_one_company(wrong):
    """A domain or an id, not both; a name is neither."""
    with pytest.raises(ValidationError):
        Trustpilot.Settings(api_key="x", **wrong)


class TestTrustpilot(Conformance):
    adapter = Trustpilot
    secrets = (KEY,)

    def settings(self, server):
        return {"api_key": KEY, "domain": "kanzlei.example", "api": server.url()}

    limits = (Limit(833, 300), Limit(10_000, 3600))

    def serve(self, server, more=0):
        Service(server, [review(n) for n in range(5 + more, 0, -1)], size=2)
