"""A wrong credential is told in a sentence that says what to do, by `sentiment check` too."""

from __future__ import annotations

import prawcore.sessions
import pytest

from sentiment.check import _source
from sources.allowances import Remembered
from sources.conformance import in_a_hurry
from sources.testing import Server
from tests.sentiment.firm import firm
from tests.sources.everyone import entry, suites

WRONG = "wr0ng"
SECRETS = {
    "bluesky": "app_password",
    "google_business": "refresh_token",
    "mastodon": "tokens",
    "reddit": "client_secret",
    "stackexchange": "key",
    "trustpilot": "api_key",
    "youtube": "api_key",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_wrong_credential_is_a_sentence(kind, tmp_path, monkeypatch):
    """It names the setting or where to get a new one, and does not repeat the secret."""
    monkeypatch.setattr(prawcore.sessions.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr("sources.bluesky._sessions", {})
    suite, key = suites()[kind], SECRETS[kind]
    with Server() as server, in_a_hurry() as client:
        suite.serve(server)
        made = entry(kind, suite, server)
        right = made[key]
        made[key] = dict.fromkeys(right, WRONG) if isinstance(right, dict) else WRONG
        config = firm(tmp_path, sources=[made])
        checked = _source(config, client, config.sources[0], Remembered())
    assert not checked.passed
    assert WRONG not in checked.said
    assert key in checked.said or "check" in checked.said or "new" in checked.said


def test_a_server_that_refuses_among_others_is_told(tmp_path):
    """Of several servers in one source, the one whose token is wrong is named."""
    suite = suites()["mastodon"]
    with Server() as good, Server() as bad, in_a_hurry() as client:
        suite.serve(good)
        suite.serve(bad)
        made = entry("mastodon", suite, good)
        made["servers"] = [good.url(""), bad.url("")]
        made["tokens"] = {**made["tokens"], bad.url(""): WRONG}
        config = firm(tmp_path, sources=[made])
        checked = _source(config, client, config.sources[0], Remembered())
    assert f"{bad.url('')} " in checked.said
    assert "put it into `tokens`" in checked.said
