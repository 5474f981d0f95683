"""A database as it is after two years of a busy firm: `python benchmarks/million.py --out FILE`.

A million scored mentions of 30 services of a firm and its five competitors, from nine places in two
languages, 200,000 survey answers, and alerts. All texts are put together here; nobody wrote them.

The schema is the project's own, and so are the alerts. Rows are written in bulk, without the stages
and their triggers; the daily figures are computed by one query instead of cell by cell, and a
sample of cells is then rolled up by `sentiment.rollup` and compared. Sketches of texts, which only
the store stage reads, are left out. Beside FILE stands FILE's configuration, with suffix .toml.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.labels import EKMAN
from sentiment import config as configuration
from sentiment import log, schema
from sentiment.alert import alert
from sentiment.database import _statements, count, now, open_database, rows, set_state, transaction
from sentiment.match import _mark
from sentiment.matching import revision
from sentiment.rollup import rollup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlite_utils import Database

    from sentiment.config import Config

DAYS = 730
SHEETS = 66_667  # of a survey, three answers each
COMPANIES = ("Erlbruch & Partner", "Kanzlei Sandhorst", "Moorkamp Steuerberater",
             "Tessendorf Legal", "Birkhahn & Stolz", "Quellmann Advisory")  # fmt: skip
COMPANY_SHARES = (0.46, 0.18, 0.13, 0.1, 0.08, 0.05)
SERVICES = (
    "Steuerberatung", "Arbeitsrecht", "Lohnbuchhaltung", "Erbrecht", "Familienrecht", "Mietrecht",
    "Gründungsberatung", "Due Diligence", "Wirtschaftsprüfung", "Vertragsrecht", "Verkehrsrecht",
    "Strafrecht", "Baurecht", "Medizinrecht", "Insolvenzrecht", "Datenschutz", "Markenrecht",
    "Urheberrecht", "Gesellschaftsrecht", "Vereinsrecht", "Sozialrecht", "Rentenberatung",
    "Fördermittelberatung", "Unternehmensnachfolge", "Finanzbuchhaltung", "Jahresabschluss",
    "Betriebsprüfung", "Umsatzsteuer", "Zollrecht", "Energierecht",
)  # fmt: skip
SOURCES = {  # name: kind, share of posts, share with stars, language
    "Forum": ("rss", 0.2, 0.0, None),
    "Reddit": ("reddit", 0.14, 0.0, None),
    "Mastodon": ("mastodon", 0.08, 0.0, None),
    "Bluesky": ("bluesky", 0.08, 0.0, None),
    "Presse": ("rss", 0.09, 0.0, "de"),
    "Google-Bewertungen": ("google_business", 0.2, 1.0, None),
    "Trustpilot": ("trustpilot", 0.12, 1.0, None),
    "Mandantenportal": ("file", 0.07, 0.8, "de"),
    "Befragung": ("survey", 0.02, 1.0, "de"),
}
OPENINGS = {
    "de": ("Ich war wegen {service} bei {company}.", "{company}, Bereich {service}:",
           "Erfahrung mit {service} bei {company}?", "Zum zweiten Mal {service} von {company}.",
           "Mein Fazit zu {service} bei {company} nach einem Jahr."),
    "en": ("I went to {company} for {service}.", "{company}, {service} department:",
           "Anyone else tried {service} at {company}?", "Second time we used {company}, {service}.",
           "A year of {service} with {company}, my verdict."),
}  # fmt: skip
SAID = {
    "de": (
        ("Seit Wochen ruft niemand zurück.", "Die Rechnung war doppelt so hoch wie besprochen.",
         "Die Frist wurde versäumt, und keiner will es gewesen sein.", "Eine Frechheit.",
         "Drei Mails und keine Antwort.", "Mein Ansprechpartner hat schon wieder gewechselt.",
         "Ich habe Angst, dass mir das Finanzamt jetzt kündigt.", "Sehr enttäuschend."),
        ("Der Termin war am Dienstag.", "Das Verfahren läuft noch.", "Unterlagen kamen per Post.",
         "Weiß jemand, wie lange das dauert?", "Wir hatten zwei Besprechungen.",
         "Gibt es dazu schon eine Broschüre?", "Die Kanzlei zieht nächsten Monat um."),
        ("Schnelle Rückmeldung und klare Worte.", "Ich habe mich gut beraten gefühlt.",
         "Alles bestens, gerne wieder!", "Sehr freundlich, und die Fristen wurden gehalten.",
         "Das Ergebnis ist besser, als ich gehofft hatte.", "Endlich jemand, der zuhört.",
         "Selbst am Freitagnachmittag war noch jemand da.", "Klare Empfehlung."),
    ),
    "en": (
        ("Nobody has called back for weeks.", "The bill was twice what we had agreed.",
         "They missed the deadline and blame each other.", "Outrageous.",
         "Three e-mails, no answer.", "My contact has changed yet again.",
         "I am afraid the tax office will come after me now.", "Very disappointing."),
        ("The appointment was on Tuesday.", "The case is still running.",
         "Papers came by mail.", "Does anybody know how long this takes?",
         "We had two meetings.", "Is there a leaflet about it?", "They are moving next month."),
        ("Quick replies and plain words.", "I felt in good hands.", "All fine, would come again!",
         "Very friendly, and every deadline was met.", "Better than I had hoped for.",
         "At last somebody who listens.", "Someone was there even on Friday afternoon.",
         "Warmly recommended."),
    ),
}  # fmt: skip
SYLLABLES = ("bach", "berg", "burg", "dal", "dorf", "feld", "fur", "gau", "hain", "heim", "horst",
             "kamp", "kir", "lau", "lin", "mar", "mün", "nau", "ober", "rod", "see", "stadt",
             "stein", "tal", "wald", "wang", "wies", "zell")  # fmt: skip
EMOTIONS = {  # how likely each is present, for negative, neutral and positive mentions
    "anger": (0.45, 0.02, 0.01), "disgust": (0.12, 0.005, 0.002), "fear": (0.13, 0.03, 0.01),
    "joy": (0.01, 0.05, 0.62), "sadness": (0.22, 0.02, 0.02), "surprise": (0.1, 0.04, 0.09),
}  # fmt: skip
WHOLE, NONE = -2, -1  # the company as a whole; no second service
SOUR = ("Arbeitsrecht", 21)  # the firm's service that turns, and for how many days


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mentions", type=int, default=1_000_000)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    parser.add_argument("--today", type=date.fromisoformat, default=yesterday, help="last day")
    options = parser.parse_args()
    log.configure()
    started = time.perf_counter()
    config = settings(options.out)
    for old in options.out.parent.glob(f"{options.out.name}*"):
        old.unlink()
    with open_database(config) as db:
        fill(db, config, options.mentions, options.today)
        timed("alerts", lambda: alert(config, db))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        figures = {
            table: count(db, f"SELECT count(*) FROM {table}")
            for table in ("posts", "mentions", "emotions", "daily_sentiment", "survey_responses",
                          "active_alerts")
        }  # fmt: skip
    figures["megabytes"] = round(options.out.stat().st_size / 1e6)
    print(json.dumps({**figures, "seconds": round(time.perf_counter() - started)}))


def settings(path: Path) -> Config:
    """Write the configuration beside the database, and read it."""
    public = [
        {"name": name, "kind": "rss", "url": f"https://{place}.example/feed",
         **({"scope": "own"} if stars else {}), **({"language": language} if language else {})}
        for place, (name, (kind, _, stars, language)) in enumerate(SOURCES.items())
        if kind != "survey"
    ]  # fmt: skip
    lines = [f"[database]\npath = {json.dumps(str(path.resolve()))}"]
    lines += [f"[company]\nname = {json.dumps(COMPANIES[0])}"]
    lines += [f"[[competitors]]\nname = {json.dumps(name)}" for name in COMPANIES[1:]]
    lines += [f"[[services]]\nname = {json.dumps(name, ensure_ascii=False)}" for name in SERVICES]
    lines += [
        "[[sources]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in one.items())
        for one in public
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_suffix(".toml")
    file.write_text("\n\n".join(lines) + "\n", "utf-8")
    return configuration.load(file)


def fill(db: Database, config: Config, mentions: int, today: date) -> None:
    """Everything but the alerts."""
    chance = np.random.default_rng(20251)
    prepare(db, config)
    with without_triggers(db), transaction(db):
        world = World(db, config, chance, today)
        timed("posts", lambda: write_posts(world, mentions))
        timed("surveys", lambda: write_surveys(db, chance, today))
        timed("daily figures", lambda: db.execute(DAILY))
        timed("sums", lambda: write_sums(db))
    timed("cells compared with the real roll-up", lambda: compare_days(db, chance))


def prepare(db: Database, config: Config) -> None:
    """What bulk loading leaves to be said: the sources' kinds, the survey, the model."""
    for name, (kind, *_) in SOURCES.items():
        if kind == "survey":
            db.execute(
                "INSERT INTO sources (name, kind, own_company, language, every_seconds, active) "
                "VALUES (?, 'survey', ?, 'de', 60, 0)",
                [name, config.company.name],
            )
        db.execute(
            "UPDATE sources SET kind = ?, last_attempt_at = ?, last_success_at = ? WHERE name = ?",
            [kind, now(), now(), name],
        )
    bundled = Path(__file__).parents[1] / "models" / "bundled" / "config.json"
    model = json.loads(bundled.read_text("utf-8"))
    set_state(db, "model", f"{model['name']}@{model['revision']}")


