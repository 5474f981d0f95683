"""The laws of the YouTube adapter, against a server that speaks the Data API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from time_machine import travel

from sources.base import Context, Post, SourceError
from sources.conformance import PRIVATE, Conformance
from sources.http import Client
from sources.testing import Answer, Limit, json_answer
from sources.youtube import PACIFIC, YouTube, parse_threads

KEY = "AIzaSyTest-key_1"
VIDEO = "dQw4w9WgXcQ"
CHANNEL = "UC" + "x" * 22
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def comment(key: str, day: float, words: str = "") -> dict:
    return {
        "kind": "youtube#comment",
        "id": key,
        "snippet": {
            "textDisplay": words or f"Kommentar {key}",
            "authorDisplayName": "@eva",
            "authorChannelId": {"value": "UCauthor"},
            "authorProfileImageUrl": "https://yt.example/p.jpg",
            "videoId": VIDEO,
            "likeCount": 3,
            "publishedAt": (START + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }


def thread(key: str, day: float, *, words: str = "", replies: int = 0) -> dict:
    answers = [comment(f"{key}.r{n}", day + n / 100) for n in range(replies)]
    item = {
        "kind": "youtube#commentThread",
        "id": key,
        "snippet": {
            "videoId": VIDEO,
            "topLevelComment": comment(key, day, words),
            "totalReplyCount": replies,
        },
        "all_replies": answers,
    }
    if replies:
        item["replies"] = {"comments": answers[:5]}
    return item


def refused(status: int, reason: str, message: str, detail: str = "") -> Answer:
    """As Google words an error."""
    error = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "youtube.x", "reason": reason}],
    }
    if detail:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": detail}]
    return json_answer({"error": error}, status)


class Service:
    """YouTube: threads by time, page tokens, at most five replies in a thread."""

    def __init__(self, server, threads: list[dict], size: int = 2, quota: int = 10_000) -> None:
        self.threads, self.size, self.left = threads, size, quota
        self.tokens, self.key = True, KEY
        server.script("/commentThreads", self.list)
        server.script("/comments", self.comments)

    def _refused(self, asked) -> Answer | None:
        if asked.headers.get("x-goog-api-key") != self.key:
            text = "API key not valid. Please pass a valid API key."
            return refused(400, "badRequest", text, "API_KEY_INVALID")
        self.left -= 1
        if self.left < 0:
            return refused(403, "quotaExceeded", "The request cannot be completed: quota exceeded.")
        return None

    def list(self, asked) -> Answer:
        token = asked.params.get("pageToken", "p0")
        if bad := self._refused(asked):
            return bad
        if token != "p0" and not self.tokens:
            return refused(400, "invalidPageToken", "The request specifies an invalid page token.")
        if asked.params.get("videoId", VIDEO) != VIDEO:
            return refused(404, "videoNotFound", "The video could not be found.")
        start = int(token[1:])
        return self._page(self.threads, start, "p")

    def comments(self, asked) -> Answer:
        if bad := self._refused(asked):
            return bad
        everything = [
            c for t in self.threads for c in (t["snippet"]["topLevelComment"], *t["all_replies"])
        ]
        if wanted := asked.params.get("id"):
            shown = [c for c in everything if c["id"] in wanted.split(",")]
            return json_answer({"items": shown})
        parent = next(t for t in self.threads if t["id"] == asked.params["parentId"])
        return self._page(
            parent["all_replies"], int(asked.params.get("pageToken", "r0")[1:]), "r", 4
        )

    def _page(self, items: list, start: int, letter: str, size: int = 0) -> Answer:
        size = size or self.size
        found = {
            "items": [
                {k: v for k, v in i.items() if k != "all_replies"}
                for i in items[start : start + size]
            ]
        }
        if start + size < len(items):
            found["nextPageToken"] = f"{letter}{start + size}"
        return json_answer(found)


@pytest.fixture
def adapter(server, context):
    private = Context(context.client, context.folder, allow_private_addresses=True)

    def made(**settings):
        keys = {"api_key": KEY, "accept_terms": True, "videos": [VIDEO], "api": server.url("")}
        return YouTube(YouTube.Settings(**{**keys, **settings}), private)

    return made


def ids(pages) -> list[str]:
    return [post.external_id for page in pages for post in page.posts]


def told(pages) -> list[str]:
    return [problem for page in pages for problem in page.problems]


def test_a_thread_becomes_posts():
    """The comment and each reply, linked to their places; authors by their channel."""
    (found,) = parse_threads({"items": [thread("a", 1, words="Gut\nberaten", replies=1)]}).threads
    assert found.posts[0] == Post(
        external_id="a",
        text="Gut\nberaten",
        posted_at=START + timedelta(days=1),
        url=f"https://www.youtube.com/watch?v={VIDEO}&lc=a",
        author="UCauthor",
    )
    assert [post.external_id for post in found.posts] == ["a", "a.r0"]


def test_all_threads_and_all_replies_are_read(server, adapter):
    """Five replies come with a thread, the others are asked for; every request is a unit."""
    Service(server, [thread("c", 3), thread("b", 2, replies=7), thread("a", 1)])
    pages = list(adapter().pages(None))
    assert sorted(set(ids(pages))) == sorted(["a", "b", "c", *(f"b.r{n}" for n in range(7))])
    assert len(server.requests) == 4
    assert pages[-1].quota == "9,996 of 10,000 units left today"
    assert server.requests[0].params["order"] == "time"


def test_a_later_run_reads_what_is_new_and_new_replies(server, adapter):
    """Known threads cost no reply requests until somebody replies; old pages are left out."""
    service = Service(
        server,
        [thread(f"t{n:02}", n, replies=6 if n == 39 else 0) for n in range(40, 0, -1)],
        size=10,
    )
    *_, last = adapter().pages(None)
    server.requests.clear()
    second = list(adapter().pages(last.cursor))
    assert [request.path for request in server.requests] == ["/commentThreads"] * 2
    service.threads[1] = thread("t39", 39, replies=8)
    service.threads.insert(0, thread("t41", 41))
    third = list(adapter().pages(second[-1].cursor))
    assert {"t41", "t39.r6", "t39.r7"} <= set(ids(third))


def test_used_up_units_end_the_run_and_the_next_goes_on(server, adapter):
    """The backlog of a large channel is read over several days, a page twice at most."""
    Service(server, [thread(f"t{n}", n) for n in range(9, 0, -1)])
    begun = []
    with pytest.raises(SourceError, match="used up") as caught:
        begun += [page for page in adapter(quota=2).pages(None) if begun.append(page)]
    assert not caught.value.permanent
    assert timedelta(0) < caught.value.retry_after <= timedelta(hours=25)
    assert "2 of 2 YouTube units are used today" in told(begun)
    with travel(datetime.now(UTC) + timedelta(hours=25)):
        rest = list(adapter().pages(begun[-1].cursor))
    assert set(ids(begun)) | set(ids(rest)) == {f"t{n}" for n in range(1, 10)}


def test_units_belong_to_the_key(server, adapter):
    """All sources with one key draw on its units, and so does looking again; another key is free."""
    service = Service(server, [thread("a", 1)])
    *_, last = adapter(quota=5).pages(None)
    list(adapter(quota=5).recheck(["a"]))
    *_, other = adapter(quota=5, search="x").pages(None)
    assert (last.quota, other.quota) == (
        "4 of 5 units left today",
        "2 of 5 units left today",
    )
    service.key = "another"
    *_, free = adapter(quota=5, api_key="another").pages(None)
    assert free.quota == "4 of 5 units left today"


def test_a_try_that_is_repeated_costs_a_unit(server, context):
    """YouTube counts what it was asked, not what we made of it."""
    patient = Client("test", interval=0, backoff=0.001)
    reader = Context(patient, context.folder, allow_private_addresses=True)
    server.script("/commentThreads", Answer(status=500), json_answer({"items": []}))
    settings = {"api_key": KEY, "accept_terms": True, "videos": [VIDEO], "api": server.url("")}
    (page,) = YouTube(YouTube.Settings(**settings), reader).pages(None)
    assert (len(server.requests), page.quota) == (2, "9,998 of 10,000 units left today")


def test_units_begin_anew_at_midnight_in_california(server, adapter):
    """Not at ours; what YouTube itself calls used up stays so until then."""
    Service(server, [thread("a", 1)])
    server.script(
        "/commentThreads", refused(403, "quotaExceeded", "no"), json_answer({"items": []})
    )
    with travel(datetime(2026, 7, 1, 23, 58, tzinfo=PACIFIC), tick=False) as clock:
        for _ in range(2):
            with pytest.raises(SourceError, match="used up") as caught:
                list(adapter().pages(None))
            assert caught.value.retry_after == timedelta(minutes=2)
        assert len(server.requests) == 1
        clock.shift(timedelta(minutes=2))
        (page,) = adapter().pages(None)
        assert page.quota == "9,999 of 10,000 units left today"


def test_a_forgotten_place_is_no_error(server, adapter):
    """Where YouTube no longer knows the page, reading starts from the newest again."""
    service = Service(server, [thread(f"t{n}", n) for n in range(6, 0, -1)])
    first = next(adapter().pages(None))
    service.tokens = False
    service.size = 10
    assert len(ids(adapter().pages(first.cursor))) == 6


def test_another_search_starts_anew(server, adapter):
    """Older threads that the search before did not find are read."""
    Service(server, [thread(f"t{n}", 30 * n) for n in range(6, 0, -1)])
    *_, last = adapter(search="Kanzlei").pages(None)
    assert server.requests[0].params["searchTerms"] == "Kanzlei"
    assert len(ids(adapter(search="Musterfeld").pages(last.cursor))) == 6


def test_a_video_that_is_gone_does_not_hide_the_others(server, adapter):
    """It is a problem in words; the other video is read."""
    Service(server, [thread("a", 1)])
    pages = list(adapter(videos=["x" * 11, f"https://youtu.be/{VIDEO}?t=3"]).pages(None))
    assert ids(pages) == ["a"]
    assert told(pages)[0].startswith("video xxxxxxxxxxx: YouTube knows no such video")


def test_deleted_comments_are_found_out(server, adapter):
    """A re-check gives comments as they are now, and None for those that are gone."""
    Service(server, [thread("a", 1, words="Neu", replies=1)])
    checked = dict(adapter().recheck(["a", "gone", "a.r0"]))
    assert (checked["a"].text, checked["gone"], checked["a.r0"].external_id) == (
        "Neu",
        None,
        "a.r0",
    )
    assert timedelta(0) < YouTube.RECHECK_EVERY < timedelta(days=30)


def test_an_answer_that_cannot_be_read_erases_nothing(server, adapter):
    """A comment without its date is there all the same, and an answer without a list is none."""
    broken = {"id": "a", "snippet": {"textDisplay": "Gut"}}
    server.script("/comments", json_answer({"items": [broken]}), json_answer({}))
    assert dict(adapter().recheck(["a", "b"])) == {"b": None}
    with pytest.raises(SourceError, match="no list"):
        list(adapter().recheck(["a"]))


@pytest.mark.parametrize(
    ("answer", "said", "permanent"),
    [
        (refused(400, "badRequest", "API key not valid.", "API_KEY_INVALID"), "copy `api_key` anew", True),
        (refused(403, "accessNotConfigured", "YouTube Data API v3 has not been used"), "enable the", True),
        (refused(403, "forbidden", "x", "API_KEY_IP_ADDRESS_BLOCKED"), "from this machine", True),
        (refused(403, "commentsDisabled", "The video has disabled comments."), "switched off", True),
        (refused(403, "quotaExceeded", "quota"), "used up", False),
        (refused(403, "rateLimitExceeded", "quota"), "fewer requests", False),
        (refused(400, "processingFailure", "x"), "refuses the request", False),
        (Answer(b"no", 403), "check `api_key`", True),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(server, adapter, answer, said, permanent):
    """Key, project, restriction, quota: each is another thing to do."""
    server.script("/commentThreads", answer)
    with pytest.raises(SourceError, match=said) as caught:
        list(adapter().pages(None))
    assert caught.value.permanent is permanent


def test_the_key_is_never_repeated(server, adapter):
    """Google's own messages may hold it; ours do not, and no address does."""
    text = f"Permission denied: Consumer 'api_key:{KEY}' has been suspended."
    server.script("/commentThreads", refused(403, "forbidden", text, "CONSUMER_SUSPENDED"))
    with pytest.raises(SourceError) as caught:
        list(adapter().pages(None))
    assert KEY not in str(caught.value)
    assert KEY not in server.requests[0].query


