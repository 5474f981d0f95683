"""The laws of the Google Business Profile adapter, against a server that speaks its API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from pydantic import ValidationError

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.google_business import GoogleBusiness, original, parse_reviews
from sources.testing import Answer, Limit, json_answer

PLACE, OTHER = "accounts/1/locations/2", "accounts/1/locations/3"
LOGIN = {
    "client_id": "client.apps",
    "client_secret": "client-s3cret",
    "refresh_token": "1//r3fresh",
}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = ("ONE", "TWO", "THREE", "FOUR", "FIVE")


def review(number: int, *, words: str | None = None, day: float | None = None, **more) -> dict:
    written = START + timedelta(days=number)
    changed = START + timedelta(days=number if day is None else day)
    return {
        "name": f"{PLACE}/reviews/r{number}",
        "reviewId": f"r{number}",
        "reviewer": {"displayName": f"Kundin {number}", "profilePhotoUrl": PRIVATE},
        "starRating": "FOUR",
        "comment": f"Beratung {number} war gut" if words is None else words,
        "createTime": written.strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
        "updateTime": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reviewReply": {"comment": "Danke!", "updateTime": "2026-05-01T00:00:00Z"},
        **more,
    }


class Service:
    """Google's logins and the Business Profile API: fifty a page, the latest changed first."""

    def __init__(self, server, reviews: dict[str, list[dict]], size: int = 2) -> None:
        self.reviews, self.size = reviews, size
        self.forgets = False
        server.script("/token", self.token)
        for place in reviews:
            server.script(f"/v4/{place}/reviews", self.list)
            server.script(f"/v4/{place}/reviews/*", self.one)

    def token(self, asked) -> Answer:
        form = asked.form
        if (
            form["client_id"] != LOGIN["client_id"]
            or form["client_secret"] != LOGIN["client_secret"]
        ):
            said = {
                "error": "invalid_client",
                "error_description": "The OAuth client was not found.",
            }
            return json_answer(said, 401)
        if form["grant_type"] != "refresh_token" or form["refresh_token"] != LOGIN["refresh_token"]:
            said = {
                "error": "invalid_grant",
                "error_description": "Token has been expired or revoked.",
            }
            return json_answer(said, 400)
        return json_answer({"access_token": "ya29.a", "expires_in": 3599, "token_type": "Bearer"})

    def one(self, asked) -> Answer:
        if asked.headers.get("authorization") != "Bearer ya29.a":
            return refused(401, "UNAUTHENTICATED")
        name = unquote(asked.path).removeprefix("/v4/")
        place = name.partition("/reviews/")[0]
        found = [each for each in self.reviews[place] if each["name"] == name]
        return json_answer(found[0]) if found else refused(404, "NOT_FOUND")

    def list(self, asked) -> Answer:
        if asked.headers.get("authorization") != "Bearer ya29.a":
            return refused(401, "UNAUTHENTICATED")
        assert int(asked.params["pageSize"]) <= 50
        assert asked.params["orderBy"] == "updateTime desc"
        reviews = self.reviews[asked.path.removeprefix("/v4/").removesuffix("/reviews")]
        token = asked.params.get("pageToken", "t0")
        if token != "t0" and self.forgets:
            return refused(400, "INVALID_ARGUMENT")
        start = int(token[1:])
        found: dict = {"totalReviewCount": len(reviews), "averageRating": 4}
        if reviews:
            found["reviews"] = reviews[start : start + self.size]
        if start + self.size < len(reviews):
            found["nextPageToken"] = f"t{start + self.size}"
        return json_answer(found)


def refused(status: int, name: str, message: str = "no") -> Answer:
    return json_answer({"error": {"code": status, "message": message, "status": name}}, status)


