"""Matching: the table of docs/matching.md, who is meant, and laws for any text."""

from __future__ import annotations

import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment.config import Term
from sentiment.matching import Match, Matcher, fold

DOCS = Path(__file__).parents[2] / "docs" / "matching.md"
OWN = "Lindenhof Rechtsanwälte PartG mbB"
OTHER = "Kanzlei Nord"


def term(name: str, *aliases: str, **rules: list[str]) -> Term:
    return Term(name=name, aliases=list(aliases), **rules)


COMPANIES = [
    term(OWN, "Lindenhof", "@lindenhof"),
    term(OTHER, "@kanzlei_nord"),
    term("Müller & Partner GmbH"),
]
SERVICES = [
    term("Steuerberatung", "Steuer", "Steuererklärung"),
    term("Arbeitsrecht", "Kündigung", "Abfindung*"),
    term("Erbrecht", "Testament"),
    term("Due Diligence"),
]
MATCHER = Matcher(COMPANIES, SERVICES)


def found(text: str, own: str | None = None, matcher: Matcher = MATCHER) -> dict:
    """(company, service) to the texts of the places."""
    return {
        (match.company, match.service): [text[a:b] for a, b in match.spans]
        for match in matcher.match(text, own=own)
    }


def pairs(text: str, own: str | None = None, matcher: Matcher = MATCHER) -> set:
    return set(found(text, own, matcher))


def table() -> list[tuple[str, str, bool]]:
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    return [
        (pattern, text.replace("&shy;", "\u00ad"), holds)
        for pattern, *cells in rows
        for cell, holds in zip(cells, (True, False), strict=True)
        for text in cell.split(" · ")
    ]


@pytest.mark.parametrize(("pattern", "text", "holds"), table())
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_documented_examples_are_true(pattern, text, holds, form):
    """What docs/matching.md says a pattern finds it finds, in either normal form, and no more."""
    matcher = Matcher([term("Firma")], [term("service", pattern)])
    written = unicodedata.normalize(form, text)
    assert bool(matcher.match(written, own="Firma")[0].service) is holds
    within = f"Also, \U0001f600 {written}?!"
    assert bool(matcher.match(within, own="Firma")[0].service) is holds


def test_the_table_is_not_empty():
    """The table of the documentation is really read."""
    assert len(table()) > 100


@pytest.mark.parametrize(
    ("name", "text", "holds"),
    [
        (OWN, "Die Lindenhof Rechtsanwälte PartG mbB ist umgezogen", True),
        (OWN, "bei Lindenhof Rechtsanwälten", True),
        (OWN, "LINDENHOF RECHTSANWAELTE", True),
        ("Lindenhof", "Lindenhofs Team", True),
        ("Lindenhof", "die Lindenhof-Anwälte", True),
        ("Lindenhof", "in der Lindenhofstraße", False),
        ("Lindenhof", "Neulindenhof", False),
        ("Linde", "unter den Linden", False),
        ("Müller & Partner GmbH", "Mueller und Partner", True),
        ("Müller & Partner GmbH", "Müller&Partner GmbH", True),
        ("Müller & Partner GmbH", "Müller + Partner", True),
        ("Müller & Partner GmbH", "Müller, Partner", False),
        ("Müller GmbH", "Frau Müller", False),
        ("Müller GmbH", "die Müller GmbH", True),
        ("Müller GmbH & Co. KG", "Müller GmbH & Co. KG", True),
        ("Deutsche Post AG", "der Deutschen Post", True),
        ("Dr. Abt e.K.", "Dr Abt", True),
        ("Groß & Söhne", "GROSS UND SOEHNE", True),
        ("1&1", "1 & 1", True),
        ("Lloyd's", "Lloyd’s", True),
        ("Lindenhof", "https://example.org/lindenhof-news", True),
        ("Lindenhof", "#LindenhofKanzlei", True),
        ("Lindenhof", "#lindenhofkanzlei", False),
    ],
)
def test_names_of_companies(name, text, holds):
    """Names are found with their genitive and without legal form, but not as parts of words."""
    assert bool(Matcher([term(name)], []).match(text)) is holds


