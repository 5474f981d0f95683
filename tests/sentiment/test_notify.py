"""Telling people: outbox, retries, quiet hours, languages, and receivers that misbehave."""

import json
import socketserver
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError

from sentiment import notify as stage
from sentiment.alert import acknowledge, silence
from sentiment.config import Receiver
from sentiment.database import rows, timestamp
from sentiment.notify import DeliveryError, is_quiet, notify
from tests.sentiment.firm import firm

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URL = "json://127.0.0.1:9/x"


def receiver(name="marketing", **values):
    return {"name": name, "url": URL, **values}


def told(tmp_path, *receivers, **values):
    return firm(tmp_path, receivers=list(receivers or [receiver()]), **values)


def happen(db, to_state="firing", service=1, rule="drop", subject="", at=NOW):
    """A transition, as the alert stage writes it; returns the alert's id."""
    db.execute(
        "INSERT OR IGNORE INTO alerts (rule, company_id, service_id, subject, state, since_at) "
        "VALUES (?, 1, ?, ?, ?, ?)",
        [rule, service, subject, to_state, timestamp(at)],
    )
    where = "rule = ? AND service_id IS ? AND subject = ?"
    (alert,) = rows(db, f"SELECT id FROM alerts WHERE {where}", rule, service, subject)
    db.execute("UPDATE alerts SET state = ? WHERE id = ?", [to_state, alert["id"]])
    db.execute(
        "INSERT INTO alert_transitions (alert_id, from_state, to_state, reason, happened_at, "
        "detail) VALUES (?, 'pending', ?, 'because', ?, ?)",
        [alert["id"], to_state, timestamp(at), json.dumps({"said": "not read for 9 hours"})],
    )
    return alert["id"]


class Inbox:
    """Takes messages, after failing as often as it is told to."""

    def __init__(self, fail=0):
        self.fail, self.got = fail, []

    def __call__(self, to, message):
        if self.fail:
            self.fail -= 1
            raise DeliveryError("no answer")
        self.got.append((to.name, message.id, message.title))


def outbox(db):
    return [row["status"] for row in rows(db, "SELECT status FROM notifications ORDER BY id")]


def test_an_alert_is_told_once(tmp_path, db):
    """The second pass sends nothing."""
    config, inbox = told(tmp_path), Inbox()
    happen(db)
    assert notify(config, db, now=NOW, send=inbox) == 1
    assert notify(config, db, now=NOW + HOUR, send=inbox) == 0
    assert inbox.got == [
        ("marketing", 1, "[1] Arbeitsrecht: Es wird schlechter darüber gesprochen")
    ]


def test_what_is_pending_is_not_told(tmp_path, db):
    """Suspicions are for the books."""
    happen(db, "pending")
    assert notify(told(tmp_path), db, now=NOW, send=Inbox()) == 0
    assert outbox(db) == []


def test_a_failed_delivery_is_tried_again_with_the_same_number(tmp_path, db):
    """After half a minute, then a minute; the message keeps its id."""
    config, inbox = told(tmp_path), Inbox(fail=2)
    happen(db)
    assert notify(config, db, now=NOW, send=inbox) == 0
    assert notify(config, db, now=NOW + timedelta(seconds=5), send=inbox) == 0
    assert inbox.fail == 1
    assert notify(config, db, now=NOW + timedelta(seconds=40), send=inbox) == 0
    assert rows(db, "SELECT attempts, last_error FROM notifications") == [
        {"attempts": 2, "last_error": "no answer"}
    ]
    assert notify(config, db, now=NOW + HOUR, send=inbox) == 1
    assert inbox.got[0][1] == 1


def test_each_receiver_is_on_its_own(tmp_path, db):
    """One that fails delays nobody."""
    config = told(tmp_path, receiver("broken"), receiver("fine"))
    inbox = Inbox(fail=1)
    happen(db)
    assert notify(config, db, now=NOW, send=inbox) == 1
    assert inbox.got[0][0] == "fine"
    assert outbox(db) == ["waiting", "delivered"]


def test_what_cannot_be_delivered_expires(tmp_path, db):
    """After three days it is given up, and the row says so."""
    config = told(tmp_path)
    happen(db)
    notify(config, db, now=NOW, send=Inbox(fail=1))
    assert notify(config, db, now=NOW + 4 * DAY, send=Inbox()) == 0
    assert outbox(db) == ["expired"]