@pytest.fixture
def adapter(server, context):
    private = Context(context.client, context.folder, allow_private_addresses=True)

    def made(*locations: str, **settings):
        keys = {**LOGIN, "api": server.url("/v4"), "token_url": server.url("/token"), **settings}
        return GoogleBusiness(
            GoogleBusiness.Settings(locations=locations or [PLACE], **keys), private
        )

    return made


def ids(pages) -> list[str]:
    return [post.external_id.rpartition("/")[2] for page in pages for post in page.posts]


def test_a_review_becomes_a_post():
    """The customer's words, stars as a number, the day of writing; no answer, no picture."""
    (post,) = parse_reviews({"reviews": [review(7, day=9)]}).posts
    assert post == Post(
        external_id=f"{PLACE}/reviews/r7",
        text="Beratung 7 war gut",
        posted_at=START + timedelta(days=7, microseconds=123456),
        author="Kundin 7",
        rating=4.0,
    )


@pytest.mark.parametrize(
    ("word", "stars"),
    [*zip(WORDS, range(1, 6), strict=True), ("STAR_RATING_UNSPECIFIED", None), (5, None)],
)
def test_stars_are_words(word, stars):
    """ONE to FIVE; anything else is none."""
    (post,) = parse_reviews({"reviews": [review(1, starRating=word)]}).posts
    assert post.rating == stars


def test_who_wants_no_name_has_none():
    """An anonymous reviewer is nobody, whatever name the answer holds."""
    hidden = {"displayName": "Ein Google-Nutzer", "isAnonymous": True}
    found = parse_reviews({"reviews": [review(1, reviewer=hidden)]})
    assert [(post.external_id[-2:], post.author) for post in found.posts] == [("r1", None)]


def test_stars_without_words_are_a_rating():
    """Most customers write nothing: what they gave counts all the same. Neither is nothing."""
    nothing = review(3, words="", starRating="STAR_RATING_UNSPECIFIED")
    found = parse_reviews({"reviews": [review(2, words="", starRating="TWO"), nothing]})
    assert [(post.text, post.rating) for post in found.posts] == [("", 2.0)]


@pytest.mark.parametrize(
    ("comment", "own"),
    [
        ("(Translated by Google) Great advice\n\n(Original)\nTolle Beratung", "Tolle Beratung"),
        ("Tolle Beratung\n\n(Translated by Google)\nGreat advice", "Tolle Beratung"),
        ("Tolle Beratung", "Tolle Beratung"),
        ("(Translated by Google) Great", "(Translated by Google) Great"),
    ],
)
def test_the_customers_own_words_count(comment, own):
    """Google's translation is not what the customer said."""
    assert original(comment) == own


def test_all_listings_are_read(server, adapter):
    """Signed in once, page by page, each listing with a cursor of its own."""
    Service(server, {PLACE: [review(n) for n in (3, 2, 1)], OTHER: [review(9)]})
    assert ids(adapter(PLACE, f"/{OTHER}/").pages(None)) == ["r3", "r2", "r1", "r9"]
    assert [asked.path for asked in server.requests].count("/token") == 1


def test_edited_reviews_come_first_again(server, adapter):
    """A later run reads what is new or changed, and two days beyond the last known."""
    service = Service(server, {PLACE: [review(n) for n in range(12, 0, -1)]})
    *_, last = adapter().pages(None)
    edited = review(1, words="Doch nicht", day=13)
    service.reviews[PLACE] = [edited, *service.reviews[PLACE][:-1]]
    pages = list(adapter().pages(last.cursor))
    assert pages[0].posts[0].text == "Doch nicht"
    assert len(pages) == 3
    assert pages[0].posts[0].posted_at < START + timedelta(days=2)


def test_a_run_that_was_cut_short_goes_on(server, adapter):
    """Where it was, or from the newest again where Google has forgotten the place."""
    for forgets in (False, True):
        service = Service(server, {PLACE: [review(n) for n in range(6, 0, -1)]})
        first = next(adapter().pages(None))
        service.forgets = forgets
        service.size = 10 if forgets else 2
        rest = ids(adapter().pages(first.cursor))
        assert rest == [f"r{n}" for n in range(6 if forgets else 4, 0, -1)]


