"""Write the result tables and the figure of the README from the committed results; ``--check`` says whether they agree.

Command: python benchmarks/readme_tables.py
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cost_growth_shown import growth_table, write_figure
from seedcorn.files import Json

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results"
README = REPOSITORY / "README.md"


class Line(NamedTuple):
    """One line of a table: which summary key of which results (dots lead deeper), in which words and format."""

    results: str
    key: str
    text: str
    form: str


_INTENTS = "intent-massive"
_POOL = "New intents on MASSIVE, 50 seed utterances, encoder, every system at a budget of 0.3 % false alarms; "

TABLES: dict[str, tuple[Line, ...]] = {
    "quality": (
        Line(
            _INTENTS,
            "reported.pool_reduction",
            _POOL + "functionalities that nothing was chosen by: less semantic error by the pool",
            "{:.1%}",
        ),
        Line(_INTENTS, "reported.pool_reduction_low", "… lower end of its 95 % interval", "{:.1%}"),
        Line(_INTENTS, "reported.pool_intent_error_reduction", "… less intent error (1 - F1) by the pool", "{:.1%}"),
        Line(_INTENTS, "reported.semantic_error_reduction", "… less semantic error than n-grams of the seed", "{:.1%}"),
        Line(
            _INTENTS,
            "reported.vs_setfit_intent_error.mean",
            "… less intent error than SetFit (4,000 pairs, the same encoder, seed and background)",
            "{:.1%}",
        ),
        Line(_INTENTS, "reported.vs_setfit_intent_error.low", "… lower end of its 95 % interval", "{:.1%}"),
        Line(_INTENTS, "reported.n_functionalities", "… functionalities measured, of ten that are reported", "{}"),
        Line(_INTENTS, "reported.n_worse", "… functionalities made worse by the pool with confidence", "{}"),
        Line(_INTENTS, "reported.false_alarm_rate", "… false alarms on test", "{:.2%}"),
        Line(_INTENTS, "development.pool_reduction", "… on the functionalities of development", "{:.1%}"),
        Line(
            "growth-massive",
            "final_semantic_error_reduction",
            "Ten intents of MASSIVE one after another, 25 chosen labels a round: less semantic error at the end than "
            "with the seeds alone",
            "{:.1%}",
        ),
        Line("growth-massive", "share_of_oracle", "… share of the way to training with everything", "{:.0%}"),
        Line(
            "growth-massive",
            "chosen_25_vs_random_50.mean",
            "… 25 chosen labels a round against 50 random ones: test utterances fewer wrong",
            "{:.1%}",
        ),
        Line("growth-massive", "forgetting", "… F1 that an intent loses from its best round to the end", "{:.1%}"),
        Line(
            "growth-labels",
            "label_noise_precision_5",
            "Wrong intents found, of 5 % swapped labels: precision",
            "{:.0%}",
        ),
        Line("growth-labels", "slot_noise_precision_5", "… wrong slots", "{:.0%}"),
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
            "translation-steps-fr-en",
            "chrf",
            "French-English translator of minutes of a CPU, 576 transcripts, back-translation: in-domain chrF",
            "{:.1f}",
        ),
        Line(
            "translation-steps-fr-en",
            "test_perplexity_by_step.general text",
            "… test perplexity of transcripts and general text",
            "{:.0f}",
        ),
        Line(
            "translation-steps-fr-en",
            "test_perplexity_by_step.base, 10 best",
            "… with translations before back-translation",
            "{:.0f}",
        ),
        Line("translation-steps-fr-en", "test_perplexity_by_step.back-translated, 10 best", "… after it", "{:.0f}"),
        Line("translation-steps-fr-en", "test_perplexity_by_step.true text (topline)", "… topline", "{:.0f}"),
        Line(
            "outside-recogniser",
            "translations_alone_over_general",
            "The same translations in PocketSphinx, 240 English requests: fewer word errors than with general text",
            "{:.1%}",
        ),
        Line("outside-recogniser", "translations_alone_over_general_low", "… lower end of its 95 % interval", "{:.1%}"),
        Line("outside-recogniser", "wer_reduction_over_general", "… by all texts that dev chose", "{:.1%}"),
        Line("outside-recogniser", "wer_reduction_over_general_low", "… lower end of its 95 % interval", "{:.1%}"),
        Line(
            "outside-recogniser",
            "whisper_rescoring_wer_reduction",
            "… Whisper tiny.en rescored with that model: fewer word errors than without",
            "{:.1%}",
        ),
        Line("outside-recogniser", "whisper_rescoring_wer_reduction_low", "… lower end of its 95 % interval", "{:.1%}"),
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
            "oracle_wer_reduction_576",
            "… by the true Hindi of the requests (topline), 576 transcripts",
            "{:.1%}",
        ),
        Line(
            "language-fr",
            "translations_alone_576",
            "French word error rate over transcripts and general text, 576 transcripts: reduction by translations",
            "{:.1%}",
        ),
        Line("language-fr", "translations_alone_576_low", "… lower end of its 95 % interval", "{:.1%}"),
        Line("language-fr", "full_over_general_576", "… by the full system", "{:.1%}"),
        Line("language-fr", "translations_alone_1151", "… 1,151 transcripts, by translations", "{:.1%}"),
        Line("language-fr", "full_over_general_1151", "… by the full system", "{:.1%}"),
    ),
    "speed": (
        Line("bench-relevance", "vs_sklearn", "Relevance scoring against scikit-learn, one thread", "{:.1f}x"),
        Line("bench-relevance", "vs_fasttext", "… against fastText", "{:.1f}x"),
        Line("bench-relevance", "two_thread_speedup_of_pass", "… two threads against one, in memory", "{:.2f}x"),
        Line("bench-relevance", "two_thread_speedup", "… the whole command by two threads against one", "{:.2f}x"),
        Line(
            "bench-relevance",
            "two_thread_speedup_beyond_start_up",
            "… beyond what it takes to start, and to write what is kept",
            "{:.2f}x",
        ),
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
        Line("bench-cost-growth", "estimate_time_vs_lmplz_100000000", "… 100 million words: time", "{:.2f}x"),
        Line("bench-cost-growth", "estimate_cpu_time_vs_lmplz_100000000", "… CPU seconds", "{:.2f}x"),
        Line("bench-cost-growth", "estimate_memory_vs_lmplz_100000000", "… memory", "{:.2f}x"),
        Line(
            "bench-lm", "score_speed_vs_kenlm", "Language model scoring: speed against KenLM's Python module", "{:.1f}x"
        ),
        Line("bench-lm", "load_speed_vs_kenlm", "Language model loading: speed against KenLM and ARPA", "{:.0f}x"),
        Line(
            "bench-lm",
            "mix_ngrams_per_second",
            "Two language models mixed into a static one: n-grams a second",
            "{:,.0f}",
        ),
        Line("bench-lm", "prune_ngrams_per_second", "… one pruned to a half", "{:,.0f}"),
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
        Line("bench-pipelines", "intent_speedup", "An intent run on MASSIVE against version 0.1, two cores", "{:.1f}x"),
        Line(
            "bench-pipelines", "intent_encoder_speedup", "… with a pretrained encoder that is not fine-tuned", "{:.1f}x"
        ),
        Line(
            "bench-pipelines",
            "language_speedup_beside_translation",
            "A language run on MASSIVE, translators and recogniser trained before, beside translation",
            "{:.1f}x",
        ),
        Line("bench-pipelines", "study_two_workers_speedup", "A study of eight cells by two workers", "{:.2f}x"),
        Line(
            "bench-cluster",
            "overhead_vs_local",
            "Ray against threads on the same two cores, 20 million utterances: time",
            "{:.2f}x",
        ),
        Line("bench-cluster", "cpu_overhead_vs_local", "… CPU seconds of all processes", "{:.2f}x"),
        Line("bench-cluster", "worker_memory_gb", "… memory of a worker", "{:.2f} GB"),
        Line(
            "bench-cluster",
            "minutes_for_1e9_on_64_cores",
            "… 10^9 utterances on 64 cores, by these rates",
            "{:.1f} min",
        ),
        Line("bench-translate", "speed_vs_generate", "Bulk translation against transformers' generate", "{:.1f}x"),
        Line("bench-translate", "speed_vs_generate_1_best", "… the best translation alone", "{:.1f}x"),
        Line("bench-translate", "training_vs_plain_loop", "Training it, against a plain torch loop", "{:.2f}x"),
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


STAGES = {  # stages of one kind, which a language run has many of, by how their names begin
    "translations": "translation",
    "text-": "texts",
    "lm-": "language models",
    "model-": "language models",
    "vocabulary": "language models",
    "domain-model": "language models",
    "decoder-weights": "decoder weights",
    "decoding": "decoding",
    "rescoring": "rescoring",
}
LONGEST_STAGES = 6


def time_table() -> str:
    """Return what each whole run takes before and now, and where its time goes now, as Markdown."""
    path = RESULTS / "bench-pipelines.json"
    rows = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    lines = ["| run | version 0.1 | now | of it |", "|---|---:|---:|---|"]
    before = {row["run"]: row["seconds"] for row in rows if row["side"] == "before" and row.get("stages")}
    for row in rows:
        if row["side"] == "after" and row["run"] in before:
            earlier, now = (f"{seconds:.0f} s" for seconds in (before[row["run"]], row["seconds"]))
            lines.append(f"| {row['run']} | {earlier} | {now} | {where_time_goes(row['stages'], row['seconds'])} |")
    return "\n".join(lines)


def where_time_goes(stages: Mapping[str, float], seconds: float) -> str:
    """Return the longest kinds of stages of a run that took ``seconds``, and what is left."""
    of_kind: dict[str, float] = {}
    for stage, taken in stages.items():
        kind = next((kind for begin, kind in STAGES.items() if stage.startswith(begin)), stage)
        of_kind[kind] = of_kind.get(kind, 0.0) + taken
    longest = sorted(of_kind.items(), key=lambda of: -of[1])[:LONGEST_STAGES]
    rest = seconds - sum(taken for _, taken in longest)
    return ", ".join(f"{kind} {taken:.1f}" for kind, taken in (*longest, ("all else", rest)))


def with_tables(readme: str) -> str:
    """Return the README with every table between its markers made anew."""
    for name, lines in {
        **{name: table(name) for name in TABLES},
        "time": time_table(),
        "growth": growth_table(),
    }.items():
        pattern = rf"(<!-- results: {name} -->\n).*?(<!-- end -->)"
        made = f"\\g<1>{lines}\n\\g<2>"
        readme = re.sub(pattern, made, readme, flags=re.DOTALL)
    return readme


def main() -> int:
    """Write the tables, or with ``--check`` return 1 when they differ from the results."""
    before = README.read_text("utf-8")
    after = with_tables(before)
    if "--check" in sys.argv:
        return int(before != after)
    README.write_text(after, "utf-8")
    write_figure()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
