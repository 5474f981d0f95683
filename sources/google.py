"""What Google's interfaces have in common: access tokens, and errors in words."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sources.base import SourceError
from sources.fields import mapping, objects, read_json, text
from sources.text import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sources.base import Context
    from sources.http import Response

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
REFUSALS = (400, 401, 403, 404)
KEY = re.compile(r"api_key:[\w-]+")  # Google repeats the key in some messages


class Refusal(NamedTuple):
    """An error as Google words it.

    reasons: every code it names, in small letters without punctuation: "quotaexceeded".
    message: for a developer; shown to the operator as a hint.
    """

    status: int
    reasons: frozenset[str]
    message: str


def refusal(answer: Response) -> Refusal:
    """What an answer of a status among REFUSALS says."""
    try:
        error = mapping(read_json(answer.body).get("error"))
    except SourceError:
        error = {}
    named = [error.get("status")]
    named += [each.get("reason") for each in objects(error.get("errors"))]
    named += [each.get("reason") for each in objects(error.get("details"))]
    reasons = frozenset("".join(filter(str.isalpha, text(each).lower())) for each in named)
    message = KEY.sub("api_key:…", tidy(text(error.get("message")), 200))
    return Refusal(answer.status, reasons - {""}, message)


def said(refused: Refusal) -> str:
    """Google's own words, as a hint in brackets."""
    return f' (Google says: "{refused.message}")' if refused.message else ""


def page_token(found: Mapping[str, Any], key: str = "nextPageToken") -> str:
    """The name of the next page; empty after the last."""
    token = found.get(key) or ""
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{0,2000}", token):
        raise SourceError("the answer names the next page in a way that cannot be read")
    return token


def service_account(key: str) -> dict[str, str]:
    """The fields of a service account's JSON key; ValueError where it is none."""
    try:
        fields = json.loads(key)
    except (ValueError, RecursionError):
        fields = None
    names = ("client_email", "private_key")
    if not isinstance(fields, dict) or not all(text(fields.get(name)) for name in names):
        raise ValueError(
            'expected the JSON key of a service account, as in "${file:play-key.json}"'
        )
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def refused_access(refused: Refusal, missing: str, forbidden: str) -> SourceError:
    """The error of an interface that takes access tokens.

    missing, forbidden: what to do when there is no such thing, and when it is not ours to read.
    """
    hint = said(refused)
    if refused.reasons & {"servicedisabled", "accessnotconfigured"}:
        what = "the project may not use this interface: enable it in the Google Cloud console"
        return SourceError(what + hint, permanent=True)
    if refused.reasons & {"quotaexceeded", "ratelimitexceeded", "resourceexhausted"}:
        wait = timedelta(minutes=30)
        return SourceError(f"Google's quota is used up for now{hint}", retry_after=wait)
    if refused.status == 401:
        return SourceError(f"Google does not accept the access token (401){hint}")
    if refused.status == 400:
        return SourceError(f"Google did not understand the request (400){hint}")
    return SourceError((missing if refused.status == 404 else forbidden) + hint, permanent=True)


def token_for_account(account: Mapping[str, str], scope: str, context: Context) -> str:
    """An access token for a service account, by an assertion signed with its key (RFC 7523)."""
    import jwt  # kept out of start-up

    now = int(time.time())
    url = account.get("token_uri") or TOKEN_URL
    claims = {
        "iss": account["client_email"],
        "scope": scope,
        "aud": url,
        "iat": now - 30,  # clocks differ
        "exp": now + 1800,
    }
    headers = {"kid": account["private_key_id"]} if account.get("private_key_id") else None
    try:
        assertion = jwt.encode(claims, account["private_key"], "RS256", headers)
    except Exception as error:  # a damaged key fails in any way
        raise SourceError(
            "the service account's private key cannot be used: download a new JSON key",
            permanent=True,
        ) from error
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    return _token(url, form, context, "the service account's key: download a new JSON key for it")


def token_for_login(
    url: str, client_id: str, client_secret: str, refresh_token: str, context: Context
) -> str:
    """An access token for a person who once agreed, by their refresh token (RFC 6749, 6)."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": refresh_token,
    }
    what = (
        "the login, which has expired or was withdrawn: sign in again and replace `refresh_token` "
        "(with a consent screen that is still in testing, logins last seven days)"
    )
    return _token(url, form, context, what)


def _token(url: str, form: Mapping[str, str], context: Context, what: str) -> str:
    answer = context.client.post(
        url, form=form, allow_private=context.allow_private_addresses, also=(400, 401, 403)
    )
    body = read_json(answer.body, "Google's answer to the login")
    if answer.status not in (400, 401, 403):
        token = text(body.get("access_token"))
        if not token.isascii() or not token.isprintable() or not token:
            raise SourceError("Google's answer to the login holds no access token")
        return token
    raise _login_error(body, what)


def _login_error(body: Mapping[str, Any], what: str) -> SourceError:
    code, hint = text(body.get("error")), tidy(text(body.get("error_description")), 200)
    hint = f' (Google says: "{hint}")' if hint else ""
    if code in ("invalid_client", "unauthorized_client"):
        return SourceError(
            "Google does not know this client: compare `client_id` and `client_secret`, or the "
            f"service account's key, with the credentials page of the Google Cloud console{hint}",
            permanent=True,
        )
    if code == "invalid_grant":
        return SourceError(f"Google does not accept {what}{hint}", permanent=True)
    return SourceError(f"Google refuses the login ({code[:80] or 'no reason given'}){hint}")