def test_a_receiver_that_is_no_longer_configured_expires(tmp_path, db):
    """Nobody waits for it."""
    happen(db)
    notify(told(tmp_path), db, now=NOW, send=Inbox(fail=1))
    notify(told(tmp_path, receiver("other")), db, now=NOW, send=Inbox())
    assert outbox(db) == ["expired"]


def test_services_that_fall_together_are_one_message(tmp_path, db):
    """One message with both names; each transition is marked as delivered."""
    inbox = Inbox()
    happen(db, service=1)
    happen(db, service=2)
    assert notify(told(tmp_path), db, now=NOW, send=inbox) == 1
    assert inbox.got[0][2] == "[1] 2 Meldungen: Arbeitsrecht, Steuerberatung"
    assert outbox(db) == ["delivered", "delivered"]


def test_what_joins_later_is_another_message(tmp_path, db):
    """A message that waits for its next attempt keeps its content and its number."""
    config, inbox = told(tmp_path), Inbox(fail=1)
    happen(db, service=1)
    notify(config, db, now=NOW, send=inbox)
    happen(db, service=2)
    notify(config, db, now=NOW + HOUR, send=inbox)
    assert [number for _, number, _ in inbox.got] == [1, 2]


def test_tags_and_services_choose_the_receiver(tmp_path, db):
    """Operators hear of sources; a receiver of one service hears of that service."""
    config = told(tmp_path, receiver("operator", tags=["operator"]),
                  receiver("tax", services=["Steuerberatung"]), receiver("all"))  # fmt: skip
    inbox = Inbox()
    happen(db, service=1)
    happen(db, service=None, rule="source", subject="forum")
    notify(config, db, now=NOW, send=inbox)
    assert sorted(name for name, _, _ in inbox.got) == ["all", "operator"]
    assert any("Quelle „forum“ wird nicht mehr gelesen" in title for _, _, title in inbox.got)


def test_each_receiver_reads_its_language(tmp_path, db):
    """German by the configuration, English by the receiver's own."""
    inbox = Inbox()
    happen(db)
    notify(told(tmp_path, receiver("de"), receiver("en", language="en")), db, now=NOW, send=inbox)
    assert [title for _, _, title in inbox.got] == [
        "[1] Arbeitsrecht: Es wird schlechter darüber gesprochen",
        "[2] Arbeitsrecht: people speak worse of it",
    ]


def test_quiet_hours_hold_back_and_lose_nothing(tmp_path, db):
    """At noon UTC it is one o'clock in Berlin: silent from 12 to 14, sent after."""
    config, inbox = told(tmp_path, receiver(quiet_hours="12:00-14:00")), Inbox()
    happen(db)
    assert notify(config, db, now=NOW, send=inbox) == 0
    assert notify(config, db, now=NOW + HOUR, send=inbox) == 1


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("2026-03-02T22:30", True), ("2026-03-02T06:59", True), ("2026-03-02T07:00", False),
     ("2026-03-29T01:30", True), ("2026-03-29T03:30", True), ("2026-10-25T02:30", True)],
)  # fmt: skip
def test_quiet_hours_follow_the_clock_on_the_wall(clock, quiet):
    """Across midnight and both clock changes."""
    night = Receiver(**receiver(quiet_hours="22:00-07:00"))
    assert is_quiet(night, datetime.fromisoformat(clock)) is quiet


def test_nothing_is_sent_about_a_silenced_service(tmp_path, db):
    """Neither what is new nor what has waited; the other service is told."""
    config, inbox = told(tmp_path), Inbox(fail=1)
    happen(db, service=1)
    notify(config, db, now=NOW, send=inbox)
    assert silence(db, "Arbeitsrecht", NOW + DAY, "we know", NOW)
    happen(db, service=2)
    notify(config, db, now=NOW + HOUR, send=inbox)
    assert outbox(db) == ["withheld", "delivered"]
    assert "Steuerberatung" in inbox.got[0][2]


def test_nothing_is_sent_about_an_acknowledged_alert(tmp_path, db):
    """Not even the attempt that was due."""
    config, inbox = told(tmp_path), Inbox(fail=1)
    alert = happen(db)
    notify(config, db, now=NOW, send=inbox)
    assert acknowledge(db, alert, NOW)
    assert notify(config, db, now=NOW + HOUR, send=inbox) == 0
    assert outbox(db) == ["withheld"]


