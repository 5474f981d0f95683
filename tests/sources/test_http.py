"""The laws of the polite client, against a real server on loopback."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpcore
import pytest

from sources.base import SourceError, Stopped
from sources.http import Client, default_user_agent
from sources.network import Budget, GuardedBackend, is_public
from sources.testing import Answer, gzipped


def fails(client, url, **options) -> SourceError:
    with pytest.raises(SourceError) as caught:
        client.get(url, allow_private=True, **options)
    return caught.value


def public(*addresses):
    """A name service that gives these addresses for every name."""
    return lambda host, port, **_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
    ]


def test_a_page_is_fetched(server, client):
    """An answer carries status, body, headers in lower case and the address it came from."""
    server.script("/a", Answer(b"hello", headers={"X-Thing": "1"}))
    answer = client.get(server.url("/a"), params={"q": "ä b"}, allow_private=True)
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (200, b"hello", "1")
    assert answer.url == server.url("/a?q=%C3%A4%20b") or answer.url == server.url("/a?q=%C3%A4+b")


def test_we_say_who_we_are(server, client):
    """The User-Agent is ours; an adapter's own headers win over the defaults."""
    server.script("/a", Answer())
    client.get(server.url("/a"), headers={"accept": "text/xml"}, allow_private=True)
    assert server.requests[0].headers["user-agent"] == "test-agent"
    assert server.requests[0].headers["accept"] == "text/xml"
    assert default_user_agent("mailto:it@example.com").endswith("(+mailto:it@example.com)")