def test_the_terms_must_be_accepted():
    """Off by default: a person has to have read what YouTube's terms say."""
    with pytest.raises(ValidationError, match=r"read docs/sources/youtube\.md"):
        YouTube.Settings(api_key=KEY, videos=[VIDEO])


@pytest.mark.parametrize("wrong", [{}, {"videos": ["kanzlei"]}, {"channels": ["@kanzlei"]}])
def test_settings_ask_for_videos_or_channels(wrong):
    """By address or id; something must be read."""
    with pytest.raises(ValidationError):
        YouTube.Settings(api_key=KEY, accept_terms=True, **wrong)


class TestYouTube(Conformance):
    adapter = YouTube
    secrets = (KEY,)

    def settings(self, server):
        return {
            "api_key": KEY, "accept_terms": True, "videos": [VIDEO], "channels": [CHANNEL],
            "api": server.url(""),
        }  # fmt: skip

    limits = (Limit(10_000, 86_400, zone="America/Los_Angeles"),)

    def serve(self, server, more=0):
        later = [thread(f"n{number}", 3 + number) for number in range(more, 0, -1)]
        threads = [*later, thread("c", 3), thread("b", 2, replies=6), thread("a", 1)]
        threads[-3]["snippet"]["topLevelComment"]["snippet"]["authorDisplayName"] = PRIVATE
        Service(server, threads)