def test_a_post_that_names_no_company_is_about_nothing():
    """A service alone is not enough."""
    assert MATCHER.match("Die Steuerberatung war top") == []


def test_a_post_of_an_own_source_is_about_the_company():
    """No name is needed where the source is the company's own; without a service, as a whole."""
    assert pairs("Die Steuerberatung war top", OWN) == {(OWN, "Steuerberatung")}
    assert MATCHER.match("Alles bestens", own=OWN) == [Match(OWN, None, ())]


def test_an_unknown_own_company_is_refused():
    """Asking for a company that does not exist is a mistake, not an empty answer."""
    with pytest.raises(ValueError, match='"Niemand" is not one of the companies'):
        MATCHER.match("Text", own="Niemand")


def test_all_places_of_a_service_are_one_match():
    """One match for a company and service, its places in order."""
    text = "Lindenhof: Kündigung bekommen, Abfindungsrechner genutzt, Arbeitsrechts-Team stark"
    assert found(text) == {
        (OWN, "Arbeitsrecht"): ["Kündigung", "Abfindungsrechner", "Arbeitsrechts"]
    }


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        # One company in play has all services, wherever it is named.
        ("Steuerberatung top! Erbrecht flop. So ist Lindenhof.", None,
         {(OWN, "Steuerberatung"), (OWN, "Erbrecht")}),
        # Each service belongs to the company named before it in the sentence.
        ("Bei Lindenhof war die Steuerberatung gut, bei Kanzlei Nord das Erbrecht schlecht.", None,
         {(OWN, "Steuerberatung"), (OTHER, "Erbrecht")}),
        # The company right behind a service has it.
        ("Ich bin bei Lindenhof, aber die Steuerberatung bei Kanzlei Nord ist besser.", None,
         {(OWN, None), (OTHER, "Steuerberatung")}),
        # A company named after the service in the same sentence goes before one of another.
        ("Lindenhof kenne ich. Für das Erbrecht gehe ich zur Kanzlei Nord.", None,
         {(OWN, None), (OTHER, "Erbrecht")}),
        # A sentence without a name goes on about the company named last.
        ("Lindenhof war nichts. Dann Kanzlei Nord. Das Erbrecht dort ist stark.", None,
         {(OWN, None), (OTHER, "Erbrecht")}),
        # In an own source it is about the source's company.
        ("Vorher war ich bei Kanzlei Nord. Das Erbrecht hier ist stark.", OWN,
         {(OTHER, None), (OWN, "Erbrecht")}),
        # A company that is compared with owns nothing.
        ("Lindenhof überzeugt. Das Erbrecht ist besser als bei Kanzlei Nord.", None,
         {(OTHER, None), (OWN, "Erbrecht")}),
        # The same service of two companies is two matches.
        ("Die Steuerberatung von Lindenhof ist gut. Die Steuer bei Kanzlei Nord ist es nicht.",
         None, {(OWN, "Steuerberatung"), (OTHER, "Steuerberatung")}),
        # Handles name companies.
        ("@kanzlei_nord euer Erbrecht ist ein Witz", None, {(OTHER, "Erbrecht")}),
        # An abbreviation does not end the sentence.
        ("Bei Kanzlei Nord, vertreten durch Dr. Abt, lief das Erbrecht gut. Lindenhof auch.", None,
         {(OTHER, "Erbrecht"), (OWN, None)}),
        # A retracted name is no name.
        ("Die Lindenhofstraße ist gesperrt, sagt die Steuerberatung.", None, set()),
    ],
)  # fmt: skip
def test_whose_service_is_meant(text, own, expected):
    """Services are attributed to the company that the sentence speaks of."""
    assert pairs(text, own) == expected


