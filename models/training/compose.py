"""Posts about several services, put together from clauses and from labelled texts.

Labelled German posts that praise one service and damn another hardly exist (20 of MobASA's 1,023),
and a model that never saw one reads the same into both. So they are made: from the clauses in
`clauses.txt` (written for this project), from MobASA tweets about different targets, and from
labelled texts set behind a service's name. Nothing of an evaluation set is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.evaluation import behaviour
from models.labels import EKMAN, POLARITIES
from models.training.data import NO_EMOTIONS, UNKNOWN, Example, Reading, fold

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from models.text import Place

CLAUSES = Path(__file__).with_name("clauses.txt")
DEV_FOLDS = 8
"""One clause in so many is kept for dev."""


@dataclass(frozen=True, slots=True)
class Name:
    """A service's name; German ones with their gender (`m`, `f`, `n`, `p` for plural)."""

    text: str
    gender: str


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause with slots for services, such as `Bei {dat} | hat | keiner zurückgerufen`.

    Bars part what stands before the verb, the verb, and the rest, so that German word order can
    follow the connector. Clauses for two services (`{nom1} hui, {nom2} pfui`) have two labels.
    """

    text: str
    polarities: tuple[int, ...]
    emotions: tuple[str, ...]

    @property
    def parts(self) -> list[str]:
        """Before the verb, verb, rest; or the clause in one piece."""
        return [part.strip() for part in self.text.split("|")]


@dataclass(frozen=True, slots=True)
class Bank:
    """All that posts of one language are made of."""

    language: str
    names: tuple[Name, ...]
    clauses: tuple[Clause, ...]
    pairs: tuple[Clause, ...]
    tails: tuple[Clause, ...]
    intros: tuple[str, ...]
    outros: tuple[str, ...]
    fillers: dict[str, tuple[str, ...]]
    """What stands for `{person}`, `{city}`, `{good}` and `{poor}`."""


# ---- reading the bank


def banks(path: Path = CLAUSES) -> tuple[list[Bank], list[Bank]]:
    """German and English banks for training and for dev, which share no clause and no name."""
    sections: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), [])
        elif line.strip() and not line.startswith("#"):
            section.append(line.strip())
    made = [
        (bank(sections, lang, dev=False), bank(sections, lang, dev=True)) for lang in ("de", "en")
    ]
    return [train for train, _ in made], [dev for _, dev in made]


def bank(sections: dict[str, list[str]], language: str, *, dev: bool) -> Bank:
    """One language's bank; the part for dev or the part for training."""

    def some(kind: str) -> list[str]:
        lines = sections.get(f"{language} {kind}", [])
        return [line for line in lines if (fold(line, DEV_FOLDS) == 0) == dev]

    clauses = []
    for polarity in POLARITIES:
        clauses += [clause(line, (POLARITIES.index(polarity),)) for line in some(polarity)]
    tails = []
    for polarity in POLARITIES:
        tails += [clause(line, (POLARITIES.index(polarity),)) for line in some(f"tail {polarity}")]
    pairs = [pair(line) for line in some("pair")]
    return Bank(
        language=language,
        names=tuple(name(line) for line in some("names")),
        clauses=tuple(clauses),
        pairs=tuple(pairs),
        tails=tuple(tails),
        intros=tuple(sections.get(f"{language} intro", [])),
        outros=tuple(sections.get(f"{language} outro", [])),
        fillers={kind: tuple(sections.get(f"{language} {kind}", [])) for kind in FILLERS},
    )


def name(line: str) -> Name:
    """`f Steuerberatung`, or an English name without a gender."""
    gender, _, text = line.partition(" ")
    return Name(text, gender) if len(gender) == 1 and text else Name(line, "")


def clause(line: str, polarities: tuple[int, ...]) -> Clause:
    """`anger, sadness: text` or `text`; `-:` says that there is no emotion."""
    head, colon, text = line.partition(": ")
    labels = [label.strip() for label in head.split(",")]
    if colon and all(label in (*EKMAN, "-") for label in labels):
        return Clause(text, polarities, tuple(labels))
    return Clause(line, polarities, ())


