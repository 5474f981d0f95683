"""The worker and the pages: one may crash, the other goes on; a stop ends both."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from sentiment import supervise
from sentiment.supervise import supervise as keep

ALIVE = """
import os, sys, time
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
time.sleep(60)
"""
FAILING = "import sys; sys.exit(2)"
FOLLOWING = """
import sys, time
from sentiment.supervise import end_with_parent
end_with_parent()
open(sys.argv[1], "a").write("up\\n")
time.sleep(60)
"""


def pids(path):
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_until(holds, seconds=30):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.02)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Two parts that write their process ids; kept running in a thread, stopped at the end."""
    monkeypatch.setattr(supervise, "FIRST_WAIT", 0.05)
    files = {name: tmp_path / name for name in ("worker", "pages")}
    commands = {n: [sys.executable, "-c", ALIVE, str(path)] for n, path in files.items()}
    stop = threading.Event()
    thread = threading.Thread(
        target=keep, args=(commands,), kwargs={"vital": "worker", "stopping": stop}
    )
    thread.start()
    wait_until(lambda: all(pids(path) for path in files.values()))
    yield files
    stop.set()
    thread.join(30)


@pytest.mark.parametrize(("killed", "other"), [("worker", "pages"), ("pages", "worker")])
def test_a_crash_of_one_never_stops_the_other(parts, killed, other):
    """Whichever is killed is started again; the other keeps its process."""
    os.kill(pids(parts[killed])[0], signal.SIGKILL)
    wait_until(lambda: len(pids(parts[killed])) == 2)
    assert len(pids(parts[other])) == 1
    os.kill(pids(parts[other])[0], 0)  # raises if it has gone


def test_a_stop_ends_both(tmp_path):
    """After a stop, no process is left."""
    files = [tmp_path / "a", tmp_path / "b"]
    commands = {path.name: [sys.executable, "-c", ALIVE, str(path)] for path in files}
    stop = threading.Event()
    thread = threading.Thread(
        target=keep, args=(commands,), kwargs={"vital": "a", "stopping": stop}
    )
    thread.start()
    wait_until(lambda: all(pids(path) for path in files))
    stop.set()
    thread.join(30)
    for path in files:
        with pytest.raises(ProcessLookupError):
            os.kill(pids(path)[0], 0)


def test_a_worker_that_cannot_start_ends_everything_with_its_status(tmp_path):
    """A mistake in the configuration is told once, not tried for ever."""
    pages = [sys.executable, "-c", ALIVE, str(tmp_path / "pages")]
    worker = [sys.executable, "-c", FAILING]
    assert keep({"worker": worker, "pages": pages}, vital="worker") == 2


def test_parts_end_when_the_process_that_started_them_is_killed(tmp_path):
    """kill -9 of `sentiment run` leaves nobody behind."""
    program = (
        "import sys; from sentiment.supervise import supervise; "
        f"supervise({{'a': [sys.executable, '-c', {FOLLOWING!r}, {str(tmp_path / 'a')!r}]}}, vital='a')"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    wait_until((tmp_path / "a").exists)
    parent.kill()
    parent.wait()
    # the part holds the other end of its parent's output: it is closed when the part has ended
    with parent.stdout:
        assert parent.stdout.read() == b""