@contextmanager
def without_triggers(db: Database) -> Iterator[None]:
    """Indexes and triggers are taken away for the bulk, and put back."""
    kept = rows(db, "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
                    "AND type IN ('index', 'trigger')")  # fmt: skip
    for one in kept:
        db.execute(f"DROP {one['type']} {one['name']}")
    yield
    for one in sorted(kept, key=lambda one: one["type"]):
        timed(one["name"], lambda sql=one["sql"]: db.execute(sql))
    if "posts_fts" in db.table_names():
        timed(
            "full text", lambda: db.execute("INSERT INTO posts_fts(posts_fts) VALUES ('rebuild')")
        )


def write_posts(world: World, mentions: int) -> None:
    """Posts in the order of time, a sixth of them about two services."""
    services = world.draw_services(mentions)
    posts = int(np.searchsorted(np.cumsum((services != NONE).sum(axis=1)), mentions)) + 1
    days = _days(world.chance, posts, world.today)
    for start in range(0, posts, 20_000):
        end = min(posts, start + 20_000)
        world.write(days[start:end], services[start:end])


def _days(chance: np.random.Generator, posts: int, today: date) -> np.ndarray:
    """Days ago, negative: a little more every month, less at weekends."""
    ago = np.arange(-DAYS + 1, 1)
    weekend = np.array([(today + timedelta(days=int(day))).weekday() > 4 for day in ago])
    weight = (1 + 0.5 * np.arange(DAYS) / DAYS) * np.where(weekend, 0.6, 1.0)
    return np.sort(chance.choice(ago, posts, p=weight / weight.sum()))


