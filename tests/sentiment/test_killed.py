"""The whole worker under kill -9. `benchmarks/alerts_killed.py` does this two hundred times."""

import pytest

from tests.sentiment.killing import endure


@pytest.mark.slow
def test_a_killed_worker_tells_every_receiver_everything(tmp_path):
    """Web and mail receivers that refuse, hang and die get each message under its own number.

    And nothing of what is silenced or acknowledged.
    """
    out = endure(tmp_path, kills=6, seed=3, misbehave=0.3, longest=2.0)
    assert (out.lost, out.undelivered, out.renumbered, out.about_silenced) == (0, 0, 0, 0)
    assert out.sent - out.twice >= 4  # each of four receivers got at least one message
    assert out.twice <= 2  # only what was accepted in the very moment of a kill
