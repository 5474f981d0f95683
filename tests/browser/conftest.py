"""A real server on the sample company, and a real browser that may talk to nobody else."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from sentiment.sample import write

ROOT = Path(__file__).parents[2]
AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Server:
    """A running `sentiment serve`."""

    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def start(folder: Path) -> tuple[Server, subprocess.Popen[bytes]]:
    """Serve the company in a folder, on a port that is free."""
    port = free_port()
    config = folder / "config.toml"
    text = config.read_text("utf-8")
    text = re.sub(r"(?m)^port = \d+", f"port = {port}", text)
    config.write_text(text, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment", "serve", "--config", str(config)]
    )
    server = Server(folder, port)
    for _ in range(600):
        try:
            with urllib.request.urlopen(server.address + "/login"):  # noqa: S310
                return server, process
        except OSError:
            assert process.poll() is None, "the server ended by itself"
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Server:
    """The sample company, collected, scored and served."""
    folder = tmp_path_factory.mktemp("sample")
    write(folder)
    command = [sys.executable, "-m", "sentiment", "run", "--once", "--config"]
    subprocess.run([*command, str(folder / "config.toml")], check=True, capture_output=True)
    server, process = start(folder)
    yield server
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="session")
def browser() -> Browser:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """A browser window on a server, and everything that happened in it that should not."""

    server: Server
    page: Page
    context: BrowserContext
    strange: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Page:
        answer = self.page.goto(self.server.address + path, wait_until="load")
        assert answer.status == status, (path, answer.status)
        return self.page

    def log_in(self, name: str = "Marketing", password: str = "beispiel") -> None:  # noqa: S107
        self.open("/login")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("main button")

    def axe(self) -> list[str]:
        """What axe-core finds: rule, what it is about, and where."""
        # evaluated by the debugger, so that the page's own policy stays as it is
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules}).then(r => r.violations)", RULES
        )
        return [
            f"{one['id']}: {one['help']}: {json.dumps([n['target'] for n in one['nodes'][:4]])}"
            for one in found
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def window(browser: Browser):
    """Opens windows on a server: window(server, width=360, …)."""
    yield from _windows(browser)


@pytest.fixture(scope="module")
def windows(browser: Browser):
    """The same for windows that several tests use."""
    yield from _windows(browser)


def _windows(browser: Browser):
    contexts = []

    def make(server: Server, *, width: int = 1440, height: int = 900, **options) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        visit = Visit(server, context.new_page(), context)

        def only_here(route, request):
            if request.url.startswith((server.address, "data:")):
                route.continue_()
            else:
                visit.strange.append(f"asked {request.url}")
                route.abort()

        context.route("**/*", only_here)
        visit.page.on(
            "dialog", lambda box: (visit.strange.append(f"dialog {box.message}"), box.dismiss())
        )
        visit.page.on("pageerror", lambda error: visit.strange.append(f"script failed: {error}"))
        visit.page.on(
            "console",
            lambda said: (
                visit.strange.append(f"console: {said.text}") if said.type == "error" else None
            ),
        )
        return visit

    yield make
    for context in contexts:
        context.close()


def pytest_configure(config):
    if not AXE.exists() or not os.access(CHROMIUM, os.X_OK):
        pytest.exit("first: tests/browser/prepare.sh", 3)
