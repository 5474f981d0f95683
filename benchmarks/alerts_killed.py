"""kill -9 of the whole worker at random moments: what is lost, what comes twice.

    python benchmarks/alerts_killed.py [--kills 200]

Four receivers on loopback, two webhooks and two mail servers: every fifth message is refused, kept
waiting, or dies with the receiver before it has answered. Between two kills something happens to
three services, of which one is silenced and one acknowledged. Run from the repository's root with
the development install.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.sentiment.killing import endure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = endure(Path(folder), given.kills, given.seed, misbehave=0.2, longest=4.0)
    print(
        f"{out.kills} kills, {out.transitions} transitions to tell: {out.sent} messages arrived at "
        f"four receivers, {out.lost} lost, {out.undelivered} undelivered, {out.twice} twice "
        f"({100 * out.twice / max(out.sent, 1):.2f} %), {out.renumbered} under another number, "
        f"{out.about_silenced} about what is silenced or acknowledged; "
        f"{out.died} died with their receiver and came again"
    )


if __name__ == "__main__":
    main()
