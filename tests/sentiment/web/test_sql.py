"""What SQL in the browser cannot do: write, look elsewhere, or keep the server busy."""

import asyncio
import re
import time
from urllib.parse import quote

import pytest

from sentiment import database
from sentiment.web import metadata, readers
from tests.sentiment.firm import post
from tests.sentiment.web.asking import filled, firm, served, users

LIMIT = 1.0  # seconds, here; Datasette's own is in metadata.SETTINGS
MANY = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
A = "replace(hex(zeroblob(140000)), '0', 'a')"  # a long text


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    config = firm(folder)
    filled(config, *(post(str(n), f"Kanzlei Ahornhof {n}: Arbeitsrecht gut") for n in range(40)))
    with database.open_database(config) as db:
        db.execute('UPDATE sources SET cursor = \'{"next": "page token"}\'')
        db.execute("INSERT INTO forgotten VALUES ('a mark')")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    before = metadata.SETTINGS["sql_time_limit_ms"]
    metadata.SETTINGS["sql_time_limit_ms"] = int(1000 * LIMIT)
    yield served(folder, web={"users": users("anna")})
    metadata.SETTINGS["sql_time_limit_ms"] = before


@pytest.fixture
def ask(server):
    """The answer to SQL as JSON: rows, or what is wrong with it."""

    def ask(sql):
        answer = server.get(f"/sentiment.json?_shape=objects&sql={quote(sql)}").json()
        return answer["error"] if answer.get("error") else answer["rows"]

    return ask


def test_what_is_allowed_works(ask):
    """Views, searches, window functions, JSON: what queries are made of."""
    assert ask("SELECT count(*) AS n FROM scored_mentions")[0]["n"] == 40
    found = ask("SELECT snippet(posts_fts, 0, '[', ']', '', 3) AS s FROM posts_fts "
                "WHERE posts_fts MATCH 'arbeitsrecht' ORDER BY bm25(posts_fts) LIMIT 1")  # fmt: skip
    assert "[Arbeitsrecht]" in found[0]["s"]
    assert ask("SELECT sum(value) AS s FROM json_each('[1, 2]')") == [{"s": 3}]
    assert ask("SELECT trim('  a ') AS a, trim('xay', 'xy') AS b, ltrim(NULL, 'x') AS c") == [
        {"a": "a", "b": "a", "c": None}
    ]
    assert len(ask("SELECT name FROM pragma_table_info('posts')")) > 10
    many = ",".join(map(str, range(5000)))
    assert ask(f"SELECT count(*) AS n FROM posts WHERE id IN ({many})") == [{"n": 40}]
    assert ask("SELECT row_number() OVER (ORDER BY id) AS r FROM posts LIMIT 1") == [{"r": 1}]


@pytest.mark.parametrize(("language", "shown"), [("de", "0,6667"), ("en", "0.6667")])
def test_numbers_are_written_as_the_language_writes_them(server, language, shown):
    """On the page; what is exported is for programs."""
    asked = f"sql={quote('SELECT 2 / 3.0 AS share, 1.5 AS half, 7 AS n')}"
    found = server.get(f"/sentiment?{asked}", accept_language=language).text
    cells = re.findall(r'<td class="type-(\w+)"[^>]*><div class="cell">(.*?)</div>', found)
    half = "1,5" if language == "de" else "1.5"
    assert cells == [("float", shown), ("float", half), ("int", "7")]
    assert "0.6666666666666666,1.5,7" in server.get(f"/sentiment.csv?{asked}").text
    valence = r'class="type-float"><div class="cell">(-?\d[.,]\d+)</div>'
    rows = server.get("/sentiment/scored_mentions", accept_language=language).text
    assert {value.lstrip("-")[1] for value in re.findall(valence, rows)} == {shown[1]}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO erasures VALUES (1, NULL, 'x', 1, 'x')",
        "UPDATE posts SET text = ''",
        "DELETE FROM posts",
        "DROP TABLE posts",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "WITH x AS (SELECT 1) DELETE FROM posts",
        "WITH x AS (SELECT 1) INSERT INTO gold_labels SELECT * FROM gold_labels",
        "WITH x AS (SELECT 1) UPDATE posts SET text = '' RETURNING *",
        "EXPLAIN DELETE FROM posts",
        "SELECT 1; DELETE FROM posts",
        "-- harmless\nDELETE FROM posts",
        "/* SELECT */ DELETE FROM posts",
        "REPLACE INTO state VALUES ('model', 'x')",
        "VACUUM",
        "VACUUM INTO 'copy.db'",
        "REINDEX",
        "ANALYZE",
        "BEGIN IMMEDIATE",
        "SAVEPOINT x",
        "ATTACH 'other.db' AS other",
        "ATTACH ':memory:' AS other",
        "SELECT load_extension('x')",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA hard_heap_limit = 0",
        "SELECT * FROM pragma_journal_mode('DELETE')",
        "SELECT * FROM pragma_hard_heap_limit(0)",
        "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')",
        "SELECT * FROM pragma_optimize",
        "SELECT * FROM pragma_integrity_check",
        "INSERT INTO posts_fts (posts_fts) VALUES ('delete-all')",
        "SELECT fts3_tokenizer('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('x', 'y')",
    ],
)
def test_sql_reads_and_does_nothing_else(ask, folder, sql):
    """Whatever it is disguised as; nothing is changed, no file comes into being."""
    files = {file.name for file in folder.iterdir()}
    assert isinstance(ask(sql), str)
    with database.open_database(firm(folder)) as db:
        assert database.count(db, "SELECT count(*) FROM posts") == 40
        assert database.count(db, "SELECT count(*) FROM posts WHERE text <> ''") == 40
        assert database.count(db, "SELECT count(*) FROM erasures") == 0
    assert {file.name for file in folder.iterdir()} <= files | {
        "sentiment.db-wal",
        "sentiment.db-shm",
    }


