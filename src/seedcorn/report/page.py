"""One offline HTML page: text, tables that sort and search, Vega-Lite figures, and a table linked to a map.

The page loads nothing: styles, scripts and the Vega bundle are inside it. Everything that comes from a user's data is
escaped, by Jinja in the HTML and by ``_script_safe`` in the JSON that scripts read.
"""

import functools
import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from seedcorn.errors import require
from seedcorn.files import Json
from seedcorn.user_cache import kept_text

_FEWEST_TO_SEARCH = 10
_SEEN_OF_COLUMN = 50
_MOST_DECIMALS = 4
_IN_WORDS = {
    r"\bwer\b": "word error rate",
    r"\bcer\b": "character error rate",
    r"\boov fraction\b": "out of vocabulary",
    r"\bp value\b": "p",
    r"\bp holm\b": "p (Holm)",
    r"\bf1\b": "F1",
    r"\bngrams\b": "n-grams",
}
_READING_ORDER = (
    *("stage", "count", "round", "labels", "more", "word", "from", "by", "domain", "origin", "change", "accepted"),
    *("text", "examples", "intent", "other text", "other intent", "entered", "wanted", "before", "after", "now"),
    *("semantic error before", "semantic error after", "calibration error before", "calibration error after"),
    *("missed before", "missed after", "dev perplexity", "error", "reduction", "low", "high"),
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text and numbers under ``columns``; ``searchable`` adds a search field, ``caption`` says what it shows.

    ``filter_column`` names a column whose values are offered as a filter. Numbers in ``percent_columns`` are fractions
    and shown as percentages. Texts in ``edited_columns`` have their edits marked, as [-from-] {+to+}.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
    searchable: bool = False
    filter_column: str = ""
    percent_columns: tuple[str, ...] = ()
    edited_columns: tuple[str, ...] = ()

    @property
    def is_long(self) -> bool:
        """Whether looking for a row takes more than a glance."""
        return len(self.rows) >= _FEWEST_TO_SEARCH

    def is_of_numbers(self, column: int) -> bool:
        """Return whether a column holds numbers, which stand under a heading at the same side."""
        seen = [row[column] for row in self.rows[:_SEEN_OF_COLUMN] if row[column] != ""]
        return bool(seen) and all(isinstance(value, int | float) for value in seen)

    def shown(self, row: tuple[str | int | float, ...], column: int) -> str:
        """Return a cell as people read it."""
        value = row[column]
        if not isinstance(value, float):
            return f"{value:,}" if isinstance(value, int) else value
        if self.columns[column] in self.percent_columns:
            return f"{value:z.1%}"
        return f"{value:z,.{self._n_decimals[column]}f}"

    @cached_property
    def _n_decimals(self) -> tuple[int, ...]:
        """How many decimals each column shows, the same in all its rows so that the points stand in line."""
        return tuple(
            _n_decimals([value for row in self.rows if isinstance(value := row[column], float)])
            for column in range(len(self.columns))
        )


def _n_decimals(numbers: Sequence[float]) -> int:
    """Return how many decimals show four digits of the largest of ``numbers``, none where all are whole."""
    largest = max(map(abs, numbers), default=0.0)
    if all(number.is_integer() for number in numbers) or not math.isfinite(largest):
        return 0
    return max(0, _MOST_DECIMALS - (len(f"{largest:.0f}") if largest >= 1 else 0))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A Vega-Lite ``spec`` with its caption."""

    caption: str
    spec: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class LinkedMap:
    """A figure whose rectangle selection named ``brush`` over fields x and y chooses the rows of ``table``.

    ``points`` are the (x, y) of the table's rows, in the same order. The figure's parameter ``shown`` is the value
    chosen in the table's filter.
    """

    figure: Figure
    table: Table
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, a paragraph, and what stands below them, in order."""

    title: str
    text: str = ""
    contents: Sequence[Table | Figure | LinkedMap] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A title, the headline numbers as (name, value) pairs, the sections, and the signatures of all stages.

    ``lead`` says in a sentence or two what was gained, from what, and how sure that is.
    """

    title: str
    lead: str = ""
    summary: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    signatures: tuple[str, ...]


def render(page: Page) -> str:
    """Return the page as one HTML document.

    Raises MissingExtraError when the ``report`` extra is not installed.
    """
    jinja2 = require("jinja2", extra="report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("seedcorn.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["script_safe"] = _script_safe
    environment.filters["in_words"] = in_words
    environment.filters["with_edits"] = with_edits
    environment.tests["numeric"] = lambda value: isinstance(value, int | float)
    environment.tests["table"] = lambda content: isinstance(content, Table)
    environment.tests["figure"] = lambda content: isinstance(content, Figure)
    environment.tests["linked_map"] = lambda content: isinstance(content, LinkedMap)
    whole: str = environment.get_template("page.html").render(page=page, vega_bundle=vega_bundle())
    return whole


def in_words(name: str) -> str:
    """Return the name of a number as people say it."""
    spaced = name.replace("_", " ").removeprefix("n ")
    for pattern, words in _IN_WORDS.items():
        spaced = re.sub(pattern, words, spaced)
    return spaced


def with_edits(text: str) -> str:
    """Return ``text`` as HTML, what is marked in it as [-from-] {+to+} struck through and underlined.

    The marks stay in what is copied or read aloud.
    """
    escaped = html.escape(text)
    struck = re.sub(r"\[-(.+?)-\]", r"<del><span>[-</span>\1<span>-]</span></del>", escaped)
    return re.sub(r"\{\+(.+?)\+\}", r"<ins><span>{+</span>\1<span>+}</span></ins>", struck)


def in_reading_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of columns as they are read: what a row is of, then before and after, then an interval.

    Rows that were saved as JSON come back in the order of the alphabet. Names that have no place keep theirs, last.
    """
    places = {name: place for place, name in enumerate(_READING_ORDER)}
    return tuple(sorted(names, key=lambda name: places.get(name.replace("_", " ").removeprefix("n "), len(places))))


def _script_safe(value: object) -> str:
    """Return ``value`` as JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escape)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@functools.cache
def vega_bundle() -> str:
    """Return the Vega, Vega-Lite and Vega-Embed scripts as one classic script that sets ``window.vegaEmbed``.

    It takes seconds to put together, so it is kept for the next run of this machine.
    """
    vl_convert = require("vl_convert", extra="report")
    bundle = kept_text(f"vega-{vl_convert.__version__}.js", vl_convert.javascript_bundle)
    return bundle.replace("</script", "<\\/script")
