"""Pictures of the pages for the README: `make screenshots`.

Starts the sample company in a temporary folder, worker and pages, and photographs it in headless
Chromium as a visitor with a German browser sees it.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from sentiment.sample import write

DOCS = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
PICTURES = {
    "overview": ("/", 1280, 860),
    "service": ("/service?name=Arbeitsrecht&period=90d", 1280, 1180),
}


def main() -> None:
    with TemporaryDirectory() as folder, socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        config = Path(folder) / "config.toml"
        write(config.parent)
        text = config.read_text("utf-8")
        config.write_text(re.sub(r"(?m)^port = \d+", f"port = {port}", text), "utf-8")
        program = [sys.executable, "-m", "sentiment", "run", "--config", str(config)]
        subprocess.run([*program, "--once"], check=True)
        worker = subprocess.Popen(program)
        try:
            time.sleep(20)  # until both are up
            photograph(f"http://127.0.0.1:{port}")
        finally:
            worker.terminate()
            worker.wait()


def photograph(address: str) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (path, width, height) in PICTURES.items():
            size = {"width": width, "height": height}
            page = chromium.new_page(viewport=size, locale="de-DE")
            page.goto(address + path, wait_until="networkidle")
            page.screenshot(path=DOCS / f"{name}.png")
        chromium.close()


if __name__ == "__main__":
    main()
