"""The laws of the Google Play adapter, against a server that checks its signatures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.googleplay import SCOPE, GooglePlay, parse_reviews
from sources.testing import Answer, Limit, json_answer

PACKAGE = "de.kanzlei.app"
PATH = f"/androidpublisher/v3/applications/{PACKAGE}/reviews"
ROBOT = "reader@project.iam.gserviceaccount.com"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def key_pair(number: int = 0) -> tuple[str, str]:
    """A private and a public key, made once."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def account(server, **changes) -> str:
    """The JSON key as the Google Cloud console hands it out."""
    fields = {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "key-1",
        "private_key": key_pair()[0],
        "client_email": ROBOT,
        "token_uri": server.url("/token"),
    }
    return json.dumps({**fields, **changes})


def review(number: int, *, words: str = "", stars: int = 4) -> dict:
    seconds = int((START + timedelta(hours=number)).timestamp())
    return {
        "reviewId": f"gp:{number}",
        "authorName": f"Nutzer {number}",
        "comments": [
            {
                "userComment": {
                    "text": words or f"Die App half mir {number}",
                    "lastModified": {"seconds": str(seconds), "nanos": 5},
                    "starRating": stars,
                    "reviewerLanguage": "de",
                    "device": PRIVATE,
                }
            },
            {"developerComment": {"text": "Danke!", "lastModified": {"seconds": "1"}}},
        ],
    }


