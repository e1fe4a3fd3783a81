import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from seedcorn.errors import ConfigError
from seedcorn.report.figures import CurvePoint, MapPoint, bar_figure, curve_figure, map_figure, save_figure
from seedcorn.report.page import LinkedMap, Page, Section, Table, in_reading_order, render, vega_bundle

HOSTILE = "play </script><script>alert(1)</script> & \u2028 अलार्म"

POINTS = [
    MapPoint(
        x=float(i),
        y=float(i % 3),
        origin="seed" if i < 4 else "pool",
        intent="play",
        round=str(i % 2),
        text=t,
        score=0.5,
        reason="has 'play'",
    )
    for i, t in enumerate([HOSTILE, *(f"utterance {i}" for i in range(9))])
]


def page_with_map() -> str:
    table = Table(
        caption="Examples",
        columns=("text", "origin", "score"),
        rows=tuple((p.text, p.origin, p.x) for p in POINTS),
        searchable=True,
        filter_column="origin",
    )
    linked = LinkedMap(
        figure=map_figure(POINTS, caption="The map"), table=table, points=tuple((p.x, p.y) for p in POINTS)
    )
    points = [CurvePoint(x=x, y=0.5, low=0.4, high=0.6, series="a") for x in (0, 1)]
    curve = curve_figure(points, x_title="data", y_title="error", caption="Error")
    return render(
        Page(
            title=HOSTILE,
            summary=(("kept", "3"),),
            sections=(Section(title="Map", contents=(linked, curve)),),
            signatures=("stage#0",),
        )
    )


def test_the_page_loads_nothing_and_escapes_what_users_give() -> None:
    text = page_with_map().replace(vega_bundle(), "")
    assert re.findall(r"(?:src|href)=|@import|url\(", text) == []
    assert "<script>alert" not in text
    assert html.escape(HOSTILE.split("\u2028")[0]) in text


def test_numbers_are_named_in_words_and_an_empty_table_says_so() -> None:
    table = Table(caption="Nothing", columns=("wer", "n_words"), rows=())
    sections = (Section(title="a", contents=(table,)),)
    text = render(Page(title="t", lead="Two.", summary=(("n_worse", "0"),), sections=sections, signatures=()))
    assert [w in text for w in ("word error rate</button>", ">words</button>", "<dt>worse</dt>", "<p>None.</p>")] == [
        True
    ] * 4


def test_each_chart_has_its_downloads_and_the_page_is_for_screens_of_both_kinds_and_paper() -> None:
    text = page_with_map().replace(vega_bundle(), "")
    assert text.count('class="download" data-for=') == text.count('class="spec"') == 2
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_axes_are_percent_whole_or_logarithmic_where_numbers_are() -> None:
    def axes(ys: list[float], **kinds: bool) -> tuple[dict[str, object], dict[str, object]]:
        points = [CurvePoint(x=x, y=y, low=y, high=y, series="a") for x, y in zip((1, 10, 2000), ys, strict=True)]
        layer = json.loads(json.dumps(curve_figure(points, x_title="x", y_title="y", caption="", **kinds).spec))[
            "layer"
        ][1]
        return layer["encoding"]["x"], layer["encoding"]["y"]

    x, y = axes([0.1, 0.2, 0.3], y_percent=True)
    assert (x["scale"], x["axis"]["format"], y["axis"]["format"]) == ({"type": "log", "nice": False}, ",d", ".0%")
    assert axes([0.1, 0.2, 0.3], x_percent=True)[0]["axis"]["format"] == ".0%"


def test_columns_come_in_the_order_of_reading_and_no_number_is_minus_zero() -> None:
    saved = ("after", "before", "domain", "high", "low", "n_utterances", "unheard of")
    assert in_reading_order(saved) == ("domain", "before", "after", "low", "high", "n_utterances", "unheard of")
    table = Table(caption="c", columns=("low", "gain"), rows=((-0.0001, -0.00001),), percent_columns=("low",))
    assert [table.shown(table.rows[0], column) for column in (0, 1)] == ["0.0%", "0.0000"]


def test_few_whole_numbers_have_a_tick_each_and_one_series_has_no_legend() -> None:
    def x_of(n_series: int) -> tuple[object, object]:
        points = [CurvePoint(x=x, y=0, low=0, high=0, series=str(s)) for x in (0, 2) for s in range(n_series)]
        encoding = json.loads(json.dumps(curve_figure(points, x_title="", y_title="", caption="").spec))["layer"][1]
        return encoding["encoding"]["x"]["axis"]["values"], encoding["encoding"]["color"].get("legend", "shown")

    assert [x_of(1), x_of(2)] == [([0, 1, 2], None), ([0, 1, 2], "shown")]


def test_the_specs_read_back_as_given() -> None:
    specs = re.findall(r'<script type="application/json" class="spec"[^>]*>(.*?)</script>', page_with_map(), re.DOTALL)
    values = [v["text"] for v in json.loads(specs[0])["data"]["values"]]
    assert values == [p.text for p in POINTS]


