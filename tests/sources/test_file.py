"""The laws of the drop folder."""

from __future__ import annotations

import contextlib
import json
import os
import time
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sources import tables
from sources.base import Context, Post, SourceError
from sources.file import FileDrop, read_file

if TYPE_CHECKING:
    from pathlib import Path

DROP = "drop"
HEADER = "text;datum;sterne;autor;link;id\n"


def drop(context: Context, name: str, content: bytes | str, *, age: float = 60) -> Path:
    """A file in the drop folder that was last changed `age` seconds ago."""
    path = context.folder / DROP / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def read(context: Context, cursor=None, **options):
    return list(FileDrop(FileDrop.Settings(path=DROP, **options), context).pages(cursor))


def posts(context: Context, **options) -> list[Post]:
    return [post for page in read(context, **options) for post in page.posts]


def texts(pages) -> list[str]:
    return [post.text for page in pages for post in page.posts]


def problems(pages) -> list[str]:
    return [problem for page in pages for problem in page.problems]


def book(path: Path, *rows) -> None:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    made.close()


def test_a_row_becomes_a_post(context):
    """Words, stars, time in UTC, name and link as the export has them."""
    drop(
        context, "a.csv", HEADER + "Sehr gut;24.12.2025 18:30;4,5;Eva K.;https://example.com/1;7\n"
    )
    assert posts(context) == [
        Post(
            external_id="7",
            text="Sehr gut",
            posted_at=datetime(2025, 12, 24, 17, 30, tzinfo=UTC),
            title="",
            url="https://example.com/1",
            author="Eva K.",
            rating=4.5,
        )
    ]


def test_all_three_kinds_say_the_same(context):
    """CSV, JSONL and XLSX give the same post, id included."""
    drop(context, "a.csv", "Datum,Kommentar,Bewertung,Autor\n2025-12-24 18:30,Gut,5,Eva\n")
    drop(
        context,
        "b.jsonl",
        json.dumps({"date": "24.12.2025, 18:30 Uhr", "text": "Gut", "stars": 5, "author": "Eva"}),
    )
    folder = context.folder / DROP
    book(
        folder / "c.xlsx",
        ["Name", "Zeitpunkt", "Review", "Sterne"],
        ["Eva", datetime(2025, 12, 24, 18, 30), "Gut", 5],  # noqa: DTZ001 (as Excel has it)
    )
    assert len(set(posts(context))) == 1
    assert len(posts(context)) == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
def test_delimiter_and_encoding_are_recognised(context, delimiter, encoding):
    """As Excel and portals write them; a delimiter within quotes does not count."""
    row = (
        f'{delimiter.join(["text", "autor"])}\n"Grüße, viele; ""|""\t\nund mehr"{delimiter}Jürgen\n'
    )
    drop(context, "a.csv", row.encode(encoding))
    (post,) = posts(context)
    assert (post.text, post.author) == ('Grüße, viele; "|"\nund mehr', "Jürgen")


def test_settings_overrule_what_is_recognised(context):
    """Columns, delimiter, encoding and date format can be said."""
    drop(context, "a.csv", "Was#Wann\nÜbel#12/24/2025\n".encode("cp850"))
    (post,) = posts(
        context, columns={"text": "was", "date": "Wann"}, delimiter="#", encoding="cp850",
        date_format="%m/%d/%Y", timezone="UTC",
    )  # fmt: skip
    assert (post.text, post.posted_at) == ("Übel", datetime(2025, 12, 24, tzinfo=UTC))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("24.12.2025", "2025-12-23T23:00"), ("24.12.25", "2025-12-23T23:00"),
        ("1.7.2025 9:05", "2025-07-01T07:05"), ("24.12.2025 18:30:15", "2025-12-24T17:30:15"),
        ("24.12.2025 um 18:30 Uhr", "2025-12-24T17:30"), ("24. Dezember 2025", "2025-12-23T23:00"),
        ("24 Dec 2025, 18:30", "2025-12-24T17:30"), ("December 24, 2025", "2025-12-23T23:00"),
        ("3. März 2025", "2025-03-02T23:00"), ("2025-12-24", "2025-12-23T23:00"),
        ("2025/12/24 18:30", "2025-12-24T17:30"), ("2025-12-24T18:30:00Z", "2025-12-24T18:30"),
        ("2025-12-24T18:30:00+05:00", "2025-12-24T13:30"), ("20251224", "2025-12-23T23:00"),
        ("Wed, 24 Dec 2025 18:30:00 +0000", "2025-12-24T18:30"), ("46015", "2025-12-23T23:00"),
        ("46015.5", "2025-12-24T11:00"), ("1766601000", "2025-12-24T18:30"),
        ("1766601000000", "2025-12-24T18:30"),
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(context, written, moment):
    """German, English, ISO, Excel and Unix; without a zone they are local."""
    drop(context, "a.csv", f'text,date\nGut,"{written}"\n')
    assert [post.posted_at for post in posts(context)] == [
        datetime.fromisoformat(moment).replace(tzinfo=UTC)
    ]


