"""The phrases that set negative and positive mentions apart: mentions in, ranked drivers out.

Method: the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn,
"Fightin' Words", Political Analysis 16(4), 2008, section 3.5.1). Two things differ. What is counted
are people, not words: an author who says a phrase ten times counts once, and so does a text that
several people posted. And interval and z are those of the posterior itself, not of a normal curve
put in its place, which is too wide where the other side says a phrase once or never. Phrases of two
and three words stand beside single ones; forms of a word are one (Snowball stemmers).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from Stemmer import Stemmer

from sentiment.stopwords import ENGLISH, GERMAN, HALF, TITLES, TURNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MIN_AUTHORS = 3
"""Authors below which a phrase is not shown: it would say more about them than about a service."""

FAINT = 1.5
"""z from which on a phrase is shown at all; from 1.96 on it is beyond chance."""

PRIOR, MOST = 0.3, 2.0
"""What the prior weighs, as a share of those who say a phrase, and at most, in people. So that z
is not too large where few say it, nor the log-odds too small where many do: with labels dealt out
by lot, at most 2.1 % of the phrases of five sets of reviews had z of 1.96 and more (2.5 % are due).
"""

CONSIDERED = 60
"""Phrases of a polarity, the clearest first, that are compared with each other."""

SHARE, NEGATED_SHARE = 0.6, 0.3
"""Share of a phrase's authors from which on a longer phrase takes its place; the second where the
longer one brings a negation: "erreichbar" is no complaint, "nicht erreichbar" is one."""

SAME_AUTHORS = 0.5
"""Share of the authors from which on two phrases with a word in common are one."""

TAIL = 0.025
GRID = np.linspace(-9, 9, 721)  # in standard deviations
COPY_WORDS = 8  # as in duplicates.py: equal texts of fewer words are stock phrases, not copies
LONG_NAME = 6  # letters of a name that is found within compounds, as in matching.py
SIDES = ("negative", "neutral", "positive")
STEMMERS = {"de": "german", "en": "english"}
STOPWORDS = {"de": GERMAN, "en": ENGLISH}

_FOLDS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})
_PIECE = re.compile(
    r"(?:https?://|www\.).*|[@#].*|(?:Dr|Prof|Hr|Fr|Mrs?|Ms)\.|\w+(?:[-'’]\w+)*|[^\w\s]+"
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?")


class Said(NamedTuple):
    """A scored mention. voice: who said it; language: ISO 639-1; valence: −1 to 1."""

    id: int
    text: str
    voice: str
    polarity: str
    language: str | None
    valence: float


@dataclass(frozen=True, slots=True)
class Driver:
    """A phrase that people who are negative (or positive) say more often than the others.

    mentions, authors: of this polarity that have the phrase; other_authors: of the opposite one.
    voices, other_voices: all authors of either. log_odds: above 0, with its 95 % interval and z;
    beyond chance when the interval misses 0, which is z of 1.96 and more. example: id of the
    mention with the strongest valence that has the phrase.
    """

    polarity: str
    phrase: str
    mentions: int
    authors: int
    voices: int
    other_authors: int
    other_voices: int
    log_odds: float
    low: float
    high: float
    z: float
    example: int


class _Text(NamedTuple):
    """All mentions' words in a row (n of them), and what is known of each different one.

    forms: words as written. form: (n,) index into forms. stem: (n,) one number for all forms of a
    word, 0 for what is no word. owner: (n,) index of the mention. weight, turning: by stem, what
    it says (2 by itself, 1 beside another of 1 or 2, 0 nothing) and whether it is a negation.
    """

    forms: list[str]
    form: Numbers
    stem: Numbers
    owner: Numbers
    weight: Numbers
    turning: Flags


class _Places(NamedTuple):
    """Where phrases stand (n places of p phrases).

    phrase: (n,) index of the phrase; start: (n,) its first word. stems: (p, 3) the stems of each
    phrase, with 0 before those of fewer words.
    """

    phrase: Numbers
    start: Numbers
    stems: Numbers


class _Clear(NamedTuple):
    """Phrases that stand out, the clearest first: all (n,); which: index into those given."""

    which: Numbers
    log_odds: Floats
    low: Floats
    high: Floats
    z: Floats


@dataclass(slots=True)
class _Candidate:
    """A phrase that stands out, as it is compared with others of its polarity.

    starts: its first words; owners: indices of mentions; authors: numbers of voices. turned:
    whether a negation is in it.
    """

    phrase: int
    stems: list[int]
    starts: list[int]
    owners: set[int]
    authors: set[int]
    turned: bool

    def within(self, other: _Candidate) -> bool:
        """Whether the other phrase has this one, and more, in it."""
        long, short = other.stems, self.stems
        starts = range(len(long) - len(short) + 1)
        return len(long) > len(short) and any(long[at : at + len(short)] == short for at in starts)


def drivers(said: Iterable[Said], *, limit: int = 10, names: Iterable[str] = ()) -> list[Driver]:
    """The clearest phrases of each polarity, negative ones first, at most `limit` of each.

    Empty where fewer than `MIN_AUTHORS` are negative or positive: nobody to be set apart from.
    names: of the company and its services, as in config.toml; no phrase has one of them in it.
    """
    mentions = _without_copies(said)
    side = np.array([SIDES.index(one.polarity) for one in mentions], np.int64)
    voice = _numbered(one.voice for one in mentions)
    voices = _people(np.zeros_like(side), side, voice, 1)[0]  # (3,)
    if min(voices[0], voices[2]) < MIN_AUTHORS:
        return []
    text = _read(mentions, names)
    places = _phrases(text)
    owner = text.owner[places.start]
    people = _people(places.phrase, side[owner], voice[owner], len(places.stems))  # (p, 3)
    weights, even = fighting(people, _said_by(text, side, voice))
    found = []
    for mine, other, sign in ((0, 2, 1.0), (2, 0, -1.0)):
        enough = np.flatnonzero(people[:, mine] >= MIN_AUTHORS)
        clear = _clearest(weights[enough][:, [mine, other]], sign * even[enough])
        phrases = enough[clear.which]
        place = {phrase: at for at, phrase in enumerate(phrases.tolist())}
        ranked = _candidates(phrases, text, places, side == mine, voice)
        for one in _merged(ranked)[:limit]:
            at = place[one.phrase]
            found.append(
                Driver(
                    polarity=SIDES[mine],
                    phrase=_written(text, one),
                    mentions=len(one.owners),
                    authors=len(one.authors),
                    voices=int(voices[mine]),
                    other_authors=int(people[one.phrase, other]),
                    other_voices=int(voices[other]),
                    log_odds=float(clear.log_odds[at]),
                    low=float(clear.low[at]),
                    high=float(clear.high[at]),
                    z=float(clear.z[at]),
                    example=_example([mentions[owner] for owner in one.owners]),
                )
            )
    return found


def fighting(people: Numbers, said: Numbers) -> tuple[Floats, Floats]:
    """The posterior of how often each phrase is said, by polarity; and what is no difference.

    people: (p, 3) who says each phrase, negatively, neutrally and positively. said: (3,) what they
    say in all. Returns the weights (p, 3) - those people and a prior that says it as often as
    everyone does - and (p,) the log-ratio of negative to positive weight at which the odds are
    equal: log(w[0] / w[2]) less this is the paper's log-odds ratio (equation 16).
    """
    everyone = people.sum(1, keepdims=True)
    prior = np.minimum(PRIOR * everyone, MOST)
    weights = people + prior
    others = np.maximum(said + prior * said.sum() / everyone - weights, 1.0)
    return weights, np.log(others[:, 0]) - np.log(others[:, 2])


def posterior(mine: Floats, other: Floats, even: Floats) -> tuple[Floats, Floats, Floats]:
    """The 95 % interval of log-odds ratios and their z, each (n,).

    mine, other: (n,) weights; even: (n,) as `fighting` gives them. Both sides' rates are gamma
    distributed, so the log of their ratio t has the density exp(mine t) / (1 + exp(t))^(mine +
    other), here summed up on a grid. z: the normal quantile of the probability of more than even.
    """
    spread = np.sqrt(sum(1 / w + 1 / (2 * w**2) + 1 / (6 * w**3) for w in (mine, other)))
    t = np.log(mine / other)[:, None] + spread[:, None] * GRID  # (n, grid)
    log_density = mine[:, None] * t - (mine + other)[:, None] * np.logaddexp(0, t)
    mass = np.exp(log_density - log_density.max(1, keepdims=True))
    below = (np.cumsum(mass, 1) - mass / 2) / mass.sum(1, keepdims=True)
    odds = t - even[:, None]
    low, high, less = (
        np.array([np.interp(x, *pair) for pair in zip(*axes, strict=True)])
        for x, axes in ((TAIL, (below, odds)), (1 - TAIL, (below, odds)), (0.0, (odds, below)))
    )
    normal = NormalDist()
    z = [-normal.inv_cdf(min(max(one, 1e-15), 1 - 1e-15)) for one in less.tolist()]
    return low, high, np.array(z)


def _clearest(weights: Floats, even: Floats) -> _Clear:
    """Those of p phrases that stand out. weights: (p, 2) of this side and of the other."""
    log_odds = np.log(weights[:, 0] / weights[:, 1]) - even
    normal = log_odds / np.sqrt((1 / weights).sum(1))  # quick, and a little too small
    some = np.argsort(-normal, kind="stable")[: 4 * CONSIDERED]
    low, high, z = posterior(weights[some, 0], weights[some, 1], even[some])
    order = np.argsort(-z, kind="stable")
    order = order[z[order] >= FAINT][:CONSIDERED]
    return _Clear(some[order], log_odds[some[order]], low[order], high[order], z[order])


def _without_copies(said: Iterable[Said]) -> list[Said]:
    """Each longer text once, whoever posted it."""
    first: dict[str | int, Said] = {}
    for one in said:
        copied = one.text.count(" ") >= COPY_WORDS - 1
        first.setdefault(one.text.casefold() if copied else one.id, one)
    return list(first.values())


def _numbered(names: Iterable[str]) -> Numbers:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


# Reading: words, their stems, and which of them count.


@lru_cache(maxsize=100_000)
def _pieces(raw: str, language: str) -> list[tuple[str, str]]:
    """(form, stem) of each word and mark in what lies between white space; "" for no word."""
    return [(piece, _stem(piece, language)) for piece in _PIECE.findall(raw)]


def _stem(piece: str, language: str) -> str:
    if not _WORD.fullmatch(piece):
        return ""
    lower = piece.lower().replace("’", "'").rstrip(".")
    if lower in STOPWORDS[language] or lower in HALF or _turns(lower):
        return f" {lower}"  # as it is, and marked: no stem may fall together with it
    # a stemmer of its own: they must not be shared by threads, and cost next to nothing
    return str(Stemmer(STEMMERS[language], 0).stemWord(lower)).lower()


class _Raw(dict[str, int]):
    """What lies between white space, in one language → its number in the lexicon."""

    def __init__(self, language: str, lexicon: _Lexicon) -> None:
        super().__init__()
        self._language, self._lexicon = language, lexicon

    def __missing__(self, raw: str) -> int:
        number = self[raw] = self._lexicon.add(_pieces(raw, self._language))
        return number


class _Lexicon:
    """Numbers for forms and stems; what lies between white space as runs of them."""

    def __init__(self) -> None:
        self.stems = {"": 0}
        self.forms: list[str] = []
        self.stem_of: list[int] = []
        self.first: list[int] = []
        self.length: list[int] = []

    def add(self, pieces: list[tuple[str, str]]) -> int:
        self.first.append(len(self.forms))
        self.length.append(len(pieces))
        for form, stem in pieces:
            self.forms.append(form)
            self.stem_of.append(self.stems.setdefault(stem, len(self.stems)))
        return len(self.first) - 1


def _read(mentions: Sequence[Said], names: Iterable[str]) -> _Text:
    """Take the texts apart. What is in none of the known languages is read as most others are."""
    known = Counter(one.language for one in mentions if one.language in STEMMERS)
    usual = max(known, key=lambda language: known[language], default="de") or "de"
    lexicon = _Lexicon()
    known_raw = {language: _Raw(language, lexicon) for language in STEMMERS}
    end = lexicon.add([("", "")])  # no phrase goes on in the next mention
    raw: list[int] = []
    lengths = []
    for one in mentions:
        numbers = known_raw[one.language if one.language in STEMMERS else usual]
        words = one.text.split()
        raw += map(numbers.__getitem__, words)
        raw.append(end)
        lengths.append(len(words) + 1)
    index = np.array(raw, np.int64)
    repeats = np.array(lexicon.length, np.int64)[index]
    ends = np.cumsum(repeats)
    form = np.arange(ends[-1]) - np.repeat(ends - repeats, repeats)
    form += np.repeat(np.array(lexicon.first, np.int64)[index], repeats)
    owner = np.repeat(np.repeat(np.arange(len(mentions)), lengths), repeats)
    stem = np.array(lexicon.stem_of, np.int64)[form]
    stems = list(lexicon.stems)
    for places in chain(_people_named(lexicon.forms, form), _named(stem, stems, names)):
        stem[places] = 0
    turning = np.array([one[:1] == " " and _turns(one[1:]) for one in stems])
    weight = np.array([_weight(one) for one in stems], np.int64)
    return _Text(lexicon.forms, form, stem, owner, weight, turning)


def _weight(stem: str) -> int:
    if stem[:1] == " ":
        return int(stem[1:] in HALF or _turns(stem[1:]))
    return 2 if len(stem) > 1 else 0


def _turns(word: str) -> bool:
    return word in TURNING or word.endswith("n't")


def _people_named(forms: list[str], form: Numbers) -> Iterator[Numbers]:
    """Places of names of people: what is written with a capital after "Frau" or "Mr"."""
    title = np.array([one.rstrip(".") in TITLES for one in forms])[form]
    capital = np.array([one[:1].isupper() for one in forms])[form]
    yield np.flatnonzero(title[:-1] & capital[1:]) + 1


def _named(stem: Numbers, stems: list[str], names: Iterable[str]) -> Iterator[Numbers]:
    """Places of words that belong to a name of the company or a service."""
    frequent = np.flatnonzero(np.bincount(stem, minlength=len(stems)) >= MIN_AUTHORS).tolist()
    folded = [(number, _folded(stems[number])) for number in frequent]
    for pattern in _patterns(names):
        parts: list[list[int]] = []
        for part in pattern:
            parts.append([number for number, form in folded if part.search(form)])
            if not parts[-1]:
                break
        else:
            n = max(len(stem) - len(parts) + 1, 0)
            there = np.ones(n, np.bool_)
            for offset, numbers in enumerate(parts):
                there &= np.isin(stem[offset:][:n], numbers)
            for offset in range(len(parts)):
                yield np.flatnonzero(there) + offset


def _patterns(names: Iterable[str]) -> Iterator[tuple[re.Pattern[str], ...]]:
    """What the stems of each name's words look like; names of one word are looked for together."""
    singles = []
    for name in names:
        words = [] if "@" in name else re.findall(r"[\w*='-]+", name)  # handles are no words
        if len(words) == 1:
            singles.append(_pattern(words[0]))
        elif words:
            yield tuple(re.compile(_pattern(word)) for word in words)
    if singles:
        yield (re.compile("|".join(singles)),)


