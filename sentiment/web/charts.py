"""Charts as SVG, drawn on the server by Altair and vl-convert: no script reaches the browser.

Colours are CSS variables that a style inside each picture sets, so that one picture serves light
and dark screens; the palette is Okabe and Ito's, which colour-blind people can tell apart, and
lines differ in their dashes, too.
"""

from __future__ import annotations

import re
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from models.labels import EKMAN

if TYPE_CHECKING:
    from sentiment.web.figures import Point, Row
    from sentiment.web.words import Words

WIDTH, HEIGHT = 720, 260
STYLE = """<style>
svg { --ink: #1b2733; --soft: #51606e; --grid: #dfe5ea; --line: #0063a0; --band: #0072b2;
  --alarm: #b02a00; --second: #8a4b00; --third: #00664b;
  --e0: #b02a00; --e1: #6b5a00; --e2: #7a3b75; --e3: #0063a0; --e4: #51606e; --e5: #00664b }
@media (prefers-color-scheme: dark) { svg { --ink: #e8edf2; --soft: #a9b6c2; --grid: #3a4753;
  --line: #6cc0f5; --band: #56b4e9; --alarm: #ff9a6b; --second: #f0b354; --third: #4fd6a8;
  --e0: #ff9a6b; --e1: #e8d44d; --e2: #e3a0d5; --e3: #6cc0f5; --e4: #b7c3ce; --e5: #4fd6a8 } }
@media print { svg { --ink: #000; --soft: #333; --grid: #ccc; --line: #0063a0; --alarm: #b02a00 } }
</style>"""
DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])
_DRAWING = threading.Lock()  # vl-convert has one engine a process


def sentiment(
    words: Words, points: list[Point], step: int, baseline: float | None, alarms: list[Row]
) -> str:
    """Net sentiment over time with its interval; baseline and alarms marked."""
    import altair as alt

    drawn = [
        {"day": str(_middle(p.first, step)), "net": p.net, "low": p.low, "high": p.high}
        for p in points
        if p.net is not None
    ]
    x = _days(words, points, step)
    y = alt.Y("net:Q", title=words.say("net_sentiment"), scale=alt.Scale(domain=[-100, 100]))
    base = alt.Chart(_data(drawn)).encode(x=x)
    layers: list[Any] = [
        base.mark_rule(color="var(--band)", opacity=0.35, strokeWidth=6, strokeCap="round").encode(
            y=alt.Y("low:Q", title=words.say("net_sentiment")), y2="high:Q"
        ),
        base.mark_line(color="var(--line)", strokeWidth=2).encode(y=y),
        base.mark_point(color="var(--line)", fill="var(--line)", size=28).encode(y=y),
        alt.Chart(_data([{"zero": 0}])).mark_rule(color="var(--soft)").encode(y="zero:Q"),
    ]
    if baseline is not None:
        said = words.say("baseline_at", value=words.points(baseline))
        at = alt.Chart(_data([{"at": baseline, "said": said}])).encode(y="at:Q")
        layers += [
            at.mark_rule(color="var(--third)", strokeDash=[6, 4]),
            at.mark_text(
                align="left", baseline="bottom", dx=4, dy=-2, color="var(--third)", x=0
            ).encode(text="said:N"),
        ]
    if alarms:
        data = [{"day": a["day"], "said": words.say(f"mark_{a['state']}")} for a in alarms]
        at = alt.Chart(_data(data)).encode(x=x)
        layers += [
            at.mark_rule(color="var(--alarm)", strokeWidth=2),
            at.mark_text(align="right", dx=-4, y=10, color="var(--alarm)").encode(text="said:N"),
        ]
    return _svg(alt.layer(*layers), words.say("chart_sentiment"))


def emotions(words: Words, points: list[Point], step: int) -> str:
    """Share of voices with each emotion over time."""
    import altair as alt

    drawn = [
        {
            "day": str(_middle(p.first, step)),
            "share": p.emotions[name],
            "emotion": words.say(name),
        }
        for p in points
        if p.emotions
        for name in EKMAN
    ]
    names = [words.say(name) for name in EKMAN]
    title = words.say("emotion")
    chart = (
        alt.Chart(_data(drawn))
        .mark_line(strokeWidth=2, point={"size": 18})
        .encode(
            x=_days(words, points, step),
            y=alt.Y(
                "share:Q",
                title=words.say("share_of_voices"),
                axis=alt.Axis(format="%", tickCount=5),
            ),
            color=alt.Color(
                "emotion:N",
                title=title,
                scale=alt.Scale(domain=names, range=[f"var(--e{i})" for i in range(len(names))]),
            ),
            strokeDash=alt.StrokeDash(
                "emotion:N", title=title, scale=alt.Scale(domain=names, range=list(DASHES))
            ),
        )
    )
    return _svg(chart, words.say("chart_emotions"))


