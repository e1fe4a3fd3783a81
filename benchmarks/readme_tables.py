"""Write the result tables of the README from the committed results; ``--check`` only says whether they agree.

Command: python benchmarks/readme_tables.py
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from seedcorn.runs import Json

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results"
README = REPOSITORY / "README.md"


class Line(NamedTuple):
    """One line of a table: which summary key of which results (dots lead deeper), in which words and format."""

    results: str
    key: str
    text: str
    form: str


def _intent_lines(results: str, corpus: str) -> tuple[Line, ...]:
    """Return what an intent study says of the grown models, and of those that know no more than the encoder."""
    alone = "by_system.seed_with_encoder"
    first = f"New intents on {corpus}, 50 seed utterances, with a pretrained encoder: less semantic error"
    without = "… less semantic error by the encoder and word knowledge alone, without self-training"
    return (
        Line(results, "semantic_error_reduction", first, "{:.1%}"),
        Line(results, "intent_error_reduction", "… less intent error (1 - F1)", "{:.1%}"),
        Line(results, f"{alone}.semantic_error_reduction", without, "{:.1%}"),
        Line(results, f"{alone}.intent_error_reduction", "… less intent error by them alone", "{:.1%}"),
        Line(results, "false_alarm_change", "… change of the false alarm rate, percentage points", "{:+.3%}"),
        Line(results, "ceiling_semantic_error_reduction", "… less semantic error with true labels (ceiling)", "{:.1%}"),
    )


TABLES: dict[str, tuple[Line, ...]] = {
    "quality": (
        *_intent_lines("intent-massive", "MASSIVE"),
        Line(
            "intent-massive",
            "by_system.relevant_without_encoder.semantic_error_reduction",
            "… less semantic error by self-training without the encoder",
            "{:.1%}",
        ),
        *_intent_lines("intent-snips", "SNIPS"),
        Line(
            "diversity-massive",
            "gain_kept_at_50_percent",
            "Share of that gain kept with half of the selected data",
            "{:.0%}",
        ),
        Line("diversity-massive", "gain_kept_at_25_percent", "… with a quarter", "{:.0%}"),
        Line("diversity-massive", "random_gain_kept_at_50_percent", "… with a random half", "{:.0%}"),
        Line(
            "paraphrase",
            "auc",
            "Paraphrase network on domains unseen in training (pairs with slots, templates with a word of their own "
            "left out): AUC",
            "{:.3f}",
        ),
        Line("paraphrase", "auc_jaccard", "… word Jaccard", "{:.3f}"),
        Line("paraphrase", "auc_tfidf", "… TF-IDF cosine", "{:.3f}"),
        Line(
            "translation-hi",
            "chrf_selected",
            "English-Hindi translator on the selected pairs: in-domain chrF",
            "{:.1f}",
        ),
        Line("translation-hi", "chrf_all_pairs", "… on all pairs, same number of training tokens", "{:.1f}"),
        Line("translation-hi", "chrf_random", "… on as many pairs drawn at random", "{:.1f}"),
        Line("translation-hi", "chrf_selected_half", "… on the nearer half of the selected pairs", "{:.1f}"),
        Line("translation-hi", "chrf_self_trained", "… on the selected pairs and its own translations", "{:.1f}"),
        Line(
            "language-hi",
            "wer_reduction_576",
            "Hindi word error rate, 576 transcripts: reduction by the full system",
            "{:.1%}",
        ),
        Line("language-hi", "wer_reduction_1151", "… 1,151 transcripts", "{:.1%}"),
        Line("language-hi", "wer_reduction_11514", "… 11,514 transcripts", "{:.1%}"),
        Line(
            "language-hi",
            "wer_reduction_over_general_text_576",
            "… over transcripts and the target side of the selected pairs, 576 transcripts",
            "{:.1%}",
        ),
        Line("language-hi", "wer_reduction_over_general_text_1151", "… 1,151 transcripts", "{:.1%}"),
        Line("language-hi", "wer_reduction_over_general_text_11514", "… 11,514 transcripts", "{:.1%}"),
        Line(
            "language-hi",
            "ceiling_wer_reduction_576",
            "… by the true Hindi of the requests (ceiling), 576 transcripts",
            "{:.1%}",
        ),
    ),
    "speed": (
        Line("bench-relevance", "vs_sklearn", "Relevance scoring against scikit-learn, one thread", "{:.1f}x"),
        Line("bench-relevance", "vs_fasttext", "… against fastText", "{:.1f}x"),
        Line("bench-relevance", "two_thread_speedup", "… two threads against one", "{:.2f}x"),
        Line("bench-relevance", "peak_memory_gb_20m", "… peak memory for 20 million utterances", "{:.2f} GB"),
        Line(
            "bench-submodular",
            "seconds_1m_50k",
            "Exact lazy greedy, 50,000 of a million utterances, one thread",
            "{:.0f} s",
        ),
        Line("bench-submodular", "vs_apricot", "… against apricot (1,000 of 20,000)", "{:.0f}x"),
        Line(
            "bench-worst-paraphrase",
            "seconds",
            "Worst paraphrases, 20,000 of a million candidates in 20 rounds, two threads",
            "{:.0f} s",
        ),
        Line("bench-lm", "estimate_time_vs_lmplz", "Language model estimation: time against lmplz", "{:.2f}x"),
        Line("bench-lm", "estimate_memory_vs_lmplz", "… memory against lmplz", "{:.2f}x"),
        Line(
            "bench-lm", "score_speed_vs_kenlm", "Language model scoring: speed against KenLM's Python module", "{:.1f}x"
        ),
        Line("bench-lm", "load_speed_vs_kenlm", "Language model loading: speed against KenLM and ARPA", "{:.0f}x"),
        Line(
            "bench-sentence-embedding",
            "seconds_10m",
            "Ten million sentence pairs scored by centroid distance, one thread",
            "{:.0f} s",
        ),
        Line("bench-sentence-embedding", "vs_sklearn", "… encoding against scikit-learn", "{:.1f}x"),
        Line(
            "bench-pipelines",
            "encode_speedup",
            "A pretrained encoder: 8 bits, equal lengths, against one by one",
            "{:.1f}x",
        ),
        Line(
            "bench-pipelines", "intent_encoder_speedup", "… an intent run with it, against the code before", "{:.1f}x"
        ),
        Line("bench-cluster", "overhead_vs_local", "Ray against threads on the same cores: time", "{:.2f}x"),
        Line("bench-cluster", "worker_memory_gb", "… memory of a worker", "{:.2f} GB"),
        Line("bench-translate", "speed_vs_generate", "Bulk translation against transformers' generate", "{:.1f}x"),
        Line("bench-decode", "speed_vs_flashlight", "Beam search against flashlight-text", "{:.2f}x"),
    ),
}


def summary_value(summary: Mapping[str, Json], key: str) -> Json:
    """Return the value that the dotted ``key`` leads to, None where there is none."""
    first, _, rest = key.partition(".")
    value = summary.get(first)
    return summary_value(value, rest) if rest and isinstance(value, Mapping) else value


def table(name: str) -> str:
    """Return the table as Markdown, with the lines whose results are committed."""
    lines = ["| what | result | measured by |", "|---|---|---|"]
    for line in TABLES[name]:
        path = RESULTS / f"{line.results}.json"
        summary = json.loads(path.read_text("utf-8"))["summary"] if path.exists() else {}
        value = summary_value(summary, line.key)
        if value is not None:
            shown = line.form.format(value)
            lines.append(f"| {line.text} | {shown} | [{line.results}](benchmarks/results/{line.results}.json) |")
    return "\n".join(lines)


def with_tables(readme: str) -> str:
    """Return the README with every table between its markers made anew."""
    for name in TABLES:
        pattern = rf"(<!-- results: {name} -->\n).*?(<!-- end -->)"
        made = f"\\g<1>{table(name)}\n\\g<2>"
        readme = re.sub(pattern, made, readme, flags=re.DOTALL)
    return readme


def main() -> int:
    """Write the tables, or with ``--check`` return 1 when they differ from the results."""
    before = README.read_text("utf-8")
    after = with_tables(before)
    if "--check" in sys.argv:
        return int(before != after)
    README.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
