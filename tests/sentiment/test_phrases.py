"""Drivers: what critical people say and satisfied ones do not, as people count and not words."""

import math
import random

import numpy as np
import pytest
from scipy import stats

from sentiment.phrases import MIN_AUTHORS, MOST, PRIOR, Said, drivers, fighting, posterior

FILLER = (
    "Der Termin lag im Mai, das Büro liegt am Markt, es ging um einen Brief.",
    "Wir waren im Juni dort, der Vertrag hatte zwölf Seiten.",
    "Die Unterlagen kamen per Post, das Gespräch dauerte eine Stunde.",
    "Unser Anliegen war ein Schreiben vom Amt, der Ordner lag bereit.",
    "Der Parkplatz ist hinten, die Treppe führt in den zweiten Stock.",
)


def voices(polarity, texts, *, start=0, language="de", author=None):
    """One mention a text, each by somebody else unless an author is named."""
    sign = {"negative": -0.9, "neutral": 0.0, "positive": 0.9}[polarity]
    return [
        Said(start + n, text, author or f"{polarity}{start + n}", polarity, language, sign)
        for n, text in enumerate(texts, start=1)
    ]


def everyday(polarity, n, start=1000):
    """People who say nothing that sets them apart."""
    texts = [f"{FILLER[k % len(FILLER)]} Nummer {'abcdefghij'[k % 10]}{k}." for k in range(n)]
    return voices(polarity, texts, start=start)


def people(complaint, *, n=12, praise="Alles verlief freundlich und zügig, {}."):
    """Complaints by n people, praise by n others, and as many who say neither."""
    places = [f"{2 * letter}heim" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:n]]
    return [
        *voices("negative", [complaint.format(place) for place in places]),
        *voices("positive", [praise.format(place) for place in places], start=100),
        *everyday("neutral", n, 200),
    ]


def phrases(found, polarity="negative"):
    return [driver.phrase for driver in found if driver.polarity == polarity]


def test_a_negation_is_part_of_the_phrase():
    """ "erreichbar" is no complaint."""
    found = phrases(drivers(people("{} war nicht erreichbar.")))
    assert "nicht erreichbar" in found
    assert "erreichbar" not in found


def test_a_negation_stays_even_where_some_complain_without_it():
    """Half of the complaints suffice; a praise with the word remains no driver."""
    said = people("In {} telefonisch nicht erreichbar.")
    said += voices("negative", [f"Schlecht erreichbar, Ort {k}x." for k in "abcdefgh"], start=50)
    said += voices("positive", ["Immer erreichbar, danke aus Moos."], start=90)
    found = phrases(drivers(said))
    assert any("nicht erreichbar" in phrase for phrase in found)
    assert "erreichbar" not in found


@pytest.mark.parametrize(
    ("complaint", "language", "phrase"),
    [
        ("In {} viel zu teuer!", "de", "zu teuer"),
        ("Nie wieder {}.", "de", "Nie wieder"),
        ("Aus {} hat mich keiner zurückgerufen.", "de", "keiner zurückgerufen"),
        ("In {} nobody answered, and they never called back.", "en", "never called back"),
        ("The {} desk doesn't answer.", "en", "doesn't answer"),
    ],
)  # fmt: skip
def test_phrases_are_what_a_person_would_quote(complaint, language, phrase):
    """Small words that turn or strengthen stay, in both languages."""
    said = [one._replace(language=language) for one in people(complaint)]
    assert any(phrase in found for found in phrases(drivers(said)))


def test_forms_of_a_word_are_one_and_shown_as_most_people_write_them():
    """Wartezeit and Wartezeiten are said by twelve people, not by seven and by five."""
    said = people("Diese Wartezeiten in {}!")
    said[:5] = [one._replace(text=one.text.replace("zeiten", "zeit")) for one in said[:5]]
    first = drivers(said)[0]
    assert (first.phrase, first.authors, first.mentions) == ("Wartezeiten", 12, 12)
    assert (first.voices, first.other_authors, first.other_voices) == (12, 0, 12)


def test_stop_words_are_no_drivers():
    """However often one side says them."""
    assert phrases(drivers(people("Und dann war das so bei der {}, weil die das so haben."))) == []


