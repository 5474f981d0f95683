"""A line, or bars, the size of a word. Altair takes 60 ms a chart, too long for one a service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from sentiment.web.figures import Point

WIDTH, HEIGHT = 120, 32


def spark(points: list[Point], said: str) -> str:
    """An SVG of net sentiment from −100 to 100; steps with too few votes are gaps."""
    places: list[tuple[float, float] | None] = [
        None
        if point.net is None
        else (
            WIDTH * place / max(1, len(points) - 1),
            HEIGHT / 2 - point.net * (HEIGHT / 2 - 3) / 100,
        )
        for place, point in enumerate(points)
    ]
    path, pen = "", "M"
    for place in places:
        if place is not None:
            path += f"{pen}{place[0]:.1f} {place[1]:.1f}"
        pen = "M" if place is None else "L"
    dots = [place for place in places if place is not None]
    last = f'<circle cx="{dots[-1][0]:.1f}" cy="{dots[-1][1]:.1f}" r="2.5"/>' if dots else ""
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f"aria-label={quoteattr(said)}>"
        f'<line class="zero" x1="0" x2="{WIDTH}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}"/>'
        f'<path d="{path or "M0 0"}"/>{last}</svg>'
    )


def bars(counts: list[int], said: str) -> str:
    """An SVG of bars, the highest one as high as the picture."""
    most = max(counts, default=0) or 1
    width = WIDTH / max(1, len(counts))
    drawn = "".join(
        f'<rect x="{place * width + 0.4:.1f}" y="{HEIGHT * (1 - count / most):.1f}" '
        f'width="{width - 0.8:.1f}" height="{HEIGHT * count / most:.1f}"/>'
        for place, count in enumerate(counts)
        if count
    )
    return (
        f'<svg class="spark bars" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" '
        f'role="img" '
        f"aria-label={quoteattr(said)}>"
        f'<line class="zero" x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}"/>{drawn}</svg>'
    )
