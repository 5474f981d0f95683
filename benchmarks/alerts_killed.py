"""kill -9 of the sender at random moments: what is lost, what comes twice.

    python benchmarks/alerts_killed.py [--kills 200]

Two webhooks on loopback; between two kills three transitions happen. Run from the repository's
root with the development install.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sentiment.database import open_database, rows
from sentiment.notify import notify
from tests.sentiment.test_notify import Webhook, happen, kill_while_notifying, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    kills = parser.parse_args().kills
    rnd = random.Random(1)
    hooks = [Webhook(), Webhook()]
    with tempfile.TemporaryDirectory() as folder:
        config = told(
            Path(folder), *[{"name": f"r{n}", "url": hook.url} for n, hook in enumerate(hooks)]
        )
        happened = 0
        with open_database(config) as db:
            wait = lambda: rnd.random() ** 2  # noqa: E731 - more often early, while it is sending
            for _ in kill_while_notifying(Path(folder), [h.url for h in hooks], kills, wait):
                for _ in range(3):
                    happen(db, service=1 + happened % 2, at=datetime.now(UTC))
                    happened += 1
            while notify(config, db, now=datetime.now(UTC) + timedelta(hours=1)):
                pass
            undelivered = rows(db, "SELECT * FROM notifications WHERE status <> 'delivered'")
            queued = rows(db, "SELECT count(*) AS n FROM notifications")[0]["n"]
            wanted = rows(db, "SELECT DISTINCT receiver, message_id FROM notifications")
    lost = twice = sent = 0
    for number, hook in enumerate(hooks):
        got = Counter(int(title[1 : title.index("]")]) for title in hook.got)
        ids = {row["message_id"] for row in wanted if row["receiver"] == f"r{number}"}
        lost += len(ids - set(got))
        sent += sum(got.values())
        twice += sum(got.values()) - len(got)
    print(
        f"{kills} kills, {happened} transitions, {queued} of {2 * happened} queued for two "
        f"receivers, {len(undelivered)} undelivered; {sent} messages arrived, {lost} lost, "
        f"{twice} twice ({100 * twice / max(sent, 1):.2f} %), under the same number"
    )


if __name__ == "__main__":
    main()