INTERACTION = """
<script>
const wait = setInterval(async () => {
  if (!document.body.dataset.ready) return;
  clearInterval(wait);
  const shown = () => document.querySelector(".linked-map .shown").textContent;
  const report = [shown()];
  const view = views.get(document.querySelector(".linked-map").dataset.chart);
  const type = (selector, value, event) => {
    const element = document.querySelector(selector);
    element.value = value;
    element.dispatchEvent(new Event(event));
  };
  type(".search", "utterance", "input"); report.push(shown()); type(".search", "", "input");
  type(".filter", "seed", "change"); report.push(shown(), String(view.signal("shown"))); type(".filter", "", "change");
  const pixels = (scale, from, to) => [view.scale(scale)(from), view.scale(scale)(to)];
  await view.signal("brush_x_1", pixels("x", 0.5, 4.5)).signal("brush_y_1", pixels("y", 0.5, 1.5)).runAsync();
  report.push(shown());
  const [, , score] = document.querySelectorAll(".linked-map thead button");
  score.click(); score.click();
  report.push(document.querySelector(".linked-map tbody tr td:last-child").textContent);
  report.push(String(document.querySelectorAll(".vega .marks").length));
  score.parentElement.removeAttribute("aria-sort");
  const right = (element) => {
    const range = new Range();
    range.selectNodeContents(element);
    return range.getBoundingClientRect().right;
  };
  const numbers = document.querySelector(".linked-map tbody tr:not([hidden]) td:last-child");
  report.push(Math.abs(right(numbers) - right(score)) < 2 ? "aligned" : "apart");
  const labels = [...document.querySelectorAll("figure.chart:not(.linked-map *) .role-axis-label text")];
  report.push(labels.map((label) => label.textContent).filter((text) => ["0", "1"].includes(text)).join(" "));
  document.body.dataset.report = JSON.stringify(report);
}, 50);
</script>
"""


def seen_in_browser(tmp_path: Path, page: str, script: str, *options: str) -> list[str]:
    """Return what ``script`` leaves in ``document.body.dataset.report``."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine: the page is checked without a browser only")
    path = tmp_path / "page.html"
    before, _, after = page.rpartition("</body>")
    path.write_text(before + script + "</body>" + after, "utf-8")
    quiet = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    command = [browser, "--headless", "--no-sandbox", *quiet, "--disable-sync", f"--user-data-dir={tmp_path / 'user'}"]
    done = subprocess.run(
        [*command, *options, "--virtual-time-budget=20000", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    found = re.search(r'data-report="([^"]*)"', done.stdout)
    assert found is not None, done.stderr[-2000:]
    report: list[str] = json.loads(html.unescape(found.group(1)))
    return report


def test_map_search_filter_and_sorting_work_in_a_browser(tmp_path: Path) -> None:
    assert seen_in_browser(tmp_path, page_with_map(), INTERACTION) == [
        "10 of 10 rows",
        "9 of 10 rows",
        "4 of 10 rows",
        "seed",
        "2 of 10 rows",
        "9",
        "2",
        "aligned",
        "0 1",
    ]


OVERFLOW = """
<script>
  const seen = [...document.querySelectorAll(".scroll")].map((frame) => {
    const first = frame.querySelector("td");
    return [first.closest("table").className, frame.scrollWidth <= frame.clientWidth, first.dataset.name];
  });
  document.body.dataset.report = JSON.stringify(seen);
</script>
"""


def test_every_table_is_within_a_small_screen(tmp_path: Path) -> None:
    many = Table(caption="m", columns=tuple(f"column {i}" for i in range(12)), rows=(tuple(range(12)),))
    few = Table(caption="f", columns=("text", "n"), rows=(("x" * 900, 1),))
    page = Page(title="t", summary=(), sections=(Section(title="s", contents=(many, few)),), signatures=())
    assert seen_in_browser(tmp_path, render(page), OVERFLOW, "--window-size=500,900") == [
        ["stacked", True, "Column 0"],
        ["", True, None],
    ]


def test_edits_are_struck_through_and_underlined_and_stay_text() -> None:
    table = Table(
        caption="c", columns=("text", "after"), rows=(("[-a-]", "[-<b>-] {+c+} d"),), edited_columns=("after",)
    )
    page = render(Page(title="t", summary=(), sections=(Section(title="s", contents=(table,)),), signatures=()))
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page)
    assert cells[0] == "[-a-]"
    assert re.sub(r"</?span>", "", cells[1]) == "<del>[-&lt;b&gt;-]</del> <ins>{+c+}</ins> d"


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_figures_are_saved_without_a_browser(tmp_path: Path, ending: str) -> None:
    figure = bar_figure(
        [CurvePoint(x=0, y=0.3, low=0.2, high=0.4, series="all")], labels=["seed only"], y_title="error", caption="c"
    )
    path = tmp_path / f"figure{ending}"
    save_figure(figure, path)
    assert path.read_bytes().startswith({".svg": b"<svg", ".png": b"\x89PNG"}[ending])


def test_another_ending_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    figure = map_figure(POINTS, caption="c")
    with pytest.raises(ConfigError, match=r"ending in .svg or .png"):
        save_figure(figure, tmp_path / "figure.jpg")
    assert list(tmp_path.iterdir()) == []


def test_a_figure_has_the_same_bytes_whatever_was_drawn_before(tmp_path: Path) -> None:
    figure = map_figure(POINTS, caption="c")
    for name in ("first.svg", "second.svg"):
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