def pair(line: str) -> Clause:
    """`+- {nom1} hui, {nom2} pfui`: a sign for each service (`+`, `-`, `0`)."""
    signs, _, text = line.partition(" ")
    return Clause(text, tuple("-0+".index(sign) for sign in signs), ())


# ---- filling slots

ARTICLES = {  # nominative, dative, accusative by gender
    "m": ("der", "dem", "den"),
    "f": ("die", "der", "die"),
    "n": ("das", "dem", "das"),
    "p": ("die", "den", "die"),
}
CONTRACTED = {
    "in dem": "im",
    "bei dem": "beim",
    "von dem": "vom",
    "zu dem": "zum",
    "zu der": "zur",
    "an dem": "am",
}
SLOT = re.compile(r"\{(nom|dat|acc|s|in|bei|von|zu|mit|an)(\d?)\}", re.IGNORECASE)


class Post:
    """A text that grows, and knows where it speaks of which service."""

    def __init__(self) -> None:
        self.text = ""
        self.places: dict[str, list[Place]] = {}

    def say(self, words: str, names: Sequence[Name], rng: random.Random) -> None:
        """Append words, with names in their slots (`{nom}` is the first, `{nom2}` the second)."""
        at = 0
        for slot in SLOT.finditer(words):
            self.text += words[at : slot.start()]
            at = slot.end()
            case, number = slot[1], int(slot[2] or 1) - 1
            self.text += determiner(case, names[number], rng)
            start = len(self.text)
            self.text += names[number].text
            self.places.setdefault(names[number].text, []).append((start, len(self.text)))
        self.text += words[at:]


def determiner(case: str, name: Name, rng: random.Random) -> str:
    """The article (with preposition) that stands before a name; bare names have none."""
    lower = case.lower()
    if not name.gender or lower == "s":
        return ""
    nominative, dative, accusative = ARTICLES[name.gender]
    if lower in ("nom", "dat", "acc"):
        words = {"nom": nominative, "dat": dative, "acc": accusative}[lower]
        if lower != "dat" and name.gender != "m" and rng.random() < 0.08:
            words = {"f": "eure", "n": "euer", "p": "eure"}[name.gender]
    else:
        words = f"{lower} {dative}"
        words = CONTRACTED.get(words, words)
    return (words.capitalize() if case[0].isupper() else words) + " "


def capital(words: str) -> str:
    """The words with their first letter or slot capitalised."""
    if words.startswith("{"):
        return "{" + words[1].upper() + words[2:]
    return words[:1].upper() + words[1:]


# ---- making posts

Joiner = tuple[str, str, str]
"""What stands between two clauses, the word order of the second, and for which pairs it fits."""

JOINERS: dict[str, tuple[Joiner, ...]] = {
    "de": (
        (", aber ", "plain", "differ"),
        (", aber ", "plain", "differ"),
        (", jedoch ", "inverted", "differ"),
        (". Aber ", "plain", "differ"),
        (", nur ", "plain", "differ"),
        (". Leider ", "inverted", "bad"),
        (", leider ", "inverted", "bad"),
        (". Zum Glück ", "inverted", "good"),
        (", dafür ", "inverted", "differ"),
        (". Dafür ", "inverted", "differ"),
        (". Hingegen ", "inverted", "differ"),
        (", während ", "last", "differ"),
        (", wogegen ", "last", "differ"),
        (", obwohl ", "last", "differ"),
        (", doch ", "plain", "differ"),
        (". Im Gegensatz dazu ", "inverted", "differ"),
        (". Anders sieht es hier aus: ", "start", "differ"),
        (" – ", "plain", "any"),
        ("\n", "start", "any"),
        (". ", "start", "any"),
        (". ", "start", "any"),
        (" und ", "plain", "same"),
        (", und ", "plain", "any"),
        ("; ", "plain", "any"),
        (". Und ", "plain", "any"),
        (". Außerdem ", "inverted", "same"),
        (". Auch ", "plain", "same"),
        ("... ", "plain", "any"),
        ("! ", "start", "any"),
        (" 👍 ", "start", "good first"),
        (" 👎 ", "start", "bad first"),
        (" / ", "plain", "any"),
        ("\n- ", "start", "any"),
    ),
    "en": (
        (", but ", "plain", "differ"),
        (", but ", "plain", "differ"),
        (". But ", "plain", "differ"),
        (", whereas ", "plain", "differ"),
        (", while ", "plain", "differ"),
        (" although ", "plain", "differ"),
        (". However, ", "plain", "differ"),
        (". Sadly, ", "plain", "bad"),
        (". Luckily, ", "plain", "good"),
        (", yet ", "plain", "differ"),
        (" - ", "plain", "any"),
        ("\n", "start", "any"),
        (". ", "start", "any"),
        (", and ", "plain", "any"),
        ("; ", "plain", "any"),
        ("... ", "plain", "any"),
        ("! ", "start", "any"),
        (". On the other hand, ", "plain", "differ"),
        (". Also, ", "plain", "same"),
        (". ", "start", "any"),
    ),
}