def test_an_author_counts_once():
    """Twenty complaints of one person make no driver; three people do."""
    loud = voices(
        "negative", [f"Saftladen, sage ich zum {k}. Mal." for k in range(20)], author="loud"
    )
    rest = everyday("negative", 10) + everyday("positive", 30, 2000)
    assert phrases(drivers(loud + rest)) == []
    some = voices("negative", [f"Ein Saftladen, Ort {k}x." for k in "abcd"], start=50)
    found = [one for one in drivers(loud + some + rest) if one.phrase == "Saftladen"]
    assert [(one.authors, one.mentions) for one in found] == [(5, 24)]


def test_a_copied_text_counts_once():
    """Ten accounts that post the same sentence are one voice, whatever their capitals."""
    copied = ["Der Saftladen am Markt hat uns um viel Geld gebracht, sagen alle."] * 10
    copied[3] = copied[3].upper()
    rest = everyday("negative", 10) + everyday("positive", 30, 2000)
    assert phrases(drivers(voices("negative", copied) + rest)) == []


def test_stock_phrases_are_no_copies():
    """ "Finger weg!" is what ten people think, not what one wrote and nine copied."""
    said = voices("negative", ["Finger weg!"] * 10) + everyday("positive", 20, 2000)
    assert drivers(said)[0].authors == 10


def test_a_phrase_needs_three_authors():
    """What two people say is theirs."""
    rest = everyday("negative", 5) + everyday("positive", 60, 2000)
    texts = ["Wegen Katzenallergie abgelehnt, Ort ax.", "Katzenallergie, und nun? Ort bx."]
    assert "Katzenallergie" not in phrases(drivers(voices("negative", texts) + rest))
    texts.append("Auch mit Katzenallergie, Ort cx.")
    assert "Katzenallergie" in phrases(drivers(voices("negative", texts) + rest))
    assert MIN_AUTHORS == 3


def test_names_of_the_company_and_its_services_are_no_drivers():
    """Nor their inflections, compounds, wildcards and parts of names of several words."""
    names = ["Arbeitsrecht", "employment law", "Kündig*", "Kanzlei Ahornhof", "@ahornhof", "=Amt"]
    said = people(
        "Arbeitsrechtlich {}: Kanzlei Ahornhof, employment law team, Kündigung, Arbeitsrechtler, "
        "@ahornhof, beim Amt, Katastrophe."
    )
    assert sorted(phrases(drivers(said, names=names))) == ["Katastrophe", "team"]
    assert len(phrases(drivers(said))) > 2


def test_people_with_a_title_are_not_named():
    """Neither "Frau Muster" nor "Muster", nor a doctor."""
    said = people("In {} war Frau Muster unfreundlich, Herr Dr. Beispiel auch, Dr. Probe ebenso.")
    found = " ".join(phrases(drivers(said)))
    assert "unfreundlich" in found
    assert not [name for name in ("Muster", "Beispiel", "Probe") if name in found]


def test_overlapping_phrases_are_shown_once():
    """The longer one if most people say it so, else the shorter."""
    found = phrases(drivers(people("Aus {} kam keine Antwort auf unsere Mails.")))
    assert len([phrase for phrase in found if "Antwort" in phrase]) == 1
    said = people("Das Portal in {} hakt.")
    said[:4] = [one._replace(text=one.text.replace("Portal", "neue Portal")) for one in said[:4]]
    found = phrases(drivers(said))
    assert len([phrase for phrase in found if "Portal" in phrase]) == 1
    assert "neue Portal" not in found


def test_a_word_that_mostly_stands_beside_a_driver_is_none():
    """ "neue" says nothing that "Portal" does not."""
    said = people("Das Portal in {} hakt nur.")
    said[:5] = [one._replace(text=one.text.replace("Portal", "neue Portal")) for one in said[:5]]
    assert "neue" not in phrases(drivers(said))


def test_links_handles_and_numbers_are_no_drivers():
    """Nor emoji; and no phrase goes over a full stop or into the next mention."""
    found = phrases(drivers(people("https://x.example/a @user 2026 😡😡. Mist. Portal in {}")))
    assert sorted(found) == ["Mist", "Portal"]


def test_what_both_sides_say_is_no_driver():
    """However many they are."""
    found = drivers(people("Die Akte in {}.", praise="Die Akte in {}!"))
    assert not [driver for driver in found if "Akte" in driver.phrase]


