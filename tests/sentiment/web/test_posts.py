"""The explorer: filters, order, pages, and what is exported."""

import csv
import io
import re
from urllib.parse import quote

import pytest

from sentiment.database import count
from sentiment.rollup import rollup
from sentiment.web import explore
from sentiment.web.pages import posts as explorer
from tests.sentiment.web.conftest import say, tell

MENTION = re.compile(r'href="/label\?mention=(\d+)&')


def mentions(answer):
    """The ids of the mentions on a page, in their order."""
    return [int(number) for number in MENTION.findall(answer.text)]


def walk(visitor, path):
    """All mentions from page to page."""
    found = []
    while path:
        answer = visitor.get(path)
        assert answer.status_code == 200
        found += mentions(answer)
        following = re.search(r'<a href="([^"]+)" rel="next"', answer.text)
        path = following and following[1].replace("&amp;", "&")
    return found


@pytest.fixture
def many(config, db):
    """Posts on both services, some at the same second, of three polarities."""
    words = ("gut", "schlecht", "da")
    tell(
        config,
        db,
        [
            say(
                n,
                f"Kanzlei Ahornhof: die {('Steuerberatung', 'Kündigungsschutzklage')[n % 2]} "
                f"ist {words[n % 3]}. Nummer {n} von {n * 7}",
                days=n // 4 * 0.3,
                rating=float(n % 5 + 1),
            )
            for n in range(90)
        ],
    )
    db.execute("UPDATE posts SET language = NULL WHERE id % 9 = 0")  # not detectable
    rollup(db)
    return count(db, "SELECT count(*) FROM scored_mentions")


@pytest.mark.parametrize("order", ["newest", "telling"])
@pytest.mark.parametrize("few", [5_000, 0])
def test_every_mention_is_on_exactly_one_page(visitor, many, db, monkeypatch, order, few):
    """Page after page, nothing is left out and nothing comes twice, whichever table is walked."""
    monkeypatch.setattr(explore, "FEW", few)
    found = walk(visitor, f"/posts?order={order}&company=*&period=90d")
    assert len(found) == many == len(set(found)) > 3 * explorer.PAGE
    by = "posted_at" if order == "newest" else "abs(valence)"
    rows = db.execute(f"SELECT mention_id FROM scored_mentions ORDER BY {by} DESC, mention_id DESC")
    assert found == [number for (number,) in rows]


@pytest.mark.parametrize("few", [5_000, 0])
@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("service=Arbeitsrecht", "service = 'Arbeitsrecht'"),
        ("service=-&company=*", "service IS NULL"),
        ("polarity=negative&order=telling", "polarity = 'negative'"),
        ("emotion=joy", "joy >= 0.5"),
        ("stars=4", "rating = 4"),
        ("source=reviews&service=Steuerberatung", "service = 'Steuerberatung'"),
        ("source=forum", "0"),
        ("language=de", "language = 'de'"),
        ("language=und", "language IS NULL"),
        ("from=2026-01-01&to=2026-01-31", "0"),
        ("words=nummer", "1"),
        ("words=NUMMER+17", "snippet LIKE '%Nummer 17 %' OR snippet LIKE '%von 17'"),
        ("words=k%C3%BCndigungs*+schlecht", "service = 'Arbeitsrecht' AND polarity = 'negative'"),
        ('words="ist+gut"&service=Steuerberatung', "service = 'Steuerberatung' AND joy > 0.5"),
        ("words=„gut+ist“", "0"),
    ],
)
def test_filters_leave_what_they_say(visitor, many, db, monkeypatch, query, where, few):
    """Each filter shows the mentions that plain SQL finds, whichever table is walked."""
    monkeypatch.setattr(explore, "FEW", few)
    period = "" if "from=" in query else "&period=90d"
    found = walk(visitor, f"/posts?{query}{period}")
    rows = db.execute(f"SELECT mention_id FROM scored_mentions WHERE {where}")
    assert sorted(found) == sorted(number for (number,) in rows)


def test_the_queries_behind_the_links_have_the_same_rows(visitor, many):
    """JSON by Datasette, and our CSV, hold what the explorer shows."""
    query = "service=Steuerberatung&polarity=positive&words=ist+gu*&stars=3&period=90d"
    shown = walk(visitor, f"/posts?{query}")
    assert shown
    page = visitor.get(f"/posts?{query}").text
    json = re.search(r'href="(/sentiment/scored_mentions.json[^"]+)"', page)[1]
    rows = visitor.get(json.replace("&amp;", "&")).json()["rows"]
    assert [row["mention_id"] for row in rows] == shown
    download = visitor.get(f"/posts.csv?{query}")
    assert download.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(download.text.removeprefix("\ufeff"))))
    assert [int(line["mention_id"]) for line in lines] == shown