def test_an_address_writes_nothing_either(server):
    """Datasette's pages of tables and rows take no forms."""
    for path in ("/sentiment", "/sentiment/posts", "/sentiment/posts/1", "/sentiment/mood"):
        answer = server.post(path, {"sql": "DELETE FROM posts", "_method": "DELETE"})
        assert answer.status_code == 405, path


@pytest.mark.parametrize(
    "sql",
    [
        f"{MANY} SELECT count(*) FROM c",
        f"{MANY} SELECT x FROM c WHERE x < 0",
        f"{MANY} SELECT x FROM c ORDER BY x DESC",
        f"{MANY} SELECT max(randomblob(100000)) FROM c",
        f"{MANY} SELECT x FROM c WHERE 'a' || x LIKE '%b%b%b%'",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c) SELECT max(x) FROM c",
        "SELECT count(*) FROM posts a, posts b, posts c, posts d, posts e, posts f, posts g",
        "SELECT count(*) FROM " + ", ".join(f"scored_mentions {name}" for name in "abcde"),
        "SELECT a.id FROM posts a, posts b, posts c, posts d, posts e, posts f ORDER BY random()",
        "SELECT count(DISTINCT a.id || b.id || c.id || d.id) FROM posts a, posts b, posts c, posts d",
        f"SELECT group_concat(x) FROM ({MANY} SELECT x FROM c WHERE x < 0)",
    ],
)  # fmt: skip
def test_sql_that_takes_long_is_cut_off(ask, server, sql):
    """At the limit, with a sentence; and meanwhile others get their pages."""

    async def both():
        began = time.perf_counter()
        path = f"/sentiment.json?_shape=objects&sql={quote(sql)}"
        many = [asyncio.create_task(server.asks("GET", path)) for _ in range(3)]
        await asyncio.sleep(0.2)
        assert not any(task.done() for task in many)
        page = await server.asks("GET", "/")
        assert page.status_code == 200
        assert not all(task.done() for task in many)
        cut = [await task for task in many]
        return cut, time.perf_counter() - began

    cut, lasted = asyncio.run(both())
    assert {answer.status_code for answer in cut} == {400}
    assert all("dauert zu lange" in answer.json()["error"] for answer in cut)
    assert lasted < 20 * LIMIT  # this machine may be busy


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT zeroblob(1000000000)",
        "SELECT hex(zeroblob(1000000000))",
        "SELECT hex(randomblob(1000000000))",
        "SELECT replace(hex(zeroblob(140000)), '0', 'aaaaaaaaaaaaaaaaaaaa')",
        f"{MANY} SELECT group_concat(x) FROM c",
        f"{MANY} SELECT json_group_array(x) FROM c",
        f"{MANY} SELECT zeroblob(250000) FROM c",
        f"{MANY} SELECT {A} FROM c",
        "SELECT 1 AS " + "x" * 60_000,
        f"SELECT {A} LIKE '%' || substr({A}, 1, 2000) || 'b'",
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT 1" + " UNION ALL SELECT 1" * 600,
        "SELECT count(*) FROM " + ", ".join(f"posts p{n}" for n in range(70)),
        "WITH " + ", ".join(
            ["a0 AS (SELECT 1 AS x)"]
            + [f"a{n} AS (SELECT count(*) AS x FROM a{n - 1} p, a{n - 1} q)" for n in range(1, 40)]
        ) + " SELECT * FROM a39",
    ],
)  # fmt: skip
def test_sql_that_takes_much_is_refused(ask, sql):
    """Memory, long values, long statements: a sentence, and soon."""
    began = time.perf_counter()
    assert isinstance(ask(sql), str)
    assert time.perf_counter() - began < 20 * LIMIT


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT instr({A}, substr({A}, 1, 140000) || 'b') AS n",
        f"SELECT length(replace({A}, substr({A}, 1, 140000) || 'b', 'c')) AS n",
        f"SELECT {A} LIKE '%' || substr({A}, 1, 490) || 'b' AS n",
        f"SELECT {A} GLOB '*' || replace(hex(zeroblob(70)), '00', '[a]') || 'b' AS n",
        f"SELECT trim({A}, replace(hex(zeroblob(70000)), '0', 'c') || 'a') AS n",
        "SELECT printf('%.*c', 100000000, 'x') AS n",
    ],
)
def test_what_cannot_be_interrupted_ends_soon(ask, sql):
    """A search of a text in a text is one step for SQLite: only short texts keep it short."""
    began = time.perf_counter()
    assert len(ask(sql)) == 1
    assert time.perf_counter() - began < 20 * LIMIT