class World:
    """Who says what where."""

    def __init__(
        self, db: Database, config: Config, chance: np.random.Generator, today: date
    ) -> None:
        self.db, self.chance, self.today = db, chance, today
        self.ids = {row["name"]: row["id"] for row in rows(db, "SELECT id, name FROM sources")}
        self.model = rows(db, "SELECT value FROM state WHERE key = 'model'")[0]["value"]
        portfolio = revision(config.companies, config.services)
        found = rows(db, "SELECT id, name, own_company, language FROM sources")
        self.marks = {row["id"]: _mark(portfolio, row) for row in found}
        self.own = {row["id"]: row["own_company"] for row in found}
        zipf = 1 / np.arange(1, len(SERVICES) + 1) ** 0.8
        self.service_shares = zipf / zipf.sum()
        self.moods = chance.normal(0.25, 0.35, (len(COMPANIES), len(SERVICES) + 1))
        self.words = [
            "".join(chance.choice(SYLLABLES, 3)).capitalize() + str(chance.choice(["er", "e", ""]))
            for _ in range(40_000)
        ]
        self.posts = self.mentions = 0

    def draw_services(self, posts: int) -> np.ndarray:
        """Indexes of one or two services a post, shape (posts, 2); −1: none, −2: the company."""
        drawn = self.chance.choice(len(SERVICES), (posts, 2), p=self.service_shares)
        single = (self.chance.random(posts) > 0.17) | (drawn[:, 0] == drawn[:, 1])
        drawn[self.chance.random(posts) < 0.08] = (WHOLE, NONE)
        drawn[single, 1] = NONE
        return drawn

    def write(self, days: np.ndarray, services: np.ndarray) -> None:
        n, chance = len(days), self.chance
        names = list(SOURCES)
        source = chance.choice(len(names), n, p=[share for _, share, _, _ in SOURCES.values()])
        company = chance.choice(len(COMPANIES), n, p=COMPANY_SHARES)
        author = (chance.pareto(0.9, n) * 40).astype(int) % 90_000
        seconds = chance.integers(5 * 3600, 21 * 3600, n)
        seconds = np.sort(seconds + days * 86400) - days * 86400  # in order within each day
        posts, mentions, scores, emotions, comments = [], [], [], [], []
        for i in range(n):
            name = names[source[i]]
            kind, _, stars, fixed = SOURCES[name]
            who = 0 if self.own[self.ids[name]] else int(company[i])
            language = fixed or ("en" if author[i] % 10 < 3 else "de")
            about = [None if one == WHOLE else int(one) for one in services[i] if one != NONE]
            self.posts += 1
            text, parts, first = "", [], 1
            for service in about:
                polarity = self._polarity(who, service, int(days[i]))
                said = self._said(language, COMPANIES[who], service, polarity)
                start = len(text)
                text += said
                parts.append((service, polarity, said, start))
                first = polarity
            day = self.today + timedelta(days=int(days[i]))
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
                seconds=int(seconds[i])
            )
            rating = None
            if chance.random() < stars:
                off = chance.random() < 0.06
                rating = float((1, 3, 5)[2 - first if off else first])
            copied = None
            if chance.random() < 0.03 and self.posts > 50:
                copied = self.posts - int(chance.integers(1, 50))
            at = moment.isoformat()
            posts.append((
                self.posts, self.ids[name], f"{self.posts:08}", f"https://x.example/{self.posts}",
                hashlib.sha256(b"%d %d" % (source[i], author[i])).hexdigest()[:16]
                if chance.random() < 0.93 else None,
                "", text, rating, at, day.isoformat(),
                (moment + timedelta(minutes=20)).isoformat(),
                hashlib.sha256(text.encode()).hexdigest(), language, self.marks[self.ids[name]],
                copied,
            ))  # fmt: skip
            if kind == "survey":
                asked = None if about[0] is None else about[0] + 1
                comments.append((self.posts, name, f"r{self.posts}", asked))
            for service, polarity, said, start in parts:
                self.mentions += 1
                told = "" if service is None else SERVICES[service]
                place = start + max(0, said.find(told or COMPANIES[who]))
                mentions.append((
                    self.mentions, self.posts, who + 1, None if service is None else service + 1,
                    json.dumps([[place, place + len(told or COMPANIES[who])]]), said.strip(),
                    self.model, at, day.isoformat(),
                ))  # fmt: skip
                scores.append(self._score(polarity, at))
                emotions.extend(self._emotions(polarity))
        self._insert(posts, mentions, scores, emotions, comments)

    def _polarity(self, who: int, service: int | None, day: int) -> int:
        mood = self.moods[who, -1 if service is None else service]
        mood += 0.15 * np.sin(day / 60 + who)
        if who == 0 and service == SERVICES.index(SOUR[0]) and day > -SOUR[1]:
            mood -= 0.9
        drawn = mood + self.chance.normal(0, 0.7)
        return 0 if drawn < -0.25 else 2 if drawn > 0.3 else 1

    def _said(self, language: str, company: str, service: int | None, polarity: int) -> str:
        pick = self.chance.integers
        opening = OPENINGS[language][pick(len(OPENINGS[language]))]
        name = ("Beratung" if language == "de" else "advice") if service is None else (
            SERVICES[service])  # fmt: skip
        said = SAID[language][polarity]
        parts = [opening.format(company=company, service=name), said[pick(len(said))]]
        if pick(2):
            parts.append(said[pick(len(said))])
        place = self.words[int(40_000 * self.chance.random() ** 3)]
        parts.append(f"{'Aus' if language == 'de' else 'From'} {place}.")
        return " ".join(parts) + "\n"

    def _score(self, polarity: int, at: str) -> tuple[Any, ...]:
        top = 0.5 + 0.48 * self.chance.random()
        rest = (1 - top) * self.chance.random()
        p = [0.0, 0.0, 0.0]
        p[polarity] = top
        p[(polarity + 1) % 3], p[(polarity + 2) % 3] = rest, 1 - top - rest
        label = ("negative", "neutral", "positive")[polarity]
        return (self.mentions, self.model, label, *p, p[2] - p[0], at)

    def _emotions(self, polarity: int) -> Iterator[tuple[Any, ...]]:
        drawn, level = self.chance.random(6), self.chance.random(6)
        for place, emotion in enumerate(EKMAN):
            present = drawn[place] < EMOTIONS[emotion][polarity]
            value = 0.5 + 0.5 * level[place] if present else 0.49 * level[place]
            yield self.mentions, self.model, emotion, float(value)

    def _insert(self, posts: list, mentions: list, scores: list, emotions: list, comments: list
                ) -> None:  # fmt: skip
        insert = self.db.conn.executemany
        insert("INSERT INTO posts (id, source_id, external_id, url, author, title, text, rating, "
               "posted_at, day, collected_at, content_hash, language, matched_by, duplicate_of) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", posts)  # fmt: skip
        insert("INSERT INTO mentions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", mentions)
        insert("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)", scores)
        insert("INSERT INTO emotions VALUES (?, ?, ?, ?)", emotions)
        insert("INSERT INTO survey_comments VALUES (?, ?, ?, ?)", comments)