def test_an_unchanged_page_is_not_sent_again(server, client):
    """The validators of one answer make the next a 304, which keeps them."""
    server.script("/a", Answer(b"hello", etag='"1"', headers={"Last-Modified": "yesterday"}))
    first = client.get(server.url("/a"), allow_private=True)
    again = client.get(server.url("/a"), allow_private=True, validators=first.validators)
    assert first.validators == {"etag": '"1"', "last_modified": "yesterday"}
    assert (again.status, again.body, again.validators) == (304, b"", first.validators)
    assert server.requests[1].headers["if-modified-since"] == "yesterday"


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_final_status_is_permanent(server, client, status):
    """Gone, forbidden and not found are permanent, tried once, and told with a remedy."""
    server.script("/a", Answer(status=status))
    error = fails(client, server.url("/a?token=secret"))
    assert error.permanent
    assert len(server.requests) == 1
    assert str(status) in str(error)
    assert "/a" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=500),
        Answer(status=502),
        Answer(status=503),
        Answer(status=504),
        Answer(status=429, headers={"Retry-After": "0"}),
        Answer(reset=True),
        Answer(b"x" * 1000, cut=500),
        Answer(raw=b"nonsense\r\n\r\n"),
        Answer(raw=b""),
        Answer(gzipped(b"hello").body[:-4], headers={"Content-Encoding": "gzip"}),
        Answer(b"no gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_a_transient_fault_is_tried_again(server, client, fault):
    """One fault of a kind that passes is not noticed by the adapter."""
    server.script("/a", fault, Answer(b"hello"))
    assert client.get(server.url("/a"), allow_private=True).body == b"hello"
    assert len(server.requests) == 2


def test_silence_is_tried_again(server):
    """A server that says nothing is asked once more; how long an answer takes here is no matter."""
    server.script("/a", Answer(delay=600), Answer(b"hello"))
    with Client("test", interval=0, backoff=0.001, timeout=0.3, attempts=20) as client:
        assert client.get(server.url("/a"), allow_private=True).body == b"hello"
    assert len(server.requests) >= 2


def test_a_lasting_fault_is_raised_after_a_few_tries(server, client):
    """Three tries, then the sentence; it is not permanent."""
    server.script("/a", Answer(status=500))
    error = fails(client, server.url("/a"))
    assert not error.permanent
    assert "out of order" in str(error)
    assert len(server.requests) == 3


def test_nobody_listening_is_an_error(client):
    """A refused connection is a transient error without a traceback of the library."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "cannot be reached" in str(fails(client, f"http://127.0.0.1:{port}/"))


def test_retry_after_is_remembered_for_the_host(server, client):
    """A host that asked for a pause is not asked again, by no thread, until it is over."""
    server.script("/a", Answer(status=429, headers={"Retry-After": "600"}))
    error = fails(client, server.url("/a"))
    later = fails(client, server.url("/other"))
    assert error.retry_after == timedelta(seconds=600)
    assert timedelta(seconds=590) < later.retry_after <= timedelta(seconds=600)
    assert len(server.requests) == 1


def test_retry_after_may_be_a_date(server, client):
    """Retry-After as an HTTP date counts from now."""
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server.script("/a", Answer(status=503, headers={"Retry-After": date}))
    error = fails(client, server.url("/a"))
    assert timedelta(minutes=59) < error.retry_after <= timedelta(hours=1)


def test_a_429_without_a_time_means_a_minute(server, client):
    """A host that is overrun and does not say for how long is left alone for a minute."""
    server.script("/a", Answer(status=429))
    assert fails(client, server.url("/a")).retry_after == timedelta(minutes=1)


def test_an_adapter_can_ask_for_a_pause(server, client):
    """Quotas and back-off fields of an API hold for the host as Retry-After does."""
    client.pause(server.url("/a"), timedelta(minutes=10))
    assert "left alone for another 10 min" in str(fails(client, server.url("/b")))
    assert server.requests == []


def test_an_adapter_can_read_an_error_itself(server, client):
    """A status it names is returned with its body, and tried once."""
    server.script("/a", Answer(b'{"error": "ExpiredToken"}', status=401))
    answer = client.get(server.url("/a"), allow_private=True, also={401})
    assert (answer.status, answer.body) == (401, b'{"error": "ExpiredToken"}')


def test_a_short_pause_is_waited_out(server):
    """A pause within the client's patience is kept and not reported."""
    server.script("/a", Answer(status=429, headers={"Retry-After": "0.2"}), Answer(b"hello"))
    with Client("test", interval=0, backoff=0.01) as client:
        begun = time.monotonic()
        assert client.get(server.url("/a"), allow_private=True).body == b"hello"
        assert time.monotonic() - begun >= 0.2


def test_requests_to_a_host_keep_their_distance(server):
    """Threads share one clock per host: four requests take three intervals."""
    server.script("/a", Answer())
    with Client("test", interval=0.1) as client:
        begun = time.monotonic()
        threads = [
            threading.Thread(
                target=client.get, args=(server.url("/a"),), kwargs={"allow_private": True}
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - begun >= 0.3
    assert len(server.requests) == 4


def test_redirects_keep_their_distance_too(server):
    """Where a host sends us on to itself, the next request waits for its turn like any other."""
    server.script("/a", Answer(status=302, headers={"Location": "/b"}))
    server.script("/b", Answer(b"hello"))
    with Client("test", interval=0.2) as client:
        begun = time.monotonic()
        client.get(server.url("/a"), allow_private=True)
        assert time.monotonic() - begun >= 0.2


def test_every_request_is_counted_before_it_is_sent(server, client):
    """Tries and redirects too; a counter that objects keeps the request from being sent."""
    server.script("/a", Answer(status=500), Answer(status=302, headers={"Location": "/b"}))
    server.script("/b", Answer(b"hello"))
    counted = []
    client.get(server.url("/a"), allow_private=True, spend=lambda: counted.append(1))
    assert len(counted) == len(server.requests) == 3

    def refuse():
        raise SourceError("nothing left")

    assert "nothing left" in str(fails(client, server.url("/a"), spend=refuse))
    assert len(server.requests) == 3


@pytest.mark.parametrize("length", [True, False])
def test_a_dripping_server_is_cut_off(server, length):
    """A server that sends a byte now and then, for a day, holds a thread until the deadline."""
    server.script("/a", Answer(b"x" * 100_000, drip=0.05, length=length))
    with Client("test", interval=0, attempts=1, deadline=0.3) as client:
        assert "took longer than" in str(fails(client, server.url("/a")))


def test_dripping_headers_are_cut_off():
    """The deadline holds for the headers too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    connection.sendall(b"X-A: b\r\n")

        thread = threading.Thread(target=drip)
        thread.start()
        with Client("test", interval=0, attempts=1, deadline=0.3) as client:
            error = fails(client, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        stop.set()
        thread.join()
    assert "took longer than" in str(error)


def test_a_body_over_the_cap_is_refused(server):
    """A body larger than allowed is an error, not half a body."""
    server.script("/a", Answer(b"x" * 2000))
    with Client("test", interval=0, max_bytes=1999) as client:
        assert "more than 1,999 bytes" in str(fails(client, server.url("/a")))
    with Client("test", interval=0, max_bytes=2000) as client:
        assert len(client.get(server.url("/a"), allow_private=True).body) == 2000


def test_a_gzip_bomb_is_refused(server):
    """The cap counts decompressed bytes, and no more than the cap is ever decompressed."""
    server.script("/a", gzipped(b"\0" * 50_000_000))
    with Client("test", interval=0, max_bytes=100_000) as client:
        assert "more than 100,000 bytes" in str(fails(client, server.url("/a")))


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzipped(b"hello").body, "gzip"),
        (gzipped(b"hel").body + gzipped(b"lo").body, "gzip"),
        (zlib.compress(b"hello"), "deflate"),
        (zlib.compress(b"hello", wbits=-15), "deflate"),
    ],
)
def test_compressed_bodies_are_unpacked(server, client, body, encoding):
    """gzip, gzip in several members, deflate with and without a header."""
    server.script("/a", Answer(body, headers={"Content-Encoding": encoding}))
    assert client.get(server.url("/a"), allow_private=True).body == b"hello"


def test_an_encoding_nobody_asked_for_is_an_error(server, client):
    """We ask for gzip and deflate only."""
    server.script("/a", Answer(b"?", headers={"Content-Encoding": "br"}))
    assert "'br'" in str(fails(client, server.url("/a")))


def test_redirects_are_followed(server, client):
    """The answer says where it came from in the end."""
    server.script("/a", Answer(status=301, headers={"Location": "/b"}))
    server.script("/b", Answer(b"hello"))
    answer = client.get(server.url("/a"), allow_private=True)
    assert (answer.body, answer.url) == (b"hello", server.url("/b"))


def test_a_redirect_loop_ends(server, client):
    """Five redirects, no more."""
    server.script("/a", Answer(status=302, headers={"Location": "/a"}))
    assert "redirects more than 5 times" in str(fails(client, server.url("/a")))
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.com/", "http://", "//[", "gopher://x/"]
)
def test_a_redirect_out_of_http_is_refused(server, client, target):
    """Only http and https, on every hop."""
    server.script("/a", Answer(status=302, headers={"Location": target}))
    fails(client, server.url("/a"))


def test_a_redirect_to_another_private_host_is_refused(server, client):
    """allow_private names one host; where it points to is a different matter."""
    other = server.url("/b").replace("127.0.0.1", "localhost")
    server.script("/a", Answer(status=302, headers={"Location": other}))
    server.script("/b", Answer(b"secret"))
    assert "not a public address" in str(fails(client, server.url("/a")))
    assert len(server.requests) == 1


def test_secrets_do_not_follow_a_redirect_to_another_origin(server):
    """An adapter's own headers are for the origin it named."""
    with Client("test", interval=0) as client, type(server)() as other:
        server.script("/a", Answer(status=302, headers={"Location": other.url("/b")}))
        other.script("/b", Answer(b"hello"))
        client.get(
            server.url("/a"),
            headers={"X-Api-Key": "secret", "Accept": "text/xml"},
            allow_private=True,
        )
        assert "x-api-key" in server.requests[0].headers
        assert "x-api-key" not in other.requests[0].headers
        assert other.requests[0].headers["accept"] == "text/xml"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.1.2.3/",
        "http://169.254.169.254/latest", "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/",
        "http://[fe80::1]/", "http://[64:ff9b::7f00:1]/", "http://localhost/",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(client, url):
    """However it is written, an address inside the house is not read unless allowed."""
    with pytest.raises(SourceError, match=r"not a public address|no address"):
        client.get(url)


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False),
        ("240.0.0.1", False), ("255.255.255.255", False), ("0.0.0.0", False), ("::", False),  # noqa: S104
        ("::1", False), ("::ffff:10.0.0.1", False), ("fe80::1%eth0", False), ("fc00::1", False),
        ("fec0::1", False), ("ff0e::1", False), ("2002:7f00:1::", False), ("::7f00:1", False),
        ("64:ff9b::a00:1", False), ("64:ff9b:1::1", False), ("2001:db8::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address, verdict):
    """Loopback, private, link-local, shared, multicast, reserved and disguised ones are not."""
    assert is_public(address) is verdict


def test_a_name_with_one_private_address_is_refused():
    """A name that is public and private at once is a trick."""
    with (
        Client("test", interval=0, resolve=public("93.184.216.34", "127.0.0.1")) as client,
        pytest.raises(SourceError, match=r"127\.0\.0\.1, which is not a public address"),
    ):
        client.get("http://example.com/")


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch):
    """A name is looked up once, so a second answer cannot slip in between."""
    looked_up, connected = [], []

    def resolve(host, port, **_):
        looked_up.append(host)
        return public("93.184.216.34" if len(looked_up) == 1 else "127.0.0.1")(host, port)

    def connect(address, *_, **__):
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    backend = GuardedBackend(Budget(5, lambda: False), resolve, allow_private=False)
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("rebind.example", 80, 1.0)
    assert looked_up == ["rebind.example"]
    assert connected == [("93.184.216.34", 80)]


def test_the_next_address_is_tried(server):
    """A name with a dead address and a living one is reached."""
    server.script("/a", Answer(b"hello"))
    resolve = public("127.0.0.2", "127.0.0.1")  # the server listens on the second only
    with Client("test", interval=0, resolve=resolve) as client:
        url = server.url("/a").replace("127.0.0.1", "name.example")
        assert client.get(url, allow_private=True).body == b"hello"


def test_a_slow_name_service_is_not_waited_for(client):
    """The look-up has the same time as the connection."""
    slow = Client(
        "test", interval=0, attempts=1, timeout=0.1, resolve=lambda *_, **__: time.sleep(0.5) or []
    )
    assert "could not be looked up" in str(fails(slow, "http://example.com/"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://",
        "ftp://a/b",
        "http://[::",
        "http://a:99999999/",
        "file:///etc/passwd",
        "http://exa mple/\ud800",
        "http://" + "a" * 300 + ".de/",
        "http://é..com/",
    ],
)
def test_a_bad_address_is_a_sentence(client, url):
    """Whatever is configured as an address, the answer is a SourceError."""
    fails(client, url)


def test_bad_header_values_are_a_sentence(server, client):
    """A stored validator with a line break in it cannot break out into the request."""
    fails(client, server.url("/a"), validators={"etag": "a\r\nX-Evil: 1"})
    fails(client, server.url("/a"), headers={"X-Key": "ü€"})


def test_a_password_in_the_address_is_sent_and_never_shown(server, client, caplog):
    """user:password@ becomes Basic credentials; no message and no log line holds them."""
    caplog.set_level(logging.INFO)
    server.script("/a", Answer(status=500))
    error = fails(client, server.url("/a?key=topsecret").replace("http://", "http://me:hidden@"))
    assert server.requests[0].headers["authorization"] == "Basic bWU6aGlkZGVu"
    assert "hidden" not in str(error) + caplog.text
    assert "topsecret" not in str(error) + caplog.text


def test_an_error_names_the_server_as_people_write_it(server):
    """With its umlauts, and with the port if there is one."""
    server.script("/a", Answer(status=404))
    url = server.url("/a").replace("127.0.0.1", "müller.example")
    with Client("test", interval=0, resolve=public("127.0.0.1")) as client:
        with pytest.raises(SourceError) as raised:
            client.get(url, allow_private=True)
        assert url.removeprefix("http://") in str(raised.value)


def test_a_stop_ends_a_wait_for_bytes(server):
    """A worker that is told to stop does not wait for a slow server."""
    stop = threading.Event()
    server.script("/a", Answer(delay=600))
    patient = {"timeout": 600, "deadline": 600, "attempts": 1}
    with Client("test", interval=0, stopping=stop.is_set, **patient) as client:
        threading.Timer(0.1, stop.set).start()
        begun = time.monotonic()
        with pytest.raises(Stopped):
            client.get(server.url("/a"), allow_private=True)
        assert time.monotonic() - begun < 300  # far from both, on any machine


def test_a_stop_ends_a_wait_for_a_turn(server):
    """Nor does it wait for its turn, or try again."""
    stop = threading.Event()
    server.script("/a", Answer())
    with Client("test", interval=30, stopping=stop.is_set) as client:
        client.get(server.url("/a"), allow_private=True)
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(Stopped):
            client.get(server.url("/a"), allow_private=True)


def test_proxies_of_the_environment_are_not_used(server, client, monkeypatch):
    """The address that is checked is the one connected to; a proxy would hide it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.script("/a", Answer(b"hello"))
    assert client.get(server.url("/a"), allow_private=True).body == b"hello"


def test_a_server_that_speaks_no_tls_is_refused(client):
    """https is never answered in the clear."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            for _ in range(3):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        error = fails(client, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        assert "cannot be reached" in str(error)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that nobody has signed, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"]
    extra = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command.split(), *names, *extra], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def tls_url(certificate):
    """A server on loopback that speaks TLS; `drip` sends a byte at a time."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            with (
                contextlib.suppress(OSError),
                tls.wrap_socket(listener.accept()[0], server_side=True) as line,
            ):
                asked = line.recv(1000)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                for byte in b"hello":
                    stop.wait(0.3 if b"drip" in asked else 0)
                    line.sendall(bytes([byte]))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}/"
        stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname()).close()
        thread.join()


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_url, client):
    """TLS is always verified, and the error says so, and why."""
    said = str(fails(client, tls_url))
    assert "certificate that cannot be trusted (self-signed certificate)" in said


def test_a_certificate_authority_can_be_added(tls_url, certificate, monkeypatch):
    """SSL_CERT_FILE counts, for companies with an authority of their own; deadlines still hold."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with Client("test", interval=0, timeout=60, deadline=60) as client:
        assert client.get(tls_url, allow_private=True).body == b"hello"
    with Client("test", interval=0, attempts=1, deadline=0.3) as hasty:
        assert "took longer than" in str(fails(hasty, f"{tls_url}drip"))