def surveys(
    words: Words,
    points: list[Point],
    step: int,
    answers: dict[str, list[tuple[date, Row]]],
) -> str:
    """Net sentiment, NPS, CSAT and CES on one axis from −100 to 100 (means moved onto it)."""
    import altair as alt

    kinds = [words.say("net_sentiment"), "NPS", "CSAT", "CES"]
    drawn = [
        {"day": str(_middle(p.first, step)), "value": p.net, "kind": kinds[0]}
        for p in points
        if p.net is not None
    ]
    for metric, line in answers.items():
        drawn += [
            {"day": str(_middle(first, step)), "value": _moved(row), "kind": metric.upper()}
            for first, row in line
        ]
    colours = ["var(--line)", "var(--second)", "var(--third)", "var(--e2)"]
    chart = (
        alt.Chart(_data(drawn))
        .mark_line(strokeWidth=2, point={"size": 22})
        .encode(
            x=_days(words, points, step),
            y=alt.Y(
                "value:Q", title=words.say("common_scale"), scale=alt.Scale(domain=[-100, 100])
            ),
            color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds, range=colours)),
            strokeDash=alt.StrokeDash(
                "kind:N", title=None, scale=alt.Scale(domain=kinds, range=list(DASHES[:4]))
            ),
        )
    )
    return _svg(chart, words.say("chart_surveys"))


def _moved(row: Row) -> float:
    """A figure on −100…100, the ends of its own scale at the ends."""
    low, high = row["scale_low"], row["scale_high"]
    return float(200 * (row["value"] - low) / (high - low) - 100)


def _middle(first: date, step: int) -> date:
    return first + timedelta(days=step // 2)


def _data(values: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Data(values=values)


def _days(words: Words, points: list[Point], step: int) -> Any:
    """The axis of days, with labels in the visitor's language."""
    import altair as alt

    first, last = points[0].first, points[-1].first + timedelta(days=step - 1)
    whole = (last - first).days + 1
    every = max(1, round(whole / 8))
    ticks = [first + timedelta(days=i) for i in range(0, whole, every)]
    form = "dd.MM." if words.language == "de" else "d MMM"
    if whole > 400:
        form = "MM.yy" if words.language == "de" else "MMM yy"
    labels = {str(tick): words.day(tick, form) for tick in ticks}
    pairs = ", ".join(f"'{day}': '{label}'" for day, label in labels.items())
    return alt.X(
        "day:T",
        title=None,
        scale=alt.Scale(domain=[str(first), str(last)], type="utc"),
        axis=alt.Axis(
            values=list(labels),
            labelExpr="({" + pairs + "})[utcFormat(datum.value, '%Y-%m-%d')] || ''",
            labelOverlap=True,
        ),
    )


def _svg(chart: Any, title: str) -> str:
    import vl_convert

    spec = (
        chart.properties(width=WIDTH, height=HEIGHT)
        .configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="var(--soft)",
            titleColor="var(--soft)",
            gridColor="var(--grid)",
            domainColor="var(--grid)",
            tickColor="var(--grid)",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(
            labelColor="var(--ink)",
            titleColor="var(--soft)",
            labelFontSize=12,
            orient="bottom",
            symbolStrokeWidth=2,
        )
        .configure_text(fontSize=12)
        .to_dict()
    )
    with _DRAWING:
        svg: str = vl_convert.vegalite_to_svg(spec)
    head, rest = svg.split(">", 1)
    return f"{head}><title>{escape(title)}</title>{STYLE}{rest}"


def png(svg: str) -> bytes:
    """A chart as a picture on white, in the colours of a light screen."""
    import vl_convert

    light = STYLE.partition("@media")[0]
    colours = dict(re.findall(r"(--\w+): (#\w+)", light))
    plain = re.sub(r"var\((--\w+)\)", lambda found: colours[found[1]], svg.replace(STYLE, ""))
    head, rest = plain.split(">", 1)
    page = '<rect width="100%" height="100%" fill="white"/>'
    with _DRAWING:
        drawn: bytes = vl_convert.svg_to_png(f"{head}>{page}{rest}", scale=2)
    return drawn
