"""Who may see and change what; and what holds for every answer of the server."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from datasette.utils.baseconv import base62

from sentiment.config import ConfigError, Web, load
from sentiment.web import access
from sentiment.web.server import build
from tests.sentiment.firm import post
from tests.sentiment.web.asking import HASH, PASSWORD, Asking, filled, firm, served, users

HEADERS = {
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
}
PROXY = {"proxy_auth_header": "X-Forwarded-User", "trusted_proxies": ["192.0.2.7"]}


@pytest.fixture
def server(tmp_path):
    return served(tmp_path, web={"users": users("anna", "bert")})


def stranger(server: Asking) -> Asking:
    """Somebody else at the same server."""
    return Asking(server._app, server.base, server.peer)


# Where it listens


@pytest.mark.parametrize("web", ['host = "0.0.0.0"', 'login = "reading"'])
def test_nothing_is_opened_that_nobody_could_log_in_to(tmp_path, web):
    """Beyond this machine, and where reading needs a login, there must be somebody who has one."""
    file = tmp_path / "config.toml"
    text = f'company.name = "A"\n[[services]]\nname = "B"\n[web]\n{web}\n'
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"nobody could log in: add \[\[web.users\]\]"):
        load(file)
    file.write_text(text + f"[[web.users]]\nname = 'anna'\npassword = '{HASH}'\n")
    assert load(file).web.reading_needs_login


def test_a_password_stands_nowhere(tmp_path):
    """config.toml takes a hash only, each time another one, and its error does not repeat it."""
    first, second = access.hashed(PASSWORD), access.hashed(PASSWORD)
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    file = tmp_path / "config.toml"
    file.write_text(
        'company.name = "A"\n[[services]]\nname = "B"\n'
        "[[web.users]]\nname = 'anna'\npassword = '${file:secret}'\n"
    )
    (tmp_path / "secret").write_text(PASSWORD)
    with pytest.raises(ConfigError, match="sentiment serve --password") as error:
        load(file)
    assert PASSWORD not in str(error.value)


# Logging in


def test_a_right_password_opens(server):
    """And a wrong one does not; the page does not say which of name and password was wrong."""
    assert server.log_in("anna", "Efeu") == 403
    wrong_password = server.post("/login", {"name": "anna", "password": "Efeu"}).text
    wrong_name = server.post("/login", {"name": "emil", "password": PASSWORD}).text
    assert [line for line in wrong_password.splitlines() if "csrftoken" not in line] == [
        line for line in wrong_name.splitlines() if "csrftoken" not in line
    ]
    assert server.log_in() == 302
    assert 'class="name">anna<' in server.get("/login").text


def test_a_name_that_nobody_has_is_checked_all_the_same(server, monkeypatch):
    """The same work, so that time does not tell who has a login."""
    verified = []

    class Watched:
        def verify(self, known, password):
            verified.append(known.split("$")[1:4])
            return access.PasswordHasher().verify(known, password)

    monkeypatch.setattr(access, "HASHER", Watched())
    monkeypatch.setattr(access, "_nobody", lambda: HASH)
    assert server.log_in("emil") == 403
    assert server.log_in("anna") == 302
    assert verified[0] == verified[1]


def test_a_session_is_for_the_browser_alone(server):
    """No script reads it, no other site's form sends it, and it ends after twelve hours."""
    answer = server.post("/login", {"name": "anna", "password": PASSWORD})
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(access.COOKIE)]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert flags == {"httponly", "samesite=lax", "path=/", "max-age=43200"}


def test_behind_https_every_cookie_stays_there(tmp_path):
    """Those of the language and of forms, too."""
    server = served(
        tmp_path, base="https://stimmung.example",
        web={"users": users("anna"), "url": "https://stimmung.example"},
    )  # fmt: skip
    answers = [
        server.get("/login?_lang=en"),
        server.post("/login", {"name": "anna", "password": PASSWORD}),
    ]
    cookies = [c.lower() for a in answers for c in a.headers.get_list("set-cookie")]
    assert len(cookies) >= 3
    assert all("secure" in c and "httponly" in c and "samesite=lax" in c for c in cookies)


def test_a_session_ends(server, monkeypatch):
    """After twelve hours, whatever the browser keeps."""
    server.log_in()
    assert server.get("/label?mention=1").status_code == 404
    now = time.time()
    monkeypatch.setattr(access.time, "time", lambda: now + 12 * 3600 + 1)
    assert server.get("/label?mention=1").headers["location"].startswith("/login")