def test_a_silence_ends(tmp_path, db):
    """What happens afterwards is told."""
    silence(db, None, NOW - HOUR, "", NOW - DAY)
    happen(db)
    assert notify(told(tmp_path), db, now=NOW, send=Inbox()) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [({"url": "nonsense"}, "Apprise does not know"), ({"quiet_hours": "22-7"}, "quiet_hours"),
     ({"tags": ["boss"]}, "tags"), ({"services": ["Erbrecht"]}, "expected one of: Arbeitsrecht")],
)  # fmt: skip
def test_a_receiver_that_cannot_work_is_refused_on_loading(tmp_path, values, said):
    """Not when the alert is on fire."""
    with pytest.raises(ValidationError) as caught:
        told(tmp_path, receiver(**values))
    assert said in str(caught.value)


# -- real servers on loopback ---------------------------------------------------------------------


class Webhook(ThreadingHTTPServer):
    """Answers as told: "ok", "fail", "hang", "die" (accepts, then closes without an answer)."""

    daemon_threads = True

    def __init__(self, *script):
        self.script, self.got = list(script), []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.server_address[1]}/hook"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self.server.script.pop(0) if self.server.script else "ok"
        if act == "hang":
            time.sleep(3)
            return
        if act == "fail":
            self.send_response(500)
            self.end_headers()
            return
        self.server.got.append(body["title"])
        if act == "die":
            self.connection.close()
            return
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def webhook():
    servers = []

    def start(*script):
        servers.append(Webhook(*script))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("act", ["fail", "hang", "die"])
def test_a_webhook_that_misbehaves_is_told_again(tmp_path, db, webhook, monkeypatch, act):
    """At least once; and what it took before it died comes again under the same number."""
    monkeypatch.setattr(stage, "PATIENCE", 0.7)
    server = webhook(act)
    config = told(tmp_path, {"name": "hook", "url": server.url})
    happen(db)
    assert notify(config, db, now=NOW) == 0
    assert notify(config, db, now=NOW + HOUR) == 1
    assert len(set(server.got)) == 1
    assert len(server.got) == (2 if act == "die" else 1)


def test_a_hanging_receiver_is_given_up_in_time(tmp_path, db, webhook, monkeypatch):
    """The next receiver does not wait for it."""
    monkeypatch.setattr(stage, "PATIENCE", 0.5)
    stuck, fine = webhook("hang"), webhook()
    config = told(tmp_path, {"name": "stuck", "url": stuck.url}, {"name": "fine", "url": fine.url})
    happen(db)
    started = time.monotonic()
    assert notify(config, db, now=NOW) == 1
    assert time.monotonic() - started < 4
    assert len(fine.got) == 1


class Smtp(socketserver.StreamRequestHandler):
    """Enough of SMTP to take a message, or to refuse it."""

    def handle(self):
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA" and self.server.refuse:
                self.server.refuse -= 1
                self.wfile.write(b"451 later\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.server.got.append(text)
                self.wfile.write(b"250 ok\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


def test_mail_is_delivered_after_a_refusal(tmp_path, db):
    """451 is tried again; the message carries its number and the service."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        server.refuse, server.got = 1, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = (f"mailto://127.0.0.1:{server.server_address[1]}?from=a@example.org"
               "&to=b@example.org&smtp=127.0.0.1&mode=insecure")  # fmt: skip
        config = told(tmp_path, {"name": "mail", "url": url, "language": "en"})
        happen(db)
        assert notify(config, db, now=NOW) == 0
        assert notify(config, db, now=NOW + HOUR) == 1
        server.shutdown()
    assert len(server.got) == 1
    assert b"people speak worse of it" in server.got[0].replace(b"_", b" ")


@pytest.mark.parametrize(("language", "title"), [
    ("de", "[1] Der Dienst scheitert an einer Aufgabe: purge"),
    ("en", "[1] The worker fails at a duty: purge"),
])  # fmt: skip
def test_a_failing_duty_is_named(tmp_path, db, language, title):
    """To operators, in their language."""
    inbox = Inbox()
    config = told(tmp_path, receiver(tags=["operator"], language=language))
    happen(db, service=None, rule="source", subject="job purge")
    assert notify(config, db, now=NOW, send=inbox) == 1
    assert inbox.got[0][2] == title


def test_only_one_receiver_is_told_when_one_is_named(tmp_path, db):
    """Each has a job of its own in the worker."""
    config, inbox = told(tmp_path, receiver("a"), receiver("b")), Inbox()
    happen(db)
    assert notify(config, db, now=NOW, send=inbox, only="b") == 1
    assert [name for name, _, _ in inbox.got] == ["b"]
    assert outbox(db) == ["waiting", "delivered"]