@pytest.mark.parametrize(
    "written", ["12/24/2025", "gestern", "31.02.2025", "24.12.2999", "5", "1e300", "9" * 500]
)
def test_a_date_that_cannot_be_read_is_a_problem(context, written):
    """A wrong date is worse than a missing post: the row is reported and left out."""
    drop(context, "a.csv", f"text;date\nGut;{written}\nAuch gut;1.2.2025\n")
    pages = read(context)
    assert texts(pages) == ["Auch gut"]
    assert problems(pages)[0].startswith("a.csv line 2: the date ")


@pytest.mark.parametrize("cell", ["", "-", "01.01.1900"])
def test_a_post_without_a_date_was_written_when_the_file_was(context, cell):
    """Empty or before 1990: the file's own time, the same on every reading."""
    path = drop(context, "a.csv", f"text;date\nGut;{cell}\n")
    assert posts(context)[0].posted_at == datetime.fromtimestamp(path.stat().st_mtime, UTC)


@pytest.mark.parametrize(
    ("written", "rating"),
    [
        ("5", 5), ("4,5", 4.5), ("4.5", 4.5), ("3/5", 3), ("3 von 5 Sternen", 3), ("1 Stern", 1),
        ("4 out of 5 stars", 4), ("★★★☆☆", 3), ("⭐⭐", 2), ("", None), ("#N/A", None),
    ],
)  # fmt: skip
def test_stars_are_read_as_people_write_them(context, written, rating):
    """Decimal commas, "3 von 5", and stars themselves."""
    drop(context, "a.csv", f"text;sterne\nGut;{written}\n")
    (page,) = read(context)
    assert ([post.rating for post in page.posts], page.problems) == ([rating], [])


@pytest.mark.parametrize("written", ["0", "6", "10", "-1", "gut", "80 %", "nan", "8/10"])
def test_stars_beyond_five_are_a_problem(context, written):
    """The post counts, its rating does not."""
    drop(context, "a.csv", f"text;sterne\nGut;{written}\n")
    (page,) = read(context)
    assert [(post.text, post.rating) for post in page.posts] == [("Gut", None)]
    assert page.problems == [
        f'a.csv line 2: the rating "{written}" is not between 1 and 5; the post was taken without it'
    ]


def test_a_bad_row_is_reported_by_its_line(context):
    """File and line, counted as an editor does; the rest is taken."""
    drop(context, "a.csv", 'text;id\n"zwei\nZeilen";1\n;2\n\nGut;3;zu viel\nGut;4\n')
    drop(
        context,
        "b.jsonl",
        '{"text": "a"}\n{"text": \n[1]\n{"titel": ""}\n\n{"text": "b", "stars": 9}\n',
    )
    pages = read(context)
    assert texts(pages) == ["zwei\nZeilen", "Gut", "a", "b"]
    assert problems(pages) == [
        "a.csv line 4: no text",
        "a.csv line 6: 3 cells where the header has 2 (a quote or a delimiter too many?)",
        "b.jsonl line 2: not valid JSON",
        "b.jsonl line 3: not a JSON object",
        "b.jsonl line 4: no text",
        'b.jsonl line 6: the rating "9" is not between 1 and 5; the post was taken without it',
    ]


def test_many_problems_are_counted(context):
    """Twenty sentences are enough to see what is wrong."""
    drop(context, "a.csv", "text;id\n" + ";1\n" * 1500)
    told = problems(read(context))
    assert len(told) == 21
    assert told[-1] == "a.csv: 1480 more lines with problems"