def test_who_is_no_longer_configured_is_out(tmp_path):
    """At the next start; and so is whoever has the session of an old password."""
    before = served(tmp_path, web={"users": users("anna", "bert")})
    before.log_in()
    for people, status in (
        (users("anna", "bert"), 404),
        (users("bert"), 302),
        ([{"name": "anna", "password": access.hashed("Zeder")}, *users("bert")], 302),
    ):
        after = served(tmp_path, web={"users": people})
        after.cookies = before.cookies
        assert after.get("/label?mention=1").status_code == status


def test_sessions_cannot_be_made_up(server, tmp_path):
    """Nor is one of Datasette's own believed, even if it is signed with our key."""
    signer = build(firm(tmp_path), tmp_path / "config.toml")
    expires = base62.encode(int(time.time()) + 900)
    for name, value in (
        ("ds_actor", signer.sign({"a": {"id": "anna"}, "e": expires}, "actor")),
        (access.COOKIE, signer.sign({"a": {"id": "anna"}}, "actor")),
        (access.COOKIE, signer.sign(["anna", time.time() + 900, ""], access.COOKIE)),
        (access.COOKIE, signer.sign("anna", access.COOKIE)),
        (access.COOKIE, "anna"),
    ):
        server.cookies.clear()
        server.cookies.set(name, value)
        assert server.get("/label?mention=1").status_code == 302, (name, value)


def test_logging_out_ends_the_session_and_needs_a_form(server):
    """A link elsewhere does not do it."""
    server.log_in()
    assert server.get("/logout").status_code == 302
    assert server.get("/label?mention=1").status_code == 404
    server.post("/logout", {})
    assert server.get("/label?mention=1").status_code == 302


# Guessing


def test_five_wrong_passwords_close_a_name(server):
    """Even to the right one, for a while; other names stay open."""
    assert [server.log_in("anna", "Efeu") for _ in range(6)] == [403] * 5 + [429]
    assert server.log_in("anna") == 429
    assert stranger(server).log_in("bert") == 302


def test_time_opens_it_again():
    """Fifteen minutes after the first of the wrong ones."""
    now = [0.0]
    door = access.Door(Web(users=users("anna")), lambda: now[0])
    assert [door.knocks("anna", "a") for _ in range(5)] == [0] * 5
    assert door.knocks("anna", "a") == 901
    now[0] = 900.0
    assert door.knocks("anna", "a") == 0


def test_an_address_that_tries_many_names_is_closed():
    """After fifty in a window; a success is no attempt."""
    door = access.Door(Web(users=users("anna")), lambda: 0.0)
    for number in range(60):
        assert door.knocks("anna", "a") == 0, number
        door.welcomes("anna", "a")
    tried = [door.knocks(f"name {number}", "a") for number in range(51)]
    assert tried == [0] * 50 + [901]
    assert door.knocks("name 1", "b") == 0


def test_many_guesses_at_once_are_no_way_around(server):
    """An attempt counts before its password is looked at."""
    token = server.token()

    async def guess():
        fields = {"csrftoken": token, "name": "anna", "password": "Efeu"}
        many = [server.asks("POST", "/login", data=fields) for _ in range(9)]
        return sorted(answer.status_code for answer in await asyncio.gather(*many))

    assert asyncio.run(guess()) == [403] * 5 + [429] * 4


def test_attempts_are_counted_by_address_behind_a_proxy_too():
    """The one that a trusted proxy adds last; what others write there is nothing."""
    web = Web(url="https://stimmung.example", trusted_proxies=["127.0.0.1"])
    headers = {"x-forwarded-for": "203.0.113.1, 198.51.100.9"}
    assert access.address_of(web, headers, "127.0.0.1") == "198.51.100.9"
    assert access.address_of(web, headers, "192.0.2.7") == "192.0.2.7"
    assert access.address_of(Web(), headers, "127.0.0.1") == "127.0.0.1"
    assert access.address_of(web, {}, "127.0.0.1") == "127.0.0.1"


# Forms


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_form_without_our_token_changes_nothing(server, token):
    """With a session or without one."""
    server.log_in()
    for path in ("/label", "/logout", "/alerts/silence", "/login"):
        answer = server.post(path, {"csrftoken": token, "mention": "1", "for": "1d"})
        assert answer.status_code == 403, path
    assert server.get("/label?mention=1").status_code == 404  # still logged in


def test_a_form_without_any_cookie_is_refused(server):
    """Otherwise those whom a proxy logs in would be without a token."""
    answer = asyncio.run(server.asks("POST", "/login", data={"name": "anna"}))
    assert answer.status_code == 403


