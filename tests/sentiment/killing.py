"""The whole worker, killed at random moments while receivers misbehave.

A life of the worker is a process of its own that runs what `sentiment run` runs and is ended by
SIGKILL. The processes are forked from one that has loaded the model and the ways to send, so that
two hundred lives do not load them two hundred times.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sentiment.alert import acknowledge, silence
from sentiment.config import load
from sentiment.database import open_database, rows, timestamp

PATIENCE = 1.0  # seconds that the killed worker gives a receiver
HANGS = 2.0
MOTHER = """
import os, sys
from pathlib import Path
import apprise
from sentiment import notify
from sentiment.assemble import load_classifier
from sentiment.config import load
from sentiment.worker import Worker
notify.PATIENCE = float(sys.argv[2])
apprise.Apprise().add("json://127.0.0.1")  # loads all its plugins
config = load(Path(sys.argv[1]))
model = load_classifier(config)
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        worker = Worker(config)
        worker.__dict__["model"] = model
        worker.run()
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
"""
CONFIG = """
language = "en"
[company]
name = "Kanzlei Ahornhof"
[[services]]
name = "Arbeitsrecht"
[[services]]
name = "Steuerberatung"
[[services]]
name = "Erbrecht"
"""
TOLD, SILENCED, KNOWN = 1, 2, 3  # services: told, silenced, acknowledged


@dataclass
class Behaviour:
    """What a receiver does with the next message, and what it got.

    Messages are kept as they came and read when all is over: a receiver that reads a message
    before it answers keeps the others of this process waiting, and a worker that is killed
    meanwhile could not know of any.

    misbehave: share of messages that it refuses, keeps waiting, or dies of without an answer.
    """

    rnd: random.Random
    misbehave: float
    taken: list[bytes] = field(default_factory=list)
    died: list[bytes] = field(default_factory=list)

    def act(self) -> str:
        if self.rnd.random() >= self.misbehave:
            return "take"
        return self.rnd.choice(["refuse", "hang", "die"])

    def numbers(self) -> Counter[int]:
        """How often each message arrived and was answered."""
        return Counter(int(re.match(r"\[(\d+)\]", _title(message))[1]) for message in self.taken)


def _title(message: bytes) -> str:
    """A webhook's or a mail's."""
    if message.startswith(b"{"):
        return json.loads(message)["title"]
    return str(make_header(decode_header(message_from_bytes(message)["Subject"])))


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        message = self.rfile.read(length)
        if len(message) < length:
            return  # killed while it was telling
        behaviour = self.server.behaviour
        match behaviour.act():
            case "hang":
                time.sleep(HANGS)
            case "die":
                behaviour.died.append(message)
            case "refuse":
                self.send_response(503)
                self.end_headers()
            case _:
                behaviour.taken.append(message)
                self.send_response(200)
                self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Mail(socketserver.StreamRequestHandler):
    """Enough of SMTP."""

    def handle(self) -> None:
        behaviour = self.server.behaviour
        act = behaviour.act()
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA" and act == "refuse":
                self.wfile.write(b"451 later\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                if not (message := self._message()):
                    return  # killed while it was telling
                if act == "hang":
                    time.sleep(HANGS)
                    return
                if act == "die":
                    behaviour.died.append(message)
                    return
                behaviour.taken.append(message)
                self.wfile.write(b"250 ok\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")

    def _message(self) -> bytes:
        """What stands before the line with nothing but a dot; nothing where that never comes."""
        text = bytearray()
        while not text.endswith(b"\r\n.\r\n"):
            if not (more := self.rfile.read1()):
                return b""
            text += more
        return bytes(text)


class Threaded(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # the worker was killed while it waited


class QuietMail(Threaded):
    handle_error = Quiet.handle_error


@dataclass
class Outcome:
    """What became of the messages. lost: message ids that never arrived, per receiver."""

    kills: int
    transitions: int
    sent: int
    lost: int
    twice: int
    died: int
    undelivered: int
    about_silenced: int
    renumbered: int


def endure(folder: Path, kills: int, seed: int, misbehave: float, longest: float) -> Outcome:
    """Kill the worker so often; between two kills something happens to each service."""
    rnd = random.Random(seed)
    receivers = [Behaviour(random.Random(seed + n), misbehave) for n in range(4)]
    servers = [
        *(_serve(Quiet(("127.0.0.1", 0), Hook), b) for b in receivers[:2]),
        *(_serve(QuietMail(("127.0.0.1", 0), Mail), b) for b in receivers[2:]),
    ]
    path = folder / "config.toml"
    path.write_text(CONFIG + "".join(_receiver(n, s) for n, s in enumerate(servers)), "utf-8")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", MOTHER, str(path), str(PATIENCE)]
    with (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
            env=environment, stderr=subprocess.DEVNULL,
        ) as mother,
        open_database(load(path)) as db,
    ):  # fmt: skip
        mother.stdout.readline()
        happened = 0
        silence(db, "Steuerberatung", datetime.now(UTC) + timedelta(days=1), "", datetime.now(UTC))
        for kill in range(kills):
            for service in (TOLD, SILENCED, KNOWN):
                _happen(db, service)
                happened += service == TOLD
            if not kill:
                acknowledge(db, _alert(db, KNOWN), datetime.now(UTC))
            _live(mother, rnd.random() ** 2 * longest)
            db.execute("UPDATE notifications SET next_attempt_at = NULL")
        for behaviour in receivers:
            behaviour.misbehave = 0
        for seconds in (3, 6, 12, 24, 48):  # then it lives as long as it takes
            if not _waiting(db):
                break
            _live(mother, seconds, until=lambda: not _waiting(db))
            db.execute("UPDATE notifications SET next_attempt_at = NULL")
        wanted = rows(
            db,
            "SELECT receiver, message_id FROM notifications WHERE status = 'delivered' GROUP BY 1, 2",
        )
        delivered = rows(
            db,
            "SELECT count(*) AS n FROM notifications n JOIN alert_transitions t "
            "ON t.id = n.transition_id JOIN alerts a ON a.id = t.alert_id "
            "WHERE n.status = 'delivered' AND a.service_id = ?",
            TOLD,
        )[0]["n"]
        mother.stdin.close()
    for server in servers:
        server.shutdown()
        server.server_close()
    return _outcome(kills, happened, receivers, wanted, len(receivers) * happened - delivered)


def _serve(server: socketserver.BaseServer, behaviour: Behaviour) -> socketserver.BaseServer:
    server.behaviour = behaviour
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _receiver(number: int, server: socketserver.BaseServer) -> str:
    port = server.server_address[1]
    url = f"json://127.0.0.1:{port}/hook"
    if isinstance(server, QuietMail):
        url = (f"mailto://127.0.0.1:{port}?from=a@example.org&to=b@example.org"
               "&smtp=127.0.0.1&mode=insecure")  # fmt: skip
    return f'[[receivers]]\nname = "r{number}"\nurl = "{url}"\n'


def _alert(db, service: int) -> int:
    db.execute(
        "INSERT OR IGNORE INTO alerts (rule, company_id, service_id, subject, state, since_at) "
        "VALUES ('volume', 1, ?, 'test', 'firing', ?)",
        [service, timestamp(datetime.now(UTC))],
    )
    return rows(db, "SELECT id FROM alerts WHERE service_id = ? AND subject = 'test'", service)[0][
        "id"
    ]


def _happen(db, service: int) -> None:
    """A transition, as the alert stage writes it."""
    facts = {"authors": 30, "usual": 3.1, "days": 2}
    db.execute(
        "INSERT INTO alert_transitions (alert_id, from_state, to_state, reason, happened_at, "
        "detail) VALUES (?, 'pending', 'firing', '30 authors in 2 days, usually 3.1', ?, ?)",
        [_alert(db, service), timestamp(datetime.now(UTC)), json.dumps(facts)],
    )


def _live(
    mother: subprocess.Popen[str], seconds: float, until: Callable[[], bool] = lambda: False
) -> None:
    mother.stdin.write("\n")
    mother.stdin.flush()
    child = int(mother.stdout.readline())
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not until():
        time.sleep(min(left, 0.2))
    os.kill(child, signal.SIGKILL)


def _waiting(db) -> int:
    found = rows(db, "SELECT count(*) AS n FROM notifications WHERE status = 'waiting'")
    unqueued = rows(db, "SELECT count(*) AS n FROM alert_transitions WHERE queued_at IS NULL")
    return found[0]["n"] + unqueued[0]["n"]


def _outcome(kills, happened, receivers, wanted, undelivered) -> Outcome:
    lost = twice = sent = about = renumbered = died = 0
    for number, behaviour in enumerate(receivers):
        got = behaviour.numbers()
        ids = {row["message_id"] for row in wanted if row["receiver"] == f"r{number}"}
        lost += len(ids - set(got))
        renumbered += len(set(got) - ids)
        sent += got.total()
        twice += got.total() - len(got)
        died += len(behaviour.died)
        told = map(_title, behaviour.taken + behaviour.died)
        about += sum("Steuerberatung" in title or "Erbrecht" in title for title in told)
    return Outcome(kills, happened, sent, lost, twice, died, undelivered, about, renumbered)
