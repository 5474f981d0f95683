"""The sample company: believable, labelled, never stale, and safe to write."""

import csv
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import feedparser
import pytest

from sentiment import config, sample
from sentiment.duplicates import same, sketch
from sentiment.matching import Matcher
from sentiment.sample import gold
from sources.base import Context

OWN = "Wiedehopf & Zirbenstolz (Beispiel)"
SERVICES = {
    "Steuerberatung", "Arbeitsrecht", "Erbrecht", "Familienrecht", "Mietrecht",
    "Lohnbuchhaltung", "Gründungsberatung", "Due Diligence",
}  # fmt: skip
BERLIN = ZoneInfo("Europe/Berlin")
SOUR = 14  # days


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sample")
    sample.write(directory)
    return directory


@pytest.fixture(scope="module")
def settings(folder):
    return config.load(folder / "config.toml")


@pytest.fixture(scope="module")
def fetched(settings):
    """What the adapters make of the sample: source and post by the post's id in posts.jsonl."""
    found = {}
    for source in settings.sources:
        adapter = config.registry.adapter(source.kind)
        context = Context(client=None, folder=settings.folder)
        for page in adapter(source.settings, context).pages(None):
            assert page.problems == []
            found |= {post.external_id.split(":")[-1]: (source, post) for post in page.posts}
    return found


def labels(company=OWN, *, copies=False):
    for post in gold():
        if copies or post.duplicate_of is None:
            yield from ((post, label) for label in post.about if label.company == company)


# The posts


def test_there_are_about_400_posts_in_german_and_english():
    languages = Counter(post.language for post in gold())
    assert set(languages) == {"de", "en"}
    assert languages["de"] >= 300
    assert languages["en"] >= 100
    assert len(gold()) < 500


def test_ids_are_unique_and_posts_are_in_order():
    posts = gold()
    assert len({post.id for post in posts}) == len(posts)
    assert posts == sorted(posts, key=lambda post: (-post.days_ago, post.time))


def test_days_and_times_lie_within_twelve_weeks():
    for post in gold():
        assert 0 <= post.days_ago < sample.DAYS
        time.fromisoformat(post.time)


def test_labels_name_only_companies_services_and_classes_that_exist(settings):
    companies = {company.name for company in settings.companies}
    assert {service.name for service in settings.services} == SERVICES
    for post in gold():
        for label in post.about:
            assert label.company in companies
            assert label.service is None or label.service in SERVICES
            assert label.polarity in {"positive", "neutral", "negative"}
            assert label.emotion in {None, "anger", "disgust", "fear", "joy", "sadness", "surprise"}


def test_every_service_has_a_baseline_before_the_last_two_weeks():
    before = Counter(label.service for post, label in labels() if post.days_ago >= SOUR)
    assert all(before[service] >= 15 for service in SERVICES)
    assert before["Arbeitsrecht"] >= 45
    assert before["Steuerberatung"] > 2 * before["Due Diligence"]


def test_employment_law_turns_sour_and_nothing_else_does():
    def share(service, late):
        said = [
            label.polarity
            for post, label in labels()
            if label.service == service and (post.days_ago < SOUR) is late
        ]
        return len(said), said.count("negative") / len(said)

    late, negative_late = share("Arbeitsrecht", late=True)
    _, negative_before = share("Arbeitsrecht", late=False)
    assert late >= 35
    assert negative_before < 0.2
    assert negative_late > 0.8
    for service in SERVICES - {"Arbeitsrecht"}:
        assert share(service, late=True)[1] <= share(service, late=False)[1] + 0.1


def test_there_is_something_of_everything_that_makes_posts_hard():
    posts = gold()
    opposite = [p for p in posts if {"positive", "negative"} <= {a.polarity for a in p.about}]
    rivals = [p for p in posts if any(label.company != OWN for label in p.about)]
    both = [p for p in posts if len({label.company for label in p.about}) > 1]
    hostile = [p for p in posts if p.markup or re.search("[\0\u200b\u202e]|^[=@]", p.text)]
    assert len(opposite) >= 40
    assert len(rivals) >= 60
    assert len(both) >= 10
    assert sum(not p.about for p in posts) >= 12
    assert len(hostile) >= 8
    assert max(len(word) for p in posts for word in p.text.split()) > 2000
    assert max(len(p.text) for p in posts if " " in p.text[1000:]) > 1500
    assert min(len(p.text) for p in posts) < 6
    assert max(Counter((p.author, p.days_ago) for p in posts).values()) >= 4


def test_copies_are_near_identical_to_what_they_copy_and_nothing_else_is():
    posts = {post.id: post for post in gold()}
    copies = {post.id: post.duplicate_of for post in posts.values() if post.duplicate_of}
    assert len(copies) >= 10
    for copy, first in copies.items():
        assert same(posts[copy].text, posts[first].text)
        assert posts[copy].about == posts[first].about
        assert list(posts).index(first) < list(posts).index(copy)
    sketches = {post.id: set(sketch(post.text)) for post in posts.values()}
    for one, two in combinations(posts, 2):
        if sketches[one] & sketches[two] and same(posts[one].text, posts[two].text):
            assert copies.get(one, one) == copies.get(two, two)


def test_nobody_real_can_be_reached_through_the_sample():
    text = "\n".join(f"{post.author} {post.read} {post.url}" for post in gold())
    addresses = re.findall(r"//([\w.-]+)", text)
    assert {host for host in addresses if not re.search(r"\bexample(\.org)?$", host)} == set()
    assert re.search(r"[\w.]+@[\w-]+\.\w+|www\.|\+\d\d[\d /-]{5}|\d{4,}[ /-]\d{4,}", text) is None