def test_bearers_need_a_token_too(server):
    """Some proxies add this header to everything; Datasette asks nothing more then."""
    server.log_in()
    answer = server.post("/logout", {"csrftoken": "wrong"}, authorization="Bearer abc")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"},
    ],
)  # fmt: skip
def test_forms_of_other_sites_are_refused(server, headers):
    """Whatever token they bring."""
    assert server.log_in("anna", PASSWORD, **headers) == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "http://localhost"}, {"sec_fetch_site": "same-origin"}, {}]
)
def test_our_own_forms_are_taken(server, headers):
    """Of every browser."""
    assert server.log_in("anna", PASSWORD, **headers) == 302


@pytest.mark.parametrize(
    ("method", "headers", "body", "status"),
    [
        ("POST", {"content-type": "text/plain"}, b"name=anna", 415),
        ("POST", {"content-type": "application/json"}, b"{}", 415),
        ("POST", {"content-type": "multipart/form-data"}, b"-", 415),
        ("POST", {}, b"x" * 65_537, 413),
        ("POST", {"content-length": "9" * 5000}, b"", 413),
        ("POST", {"content-length": "-1"}, b"", 411),
        ("POST", {"x-csrftoken": "\xe4"}, b"name=anna", 500),
        ("POST", {}, b"name=\xff", 500),
        ("PUT", {}, b"", 405),
        ("DELETE", {}, b"", 405),
        ("OPTIONS", {}, b"", 405),
        ("TRACE", {}, b"", 405),
    ],
)
def test_broken_and_large_requests_are_answered_shortly(server, method, headers, body, status):
    """With all the strict headers, and the server goes on."""
    server.token()
    headers = {"content-type": "application/x-www-form-urlencoded", **headers}
    raw = {key: value.encode("latin-1") for key, value in headers.items()}
    answer = asyncio.run(server.asks(method, "/login", content=body, headers=raw))
    assert answer.status_code == status
    assert set(answer.headers) >= HEADERS
    assert "Traceback" not in answer.text
    assert server.get("/login").status_code == 200


def test_a_body_longer_than_it_says_ends_the_request(server):
    """However it is sent."""

    async def endless():
        for _ in range(20):
            yield b"a=" + b"x" * 10_000

    server.token()
    headers = {"content-length": "10", "content-type": "application/x-www-form-urlencoded"}
    answer = asyncio.run(server.asks("POST", "/login", content=endless(), headers=headers))
    assert answer.status_code == 500


# Other sites


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "a@b", "[::"])
def test_another_name_for_this_machine_is_refused(server, host):
    """A name that somebody points at this machine (DNS rebinding) opens nothing."""
    assert server.get("/", host=host).status_code == 421
    assert server.get("/sentiment/posts.json", host=host).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1:8001", "[::1]:8001", "192.0.2.1"])
def test_our_own_names_are_known(server, host):
    """And addresses in digits, which nobody can point elsewhere."""
    assert server.get("/login", host=host).status_code == 200