def fits(when: str, first: int, second: int) -> bool:
    """Whether a joiner goes with two polarities."""
    return {
        "any": True,
        "same": first == second,
        "differ": first != second,
        "bad": second == 0 and first != 0,
        "good": second == 2 and first != 2,
        "good first": first == 2,
        "bad first": first == 0,
    }[when]


def ordered(clause: Clause, order: str) -> str:
    """The clause's words in the order that a German connector asks for."""
    parts = clause.parts
    if order == "start":
        return capital(" ".join(parts))
    if len(parts) == 3 and order in ("inverted", "last"):
        front, verb, rest = parts
        return f"{verb} {front} {rest}" if order == "inverted" else f"{front} {rest} {verb}"
    return " ".join(parts)


def from_clauses(bank: Bank, rng: random.Random) -> Example:
    """A post of one to three services out of a bank."""
    if bank.pairs and rng.random() < 0.12:
        return from_pair(bank, rng)
    count = rng.choices((1, 2, 3), (0.2, 0.6, 0.2))[0]
    names = rng.sample(bank.names, count)
    chosen = [choose(bank, rng) for _ in range(count)]
    if count > 1 and rng.random() < 0.6:  # mostly of different polarity
        while chosen[0].polarities == chosen[1].polarities:
            chosen[1] = choose(bank, rng)
    post = Post()
    opened = rng.random() < 0.25 and bool(bank.intros)
    if opened:
        post.say(rng.choice(bank.intros) + " ", (), rng)
    readings: list[Reading] = []
    for i, (one, service) in enumerate(zip(chosen, names, strict=True)):
        order = "start"
        if i:
            before, now = chosen[i - 1].polarities[0], one.polarities[0]
            usable = [j for j in JOINERS[bank.language] if fits(j[2], before, now)]
            if "|" not in one.text:
                usable = [j for j in usable if j[1] in ("plain", "start")]
            joiner, order, _ = rng.choice(usable)
            post.say(joiner, (), rng)
        post.say(filled(ordered(one, order), bank, rng), [service], rng)
        if rng.random() < 0.15 and (tail := tail_for(bank, one, rng)):
            post.say(". " + capital(tail.text), (), rng)
    post.say(rng.choice((".", ".", "!", "", "...")), (), rng)
    for one, service in zip(chosen, names, strict=True):
        places = tuple(post.places.get(service.text, ()))
        readings.append(Reading(places, one.polarities[0], emotions_of(one)))
    return finish(post, readings, bank, rng)


SOMEWHERE = 0.08
"""How often a service that is named is one in some city."""


FILLERS = ("person", "city", "good", "poor")
FILLER = re.compile(rf"\{{({'|'.join(FILLERS)})\}}", re.IGNORECASE)


def filled(words: str, bank: Bank, rng: random.Random) -> str:
    """The words with anybody, anywhere and any adjective in their slots.

    Who and where tells nothing of how; and what is negated tells it only together with its "not".
    """
    if "{city}" not in words and rng.random() < SOMEWHERE:
        words = SLOT.sub(r"\g<0> in {city}", words, count=1)

    def chosen(slot: re.Match[str]) -> str:
        word = rng.choice(bank.fillers[slot[1].lower()])
        return capital(word) if slot[1][0].isupper() else word

    return FILLER.sub(chosen, words)


def choose(bank: Bank, rng: random.Random) -> Clause:
    """A clause: as often negative as positive, less often neutral."""
    polarity = rng.choices(range(len(POLARITIES)), (0.4, 0.22, 0.38))[0]
    return rng.choice([c for c in bank.clauses if c.polarities[0] == polarity])