class Service:
    """Google's logins and the Android Publisher API; tokens live for so many requests."""

    def __init__(self, server, reviews: list[dict], size: int = 2) -> None:
        self.server, self.reviews, self.size = server, reviews, size
        self.tokens: set[str] = set()
        server.script("/token", self.token)
        server.script(PATH, self.list)

    def token(self, asked) -> Answer:
        assert asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        try:
            claims = jwt.decode(
                asked.form["assertion"],
                key_pair()[1],
                algorithms=["RS256"],
                audience=self.server.url("/token"),
                options={"require": ["iss", "aud", "iat", "exp"]},
            )
        except jwt.PyJWTError:
            said = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return json_answer(said, 400)
        if claims["iss"] != ROBOT or claims["scope"] != SCOPE:
            said = {"error": "invalid_grant", "error_description": "account not found"}
            return json_answer(said, 400)
        token = f"ya29.{len(self.tokens)}"
        self.tokens.add(token)
        return json_answer({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def list(self, asked) -> Answer:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            error = {"code": 401, "message": "Invalid Credentials", "status": "UNAUTHENTICATED"}
            return json_answer({"error": error}, 401)
        start = int(asked.params.get("token", "0"))
        found: dict = {"reviews": self.reviews[start : start + self.size]} if self.reviews else {}
        if start + self.size < len(self.reviews):
            found["tokenPagination"] = {"nextPageToken": str(start + self.size)}
        return json_answer(found)


@pytest.fixture
def adapter(server, context):
    private = Context(context.client, context.folder, allow_private_addresses=True)

    def made(**settings):
        keys = {"package": PACKAGE, "service_account": account(server), "api": server.url()}
        return GooglePlay(GooglePlay.Settings(**{**keys, **settings}), private)

    return made


def ids(pages) -> list[str]:
    return [post.external_id for page in pages for post in page.posts]


def test_a_review_becomes_a_post():
    """Old reviews hold title and text with a tab between; the developer's answer is left out."""
    (post,) = parse_reviews({"reviews": [review(7, words="Top\tLief sofort", stars=5)]}).posts
    assert post == Post(
        external_id="gp:7",
        title="Top",
        text="Top\n\nLief sofort",
        posted_at=START + timedelta(hours=7),
        author="Nutzer 7",
        rating=5.0,
    )
    (plain,) = parse_reviews({"reviews": [review(8, words="\tLief sofort")]}).posts
    assert (plain.title, plain.text) == ("", "Lief sofort")


def test_the_week_is_read_on_every_run(server, adapter):
    """Signed in once a run, all pages; an edited review is read again."""
    service = Service(server, [review(n) for n in (3, 2, 1)])
    *_, last = first = list(adapter().pages(None))
    service.reviews = [review(1, words="Doch nicht"), review(3), review(2)]
    second = list(adapter().pages(last.cursor))
    assert ids(first) == ["gp:3", "gp:2", "gp:1"]
    assert second[0].posts[0].text == "Doch nicht"
    assert [asked.method for asked in server.requests] == ["POST", "GET", "GET"] * 2
    assert server.requests[1].params == {"maxResults": "100"}


def test_no_reviews_are_no_error(server, adapter):
    """An app nobody reviewed this week has no list at all."""
    Service(server, [])
    (page,) = adapter().pages(None)
    assert (page.posts, page.problems) == ([], [])


def test_a_pause_of_more_than_a_week_is_a_gap(server, adapter):
    """Google shows one week: what lies before it has to be brought in by hand."""
    Service(server, [review(1)])
    now, mark = datetime.now(UTC), {"package": PACKAGE}
    for days, gap in ((6, False), (9, True)):
        pages = list(adapter().pages({**mark, "read": (now - timedelta(days=days)).isoformat()}))
        lost = [each for page in pages for each in page.gaps]
        assert bool(lost) is gap
    assert "bring them in by `file`" in lost[0]
    (other,) = adapter().pages({"read": "2026-01-01T00:00:00+00:00", "package": "de.other.app"})
    assert other.gaps == []


def test_a_run_that_was_cut_short_is_no_visit(server, adapter):
    """Only a whole run moves the mark that tells of gaps."""
    Service(server, [review(n) for n in (3, 2, 1)])
    before = {"read": "2026-01-01T00:00:00+00:00", "package": PACKAGE}
    first, last = adapter().pages(before)
    assert first.cursor == before
    assert last.cursor["read"] > "2026-02"


@pytest.mark.parametrize(
    "changes",
    [{"private_key": "other"}, {"client_email": "nobody@project.iam.gserviceaccount.com"},
     {"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"}],
)  # fmt: skip
def test_a_wrong_key_says_what_to_do(server, adapter, changes):
    """A key that is withdrawn, another account's, or damaged: download a new one."""
    Service(server, [review(1)])
    if changes.get("private_key") == "other":
        changes = {"private_key": key_pair(1)[0]}
    with pytest.raises(SourceError, match="download a new JSON key") as caught:
        list(adapter(service_account=account(server, **changes)).pages(None))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("answer", "said", "permanent"),
    [
        ((403, "PERMISSION_DENIED"), "Users and permissions", True),
        ((404, "NOT_FOUND"), "check `package`", True),
        ((403, "SERVICE_DISABLED"), "enable it", True),
        ((403, "RESOURCE_EXHAUSTED"), "quota", False),
        ((401, "UNAUTHENTICATED"), "access token", False),
    ],
)
def test_refusals_say_what_to_do(server, adapter, answer, said, permanent):
    """Permission, package, project: each is another thing to correct."""
    Service(server, [])
    status, name = answer
    error = {"code": status, "message": "The caller does not have permission", "status": name}
    server.script(PATH, json_answer({"error": error}, status))
    with pytest.raises(SourceError, match=said) as caught:
        list(adapter().pages(None))
    assert caught.value.permanent is permanent


@pytest.mark.parametrize(
    "wrong",
    [{"package": "Kanzlei App"}, {"service_account": "play-key.json"}, {"service_account": "{}"}],
)
def test_settings_refuse_what_is_no_key(server, wrong):
    """The key's content is wanted, not its name; and it is not repeated."""
    keys = {"package": PACKAGE, "service_account": account(server)}
    with pytest.raises(ValidationError):
        GooglePlay.Settings(**{**keys, **wrong})


class TestGooglePlay(Conformance):
    adapter = GooglePlay
    secrets = ("PRIVATE KEY",)

    def settings(self, server):
        return {"package": PACKAGE, "service_account": account(server), "api": server.url()}

    limits = (Limit(200, 3600, lambda asked: asked.path == PATH),)

    def serve(self, server, more=0):
        Service(server, [review(n) for n in range(3 + more, 0, -1)])
