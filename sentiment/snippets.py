"""What a post says about one of its services: the text that is scored."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]

# A full stop after these ends no sentence, and nothing follows that would start one by itself.
_ABBREVIATED = (
    "abs abt allg anm az bsp bspw bzgl bzw ca co dgl dipl dr ehem einschl engl etc evtl fa ff"
    " fr geb gem ggf ggü hr hrn inc incl inkl ing insb jan jr feb mär apr jun jul aug sep sept okt"
    " nov dez kfm lt ltd max mag mdl med min mind mio mr mrd mrs ms nr o.ä phil prof proz pkt"
    " s sog sr st std stk str stv tel tsd u u.a usw u.u v.a vgl vs z zb zzgl ziff i.d.r d.h z.b"
    " e.g i.e approx dept est"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_STOP = re.compile(
    r"[.!?…]+[\"'”“»«\u2019)\]]*|[\u2600-\u27bf\U0001f300-\U0001faff\ufe0f]+|\n[^\S\n]*"
)
_TRIM = " ,;-\u2013—"
_SHORT_LINE = 50
_BULLET = "-\u2013—•*·>#+✓✔✗❌✅"


def sentences(text: str) -> list[Span]:
    """The sentences as (start, end) offsets, without gaps: white space belongs to the one before.

    Knows German and English abbreviations, ordinals, dates, initials and the bare line ends of
    posts; an emoji or "!" ends a sentence when a capital follows.
    """
    spans, start = [], 0
    for stop in _STOP.finditer(text):
        end = stop.end()
        while end < len(text) and text[end].isspace():
            end += 1
        if end < len(text) and end > start and _ends(text, start, stop, end):
            spans.append((start, end))
            start = end
    if start < len(text):
        spans.append((start, len(text)))
    return spans


def _ends(text: str, start: int, stop: re.Match[str], following: int) -> bool:
    """Whether a sentence ends at this mark; following: offset of the next character."""
    gap = text[stop.end() : following]
    if "\n" in stop[0] + gap:
        return _line_ends(text, start, stop, following)
    if stop[0][0] == ".":
        return bool(gap) and _full_stop(text, stop, following)
    if not text[following].isupper():
        return bool(gap) and stop[0][0] in "!?" and not text[following].islower()
    return bool(gap) or stop[0][0] in "!?"


def _line_ends(text: str, start: int, stop: re.Match[str], following: int) -> bool:
    if text.count("\n", stop.start(), following) > 1 or text[following] in _BULLET:
        return True
    before = text[max(start, stop.start() - 2 * _SHORT_LINE) : stop.start()].rstrip()
    if stop[0][0] in ".!?…" or before[-1:] in {*".!?…:"}:
        return True
    line = len(before) - (before.rfind("\n") + 1)
    return line < _SHORT_LINE and text[following].isupper()


def _full_stop(text: str, stop: re.Match[str], following: int) -> bool:
    """Whether a full stop followed by white space ends a sentence."""
    if text[following].islower():
        return False
    if len(stop[0]) > 1:
        return True
    word = re.search(r"\S{0,20}$", text[max(0, stop.start() - 20) : stop.start()])
    last = word[0].lower().lstrip("(\"'„“»") if word else ""
    if last in {"usw", "etc"}:
        return text[following].isupper()
    ordinal = last.isdigit() and len(last) <= 2  # 3. Mai, 1. Instanz
    initial = len(last) == 1 and last.isalpha()  # z. B., J. Schmidt
    return not (ordinal or initial or last in _ABBREVIATIONS)


# Clauses: where the talk goes over from one service to another.

_TURN = re.compile(
    r"(?:;|\s[\u2013—-]\s|(?:,\s*|\s)(?=(?:aber|jedoch|dafür|während|wohingegen|hingegen|dagegen"
    r"|allerdings|obwohl|nur|but|whereas|while|however|though|although|yet)\b))",
    re.IGNORECASE,
)
_COMMA = re.compile(r"[,:]\s")
_AND = re.compile(r"\s(?:und|sowie|and|&|\+)\s", re.IGNORECASE)
_EMPTY = (
    "der die das den dem des ein eine einen einem einer im in ins am an auf aus bei beim für mit"
    " zu zur zum von vom über ihr ihre ihren ihrem mein meine meinen unser unsere sein seine beide"
    " auch the a my our your their his her its for with at of on from to both also as und and oder"
    " or sowie sondern noch nor meiner meinem unserer unserem unseren ihrer seiner seinen dieser"
    " diese diesem diesen eure eurer euer this that these those"
)
_EMPTY_WORDS = frozenset(_EMPTY.split())
_CONTINUES = re.compile(
    r"(?:sie|er|es|das|dies|diese[rsmn]?|die|der|dort|da|davon|dafür|leider|absolut|nie wieder"
    r"|finger weg|it|they|this|that|these|those|he|she|never again|absolutely|sadly)\b",
    re.IGNORECASE,
)
_FRAGMENT_WORDS = 4
_REACH = 1000
"""Characters of a sentence looked at on either side of a place: texts without sentences exist."""


def snippet(text: str, spans: Sequence[Span], others: Sequence[Span] = (), limit: int = 300) -> str:
    """What a text says about the thing at `spans`, in at most `limit` characters.

    spans: its places; others: places of what else the text is about; code point offsets. With
    nothing else in it, a text within the limit is taken as a whole. Otherwise the sentences with
    the places and those that run on from them ("She ..."), cut where the talk turns to another
    place. White space becomes single spaces; pieces that lie apart are joined by " … ".
    """
    spans, others = sorted(spans), _apart(sorted(others), spans)
    whole = _spaced(text)
    if not spans or (not others and len(whole) <= limit):
        return _cut(whole, limit)
    pieces: list[Span] = []
    for piece in _pieces(text, spans, others):
        if len(_together(text, [*pieces, piece])) > limit:
            break
        pieces.append(piece)
    return _together(text, pieces) if pieces else _around(text, spans, others, limit)


def _apart(others: Sequence[Span], spans: Sequence[Span]) -> list[Span]:
    """Those of the others that share no character with a span; both in order."""
    starts = [start for start, _ in spans]
    apart = []
    for other in others:
        nearest = bisect_left(starts, other[1]) - 1
        if nearest < 0 or spans[nearest][1] <= other[0]:
            apart.append(other)
    return apart


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _pieces(text: str, spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """The parts of the text, in order, that are about the spans."""
    running_on = False
    for start, end in sentences(text):
        mine, theirs = _within(spans, start, end), _within(others, start, end)
        if mine:
            reach = max(start, mine[0][0] - _REACH), min(end, mine[0][1] + _REACH)
            mine, theirs = _within(mine, *reach), _within(theirs, *reach)
            cuts = list(_clauses(text, reach, mine, theirs))
            yield from cuts
            running_on = cuts[-1][1] == end
        elif running_on and not theirs and _runs_on(text[start:end]):
            yield start, end
        else:
            running_on = False


def _within(spans: Sequence[Span], start: int, end: int) -> Sequence[Span]:
    return spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))]


def _runs_on(sentence: str) -> bool:
    words = sentence.split()
    return len(words) <= _FRAGMENT_WORDS or _CONTINUES.match(sentence.lstrip()) is not None


def _clauses(
    text: str, sentence: Span, mine: Sequence[Span], theirs: Sequence[Span]
) -> Iterator[Span]:
    """The sentence, or the parts of it that are left when clauses about others are cut away."""
    places = sorted([(span, True) for span in mine] + [(span, False) for span in theirs])
    groups = _coordinated(text, places)
    spans = [span for span, _ in places]
    start, held = sentence[0], groups[0][1]
    for index, ((before, was_mine), (after, is_mine)) in enumerate(pairwise(groups)):
        until = groups[index + 2][0][0] if index + 2 < len(groups) else sentence[1]
        cut = None
        if not (was_mine and is_mine):
            cut = _turn(text, (start, before[1]), (after[0], until), spans)
        if cut is None:
            held = held or is_mine
            continue
        if held:
            yield start, cut[0]
        start, held = cut[1], is_mine
    if held:
        yield start, sentence[1]


def _coordinated(text: str, places: Sequence[tuple[Span, bool]]) -> list[tuple[Span, bool]]:
    """Places with nothing said between them as one: "tax and labour law"."""
    groups = [places[0]]
    for (start, end), is_mine in places[1:]:
        (first, last), was_mine = groups[-1]
        if _says_something(text, (last, start), ()):
            groups.append(((start, end), is_mine))
        else:
            groups[-1] = (first, max(last, end)), was_mine or is_mine
    return groups


def _turn(text: str, left: Span, right: Span, places: Sequence[Span]) -> Span | None:
    """The separator between two places at which what is said of the first ends.

    left: from the clause's start to the end of the first place; right: from the second place to
    the one after it. Both sides must say something: in "tax, but not law, is great" nothing
    separates.
    """
    for kind in (_TURN, _COMMA, _AND):
        for found in reversed(list(kind.finditer(text, left[1], right[0]))):
            sides = (left[0], found.start()), (found.end(), right[1])
            if all(_says_something(text, side, places) for side in sides):
                return found.span()
    return None


def _says_something(text: str, side: Span, places: Sequence[Span]) -> bool:
    rest, at = [], side[0]
    for start, end in places:
        if side[0] <= start < side[1]:
            rest.append(text[at:start])
            at = max(at, end)
    rest.append(text[at : side[1]])
    words = re.findall(r"\w+|[\U0001f300-\U0001faff\u2600-\u27bf]", " ".join(rest).lower())
    return any(word not in _EMPTY_WORDS for word in words)


def _together(text: str, pieces: Iterable[Span]) -> str:
    joined: list[Span] = []
    for start, end in pieces:
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    said = (_spaced(text[start:end]).strip(_TRIM) for start, end in joined)
    return " … ".join(filter(None, said))


def _around(text: str, spans: Sequence[Span], others: Sequence[Span], limit: int) -> str:
    """The words around the first place, where what is said there is too long as a whole."""
    start, end = next(_pieces(text, spans, others), (0, len(text)))
    head = max(start, spans[0][0] - limit // 2)
    if head > start:
        gap = re.search(r"\s", text[head : spans[0][0]])
        head = head + gap.end() if gap else spans[0][0]
    lead = "…" if head > start else ""
    return _cut(lead + _spaced(text[head:end]).strip(_TRIM), limit)


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, ending at a word; "…" says that something is missing."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    short = text[: limit - 1]
    if not text[limit - 1].isspace() and " " in short:
        short = short[: short.rindex(" ")]
    return short.rstrip(_TRIM) + "…"