def test_a_file_that_cannot_be_read_does_not_hide_the_others(context):
    """Each is named with what is wrong; the others are read, and it is tried again next time."""
    drop(context, "a.xlsx", b"PK\x03\x04 nonsense")
    drop(context, "b.csv", "foo;bar\n1;2\n")
    drop(context, "c.xlsx", b"half")
    drop(context, "d.csv", "text\nGut\n")
    drop(context, "e.xlsx", b"\xd0\xcf\x11\xe0 old Excel")
    pages = read(context)
    assert texts(pages) == ["Gut"]
    assert problems(pages) == [
        "a.xlsx: not an Excel file, or a damaged one",
        "b.csv: no column with texts; its columns are: foo, bar; set columns.text to one of them",
        "c.xlsx: not an Excel file, or not yet written to its end",
        "e.xlsx: an old or foreign spreadsheet format; save it as .xlsx or CSV",
    ]
    assert problems(read(context, pages[-1].cursor)) == problems(pages)


def test_a_configured_column_must_be_there(context):
    """A column that was named and is missing is a mistake, not an empty column."""
    drop(context, "a.csv", "text;b\nGut;1\n")
    (page,) = read(context, columns={"rating": "Sterne"})
    assert page.problems == [
        'a.csv: no column "Sterne"; its columns are: text, b; set columns.rating to one of them'
    ]


def test_a_file_is_read_once(context):
    """What was read is not read again, until it changes."""
    drop(context, "a.csv", "text\nEins\n")
    first = read(context)
    assert read(context, first[-1].cursor) == []
    drop(context, "a.csv", "text\nEins\nZwei\n")
    assert texts(read(context, first[-1].cursor)) == ["Eins", "Zwei"]


def test_other_settings_read_everything_again(context):
    """A column that is mapped later is filled in later."""
    drop(context, "a.csv", "text;wer\nEins;Eva\n")
    first = read(context)
    (page,) = read(context, first[-1].cursor, columns={"author": "wer"})
    assert page.posts[0].author == "Eva"


def test_a_longer_export_of_the_same_rows_keeps_their_ids(context):
    """Without an id column, the words, author, date and link are the id."""
    row = "Gut;1.2.2025;5;Eva;https://example.com/1;\n"
    drop(context, "a.csv", HEADER + row)
    drop(context, "b.csv", HEADER + "Neu;1.3.2025;1;Max;;\n" + row)
    ids = [post.external_id for post in posts(context)]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.xlsx"])
def test_a_killed_run_goes_on_where_it_stopped(context, name):
    """Each page's cursor goes on after its 500 rows: nothing is lost, nothing repeated."""
    rows = [f"Text {number}" for number in range(1234)]
    if name == "a.xlsx":
        book(drop(context, name, ""), ["text"], *([row] for row in rows))
    elif name == "a.csv":
        drop(context, name, "\n".join(["text", *rows]))
    else:
        drop(context, name, "\n".join(json.dumps({"text": row}) for row in rows))
    whole = read(context)
    assert [len(page.posts) for page in whole] == [500, 500, 234]
    assert texts(whole) == rows
    for number, page in enumerate(whole, start=1):
        cursor = json.loads(json.dumps(page.cursor))
        assert texts(read(context, cursor)) == texts(whole[number:])


@pytest.mark.parametrize(
    ("name", "half", "whole"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text": "b', '{"text": "a"}\n{"text": "bc"}\n'),
        ("a.jsonl", '{"text": "a"}\n{"text": "b"}', '{"text": "a"}\n{"text": "b"} \n'),
        ("a.csv", "text\na\nb", "text\na\nbc\n"),
        ("a.csv", 'text\na\n"b\n', 'text\na\n"bc"\n'),
    ],
)
def test_the_last_row_of_a_file_being_written_waits(context, name, half, whole):
    """A row that may be half a row is left for the next run; those before it are taken."""
    drop(context, name, half, age=0)
    first = read(context, settle=600)
    assert (texts(first), problems(first)) == (["a"], [])
    drop(context, name, whole)
    again = read(context, first[-1].cursor, settle=600)
    assert texts(again)[-1] in ("b", "bc")
    assert problems(again) == []


def test_a_last_row_that_stays_as_it_is_is_taken(context):
    """Many programs end a file without a line end: it counts once the file is left alone."""
    drop(context, "a.csv", "text\na\nb", age=0)
    held = read(context, settle=600)
    drop(context, "a.csv", "text\na\nb", age=700)
    assert texts(held) == ["a"]
    assert texts(read(context, held[-1].cursor, settle=600)) == ["a", "b"]
    drop(context, "b.csv", "text\nc", age=0)
    assert texts(read(context, pattern="b.csv", settle=0.05)) == ["c"]


def test_an_open_quote_is_reported(context):
    """A quote that is never closed swallows the rest; the sentence names its line."""
    drop(context, "a.csv", 'text;id\na;1\n"b;2\nc;3\n')
    pages = read(context)
    assert texts(pages) == ["a"]
    assert problems(pages) == ["a.csv line 3: a quote is opened and never closed"]


