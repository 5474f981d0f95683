"""The address of a page says which days and filters it shows; what cannot be is told."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.web.selection import LENGTHS, SelectionError, address, parse

TODAY = date(2026, 11, 23)
KNOWN = {"sources": ["Forum & Co"], "languages": ["de"], "segments": ["A"]}


def of(**arguments):
    return parse(arguments, TODAY, **KNOWN)


def test_without_a_word_it_is_four_weeks():
    """Today included."""
    found = of()
    assert (found.first, found.last, found.days) == (date(2026, 10, 27), TODAY, 28)
    assert found.before == (date(2026, 9, 29), date(2026, 10, 26))


def test_a_month_is_compared_with_the_month_before_it():
    """However many days they have."""
    found = of(period="2026-03")
    assert (found.first, found.last) == (date(2026, 3, 1), date(2026, 3, 31))
    assert found.before == (date(2026, 2, 1), date(2026, 2, 28))


@given(st.sampled_from([*LENGTHS, "2026-02", "2024-12"]), st.booleans(), st.booleans())
def test_an_address_made_from_a_selection_shows_the_same(period, by_source, by_class):
    """Every view can be sent to somebody."""
    from urllib.parse import parse_qsl

    arguments = {"period": period}
    arguments |= {"source": "Forum & Co"} if by_source else {}
    arguments |= {"segment": "A"} if by_class else {}
    found = of(**arguments)
    assert of(**dict(parse_qsl(found.query()))) == found


def test_days_of_ones_own_come_back_too():
    """from= and to= instead of a period."""
    found = of(**{"from": "2026-01-05", "to": "2026-01-09"})
    assert (found.first, found.last, found.days) == (date(2026, 1, 5), date(2026, 1, 9), 5)
    assert "from=2026-01-05" in found.query()


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"period": "4 weeks"}, "period"),
        ({"period": "2026-13"}, "period"),
        ({"period": "٢٠٢٦-01"}, "period"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"from": "2026-02-03", "to": "2026-02-01"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"from": "9990-01-01", "to": "9999-12-31"}, "from"),
        ({"source": "<script>"}, "source"),
        ({"language": "xx"}, "language"),
        ({"segment": "Z"}, "segment"),
    ],
)
def test_what_cannot_be_shown_is_named(arguments, key):
    """The key and its value, for a sentence to the visitor."""
    with pytest.raises(SelectionError) as caught:
        of(**arguments)
    assert (caught.value.key, caught.value.value) == (key, arguments.get(key, ""))


def test_addresses_keep_other_parameters():
    """Only what is named changes."""
    assert address("/posts", {"a": "1", "b": "x y"}, b=None, c="ä") == "/posts?a=1&c=%C3%A4"
    assert address("/posts", {}) == "/posts"
