"""A job's curves as a PNG, by matplotlib's Agg canvas: no pyplot, no global state, none of the user's
backends. Made only when a job is over."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlops_jupyter.core.series import Point, extremes

log = logging.getLogger(__name__)

#: Base64 makes it a third longer, and the whole HTML has 60 kB.
MOST_BYTES = 40_000
CHARTS = 3
#: Legible on white and on black, since it cannot know what it will be shown on.
_INK = "#767676"
_COLOURS = {"train": "#0072B2", "val": "#E04F00"}
_DASHES = {"train": "-", "val": "--"}


def picture(points: Mapping[str, Sequence[Point]]) -> bytes | None:
    """Up to three charts side by side, training and validation of a metric on one; ``None`` without
    any point to draw."""
    charts = _charts(points)
    if not charts:
        return None
    figure = Figure(figsize=(7.0, 1.9), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for place, (title, curves) in enumerate(charts.items(), 1):
        _draw(figure.add_subplot(1, len(charts), place), title, curves)
    for dpi in (100, 72, 50):
        png = io.BytesIO()
        figure.set_dpi(dpi)
        try:
            canvas.print_png(png, metadata={"Software": None}, pil_kwargs={"optimize": True})
        except (RuntimeError, ValueError) as error:
            # The user's own settings reach this far (usetex without LaTeX): the table does without.
            log.warning("No picture of the curves: %s", error)
            return None
        if png.tell() <= MOST_BYTES:
            return png.getvalue()
    return None


def _charts(points: Mapping[str, Sequence[Point]]) -> dict[str, dict[str, Sequence[Point]]]:
    charts: dict[str, dict[str, Sequence[Point]]] = {}
    for name, measured in points.items():
        split, _, metric = name.partition("_")
        known = split in _COLOURS and bool(metric)
        if any(point.value is not None for point in measured):
            charts.setdefault(metric if known else name, {})[split if known else "train"] = measured
    return dict(list(charts.items())[:CHARTS])


def _draw(axes: Axes, title: str, curves: Mapping[str, Sequence[Point]]) -> None:
    for split, measured in curves.items():
        kept = extremes(measured, 300).points
        steps = [point.step for point in kept]
        # Not a number is a gap in the line.
        values = [float("nan") if point.value is None else point.value for point in kept]
        marker = "o" if len(kept) == 1 else None
        axes.plot(
            steps, values, _DASHES[split], color=_COLOURS[split], linewidth=1.4, marker=marker, label=split
        )
    # A name is data: a dollar sign in it starts no formula.
    axes.set_title(title[:40], fontsize=9, color=_INK, parse_math=False)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.locator_params(nbins=4)
    for edge, spine in axes.spines.items():
        spine.set_visible(edge in ("left", "bottom"))
        spine.set_color(_INK)
    if len(curves) > 1:
        axes.legend(fontsize=8, frameon=False, labelcolor=_INK)
    axes.patch.set_alpha(0.0)
    if axes.figure is not None:
        axes.figure.patch.set_alpha(0.0)