def test_a_huge_comment_is_cut_not_refused(context):
    """A megabyte in a cell is stored as far as posts go; NULs are dropped."""
    drop(context, "a.csv", 'text;id\n"' + "x" * 1_000_000 + '";1\n' + "a\0b;2\n")
    assert [len(post.text) for post in posts(context)] == [20_000, 2]


def test_a_cell_beyond_all_measure_is_a_problem(context, monkeypatch):
    """The rows after it are read."""
    monkeypatch.setattr(tables, "MAX_CELL", 1000)
    drop(context, "a.csv", "text;id\n" + "x" * 2000 + ";1\nGut;2\n")
    pages = read(context)
    assert texts(pages) == ["Gut"]
    assert "a.csv line 2: a cell of more than 1,000 characters" in problems(pages)[0]


def test_a_line_beyond_all_measure_is_cut(context, monkeypatch):
    """A file of one endless line does not fill the memory."""
    monkeypatch.setattr(tables, "MAX_LINE", 50)
    drop(context, "a.jsonl", json.dumps({"text": "x" * 500}) + '\n{"text": "Gut"}\n')
    pages = read(context)
    assert (texts(pages), problems(pages)) == (["Gut"], ["a.jsonl line 1: not valid JSON"])


def test_a_spreadsheet_bomb_is_refused(context, monkeypatch):
    """What a zip would unpack to is looked at before it is."""
    monkeypatch.setattr(tables, "MAX_UNPACKED", 1_000_000)
    with zipfile.ZipFile(drop(context, "a.xlsx", ""), "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", b"\0" * 2_000_000)
    assert problems(read(context)) == ["a.xlsx: unpacks to more than 1,000,000 bytes"]


def test_cells_of_a_spreadsheet_have_types(context):
    """Dates, serial numbers, whole numbers as ids, errors and empty rows."""
    path = drop(context, "a.xlsx", "")
    book(
        path,
        [None, None],
        ["ID", "Text", "Datum", "Sterne"],
        [17, "a", date(2025, 12, 24), 4.0],
        [],
        [18.0, "b", 46015.5, "#N/A"],
        [19, "=1+1", None, None],
    )
    pages = read(context)
    assert [(post.external_id, post.text, post.rating) for post in pages[0].posts] == [
        ("17", "a", 4.0),
        ("18", "b", None),
    ]
    assert pages[0].posts[1].posted_at == datetime(2025, 12, 24, 11, tzinfo=UTC)
    assert problems(pages) == ["a.xlsx line 6: no text"]  # a formula nobody has computed yet


def test_a_sheet_is_chosen_by_name(context):
    """A wrong name is answered with the right ones."""
    made = openpyxl.Workbook()
    made.create_sheet("Zwei").append(["text"])
    made["Zwei"].append(["Gut"])
    made.save(drop(context, "a.xlsx", ""))
    assert texts(read(context, sheet="Zwei")) == ["Gut"]
    assert problems(read(context, sheet="Drei")) == [
        'a.xlsx: no sheet "Drei"; its sheets are: Sheet, Zwei'
    ]


def test_markup_in_a_cell_becomes_plain_text(context):
    """HTML is cleaned where it is HTML; a heart stays a heart. Title and text become one."""
    drop(
        context,
        "a.csv",
        'titel;text\nPrima;"<p>Gut &amp; schnell</p><script>x</script>"\n;I <3 it & you\n',
    )
    assert [post.text for post in posts(context)] == ["Prima\n\nGut & schnell", "I <3 it & you"]


def test_mail_addresses_are_no_names(context):
    """E-mail addresses are dropped, and links that are none."""
    drop(context, "a.csv", HEADER + "Gut;;;eva@example.com;javascript:alert(1);\n")
    (post,) = posts(context)
    assert (post.author, post.url) == (None, None)


def test_what_cannot_be_stored_is_dropped(context):
    """Half characters from JSON escapes reach neither the text nor the id."""
    drop(context, "a.jsonl", '{"text": "a\\ud800b", "id": "\\ud800", "author": "\\udfff"}')
    (post,) = posts(context)
    assert (post.text, len(post.external_id), post.author) == ("ab", 32, None)