def test_a_listing_that_is_not_ours_does_not_hide_the_others(server, adapter):
    """It is a problem in words; the other listing is read."""
    Service(server, {OTHER: [review(1)]})
    server.script(f"/v4/{PLACE}/reviews", refused(403, "PERMISSION_DENIED"))
    pages = list(adapter(PLACE, OTHER).pages(None))
    assert ids(pages) == ["r1"]
    assert "owner or manager" in pages[0].problems[0]


def test_deleted_reviews_are_found_out(server, adapter):
    """Gone from a listing we can read is gone; what cannot be told is not told."""
    service = Service(server, {PLACE: []})
    there, gone, unclear, elsewhere = (f"{PLACE}/reviews/r{n}" for n in (1, 2, 3, 4))
    elsewhere = elsewhere.replace(PLACE, OTHER)
    server.script(f"/v4/{there}", json_answer(review(1, words="Doch gut")))
    server.script(f"/v4/{unclear}", json_answer({"name": unclear}))
    checked = dict(adapter().recheck([there, gone, unclear, elsewhere]))
    assert checked.pop(there).text == "Doch gut"
    assert checked == {gone: None}
    service.reviews[PLACE] = [review(9)]
    server.script(f"/v4/{PLACE}/reviews/*", refused(404, "NOT_FOUND"))
    with pytest.raises(SourceError, match="no single reviews"):
        list(adapter().recheck([gone]))
    with pytest.raises(SourceError, match="check `locations`"):
        list(adapter(OTHER).recheck([elsewhere]))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"refresh_token": "old"}, "sign in again and replace `refresh_token`"),
        ({"client_secret": "old"}, "compare `client_id` and `client_secret`"),
    ],
)
def test_a_login_that_has_ended_says_what_to_do(server, adapter, wrong, said):
    """Expired, withdrawn, or another project's; no secret is repeated."""
    Service(server, {PLACE: []})
    with pytest.raises(SourceError, match=said) as caught:
        list(adapter(**wrong).pages(None))
    assert caught.value.permanent
    assert not [secret for secret in LOGIN.values() if secret in str(caught.value)]


@pytest.mark.parametrize(("asked", "wait"), [("90", 90), ("0", 0), (None, 600)])
def test_too_many_requests_are_obeyed(server, adapter, asked, wait):
    """Google is left alone for as long as it says; who has no access yet learns why."""
    Service(server, {PLACE: []})
    busy = Answer(b"{}", 429, {"Retry-After": asked} if asked else {})
    server.script(f"/v4/{PLACE}/reviews", busy)
    with pytest.raises(SourceError, match="a quota of 0: apply for it") as caught:
        list(adapter().pages(None))
    assert not caught.value.permanent
    assert (caught.value.retry_after or timedelta(0)) == timedelta(seconds=wait)


@pytest.mark.parametrize("wrong", [[], ["Kanzlei"], ["locations/2"], ["accounts/1/locations/-"]])
def test_settings_ask_for_listings(wrong):
    """As the API names them."""
    with pytest.raises(ValidationError):
        GoogleBusiness.Settings(locations=wrong, **LOGIN)


class TestGoogleBusiness(Conformance):
    adapter = GoogleBusiness
    secrets = ("client-s3cret", "1//r3fresh")

    def settings(self, server):
        places = {"locations": [PLACE, OTHER]}
        return {**LOGIN, **places, "api": server.url("/v4"), "token_url": server.url("/token")}

    limits = (Limit(300, 60),)

    def serve(self, server, more=0):
        here = [review(n) for n in range(3 + more, 0, -1)]
        there = review(9, name=f"{OTHER}/reviews/r9")
        Service(server, {PLACE: here, OTHER: [there]})
