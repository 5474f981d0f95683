"""What sources really say when they cannot be read has a German sentence."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import UTC, datetime

import httpcore
import pytest

from sentiment import faults
from sentiment.faults import SENTENCES, in_language
from sources.base import Context, SourceError
from sources.file import FileDrop
from sources.http import Client, _connect_error
from sources.rss import Rss, parse_feed
from sources.testing import Answer


def said_by(action) -> str:
    with pytest.raises(SourceError) as caught:
        action()
    return str(caught.value)


def german(english: str) -> str:
    """The German for a sentence; none of its English is left, and every value is kept."""
    translated = in_language(english, "de")
    assert translated != english
    assert in_language(english, "en") == english
    assert not re.search(r"\b(the|check|cannot)\b", translated), translated
    return translated


@pytest.fixture
def client():
    with Client("test", interval=0, attempts=1, timeout=0.3, max_bytes=100) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "Zugangsdaten"), (403, "lehnt uns ab"), (404, "gibt es nicht"), (410, "verschwunden"),
     (451, "rechtlichen"), (429, "später"), (500, "gestört"), (418, "Status 418")],
)  # fmt: skip
def test_what_a_server_answers(server, client, status, said):
    """Each of the usual refusals, and one that is not."""
    server.script("/feed", Answer(status=status))
    error = said_by(lambda: client.get(server.url("/feed"), allow_private=True))
    translated = german(error)
    assert said in translated
    assert server.url("/feed").removeprefix("http://") in translated


def test_a_server_that_wants_to_be_left_alone(server, client):
    """It is not asked again, and how long still is said."""
    server.script("/feed", Answer(status=429, headers={"Retry-After": "1800"}))
    url = server.url("/feed")
    said_by(lambda: client.get(url, allow_private=True))
    assert "noch 30 min" in german(said_by(lambda: client.get(url, allow_private=True)))


def test_what_the_network_does(server, client):
    """Silence, a closed port, a private address, a name without one, too much, a broken answer."""
    server.script("/slow", Answer(delay=1))
    server.script("/large", Answer(b"x" * 200))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    for url, words in (
        (server.url("/slow"), "innerhalb von 0.3 s"),
        (server.url("/large"), "mehr als 100 Bytes"),
        (closed, "nicht zu erreichen"),
    ):
        assert words in german(said_by(lambda url=url: client.get(url, allow_private=True)))
    private = german(said_by(lambda: client.get(server.url("/"))))
    assert "nicht öffentlich" in private
    assert "allow_private_addresses = true" in private
    with Client("test", attempts=1, resolve=lambda *_, **__: []) as lost:
        assert "hat keine Adresse" in german(said_by(lambda: lost.get("https://forum.example/")))


def test_a_certificate_with_its_reason():
    """The reason is the library's; the usual ones are translated."""
    cause = ssl.SSLCertVerificationError(1, "no")
    cause.verify_message = "certificate has expired"
    error = _connect_error("forum.example", httpcore.ConnectError(cause))
    assert "(abgelaufen)" in german(str(error))


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"<html><body>x</body></html>", "Webseite"), (b"", "leere Antwort"), (b"{}", "JSON"),
     (b"hello", "kein XML"), (b"<a><b/></a>", "anderes XML")],
)  # fmt: skip
def test_what_comes_in_place_of_a_feed(body, said):
    """A page, nothing, JSON, words, other XML."""
    assert said in german(said_by(lambda: parse_feed(body, {}, "", datetime.now(UTC))))


def test_what_is_wrong_with_files(client, tmp_path):
    """A folder that is missing, a feed that is, a table without texts, and rows that are wrong."""
    context = Context(client, tmp_path)
    drop = FileDrop(FileDrop.Settings(path="exports", settle=0), context)
    assert "weder ein Ordner" in german(said_by(lambda: list(drop.pages(None))))
    feed = Rss(Rss.Settings(path="feed.xml"), context)
    assert "Datei oder Ordner fehlt" in german(said_by(lambda: list(feed.pages(None))))
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "a.csv").write_text("Nummer;Ort\n1;Ulm\n")
    (folder / "b.csv").write_text(
        "Text;Datum;Sterne\n;;\nGut;12/24/2025;5\nGut;1.1.2020;9\nGut;1.1.2999;4\n"
    )
    problems = [problem for page in drop.pages(None) for problem in page.problems]
    told = [german(problem) for problem in problems]
    for words in ("die Spalten heißen: Nummer, Ort", "„12/24/2025“", "„9“", "in der Zukunft"):
        assert any(words in sentence for sentence in told), told


def test_several_errors_in_one_and_what_nobody_translated():
    """Parts are told one by one; where one of them has no German, all stay as they are."""
    gone, lost = "a.example does not exist (404): check the address", "the feed cannot be read"
    assert in_language(f"{gone}; {lost}", "de") == (
        "a.example gibt es nicht (404): Prüfen Sie die Adresse; Der Feed ist nicht lesbar"
    )
    assert in_language(f"#recht: {lost}", "de") == "#recht: Der Feed ist nicht lesbar"
    for rare in (f"{lost}; a rare fault", "#recht: a rare fault", ""):
        assert in_language(rare, "de") == rare


def test_the_values_of_both_languages_are_the_same():
    """No sentence loses or invents one."""
    for english, other in SENTENCES.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", other))
    assert len(faults._patterns()) == len(SENTENCES)