def test_a_single_file_is_a_source(context):
    """For `import posts FILE`: absolute or relative, and its failure is an error."""
    path = drop(context, "a.txt", "text\nGut\n")
    assert texts(FileDrop(FileDrop.Settings(path=path), context).pages(None)) == ["Gut"]
    assert [row.post.text for row in read_file(path, FileDrop.Settings(path=path))] == ["Gut"]
    path.write_bytes(b"foo\n1\n")
    with pytest.raises(SourceError, match=r"a\.txt: no column"):
        list(FileDrop(FileDrop.Settings(path=path), context).pages(None))


def test_other_files_are_left_alone(context):
    """Lock files, uploads under way, folders, and what the pattern does not name."""
    for name in ("~$a.csv", ".a.csv", "a.csv.part", "a.pdf"):
        drop(context, name, "text\nGut\n")
    (context.folder / DROP / "folder.csv").mkdir()
    assert read(context) == []
    drop(context, "b.csv", "text\nGut\n")
    assert texts(read(context, pattern="b*")) == ["Gut"]


@pytest.mark.parametrize("path", ["missing", "a\0b"])
def test_a_missing_folder_is_a_sentence(context, path):
    """It says which path, and is not permanent: a share may be back tomorrow."""
    with pytest.raises(SourceError, match="neither a folder nor a file") as caught:
        list(FileDrop(FileDrop.Settings(path=path), context).pages(None))
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "content", ["", "\n\n", "text\n", "text", "\ufeff", "sep=;\n", "sep=;\ntext"]
)
def test_an_empty_file_is_no_error(context, content):
    """Nothing in it, nothing from it."""
    drop(context, "a.csv", content)
    pages = read(context)
    assert (texts(pages), problems(pages)) == ([], [])


def test_a_stop_ends_between_pages(context):
    """What was stored stays stored; the rest comes with the next run."""
    drop(context, "a.csv", "text\n" + "\n".join(f"Text {number}" for number in range(1200)))
    pages = FileDrop(
        FileDrop.Settings(path=DROP), Context(context.client, context.folder, lambda: stop)
    ).pages(None)
    stop = False
    first = next(pages)
    stop = True
    assert list(pages) == []
    assert len(texts(read(context, first.cursor))) == 700


@pytest.mark.parametrize(
    "options",
    [
        {}, {"path": "x", "columns": {"words": "x"}}, {"path": "x", "delimiter": ";;"},
        {"path": "x", "delimiter": '"'}, {"path": "x", "encoding": "utf-9"}, {"path": "x", "encoding": "hex"},
        {"path": "x", "timezone": "Berlin"}, {"path": "x", "pattern": "/etc/*"}, {"path": "x", "pfad": 1},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(options):
    """At configuration, not at three in the morning."""
    with pytest.raises(ValidationError):
        FileDrop.Settings(**options)


CELLS = st.text(max_size=20) | st.sampled_from(
    ['"', ";", "\n", "\r", "\0", "24.12.2025", "5", "<p>", "\ud800"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda x: st.lists(x, max_size=3),
)
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.lists(CELLS, max_size=4).map(";".join), max_size=6).map(
        lambda lines: "\n".join(["text;datum;sterne;id", *lines]).encode("utf-8", "surrogatepass")
    ),
    st.lists(
        st.dictionaries(
            st.sampled_from(["text", "date", "stars", "id", "url", "author", "title"]), JSON
        ).map(json.dumps),
        max_size=4,
    ).map(lambda lines: "\n".join(lines).encode()),
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CONTENTS, st.sampled_from(["a.csv", "a.jsonl", "a.xlsx", "a.txt"]))
def test_no_bytes_raise_anything_but_a_source_error(tmp_path, content, name):
    """Whatever is dropped, the answer is posts that can be stored, or sentences."""
    path = tmp_path / name
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        for row in read_file(path, FileDrop.Settings(path=path)):
            assert row.post or row.problem
            if row.post:
                json.dumps(
                    [row.post.text, row.post.author, row.post.url], ensure_ascii=False
                ).encode()
                assert row.post.external_id
                assert row.post.posted_at.tzinfo is UTC


def test_stars_without_words_are_taken_where_they_can_be_told_apart(context):
    """A row of stars with an id or an author is a rating; one that could be any row is not."""
    rows = "id;Name;Sterne;Text;Datum\n7;;4;;1.3.2026\n;Eva;2;;1.3.2026\n;;5;;1.3.2026\n"
    drop(context, "a.csv", rows)
    (page,) = read(context)
    assert [(post.external_id == "7", post.text, post.rating) for post in page.posts] == [
        (True, "", 4.0),
        (False, "", 2.0),
    ]
    assert page.problems == [
        "a.csv line 4: stars without words, and no id or author to tell them from others"
    ]
