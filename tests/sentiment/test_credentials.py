"""`sentiment check` on a configuration in which every login is wrong."""

from __future__ import annotations

import json
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sentiment.check import check
from sentiment.config import load
from sources.registry import KINDS
from sources.testing import Answer, Server, json_answer
from tests.sources.everyone import as_toml

if TYPE_CHECKING:
    from collections.abc import Callable

FIRM = '[company]\nname = "Kanzlei Ahornhof"\n[[services]]\nname = "Arbeitsrecht"\n'
SECRET = "wr0ng-s3cret"
OPEN = {"file", "google_news", "hackernews"}  # no login, nobody to be refused by
INVALID_KEY = {
    "code": 400,
    "message": "API key not valid. Please pass a valid API key.",
    "status": "INVALID_ARGUMENT",
    "errors": [{"reason": "badRequest"}],
    "details": [{"reason": "API_KEY_INVALID"}],
}


class Wrong(NamedTuple):
    """keys: of a source at the address of a server that refuses. path: what is asked. refusal: as
    the service words it. told: part of the sentence that says what to do.
    """

    keys: Callable[[str], dict[str, Any]]
    path: str
    refusal: Answer
    told: str


WRONG = {
    "appstore": Wrong(
        lambda url: {"app": 1234567890, "api": url},
        "/de/rss/customerreviews/page=1/id=1234567890/sortby=mostrecent/xml",
        Answer(b"Not Found", 404),
        "check `app` and `countries`",
    ),
    "bluesky": Wrong(
        lambda url: {
            "handle": "kanzlei.bsky.social",
            "app_password": SECRET,
            "terms": ["x"],
            "service": url,
        },
        "/xrpc/com.atproto.server.createSession",
        json_answer(
            {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, 401
        ),
        "make a new app password",
    ),
    "discourse": Wrong(
        lambda url: {"host": url},
        "/posts.rss",
        json_answer({"errors": ["You are not permitted"], "error_type": "invalid_access"}, 403),
        "ask the forum",
    ),
    "google_business": Wrong(
        lambda url: {
            "locations": ["accounts/1/locations/2"],
            "client_id": "c",
            "client_secret": "c",
            "refresh_token": SECRET,
            "api": f"{url}v4",
            "token_url": f"{url}token",
        },
        "/token",
        json_answer({"error": "invalid_grant", "error_description": "Token has expired."}, 400),
        "sign in again and replace `refresh_token`",
    ),
    "googleplay": Wrong(
        lambda url: {
            "package": "de.kanzlei.app",
            "service_account": service_account(f"{url}token"),
            "api": url,
        },
        "/token",
        json_answer({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400),
        "download a new JSON key",
    ),
    "lemmy": Wrong(
        lambda url: {"host": url, "community": "fehlt"},
        "/feeds/c/fehlt.xml",
        json_answer({"error": "couldnt_find_community"}, 400),
        "check how it is written",
    ),
    "mastodon": Wrong(
        lambda url: {"servers": [url], "hashtags": ["recht"], "tokens": {url: SECRET}},
        "/api/v1/timelines/tag/recht",
        json_answer({"error": "The access token is invalid"}, 401),
        "put it into `tokens`",
    ),
    "mastodon_hashtags": Wrong(
        lambda url: {"host": url, "tags": ["recht"]},
        "/tags/recht.rss",
        json_answer({"error": "This method requires an authenticated user"}, 401),
        "choose another server",
    ),
    "reddit": Wrong(
        lambda url: {
            "client_id": "c",
            "client_secret": SECRET,
            "username": "kanzlei",
            "subreddits": ["recht"],
            "oauth_url": url,
            "reddit_url": url,
        },
        "/api/v1/access_token",
        json_answer({"message": "Unauthorized", "error": 401}, 401),
        "copy both anew from reddit.com/prefs/apps",
    ),
    "rss": Wrong(
        lambda url: {"url": f"{url}feed"}, "/feed", Answer(status=401), "check those configured"
    ),
    "stackexchange": Wrong(
        lambda url: {"site": "law", "tags": ["germany"], "key": SECRET, "api_url": url},
        "/2.3/search/advanced",
        json_answer(
            {
                "error_id": 403,
                "error_message": "`key` doesn't match a known application",
                "error_name": "access_denied",
            },
            400,
        ),
        "copy `key` anew",
    ),
    "stackexchange_tags": Wrong(
        lambda url: {"site": url, "tags": ["fehlt"]},
        "/feeds/tag",
        Answer(b"Page Not Found", 404),
        "check the site",
    ),
    "trustpilot": Wrong(
        lambda url: {"api_key": SECRET, "domain": "kanzlei.example", "api": url},
        "/v1/business-units/find",
        json_answer({"message": "Invalid API key"}, 401),
        "copy `api_key` anew",
    ),
    "youtube": Wrong(
        lambda url: {
            "api_key": SECRET,
            "accept_terms": True,
            "videos": ["dQw4w9WgXcQ"],
            "api": url,
        },
        "/commentThreads",
        json_answer({"error": INVALID_KEY}, 400),
        "copy `api_key` anew",
    ),
}


def service_account(url: str) -> str:
    """A key of the right form that nobody knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return json.dumps({"client_email": "x@y.example", "private_key": pem, "token_uri": url})


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What `sentiment check` says of each source; the model, which comes last, is not loaded."""
    with ExitStack() as stack:
        sources = []
        for kind, wrong in WRONG.items():
            server = stack.enter_context(Server())
            server.script(wrong.path, wrong.refusal)
            common = {"name": kind, "kind": kind, "allow_private_addresses": True}
            sources += as_toml({**common, **wrong.keys(server.url())})
        path = tmp_path_factory.mktemp("wrong") / "config.toml"
        path.write_text("\n".join([FIRM, *sources]), "utf-8")
        results = list(islice(check(load(path)), 2 + len(WRONG)))
    return {result.what: result for result in results[2:]}


def test_every_kind_is_tried():
    """Who adds a kind says here what a wrong login of its looks like."""
    assert set(WRONG) == set(KINDS) - OPEN


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_login_is_a_sentence_that_says_what_to_do(checked, kind):
    """Not passed, what to do, and never the secret itself."""
    result = checked[f'source "{kind}"']
    assert not result.passed
    assert WRONG[kind].told in result.said
    assert SECRET not in result.said
    assert "PRIVATE KEY" not in result.said