def test_csv_goes_on_where_a_chunk_ends(visitor, many, monkeypatch):
    """However many rows: read in chunks, each once."""
    monkeypatch.setattr(explorer, "CHUNK", 7)
    text = visitor.get("/posts.csv?company=*&period=90d").text
    numbers = [line["mention_id"] for line in csv.DictReader(io.StringIO(text[1:]))]
    assert len(numbers) == len(set(numbers)) == many


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("service=Minnerecht", "no service “Minnerecht”"),
        ("company=Nobody", "no company “Nobody”"),
        ("polarity=good", "no polarity “good”"),
        ("emotion=envy", "no emotion “envy”"),
        ("stars=6", "not a number of stars"),
        ("order=random", "no order “random”"),
        ("after=yesterday", "not a place"),
        ("after=1~2;DROP", "not a place"),
        ("after=..~2&order=telling", "not a place"),
        ("words=!!!", "cannot be searched for"),
        ("words=" + "a" * 201, "cannot be searched for"),
        ("source=x", "no source “x”"),
        ("from=2026-02-30", "not"),
    ],
)
@pytest.mark.parametrize("path", ["/posts", "/posts.csv"])
def test_a_mistake_in_the_address_is_told(visitor, path, query, said):
    """Status 400 and a sentence, never a trace."""
    answer = visitor.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert said in answer.text


@pytest.mark.parametrize("words", ['"', "*", 'a" OR "b', "NEAR(a b)", "text:a", "a AND NOT b",
                                   "^a", "-a", "a*b", "'; --", "\x00a", "👍a", "{a b}: c"])  # fmt: skip
def test_a_search_is_words_and_never_an_expression(visitor, many, words):
    """Whatever is typed is looked for, or refused in words."""
    assert visitor.get(f"/posts?words={quote(words)}").status_code in (200, 400)


def test_a_search_that_takes_too_long_says_what_helps(visitor, many, monkeypatch):
    """The time for a page is limited."""
    monkeypatch.setattr(explore, "PATIENCE", 0)
    monkeypatch.setattr(explore, "sqlite_timelimit", lambda conn, _: explore_limit(conn))
    answer = visitor.get("/posts?order=telling&company=*&period=90d")
    assert answer.status_code == 400
    assert "shorter period" in answer.text


class explore_limit:  # noqa: N801
    """A limit that is reached at the first look."""

    def __init__(self, conn):
        self.conn = conn

    def __enter__(self):
        self.conn.set_progress_handler(lambda: 1, 1)

    def __exit__(self, *_):
        self.conn.set_progress_handler(None, 1)


def test_without_posts_the_explorer_says_so(visitor):
    """A new database: nothing to show yet, and why."""
    assert "No posts yet" in visitor.said("/posts")


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil\u202c \x00 "
    "Kanzlei Ahornhof Steuerberatung schlecht {{ 7*7 }}"
)


def test_hostile_posts_are_shown_as_text(visitor, config, db):
    """Tags are escaped, characters that turn the direction are gone, and links are http only."""
    tell(config, db, [say(1, HOSTILE, url="javascript:alert(3)"),
                      say(2, "=HYPERLINK(A1) Steuerberatung " + "x" * 300, url='https://a.example/"x')])  # fmt: skip
    number = count(db, "SELECT post_id FROM scored_mentions WHERE polarity = 'negative'")
    for path in ("/posts", "/posts?order=telling", f"/post?id={number}"):
        text = visitor.get(path).text
        assert "<script>alert" not in text
        assert "onerror=alert(2)>" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert "javascript:" not in text
        assert "\u202e" not in text
        assert "{{ 7*7 }}" in text


def test_cells_that_would_be_formulas_are_text_in_every_csv(visitor, config, db):
    """Ours and Datasette's, of tables and of queries; numbers stay numbers."""
    starts = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", '=1,"2\n3"')
    for n in range(len(starts)):
        tell(config, db, [say(n, f"Steuerberatung {n}")])
    for n, start in enumerate(starts):
        db.execute("UPDATE mentions SET snippet = ? WHERE post_id = ?", [start, n + 1])
    sql = quote("SELECT snippet, valence FROM scored_mentions ORDER BY post_id")
    for path in (
        "/posts.csv?period=90d",
        "/sentiment/scored_mentions.csv?_size=max",
        "/sentiment/scored_mentions.csv?_size=max&_dl=1",
        "/sentiment/scored_mentions.csv?_stream=1",
        f"/sentiment.csv?sql={sql}",
    ):
        text = visitor.get(path).text.removeprefix("\ufeff")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert sorted(row["snippet"] for row in rows) == sorted(f"'{start}" for start in starts)
        assert all(float(row["valence"]) == 0 or row["valence"][0] != "'" for row in rows)


def test_a_post_shows_all_that_it_means(visitor, config, db):
    """Each mention with its scores, earlier ones too; copies point to each other."""
    text = "Kanzlei Ahornhof: Steuerberatung gut, von der Kündigungsschutzklage aber: schlecht, "
    text += "wirklich schlecht beraten worden und nie wieder dort, das sage ich allen Bekannten."
    tell(config, db, [say(1, text, rating=2.0), say(2, text, days=0.5)])
    db.execute("INSERT INTO scores SELECT mention_id, 'old@0', 'neutral', 0.1, 0.8, 0.1, 0.0, "
               "'2026-01-01T00:00:00+00:00' FROM scores")  # fmt: skip
    said = visitor.said("/post?id=1")
    assert "2 of 5 stars" in said
    assert said.count("counts now") == said.count("old@0") == 2
    assert 'href="/post?id=2"' in visitor.get("/post?id=1").text
    assert "the first one, which counts" in visitor.said("/post?id=2")


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "1' OR 1", "9" * 30, "٣"])
def test_a_post_that_is_not_there_is_not_found(visitor, number):
    """404 and a sentence."""
    answer = visitor.get(f"/post?id={quote(number)}")
    assert answer.status_code == 404
    assert "There is no such post." in answer.text