def test_a_certificate_for_another_name_is_refused(tls_url, certificate, monkeypatch):
    """The name is checked though the connection goes to an address."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with Client("test", interval=0) as client:
        error = fails(client, tls_url.replace("localhost", "127.0.0.1"))
        assert "certificate that cannot be trusted" in str(error)


def test_a_login_is_posted(server, client):
    """A form or JSON is sent as such, with its length and type."""
    server.script("/token", Answer(b"{}"))
    client.post(server.url("/token"), form={"grant": "a b&c"}, allow_private=True)
    client.post(server.url("/token"), json={"user": "ä"}, allow_private=True)
    form, document = server.requests
    assert (form.method, form.form) == ("POST", {"grant": "a b&c"})
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert json.loads(document.body) == {"user": "ä"}


def test_a_posted_secret_follows_no_redirect(server, client):
    """Where a server redirects a login, nothing is sent on; only a move for good is permanent."""
    for status in (307, 308):
        server.script("/token", Answer(status=status, headers={"Location": "/other"}))
        with pytest.raises(SourceError, match=r"has moved|elsewhere for now") as caught:
            client.post(server.url("/token"), form={"password": "s3cret"}, allow_private=True)
        assert caught.value.permanent == (status == 308)
        assert "s3cret" not in str(caught.value)
    assert {asked.path for asked in server.requests} == {"/token"}