def test_the_log_odds_ratio_is_that_of_the_paper():
    """Equations 15 and 16, with people for words."""
    said = np.array([800, 300, 500])
    table = np.array([[12, 2, 3], [0, 0, 6]])
    weights, even = fighting(table, said)
    for k, (negative, neutral, positive) in enumerate(table.tolist()):
        everyone = negative + neutral + positive
        alpha = min(PRIOR * everyone, MOST)
        whole = alpha * 1600 / everyone  # so that the prior's rate is everyone's
        mine = (negative + alpha) / (800 + whole - negative - alpha)
        theirs = (positive + alpha) / (500 + whole - positive - alpha)
        found = math.log(weights[k, 0] / weights[k, 2]) - even[k]
        assert found == pytest.approx(math.log(mine / theirs))


@pytest.mark.parametrize(
    ("mine", "other", "even"),
    [(12.2, 2.2, 0.2), (3.9, 0.9, -1.5), (900.0, 700.0, 0.1), (5.0, 400.0, -4.0), (3.9, 0.9, 0.0)],
)
def test_the_interval_and_z_are_those_of_the_posterior(mine, other, even):
    """The ratio of two gamma variables is a beta variable in disguise: scipy knows it."""
    share = stats.beta(mine, other)
    low, high, z = (
        float(one[0]) for one in posterior(*(np.array([x]) for x in (mine, other, even)))
    )
    ends = [math.log(p / (1 - p)) - even for p in share.ppf([0.025, 0.975])]
    assert [low, high] == pytest.approx(ends, abs=0.01)
    assert z == pytest.approx(stats.norm.isf(share.cdf(1 / (1 + math.exp(-even)))), abs=0.02)


def test_drivers_are_ranked_and_lie_in_their_interval():
    """The clearest phrase is first; beyond chance means that the interval misses 0."""
    said = people("In {} nie erreichbar.") + people("In {} zu teuer.", n=6)[:6]
    said += voices("negative", ["Murks."] * 3, start=70)
    found = drivers([one._replace(id=n, voice=str(n)) for n, one in enumerate(said)])
    assert all(one.low < one.log_odds < one.high for one in found)
    assert all((one.low > 0) == (one.z > 1.96) for one in found)
    negative = [one.z for one in found if one.polarity == "negative"]
    assert negative == sorted(negative, reverse=True)
    assert len(negative) == 3
    assert len(drivers(said, limit=1)) <= 2


def test_labels_by_chance_make_hardly_a_driver_beyond_chance():
    """Two hundred people who say what they say, called critical or satisfied by lot."""
    words = [f"wort{a}{b}" for a in "abcdefghij" for b in "klmnopqr"]
    beyond = []
    for seed in range(20):
        lot = random.Random(seed)
        said = [
            Said(n, " ".join(lot.choices(words, k=12)), str(n), side, "de", 0.0)
            for n, side in enumerate(["negative", "positive"] * 100)
        ]
        found = drivers(said)
        beyond.append(sum(driver.low > 0 for driver in found))
    # 80 words and some pairs of them, of which 5 % would be 4
    assert sum(beyond) / len(beyond) < 4


def test_the_order_of_mentions_does_not_matter():
    """The same people, the same drivers."""
    said = people("In {} war die Kanzlei nicht erreichbar, viel zu teuer.")
    shuffled = random.Random(1).sample(said, len(said))
    assert drivers(said) == drivers(shuffled)


def test_the_example_is_the_strongest_mention():
    """What marketing opens first says it most clearly."""
    said = people("In {} nicht erreichbar.")
    said[7] = said[7]._replace(valence=-0.99)
    assert drivers(said)[0].example == said[7].id


@pytest.mark.parametrize("text", ["", " ", "\0", "\u202e" * 50, "a" * 100_000, "…!?", "x\u00ady"])
def test_whatever_a_post_holds_is_read(text):
    """Nothing to say is no error."""
    assert drivers(voices("negative", [text] * 5) + voices("positive", [text] * 5, start=9)) == []


def test_nobody_says_nothing():
    """No mentions, no drivers; one side alone has nobody to be set apart from."""
    assert drivers([]) == []
    assert drivers(voices("negative", ["Nie erreichbar."] * 9)) == []