def write_surveys(db: Database, chance: np.random.Generator, today: date) -> None:
    """Sheets of three answers from clients of class A, B or C, a sixth of them asked twice."""
    ago = np.sort(-chance.integers(0, DAYS, SHEETS))
    service = chance.choice(len(SERVICES), SHEETS)
    segment = chance.choice(3, SHEETS, p=[0.2, 0.35, 0.45])
    mood = chance.normal(0.5, 0.4, SHEETS) + np.array([0.15, 0.05, -0.1])[segment]
    person = chance.integers(0, 60_000, SHEETS)
    answers = []
    for i in range(SHEETS):
        day = (today + timedelta(days=int(ago[i]))).isoformat()
        who = hashlib.sha256(b"p%d" % person[i]).hexdigest()[:16]
        for metric, low, high in (("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7)):
            middle, half = (low + high) / 2, (high - low) / 2
            value = round(min(high, max(low, middle + half * mood[i] + chance.normal(0, 0.6))))
            answers.append(("Befragung", f"{i}", f"s{i}", who, int(service[i]) + 1,
                            "ABC"[segment[i]], metric, float(value), float(low), float(high),
                            f"{day}T12:00:00+00:00", day))  # fmt: skip
    db.conn.executemany(
        "INSERT INTO survey_responses (survey, external_id, response, respondent, service_id, "
        "segment, metric, value, scale_low, scale_high, answered_at, day) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        answers,
    )


_PRESENT = ", ".join(f"sum({emotion} >= 0.5)" for emotion in EKMAN)
_MEANS = ", ".join(f"avg({emotion}) AS {emotion}" for emotion in EKMAN)
_PIVOT = ", ".join(
    f"max(probability) FILTER (WHERE emotion = '{emotion}') AS {emotion}" for emotion in EKMAN
)
_CELL = "company_id, service, source_id, day"
DAILY = f"""
WITH felt AS MATERIALIZED (SELECT mention_id, {_PIVOT} FROM emotions GROUP BY mention_id),
voices AS (
    SELECT {_CELL.replace("service,", "ifnull(service_id, 0) AS service,")}, m.id,
        ifnull(p.author, '#' || m.id) AS voice, p.duplicate_of IS NOT NULL AS is_copy,
        first_value(ifnull(p.language, 'und')) OVER (
            PARTITION BY company_id, service_id, source_id, day, ifnull(p.author, '#' || m.id)
            ORDER BY p.duplicate_of IS NOT NULL, p.posted_at, p.external_id) AS language
    FROM mentions m JOIN posts p ON p.id = m.post_id
),
raw AS (
    SELECT {_CELL}, language, count(*) AS raw_mentions, sum(NOT is_copy) AS mentions
    FROM voices GROUP BY {_CELL}, language
),
votes AS (
    SELECT {_CELL}, language, voice, avg(negative) AS negative, avg(neutral) AS neutral,
        avg(positive) AS positive, avg(valence) AS valence, {_MEANS}
    FROM voices JOIN scores k ON k.mention_id = id JOIN felt ON felt.mention_id = id
    WHERE NOT is_copy GROUP BY {_CELL}, language, voice
),
counted AS (
    SELECT {_CELL}, language, count(*) AS authors,
        sum(positive > negative AND positive > neutral) AS positive,
        sum(neutral > negative AND neutral >= positive) AS neutral,
        sum(negative >= neutral AND negative >= positive) AS negative,
        sum(valence) AS valence, {_PRESENT.replace(")", ") AS {}", 6)}
    FROM votes GROUP BY {_CELL}, language
)
INSERT INTO daily_sentiment
SELECT company_id, nullif(service, 0), source_id, language, day, raw_mentions, mentions,
    ifnull(authors, 0), ifnull(positive, 0), ifnull(neutral, 0), ifnull(negative, 0),
    ifnull(valence, 0.0), {", ".join(f"ifnull({emotion}, 0)" for emotion in EKMAN)}
FROM raw LEFT JOIN counted USING ({_CELL}, language)
ORDER BY day
""".format(*EKMAN)


FILL = re.compile(
    r"^(INSERT INTO (period_sentiment$|stale_survey_days SELECT)|UPDATE sources SET posts)",
    re.MULTILINE,
)


def write_sums(db: Database) -> None:
    """What the triggers would have kept: by the statements that bring up an old database."""
    for script in ("reading.sql", "survey_sums.sql"):
        sql = (Path(schema.__file__).parent / script).read_text("utf-8")
        for statement in filter(FILL.search, _statements(sql)):
            db.execute(statement)


def compare_days(db: Database, chance: np.random.Generator, cells: int = 300) -> None:
    """The real roll-up makes the same of a sample of cells."""
    key = "company_id, ifnull(service_id, 0), source_id, day"
    some = chance.choice(count(db, "SELECT max(rowid) FROM daily_sentiment"), cells, replace=False)
    marks = ", ".join(str(int(rowid) + 1) for rowid in some)
    db.execute(f"INSERT OR IGNORE INTO stale_days SELECT {key} FROM daily_sentiment "
               f"WHERE rowid IN ({marks})")  # fmt: skip
    sql = f"SELECT * FROM daily_sentiment WHERE ({key}) IN ({{}}) ORDER BY {key}, language"
    wanted = [tuple(row.values()) for row in rows(db, "SELECT * FROM stale_days")]
    given = ", ".join(str(cell) for cell in wanted)
    before = rows(db, sql.format(f"VALUES {given}"))
    rollup(db)
    after = rows(db, sql.format(f"VALUES {given}"))
    assert len(before) == len(after) >= cells
    for one, two in zip(before, after, strict=True):
        assert abs(one.pop("valence") - two.pop("valence")) < 1e-9, (one, two)
        assert one == two


def timed(what: str, work: Any) -> None:
    started = time.perf_counter()
    work()
    print(f"{what}: {time.perf_counter() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