def test_an_answer_has_an_end(ask, server):
    """As many rows as Datasette gives, and not more than so many bytes in them."""
    assert len(ask(f"{MANY} SELECT x FROM c LIMIT 100000")) == 1000
    assert ask("SELECT 1 AS x") == [{"x": 1}]
    said = ask(f"{MANY} SELECT x, zeroblob(100000) FROM c LIMIT 500")
    assert "too large" in said
    assert len(server.get(f"/sentiment.csv?sql={quote(f'{MANY} SELECT x FROM c')}").text) < 10_000


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT cursor FROM sources",
        "SELECT * FROM sources",
        "SELECT s.cursor || '' FROM sources AS s",
        "SELECT group_concat(cursor) FROM sources",
        "SELECT name FROM sources WHERE cursor LIKE '%token%'",
        "WITH source_health AS (SELECT cursor FROM sources) SELECT * FROM source_health",
        "SELECT mark FROM forgotten",
        "SELECT * FROM forgotten WHERE mark LIKE 'a%'",
    ],
)
def test_what_the_worker_alone_needs_is_not_shown(ask, sql):
    """Where adapters stand, and marks of what was erased, however one asks."""
    found = str(ask(sql))
    assert "token" not in found
    assert "a mark" not in found
    assert "forum" not in found or "SELECT * FROM sources" in sql


def test_tables_do_not_show_it_either(server):
    """Pages of tables and rows, facets and filters, as JSON and CSV."""
    for path in ("sources", "sources.json", "sources.csv", "sources/1", "sources/1.json",
                 "sources?_facet=cursor", "sources.json?cursor__contains=token", "forgotten",
                 "forgotten.json?_facet=mark"):  # fmt: skip
        answer = server.get(f"/sentiment/{path}")
        assert answer.status_code == 200, path
        assert "page token" not in answer.text, path
        assert "a mark" not in answer.text, path


def test_no_secret_of_the_configuration_is_in_the_database(tmp_path):
    """Keys, tokens, passwords and receivers' addresses stay in config.toml and its files."""
    secrets = ["s3cret-key", "s3cret-id", "s3cret-hook", "s3cret-pseudonym"]
    config = firm(
        tmp_path,
        sources=[{"name": "r", "kind": "reddit", "subreddits": ["a"], "username": "firm",
                  "client_id": secrets[1], "client_secret": secrets[0]}],
        receivers=[{"name": "hook", "url": f"json://user:{secrets[2]}@localhost/{secrets[2]}"}],
        privacy={"pseudonym_key": secrets[3]},
    )  # fmt: skip
    filled(config, post("1", "Kanzlei Ahornhof: Arbeitsrecht gut", author="Erika"))
    with database.open_database(config) as db:
        whole = "\n".join(db.conn.iterdump())
    assert [secret for secret in [*secrets, "Erika", "argon2"] if secret in whole] == []


def test_our_own_pages_are_not_limited(folder):
    """They read with other connections, which still cannot write."""
    own = readers.Readers(firm(folder).database_path)

    def look(conn):
        (cursor,) = conn.execute("SELECT cursor FROM sources LIMIT 1").fetchone()
        with pytest.raises(readers.sqlite3.OperationalError, match="readonly"):
            conn.execute("DELETE FROM posts")
        return cursor

    assert "token" in asyncio.run(own.read(look))