def tail_for(bank: Bank, clause: Clause, rng: random.Random) -> Clause | None:
    """A sentence that goes on about the same service without naming it."""
    tails = [tail for tail in bank.tails if tail.polarities == clause.polarities]
    return rng.choice(tails) if tails else None


def from_pair(bank: Bank, rng: random.Random) -> Example:
    """A post that weighs services against each other in one sentence."""
    one = rng.choice(bank.pairs)
    names = rng.sample(bank.names, len(one.polarities))
    post = Post()
    post.say(capital(one.text), names, rng)
    readings = [
        Reading(tuple(post.places[service.text]), polarity)
        for service, polarity in zip(names, one.polarities, strict=True)
    ]
    return finish(post, readings, bank, rng)


def finish(post: Post, readings: list[Reading], bank: Bank, rng: random.Random) -> Example:
    """Add an ending and the reading of the whole, where the services agree."""
    polarities = {reading.polarity for reading in readings}
    if bank.outros and rng.random() < 0.15:
        post.say(" " + rng.choice(bank.outros), (), rng)
    if len(polarities) == 1 and len(readings) < 3:
        emotions = readings[0].emotions if len(readings) == 1 else NO_EMOTIONS
        readings.append(Reading((), polarities.pop(), emotions))
    elif polarities in ({1, 0}, {1, 2}):  # one is only mentioned
        readings.append(Reading((), (polarities - {1}).pop(), weight=0.5))
    return noisy(Example(post.text, f"clauses_{bank.language}", tuple(readings)), rng)


def emotions_of(clause: Clause) -> tuple[int, ...]:
    """The clause's emotions; where none is written down, none is known."""
    if not clause.emotions:
        return NO_EMOTIONS
    return tuple(int(name in clause.emotions) for name in EKMAN)


PROPER = ("person", "city")
SWAPPED = 0.8
"""How often the first names and cities of a text are swapped for others."""


class Swap:
    """Swaps the first names and cities of texts for any others.

    Who and where tells nothing of how. In a labelled set chance decides which city is praised, and
    a model learns that by heart. Names of the behaviour tests give way and are put into no text.
    """

    def __init__(self, bank: Bank) -> None:
        self.others = {kind: bank.fillers[kind] for kind in PROPER}
        tested = behaviour.sections()
        self.kind = {
            name: kind
            for kind in PROPER
            for name in (*self.others[kind], *tested[bank.language, kind])
        }
        longest_first = sorted(self.kind, key=len, reverse=True)
        self.name = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")

    def __call__(self, example: Example, rng: random.Random) -> Example:
        """The example, now and then with other names; each always gives way to the same one."""
        found = list(self.name.finditer(example.text))
        if not found or rng.random() >= SWAPPED:
            return example
        chosen = {m[0]: rng.choice(self.others[self.kind[m[0]]]) for m in found}
        grown = [(m.end(), len(chosen[m[0]]) - len(m[0])) for m in found]

        def moved(place: int) -> int:
            return place + sum(more for end, more in grown if end <= place)

        readings = tuple(
            replace(r, spans=tuple((moved(a), moved(b)) for a, b in r.spans))
            for r in example.readings
        )
        text = self.name.sub(lambda m: chosen[m[0]], example.text)
        return replace(example, text=text, readings=readings)


MISSPELT = 0.25
"""Share of posts that are in lower case, in capitals or misspelt."""


def noisy(example: Example, rng: random.Random) -> Example:
    """Now and then the spelling of people in a hurry; one letter for one, so places stay."""
    text, dice = example.text, rng.random()
    if dice < 0.10:
        text = text.lower() if len(text.lower()) == len(text) else text
    elif dice < 0.12:
        text = "".join(c.upper() if len(c.upper()) == 1 else c for c in text)
    elif dice < MISSPELT:
        text = misspelt(text, rng)
    return replace(example, text=text)