def test_the_longest_alias_has_the_place():
    """A place inside a longer place of another service is not the shorter one's."""
    matcher = Matcher(
        [term("Firma")], [term("Steuer"), term("Steuerberatung"), term("Steuerberatung Bau")]
    )
    assert found("Steuerberatungskosten", "Firma", matcher) == {
        ("Firma", "Steuerberatung"): ["Steuerberatungskosten"]
    }
    assert pairs("Steuerberatung Bau", "Firma", matcher) == {("Firma", "Steuerberatung Bau")}


def test_equal_aliases_share_the_place():
    """Two services with the same alias are both found: the portfolio says so."""
    matcher = Matcher([term("Firma")], [term("A", "Notar"), term("B", "Notar")])
    assert pairs("Der Notar kam", "Firma", matcher) == {("Firma", "A"), ("Firma", "B")}


def test_both_parts_of_a_compound_count():
    """Two services side by side in one word are both meant."""
    matcher = Matcher([term("Firma")], [term("Arbeitsrecht"), term("Beratung")])
    assert len(pairs("Arbeitsrechtsberatung", "Firma", matcher)) == 2


def test_a_service_inside_a_company_name_is_the_company():
    """ "Kanzlei Arbeitsrecht Nord" names no service."""
    matcher = Matcher([term("Kanzlei Arbeitsrecht Nord")], [term("Arbeitsrecht")])
    name = "Kanzlei Arbeitsrecht Nord"
    assert found(f"Die {name} ist gut", matcher=matcher) == {(name, None): [name]}
    assert (name, "Arbeitsrecht") in pairs(f"{name}: Arbeitsrecht top", matcher=matcher)


def test_the_longer_company_name_is_meant():
    """A competitor whose name begins with ours is not us."""
    matcher = Matcher([term("Lindenhof"), term("Lindenhof Nord")], [])
    assert pairs("Lindenhof Nord hat zu", matcher=matcher) == {("Lindenhof Nord", None)}


@pytest.mark.parametrize(
    ("rules", "text", "holds"),
    [
        ({"none_of": ["Lindenbaum", "Lindenblüte*"]}, "Linde ist gut", True),
        ({"none_of": ["Lindenbaum"]}, "Die Linde, ein Lindenbaum", False),
        ({"none_of": ["Lindenblüte*"]}, "Linde, Lindenbluetentee", False),
        ({"any_of": ["Anwalt", "Kanzlei"]}, "Linde, der Anwalt", True),
        ({"any_of": ["Anwalt", "Kanzlei"]}, "Linde im Garten", False),
        ({"all_of": ["Anwalt", "Kanzlei"]}, "Linde, Anwälte und Kanzlei", True),
        ({"all_of": ["Anwalt", "Kanzlei"]}, "Linde, Anwälte", False),
    ],
)
def test_rules_look_at_the_whole_post(rules, text, holds):
    """any_of, all_of and none_of decide whether a company or a service is meant at all."""
    assert bool(Matcher([term("Linde", **rules)], []).match(text)) is holds
    services = Matcher([term("Firma")], [term("Linde", **rules)])
    assert bool(services.match(text, own="Firma")[0].service) is holds


def test_rules_do_not_take_away_what_the_source_says():
    """A company's own source stays its own even where its name is a homonym; no place then."""
    matcher = Matcher([term("Linde", none_of=["Lindenbaum"])], [])
    assert matcher.match("Linde Lindenbaum", own="Linde") == [Match("Linde", None, ())]


def test_the_revision_follows_the_portfolio():
    """Equal portfolios have one revision; any other alias, rule or order has another."""
    same = Matcher(list(COMPANIES), list(SERVICES))
    assert same.revision == MATCHER.revision
    others = [
        Matcher(COMPANIES, SERVICES[::-1]),
        Matcher(COMPANIES[1:], SERVICES),
        Matcher(COMPANIES, [term("Steuerberatung", "Steuern"), *SERVICES[1:]]),
        Matcher(COMPANIES, [term("Steuerberatung", none_of=["x"]), *SERVICES[1:]]),
    ]
    assert len({MATCHER.revision, *(other.revision for other in others)}) == 5


