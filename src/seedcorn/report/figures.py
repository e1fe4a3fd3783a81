"""The figures of reports and papers, as Vega-Lite specs made by Altair; ``save_figure`` writes them as SVG or PNG."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedcorn.errors import ConfigError, require
from seedcorn.files import Json, writing_whole
from seedcorn.report.page import Figure

if TYPE_CHECKING:
    import altair

WIDTH, HEIGHT = 720, 440
_PIXELS_PER_POINT = 2.0
_PERCENT, _MANY_TIMES = ".0%", 100
_MOST_TICKS = 20
_MOST_COLOURS = 10


@dataclass(frozen=True, kw_only=True)
class MapPoint:
    """One utterance on the map: its place, where it came from, and what hovering over it tells."""

    x: float
    y: float
    origin: str
    intent: str
    round: str
    text: str
    score: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """One point of a curve, with its interval; ``low`` and ``high`` equal ``y`` where there is none."""

    x: float
    y: float
    low: float
    high: float
    series: str


def map_figure(points: Sequence[MapPoint], *, colour: str = "origin", caption: str) -> Figure:
    """Return the map of seed and selected utterances, coloured by ``origin``, ``intent`` or ``round``.

    Its parameters are ``brush`` (a rectangle), ``shown`` (one origin, empty for all) and ``colour_by``.
    """
    alt = require("altair", extra="report")
    choice = alt.binding_select(options=["origin", "intent", "round"], name="Colour by ")
    colour_by = alt.param(name="colour_by", value=colour, bind=choice)
    shown = alt.param(name="shown", value="")
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    visible = "(shown === '' || datum.origin === shown)"
    chart = (
        alt.Chart(alt.Data(values=[asdict(p) for p in points]))
        .transform_calculate(colour="datum[colour_by]")
        .mark_circle(size=38)
        .encode(
            x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False, padding=8)),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False, padding=8)),
            color=alt.Color("colour:N", title=None, scale=alt.Scale(scheme="tableau10")),
            opacity=alt.condition(visible, alt.value(0.8), alt.value(0.04)),
            tooltip=["text:N", "intent:N", "origin:N", "round:N", alt.Tooltip("score:Q", format=".3f"), "reason:N"],
        )
        .add_params(colour_by, shown, brush)
        .properties(width=WIDTH, height=HEIGHT)
    )
    return Figure(caption=caption, spec=chart.to_dict())


def curve_figure(
    points: Sequence[CurvePoint],
    *,
    x_title: str,
    y_title: str,
    caption: str,
    x_percent: bool = False,
    y_percent: bool = False,
) -> Figure:
    """Return one line a series over x, with the intervals as error bars.

    Fractions are shown as percentages, from 0, where it is said that they are; x is logarithmic where it counts over
    more than two orders of magnitude. One series needs no legend: the caption says what it is.
    """
    alt = require("altair", extra="report")
    base = alt.Chart(alt.Data(values=[asdict(p) for p in points])).encode(
        x=alt.X("x:Q", title=x_title, axis=_x_axis(points, percent=x_percent), scale=_x_scale(points)),
        color=_colour(points),
    )
    y_axis = alt.Axis(format=_PERCENT) if y_percent else alt.Axis()
    y = alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=y_percent), axis=y_axis)
    lines = base.mark_line(point=True).encode(y=y, tooltip=["series:N", "x:Q", "y:Q", "low:Q", "high:Q"])
    bars = base.mark_errorbar().encode(y=alt.Y("low:Q", title=y_title, axis=y_axis), y2="high:Q")
    return Figure(caption=caption, spec=(bars + lines).properties(width=WIDTH, height=HEIGHT * 0.7).to_dict())


def _x_axis(points: Sequence[CurvePoint], *, percent: bool) -> "altair.Axis":
    alt = require("altair", extra="report")
    if percent:
        return alt.Axis(format=_PERCENT)
    counts = sorted({int(point.x) for point in points})
    if not all(float(point.x).is_integer() for point in points):
        return alt.Axis()
    # Of few whole numbers each has its tick: with a step of less than 1, two ticks would show the same number.
    few = {"values": list(range(counts[0], counts[-1] + 1))} if counts[-1] - counts[0] < _MOST_TICKS else {}
    return alt.Axis(format=",d", labelOverlap=True, labelBound=True, **few)


def _colour(points: Sequence[CurvePoint]) -> "altair.Color":
    alt = require("altair", extra="report")
    n_series = len({point.series for point in points})
    scale = alt.Scale(scheme="tableau20" if n_series > _MOST_COLOURS else "tableau10")
    return alt.Color("series:N", title=None, scale=scale, **({} if n_series > 1 else {"legend": None}))


def _x_scale(points: Sequence[CurvePoint]) -> "altair.Scale":
    alt = require("altair", extra="report")
    least, most = min(point.x for point in points), max(point.x for point in points)
    return alt.Scale(type="log", nice=False) if 1 <= least < most / _MANY_TIMES else alt.Scale(zero=False)


def bar_figure(
    points: Sequence[CurvePoint], *, labels: Sequence[str], y_title: str, caption: str, y_percent: bool = False
) -> Figure:
    """Return one bar a point with its interval, grouped by series, named by ``labels`` in their order."""
    alt = require("altair", extra="report")
    values: list[dict[str, Json]] = [
        {**asdict(point), "label": label} for point, label in zip(points, labels, strict=True)
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("label:N", sort=list(dict.fromkeys(labels)), title=None),
        yOffset=alt.YOffset("series:N"),
    )
    bars = base.mark_bar().encode(
        x=alt.X("y:Q", title=y_title, axis=alt.Axis(format=_PERCENT) if y_percent else alt.Axis()),
        color=_colour(points),
        tooltip=["label:N", "series:N", "y:Q"],
    )
    intervals = base.mark_rule().encode(x="low:Q", x2="high:Q")
    return Figure(caption=caption, spec=(bars + intervals).properties(width=WIDTH * 0.8).to_dict())


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure as SVG or PNG, by the ending of ``path``, without a browser.

    Raises ConfigError for another ending, MissingExtraError when the ``report`` extra is not installed.
    """
    vl_convert = require("vl_convert", extra="report")
    spec = dict(figure.spec)
    with writing_whole(path) as partial:
        if path.suffix == ".svg":
            partial.write_text(_with_own_clip_names(vl_convert.vegalite_to_svg(spec)), "utf-8")
        elif path.suffix == ".png":
            partial.write_bytes(vl_convert.vegalite_to_png(spec, scale=_PIXELS_PER_POINT))
        else:
            raise ConfigError(wanted="a figure file ending in .svg or .png", found=f"'{path.name}'")


def _with_own_clip_names(svg: str) -> str:
    """Return ``svg`` with its clip paths numbered from 0: the converter counts them over the life of the process."""
    numbers: dict[str, str] = {}
    return re.sub(r"\bclip\d+\b", lambda found: numbers.setdefault(found[0], f"clip{len(numbers)}"), svg)