def misspelt(text: str, rng: random.Random) -> str:
    """The text with a slip every forty letters or so: a wrong one, two swapped, a lost umlaut."""
    letters = list(text)
    for _ in range(1 + len(letters) // rng.choice((25, 40, 60))):
        i = rng.randrange(len(letters) - 1)
        one, other = letters[i : i + 2]
        if one.lower() in "äöü":
            letters[i] = one.translate(str.maketrans("äöüÄÖÜ", "aouAOU"))
        elif one.isalpha() and other.isalpha() and rng.random() < 0.6:
            letters[i : i + 2] = other, one
        elif one.isalpha():
            letters[i] = rng.choice("aeinrst")
    return "".join(letters)


# ---- splicing labelled texts

SPLICES = (
    ", aber ",
    " Aber ",
    ". Dafür: ",
    " – ",
    " - ",
    "\n",
    "\n\n",
    ". ",
    " ... ",
    " / ",
    " und außerdem: ",
    ", während: ",
    " Leider: ",
    " Andererseits: ",
    ", jedoch ",
    " | ",
    " ",
    " Und noch was: ",
    " #fail ",
)


def splice(first: Example, second: Example, rng: random.Random) -> Example:
    """Two posts in one; each target keeps its polarity."""
    head = first.text.strip()
    if rng.random() < 0.5:
        head = head.rstrip(".! ")
    head += rng.choice(SPLICES)
    lead = len(first.text) - len(first.text.lstrip())
    moved = [move(r, -lead) for r in first.readings] + [move(r, len(head)) for r in second.readings]
    targets = tuple(r for r in moved if r.spans)
    return Example(head + second.text, first.source, targets)


def move(reading: Reading, by: int) -> Reading:
    """A reading whose text was put behind another."""
    return replace(reading, spans=tuple((max(0, a + by), b + by) for a, b in reading.spans))


def labelled_lines(
    examples: Sequence[Example], names: Sequence[Name], rng: random.Random
) -> Example:
    """`Steuerberatung: <text>` lines: what stands behind a name is said about it."""
    form = rng.choice(("{s}: ", "{s} – ", "{s}: ", "#{s} ", "{s}\n", "{nom}: ", "Zu {dat}: "))
    if not names[0].gender:
        form = rng.choice(("{s}: ", "{s} - ", "About {s}: ", "#{s} ", "{s}\n"))
    between = rng.choice(("\n", " ", ". ", "\n\n", " / ", "\n- "))
    post, readings = Post(), []
    for example, service in zip(examples, names, strict=True):
        if post.text:
            post.say(between, (), rng)
        post.say(capital(form), [service], rng)
        post.say(example.text.strip().replace("{", "("), (), rng)
        whole = next(r for r in example.readings if not r.spans)
        readings.append(replace(whole, spans=tuple(post.places[service.text])))
    return Example(post.text, f"lines_{examples[0].source}", tuple(readings))


def long(examples: Sequence[Example], polarity: int, language: str, rng: random.Random) -> Example:
    """Texts of one polarity, one after the other: what they say together is what each says."""
    text = rng.choice((" ", "\n", ". ", "\n\n")).join(e.text.strip() for e in examples)
    return Example(text, f"long_{language}", (Reading((), polarity),))


def by_polarity(examples: Iterable[Example], key: Callable[[Example], int]) -> list[list[Example]]:
    """Examples sorted into negative, neutral and positive ones."""
    sorted_: list[list[Example]] = [[] for _ in POLARITIES]
    for example in examples:
        if (polarity := key(example)) != UNKNOWN:
            sorted_[polarity].append(example)
    return sorted_


def targets_agree(example: Example) -> int:
    """The polarity that all targets of a post share, or -1."""
    found = {reading.polarity for reading in example.readings if reading.spans}
    return found.pop() if len(found) == 1 else UNKNOWN


def whole(example: Example) -> int:
    """The polarity of the whole text, or -1."""
    return next((r.polarity for r in example.readings if not r.spans), UNKNOWN)


def opposite(sorted_: list[list[Example]], rng: random.Random) -> tuple[Example, Example]:
    """Two examples of different polarity, mostly the opposite, in random order."""
    kinds = rng.choices(((0, 2), (0, 1), (1, 2)), (0.7, 0.15, 0.15))[0]
    first, second = (rng.choice(sorted_[kind]) for kind in kinds)
    return (first, second) if rng.random() < 0.5 else (second, first)
