"""The table and the figure of how costs grow, from results/bench-cost-growth.json."""

import json
from pathlib import Path

from seedcorn.files import Json, write_text_whole

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "bench-cost-growth.json"
FIGURE = REPOSITORY / "docs" / "images" / "cost-growth.svg"
SERIES = (
    ("relevance", "seedcorn", "n_rows", "relevance (rows)"),
    ("estimation", "seedcorn", "n_words", "language model (words)"),
    ("estimation", "lmplz", "n_words", "lmplz (words)"),
)
COLUMNS = (("cpu_seconds", "CPU seconds", "{:.1f}"), ("megabytes", "MB", "{:.0f}"))


def costs() -> dict[tuple[str, int], dict[str, float]]:
    """Return what each series cost at each size."""
    rows: list[dict[str, Json]] = json.loads(RESULTS.read_text("utf-8"))["rows"] if RESULTS.exists() else []
    return {
        (text, int(str(row[size]))): {key: float(str(row[key])) for key, _, _ in COLUMNS}
        for what, system, size, text in SERIES
        for row in rows
        if (row["what"], row.get("system")) == (what, system)
    }


def growth_table() -> str:
    """Return the table as Markdown: a line a size, for each series CPU seconds and megabytes."""
    found = costs()
    names = [f"{text}: {unit}" for *_, text in SERIES for _, unit, _ in COLUMNS]
    lines = ["| rows or words | " + " | ".join(names) + " |", "|---:" * (1 + len(names)) + "|"]
    for size in sorted({size for _, size in found}):
        of_size = [found.get((text, size)) for *_, text in SERIES]
        shown = [form.format(cost[key]) if cost else "" for cost in of_size for key, _, form in COLUMNS]
        lines.append(f"| {size:,} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def write_figure() -> None:
    """Draw the series, both axes logarithmic, seconds beside megabytes."""
    import altair as alt
    import vl_convert

    panels = [
        alt.Chart(alt.Data(values=[{"size": n, "system": text, "cost": c[key]} for (text, n), c in costs().items()]))
        .mark_line(point=True)
        .encode(
            x=alt.X("size:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"), title="rows or words"),
            y=alt.Y("cost:Q", scale=alt.Scale(type="log"), title=unit),
            color=alt.Color("system:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=400)),
        )
        .properties(width=300, height=220)
        for key, unit, _ in COLUMNS
    ]
    FIGURE.parent.mkdir(exist_ok=True)
    write_text_whole(FIGURE, vl_convert.vegalite_to_svg(alt.hconcat(*panels).to_json()))