def test_pages_of_other_sites_may_link_here_and_nothing_else(server):
    """No SQL is run and no picture shown for them; a link is followed."""
    sql = "/sentiment.json?sql=select+1"
    asked = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}
    assert server.get(sql, **asked).status_code == 403
    framed = {**asked, "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}
    assert server.get("/", **framed).status_code == 403
    linked = {**asked, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert server.get("/", **linked).status_code == 200
    assert server.get(sql).status_code == 200  # a program


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "evil",
     "javascript:alert(1)", "/\t/evil.example", "///evil.example", " //evil.example", ""],
)  # fmt: skip
def test_the_login_leads_nowhere_else(server, target):
    """Only to a page of this server."""
    answer = server.post("/login", {"name": "anna", "password": PASSWORD, "next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("path", ["//evil.example/", "//evil.example//", "/%5Cevil.example/"])
def test_no_address_of_ours_leads_elsewhere(server, path):
    """Datasette sends addresses that end with a slash to those that do not."""
    answer = asyncio.run(server.asks("GET", server.base + path))
    assert not answer.headers.get("location", "/").startswith(("//", "/\\", "http"))


# Proxies


def test_a_trusted_proxy_says_who_it_is(tmp_path):
    """And nobody else does: the same header from another address is nothing."""
    server = served(tmp_path, web=PROXY)
    assert server.get("/label?mention=1", x_forwarded_user="anna").status_code == 404
    server.peer = "192.0.2.8"
    assert server.get("/label?mention=1", x_forwarded_user="anna").status_code == 302


def test_the_header_is_nothing_unless_it_is_configured(server):
    """Not even from this machine."""
    server.peer = "127.0.0.1"
    assert server.get("/label?mention=1", x_forwarded_user="anna").status_code == 302


# Reading


@pytest.mark.parametrize(
    "path",
    ["/", "/service?name=Arbeitsrecht", "/chart/sentiment.svg?name=Arbeitsrecht", "/posts",
     "/posts.csv", "/post?id=1", "/alerts", "/sources", "/portfolio", "/label?mention=1",
     "/sentiment", "/sentiment.json", "/sentiment?sql=select+1", "/sentiment.json?sql=select+1",
     "/sentiment.csv?sql=select+1", "/sentiment/posts", "/sentiment/posts.json",
     "/sentiment/posts.csv", "/sentiment/posts.csv?_stream=on", "/sentiment/posts/1",
     "/sentiment/posts/1.json", "/sentiment/mood", "/sentiment/mood.json", "/sentiment.db",
     "/sentiment/scored_mentions", "/.json", "/-/metadata.json", "/-/databases"],
)  # fmt: skip
def test_where_reading_needs_a_login_nothing_is_shown_without(tmp_path, path):
    """Not a word of a post, of the configuration or of the tables."""
    web = {"users": users("anna"), "login": "reading"}
    server = served(tmp_path, web=web)
    filled(firm(tmp_path, web=web), post("1", "Kanzlei Ahornhof: Arbeitsrecht war gut"))
    answer = server.get(path)
    assert answer.status_code in (302, 403, 404)
    if answer.status_code == 302:
        assert answer.headers["location"].startswith("/login?next=")
    for word in ("war gut", "scored_mentions", "posts_fts", "Arbeitsrecht"):
        assert word not in answer.text


def test_the_login_page_tells_nothing_of_the_data(tmp_path):
    """It has the company's name, and styles."""
    server = served(tmp_path, web={"users": users("anna"), "login": "reading"})
    assert server.get("/login").status_code == 200
    assert server.get("/assets/style.css").status_code == 200
    assert "Arbeitsrecht" not in server.get("/login").text
    assert server.get("/assets/../server.py").status_code in (302, 404)
    assert server.get("/assets/%2e%2e/server.py").status_code in (302, 404)


@pytest.mark.parametrize(
    "name",
    ["settings", "settings.json", "plugins.json", "versions", "databases.json", "threads",
     "actor.json", "messages", "logout", "metadata.json", "permissions", "allow-debug", "patterns",
     "auth-token", "config", "static/app.css", "static-plugins/x/y"],
)  # fmt: skip
def test_datasette_does_not_talk_about_itself(server, name):
    """Versions and settings help whoever attacks and nobody else, logged in or not."""
    assert server.get(f"/-/{name}").status_code == 404
    server.log_in()
    assert server.get(f"/-/{name}").status_code == 404


def test_the_file_itself_is_not_given_away(server):
    """Everything in it can be queried; copies are the operator's business."""
    server.log_in()
    assert server.get("/sentiment.db").status_code in (302, 403, 404)


# Every answer


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/nowhere", "/posts?period=x", "/posts.csv", "/label", "/assets/style.css",
     "/assets/nothing.css", "/chart/sentiment.svg?name=Arbeitsrecht", "/sentiment",
     "/sentiment.json?sql=selct", "/sentiment/posts.csv", "/sentiment/nothing", "/-/versions",
     "/favicon.ico", "/sentiment.json?sql=select+1"],
)  # fmt: skip
def test_every_answer_has_strict_headers(server, path):
    """Errors, redirects, pictures and Datasette's own, too."""
    answer = server.get(path)
    assert set(answer.headers) >= HEADERS
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in answer.headers
    assert path == "/favicon.ico" or "public" not in answer.headers["cache-control"]


def test_refusals_have_them_too(server):
    """Of the host, of the origin, of the method."""
    for answer in (server.get("/", host="evil.example"), server.post("/login", {}, origin="null")):
        assert answer.status_code in (403, 421)
        assert set(answer.headers) >= HEADERS


def test_what_goes_wrong_inside_stays_inside(server, monkeypatch):
    """The page says so; the log has the rest."""
    from sentiment.web.pages import overview

    def broken(*_):
        raise RuntimeError("secret /path")

    monkeypatch.setattr(overview, "gather", broken)
    answer = server.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.headers) >= HEADERS


def test_visitors_do_not_mix(server):
    """Each gets the answer to their own request, whoever is logged in beside them."""
    server.log_in()
    other = stranger(server)
    with ThreadPoolExecutor(4) as pool:
        mine = pool.map(lambda _: server.get("/login").text, range(6))
        theirs = pool.map(lambda _: other.get("/login").text, range(6))
        assert all('class="name">anna<' in text for text in mine)
        assert not any('class="name">' in text for text in theirs)