def test_the_demonstration_sentence_is_not_among_the_posts():
    assert not any("Steuerberatung war top" in post.text for post in gold())


# The folder


def test_config_is_accepted_and_labelled_as_sample(folder, settings):
    assert settings.company.name == OWN
    assert len(settings.competitors) == 2
    assert all("Beispiel" in source.name for source in settings.sources)
    assert "SAMPLE" in (folder / "config.toml").read_text("utf-8")
    assert "SAMPLE" in (folder / "README.txt").read_text("utf-8")


@pytest.mark.parametrize("feed", ["forum", "social", "news", "reviews"])
def test_feeds_are_valid_and_complete(folder, feed):
    parsed = feedparser.parse((folder / "feeds" / f"{feed}.xml").read_bytes())
    expected = [post for post in gold() if post.feed == feed]
    assert not parsed.bozo
    assert parsed.version == ("atom10" if feed == "social" else "rss20")
    assert "Beispiel" in parsed.feed.title
    assert len(parsed.entries) == len(expected)


def test_exports_are_semicolon_tables_in_two_encodings(folder):
    rows = []
    for name, encoding in (("archiv", "cp1252"), ("aktuell", "utf-8")):
        with (folder / "exports" / f"beispiel-{name}.csv").open(encoding=encoding, newline="") as f:
            rows += csv.DictReader(f, delimiter=";")
    expected = {post.id: post for post in gold() if post.feed == "exports"}
    assert {row["Nr"]: row["Kommentar"] for row in rows} == {
        key: post.text for key, post in expected.items()
    }
    assert {row["Sterne"] for row in rows} >= {"1,5", "4,5", "5"}
    assert all(re.fullmatch(r"\d\d\.\d\d\.\d{4} \d\d:\d\d", row["Datum"]) for row in rows)


def test_adapters_read_every_post_with_its_date_author_and_rating(fetched):
    now = datetime.now(UTC)
    posts = gold()
    assert fetched.keys() == {post.id for post in posts}
    for post in posts:
        _, got = fetched[post.id]
        assert now - timedelta(days=sample.DAYS + 1) < got.posted_at <= now
        assert got.rating == post.rating
        assert got.author


def test_hostile_posts_arrive_as_harmless_text(fetched):
    texts = "\n".join(post.text + post.title for _, post in fetched.values())
    assert not re.search(r"onerror|javascript:|alert\(|fetch\(|<svg|<iframe|\0|\u202e", texts)


def test_posts_of_today_are_never_ahead_of_the_clock():
    for now in (
        datetime(2026, 3, 29, 3, 5, tzinfo=BERLIN),
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        datetime(2026, 7, 1, 0, 0, 30, tzinfo=BERLIN),
        datetime(2026, 12, 31, 23, 59, tzinfo=BERLIN),
    ):
        times = [sample._posted_at(post, now.date(), now) for post in gold()]
        assert max(times) <= now
        assert max(times).astimezone(BERLIN).date() == now.date()
        assert min(times) > now - timedelta(days=sample.DAYS + 1)


def test_the_same_day_gives_the_same_files(tmp_path):
    for name in ("one", "two"):
        sample.write(tmp_path / name, today=date(2026, 1, 31))
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert one == two
    assert len(one) == 10


def test_a_folder_with_a_sample_is_refreshed_without_its_old_database(tmp_path):
    sample.write(tmp_path, today=date(2025, 1, 31))
    old = (tmp_path / "feeds" / "forum.xml").read_bytes()
    for name in ("sentiment.db", "sentiment.db-wal", "notes.txt"):
        (tmp_path / name).write_text("old")
    sample.write(tmp_path, today=date(2025, 2, 28))
    assert (tmp_path / "feeds" / "forum.xml").read_bytes() != old
    assert not list(tmp_path.glob("sentiment.db*"))
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_with_anything_else_is_left_alone(tmp_path):
    (tmp_path / "config.toml").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty and holds no sample"):
        sample.write(tmp_path)
    with pytest.raises(FileExistsError, match="is a file"):
        sample.write(tmp_path / "config.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


# The portfolio


def test_matches_agree_with_the_labels(settings, fetched):
    """At least 95 % precision and recall on (post, company, service), read through adapters."""
    matcher = Matcher(settings.companies, settings.services)
    found, right, wanted = 0, 0, 0
    for post in gold():
        source, got = fetched[post.id]
        own = source.company if source.scope == "own" else None
        matches = {(m.company, m.service) for m in matcher.match(got.text, own=own)}
        expected = {(label.company, label.service) for label in post.about}
        found, wanted = found + len(matches), wanted + len(expected)
        right += len(matches & expected)
    assert right / found >= 0.95
    assert right / wanted >= 0.95


def test_both_services_of_the_demonstration_sentence_are_matched(settings):
    text = "Die Steuerberatung war top, aber im Arbeitsrecht hat sich niemand gemeldet."
    matches = Matcher(settings.companies, settings.services).match(text, own=OWN)
    assert [match.service for match in matches] == ["Steuerberatung", "Arbeitsrecht"]


def test_homonyms_of_the_company_are_about_nothing(settings):
    matcher = Matcher(settings.companies, settings.services)
    homonyms = [post for post in gold() if not post.about]
    assert [post.id for post in homonyms if matcher.match(post.read)] == []
