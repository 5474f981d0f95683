"""A report as one picture (SVG without scripts or fonts from elsewhere), or as a page around it."""

from __future__ import annotations

from html import escape
from typing import Any

from models.labels import POLARITIES

WIDTH, PANEL, TOP = 960, 300, 78
CELL = 62
COLOURS = ("#1f5f8b", "#c1651a")
"""Of the first and the second model; told apart by people who see no red or green, too."""
INK, GREY, LINE = "#1c1c1c", "#5f5f5f", "#d0d0d0"


def svg(report: dict[str, Any]) -> str:
    """Three panels: figures with intervals, what was taken for what, and calibration."""
    models = [report, *([report["against"]] if report.get("against") else [])]
    rows = _figures(models)
    height = TOP + max(260, 44 + 22 * len(rows))
    names = [_text(20, 24, f"{report['n']:,} labelled readings", 16, weight="bold")]
    for k, model in enumerate(models):
        x = 20 + 440 * k
        names += [f'<rect x="{x}" y="38" width="12" height="12" fill="{COLOURS[k]}"/>']
        names += [_text(x + 18, 49, model["model"], 13)]
    panels = [
        _panel(20, "Figures with 95 % intervals", _forest(rows)),
        _panel(40 + PANEL, "Rows: people, columns: model", _confusions(report)),
        _panel(40 + 2 * PANEL, "How sure against how often right", _reliability(models)),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" role="img" aria-label="Evaluation">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join([*names, *panels])
        + "\n</svg>\n"
    )


def page(report: dict[str, Any]) -> str:
    """The picture in an HTML page that needs nothing else."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Evaluation of {escape(report['model'])}</title>"
        "<style>body { margin: 2rem; } svg { max-width: 960px; }</style></head>\n"
        f"<body>\n{svg(report)}</body></html>\n"
    )


def _text(x: float, y: float, words: str, size: int = 11, **style: str) -> str:
    more = "".join(f' {"font-" + k if k == "weight" else k}="{v}"' for k, v in style.items())
    if "fill" not in style:
        more += f' fill="{INK}"'
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}"{more}>{escape(words)}</text>'


def _panel(x: int, title: str, content: list[str]) -> str:
    inside = "\n".join([_text(0, 0, title, 12, weight="bold"), *content])
    return f'<g transform="translate({x} {TOP})">\n{inside}\n</g>'


Row = tuple[str, list[tuple[float, float, float]]]
"""What is measured, and for each model its value and interval."""


def _figures(models: list[dict[str, Any]]) -> list[Row]:
    """The rows of the first panel."""

    def row(name: str, parts: list[dict[str, Any]], key: str) -> Row:
        return name, [(p[key], p[f"{key}_low"], p[f"{key}_high"]) for p in parts]

    found: list[Row] = []
    if models[0]["n"]:
        found += [row("macro-F1", models, "macro_f1"), row("micro-F1", models, "micro_f1")]
        found += [row("calibration error", models, "calibration_error")]
        for language in models[0]["languages"]:
            parts = [model["languages"][language] for model in models]
            found.append(row(f"macro-F1, {language}", parts, "macro_f1"))
    if models[0]["emotions"]:
        parts = [model["emotions"] for model in models]
        found.append(row("macro-F1, emotions", parts, "macro_f1"))
    return found


def _forest(rows: list[Row]) -> list[str]:
    """A point and a line for each model and figure, from 0 to 1."""
    left, right = 120, PANEL - 44
    parts = []
    for tick in (0.0, 0.5, 1.0):
        x = left + (right - left) * tick
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="16" y2="{22 + 22 * len(rows)}" stroke="{LINE}"/>'
        )
        parts.append(
            _text(x, 38 + 22 * len(rows), f"{tick:.1f}", 10, **{"text-anchor": "middle"}, fill=GREY)
        )
    for i, (name, values) in enumerate(rows):
        y = 32 + 22 * i
        parts.append(_text(0, y + 4, name))
        for k, (value, low, high) in enumerate(values):
            here = y + (5 * (2 * k - 1) if len(values) > 1 else 0)
            x, x1, x2 = (left + (right - left) * v for v in (value, low, high))
            parts.append(
                f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{here}" y2="{here}" '
                f'stroke="{COLOURS[k]}" stroke-width="2"/>'
                f'<circle cx="{x:.1f}" cy="{here}" r="3.5" fill="{COLOURS[k]}"/>'
            )
        parts.append(_text(right + 8, y + 4, f"{values[0][0]:.3f}", 10, fill=COLOURS[0]))
    return parts


def _confusions(report: dict[str, Any]) -> list[str]:
    """Counts of the first model, darker where more of the row went."""
    if not report["n"]:
        return []
    parts = []
    for j, choice in enumerate(POLARITIES):
        parts.append(
            _text(70 + CELL * (j + 0.5), 26, choice, 10, **{"text-anchor": "middle"}, fill=GREY)
        )
    for i, truth in enumerate(POLARITIES):
        row = report["confusion"][truth]
        y = 34 + CELL * i
        parts.append(_text(0, y + CELL / 2 + 4, truth, 10, fill=GREY))
        for j, choice in enumerate(POLARITIES):
            share = row[choice] / max(1, sum(row.values()))
            ink = "#ffffff" if share > 0.5 else INK
            x = 70 + CELL * j
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL - 3}" height="{CELL - 3}" '
                f'fill="{COLOURS[0]}" fill-opacity="{0.05 + 0.95 * share:.2f}"/>'
            )
            middle = {"text-anchor": "middle"}
            parts.append(_text(x + CELL / 2, y + 28, f"{row[choice]:,}", 13, **middle, fill=ink))
            parts.append(_text(x + CELL / 2, y + 44, f"{share:.0%}", 10, **middle, fill=ink))
    return parts


def _reliability(models: list[dict[str, Any]]) -> list[str]:
    """Mean certainty against share of right ones; on the diagonal they agree."""
    size, left, top = 190, 30, 16
    parts = [
        f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="{LINE}"/>',
        f'<line x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}" stroke="{LINE}"/>',
        _text(left, top + size + 16, "0", 10, fill=GREY),
        _text(left + size, top + size + 16, "1", 10, **{"text-anchor": "middle"}, fill=GREY),
        _text(left + size / 2, top + size + 16, "sure", 10, **{"text-anchor": "middle"}, fill=GREY),
        _text(left - 6, top + 10, "1", 10, **{"text-anchor": "end"}, fill=GREY),
        _text(left - 4, top + size / 2, "right", 10, **{"text-anchor": "end"}, fill=GREY),
    ]
    for k, model in enumerate(models):
        points = [
            (left + size * b["sure"], top + size * (1 - b["right"]), b["n"])
            for b in model.get("calibration", [])
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[k]}"/>')
        for x, y, n in points:
            radius = 2 + 6 * (n / max(1, model["n"])) ** 0.5
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{COLOURS[k]}"/>'
            )
    return parts