@pytest.mark.parametrize(
    "pattern", ["*a*b*c*", "& Co", "*-Recht", "a", "=@x", "@", "§ 5", "ß", "ä"]
)
def test_odd_patterns_do_no_harm(pattern):
    """A pattern that makes little sense finds little, and breaks nothing."""
    Matcher([term(pattern)], [term(pattern)]).match("a ab abc & Co § 5 ß ä Recht @ @x", own=pattern)


def test_offsets_are_those_of_the_text_given():
    """Expanding, dropped and combining characters before and in a place do not move it."""
    text = "ß\u00adﬁ\u200b½ Lindenhof\u00a0: Ku\u0308ndi\u00adgung\u0301! Straße, Ar\u200dbeits\u00adrecht."
    assert found(text)[OWN, "Arbeitsrecht"] == [
        "Ku\u0308ndi\u00adgung\u0301",
        "Ar\u200dbeits\u00adrecht",
    ]


def test_a_hyphen_at_the_end_of_a_line_is_looked_through():
    """A word broken over two lines is found, with the break."""
    assert found("die Steuerbe-\r\n  ratung", OWN) == {
        (OWN, "Steuerberatung"): ["Steuerbe-\r\n  ratung"]
    }


WORDS = ["Steuerberatung", "Kündigungsschutz", "Arbeitsrecht", "Abfindungen", "Lindenhof", "und",
         "Straße", "Kanzlei Nord", "die", ".", "\n", "Ärger", "Due-Diligence", "e"]  # fmt: skip
texts = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=20).map(" ".join)
german = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.text() | texts)
@example("\ud800 Lindenhof \U000e0001")
@example("@" * 50 + "Arbeits-, Erb- und ")
def test_places_are_valid_and_hold_an_alias(text):
    """For any text: offsets lie in it, in order and apart, and what stands there is an alias."""
    stems = {
        "Steuerberatung": ("steuer",),
        "Arbeitsrecht": ("arbeitsrecht", "kundigung", "kuendigung", "abfindung", "arbeits"),
        "Erbrecht": ("erbrecht", "testament", "erb"),
        "Due Diligence": ("due",),
        None: ("lindenhof", "kanzlei", "muller", "mueller"),
    }
    for match in MATCHER.match(text, own=OWN):
        ends = [0, *(end for _, end in match.spans)]
        for (start, end), before in zip(match.spans, ends, strict=False):
            assert before <= start < end <= len(text)
            place = fold(text[start:end])
            assert any(stem in place for stem in stems[match.service]), place


@settings(max_examples=150, deadline=None)
@given(german)
def test_case_and_normal_form_do_not_matter(text):
    """Upper case, lower case, composed and decomposed text are about the same."""
    alone = Matcher(COMPANIES[:1], SERVICES)
    forms = [text.lower(), text.upper(), unicodedata.normalize("NFD", text)]
    for form in forms:
        assert pairs(form, OWN, alone) == pairs(text, OWN, alone)


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8))
def test_any_word_is_found_by_itself(before, word):
    """Whatever the alphabet: a word that stands alone is found by the alias of that word."""
    matcher = Matcher([term("Firma")], [term("service", word)])
    text = f"{before.replace('@', '')} \n {word} ."
    assert fold(word) == "" or matcher.match(text, own="Firma")[0].service == "service"


@pytest.mark.parametrize(
    "text",
    ["arbeitsrecht" * 40_000, "@a" * 200_000, "a." * 200_000, "\u00ad" * 500_000,
     "Arbeits- und " * 40_000, "#aA" * 150_000, " " * 500_000, "Arbeits-\n" * 50_000,
     "lindenhof kanzlei nord arbeitsrecht x\n" * 13_000, "1. " * 150_000],
)  # fmt: skip
def test_time_is_linear(text):
    """Half a megabyte of the worst takes no more than a few seconds, even on a busy machine."""
    start = time.process_time()
    MATCHER.match(text, own=OWN)
    assert time.process_time() - start < 4