def _pattern(word: str) -> str:
    """As in matching.py: "*" is any letters, long words are found in compounds unless "="."""
    plain = word.strip("=*").lower()
    stems = (Stemmer(name, 0).stemWord(plain) for name in STEMMERS.values())
    either = "|".join(sorted({re.escape(_folded(form)) for form in (plain, *stems)}))
    if len(plain) >= LONG_NAME and word[0] != "=" and "*" not in word:
        return f"(?:{either})"
    before, after = (r"\w*" if star else "" for star in (word[0] == "*", word[-1] == "*"))
    return f"^ ?{before}(?:{either}){after}$"


def _folded(word: str) -> str:
    """As the German stemmer leaves it, for what the English one read."""
    return word.lower().translate(_FOLDS)


# Phrases and who says them.


def _phrases(text: _Text) -> _Places:
    """Every place of a phrase: one to three words that say something together."""
    often = np.bincount(text.stem, minlength=len(text.weight)) >= MIN_AUTHORS
    often[0] = False
    stem = np.where(often[text.stem], text.stem, 0)
    weight = text.weight[stem]
    width = len(text.weight)
    codes, starts = [], []
    for length in (1, 2, 3):
        n = max(len(stem) - length + 1, 0)
        inside = [slice(at, at + n) for at in range(length)]
        fits = (weight[inside[0]] > 0) & (weight[inside[-1]] > 0)
        fits &= sum(weight[at] for at in inside) >= 2
        fits &= np.logical_and.reduce([stem[at] > 0 for at in inside])
        start = np.flatnonzero(fits)
        code = np.zeros(len(start), np.int64)
        for at in range(length):
            code = code * width + stem[start + at]
        codes.append(code)
        starts.append(start)
    different, phrase = np.unique(np.concatenate(codes), return_inverse=True)
    stems = np.stack([different // width**2, different // width % width, different % width], 1)
    return _Places(phrase, np.concatenate(starts), stems)


def _people(what: Numbers, side: Numbers, voice: Numbers, n: int) -> Numbers:
    """(n, 3): how many different people say each thing negatively, neutrally and positively."""
    if not len(what):
        return np.zeros((n, 3), np.int64)
    people = int(voice.max()) + 1
    said = np.sort((what * 3 + side) * people + voice)
    first = np.r_[True, said[1:] != said[:-1]]
    return np.bincount(said[first] // people, minlength=3 * n).reshape(n, 3)


def _said_by(text: _Text, side: Numbers, voice: Numbers) -> Numbers:
    """(3,): different words that say something, summed over people, by polarity."""
    at = np.flatnonzero(text.weight[text.stem] == 2)
    owner = text.owner[at]
    words = _people(text.stem[at], side[owner], voice[owner], len(text.weight))
    return np.asarray(words.sum(0), np.int64)


# One phrase of those that say the same.


def _candidates(
    phrases: Numbers, text: _Text, places: _Places, mine: Flags, voice: Numbers
) -> list[_Candidate]:
    """The phrases with their places in mentions of a polarity, in the given order."""
    rank = np.full(len(places.stems), -1)
    rank[phrases] = np.arange(len(phrases))
    at = np.flatnonzero((rank[places.phrase] >= 0) & mine[text.owner[places.start]])
    at = at[np.argsort(rank[places.phrase[at]], kind="stable")]
    ends = np.cumsum(np.bincount(rank[places.phrase[at]], minlength=len(phrases)))
    groups = np.split(places.start[at], ends)[:-1]
    found = []
    for phrase, group in zip(phrases.tolist(), groups, strict=True):
        owners = text.owner[group]
        stems = [stem for stem in places.stems[phrase].tolist() if stem]
        found.append(
            _Candidate(
                phrase,
                stems,
                group.tolist(),
                set(owners.tolist()),
                set(voice[owners].tolist()),
                turned=bool(text.turning[stems].any()),
            )
        )
    return found


def _merged(ranked: list[_Candidate]) -> list[_Candidate]:
    """One of those that overlap: the longer one if most who say the shorter one say it so."""
    lost = set()
    for shorter in ranked:
        for longer in ranked:
            if shorter.within(longer):
                lost.add((shorter if _stands_for(longer, shorter) else longer).phrase)
    kept: list[_Candidate] = []
    for one in ranked:
        if one.phrase not in lost and not any(_alike(one, other) for other in kept):
            kept.append(one)
    return kept


def _stands_for(longer: _Candidate, shorter: _Candidate) -> bool:
    share = NEGATED_SHARE if longer.turned and not shorter.turned else SHARE
    return len(longer.authors) >= share * len(shorter.authors)


def _alike(one: _Candidate, other: _Candidate) -> bool:
    """Whether the same people say both with the same words, or one stands beside the other."""
    starts = set(other.starts)
    ends = {start + len(other.stems) for start in starts}
    beside = sum(at in ends or at + len(one.stems) in starts for at in one.starts)
    if beside >= SHARE * len(one.starts):
        return True
    if set(one.stems).isdisjoint(other.stems):
        return False
    fewer = min(len(one.authors), len(other.authors))
    return len(one.authors & other.authors) >= SAME_AUTHORS * fewer


def _written(text: _Text, one: _Candidate) -> str:
    """The most frequent way of writing it; of equally frequent ones, that with fewer capitals."""
    forms = text.form[np.array(one.starts)[:, None] + np.arange(len(one.stems))]
    counted = Counter(" ".join(text.forms[form] for form in row) for row in forms.tolist())
    return min(counted, key=lambda form: (-counted[form], sum(map(str.isupper, form)), form))


def _example(mentions: list[Said]) -> int:
    return max(mentions, key=lambda one: (abs(one.valence), one.id)).id
