"""The chart that goes with a message."""

import base64
import json
import socketserver
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler

import pytest
from structlog.testing import capture_logs

from sentiment import detection, notify, picture
from sentiment.alert import alert
from sentiment.database import rows
from sentiment.picture import pictures
from tests.sentiment.firm import firm
from tests.sentiment.killing import Quiet
from tests.sentiment.test_notify import Smtp
from tests.sentiment.voices import SOUR, live

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def fallen(tmp_path, db, monkeypatch):
    """A service that dropped; the evening of the alarm."""
    monkeypatch.setattr(detection, "STREAMS", 40)
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    alert(firm(tmp_path), db, now=now)
    return now


def firing(db):
    return rows(db, f"{notify.TRANSITIONS} WHERE t.to_state = 'firing'")


class Keep(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_message_on_a_drop_brings_its_chart(tmp_path, db, fallen):
    """As a PNG in the webhook's attachments."""
    with Quiet(("127.0.0.1", 0), Keep) as server:
        server.got = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"json://127.0.0.1:{server.server_address[1]}/"
        config = firm(tmp_path, receivers=[{"name": "hook", "url": url}])
        assert notify.notify(config, db, now=fallen) == 1
        server.shutdown()
    (attached,) = server.got[0]["attachments"]
    assert attached["mimetype"] == "image/png"
    assert base64.b64decode(attached["base64"]).startswith(PNG)


def test_a_mail_carries_the_chart(tmp_path, db, fallen):
    """As a part of its own, beside the words."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        server.refuse, server.got = 0, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = (f"mailto://127.0.0.1:{server.server_address[1]}?from=a@example.org"
               "&to=b@example.org&smtp=127.0.0.1&mode=insecure")  # fmt: skip
        config = firm(tmp_path, receivers=[{"name": "mail", "url": url}])
        assert notify.notify(config, db, now=fallen) == 1
        server.shutdown()
    parts = {part.get_content_type(): part for part in message_from_bytes(server.got[0]).walk()}
    assert parts["image/png"].get_payload(decode=True).startswith(PNG)
    assert "text/plain" in parts


def test_a_chart_that_cannot_be_drawn_holds_no_message_back(tmp_path, db, fallen, monkeypatch):
    """The words matter more."""
    (tmp_path / "vl_convert.py").write_text("raise RuntimeError('no fonts')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with capture_logs() as logs:
        assert pictures(firm(tmp_path), firing(db), "de", fallen) == []
    assert "no fonts" in logs[0]["error"]


def test_a_chart_is_drawn_once_for_all_who_read_one_language(tmp_path, db, fallen):
    """Drawing takes a second of one core."""
    before = picture._drawn.cache_info().misses
    config, told = firm(tmp_path), firing(db)
    (german,) = pictures(config, told, "de", fallen)
    assert pictures(config, told, "de", fallen) == [german]
    assert pictures(config, told, "en", fallen) != [german]
    assert picture._drawn.cache_info().misses - before == 2


def test_what_is_over_needs_no_chart(tmp_path, db, fallen):
    """Nor does a source that is broken."""
    over = [{**row, "to_state": "resolved"} for row in firing(db)]
    source = [{**row, "rule": "source"} for row in firing(db)]
    assert pictures(firm(tmp_path), [*over, *source], "de", fallen) == []
