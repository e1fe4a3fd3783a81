"""What each step between two languages brings, at 576 transcripts: quality, and perplexity of the mixture.

    python benchmarks/translation_steps.py base --source fr --target en --work FOLDER
    python benchmarks/translation_steps.py base --source en --target fr --work FOLDER
    python benchmarks/translation_steps.py back-translate --source fr --target en --work FOLDER
    python benchmarks/translation_steps.py measure --source fr --target en --work FOLDER

Each direction is trained once, on the general pairs nearest to the 576 transcripts of either language by cross-entropy
of both sides: what both chains may know, as either language has in-domain text in each of them. Then both directions
improve each other from the transcripts, their slot variants and the source text alone. "measure" says what each step
brings: chrF on the test, and the perplexity of dev and test under the mixture of transcripts, general text and the
translations; it writes the last step's translations for benchmarks/outside_recogniser.py. Trainings keep checkpoints in
FOLDER: interrupted, the same command goes on.
"""

import argparse
import csv
import gzip
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.compute as pc

from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, swapped, take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.templates import resample_slot_values
from seedcorn.corpus.utterances import Utterance, utterances_of
from seedcorn.files import Json, write_text_whole
from seedcorn.input_files import digest_of_file, digest_of_folder
from seedcorn.lm.interpolation import fit_mixture, share_vocabulary
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.relevance.keeping import keep_fraction
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.back_translation import Direction, back_translate
from seedcorn.translation.keep_or_reject import best_point, in_domain_scores, keep_curve, keep_likely
from seedcorn.translation.nbest import NBest
from seedcorn.translation.pair_selection import cross_entropy_of_pairs
from seedcorn.translation.rescoring import rescored, tune_weights, with_lm
from seedcorn.translation.settings import (
    NO_RESCORING,
    BackTranslationSettings,
    NetworkShape,
    RescoringWeights,
    TrainingSettings,
)
from seedcorn.translation.training import train_translator
from seedcorn.translation.translator import dev_chrf, load_translator

Item = TypeVar("Item")
DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
RESULTS = Path(__file__).parent / "results"
LOCALES = {"en": "en-US", "fr": "fr-FR", "hi": "hi-IN"}
N_TRANSCRIPTS = 576
N_DEV = N_TRANSCRIPTS // 2
N_VARIANTS = 5
N_SOURCES = 5_757
N_BEST, N_HYPOTHESES = 20, 10
N_TUNING = 1_000
KEPT_FRACTIONS = (0.4, 0.6, 0.8, 1.0)
BACK_TRANSLATION = BackTranslationSettings(
    n_best=3,
    n_rounds=2,
    n_texts_max=4_000,
    training=TrainingSettings(
        n_target_tokens=500_000, tokens_per_batch=2_500, learning_rate=5e-4, n_warmup_steps=30, n_evaluations=3
    ),
)
SELECTED_FRACTION = 0.4
RANDOM_SEED = 1


def massive(lang: str, partition: str) -> list[Utterance]:
    """The annotated utterances of one partition, in the order of the file."""
    table = read_corpus(DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz", lang=lang).table()
    return utterances_of(table.filter(pc.equal(table.column("partition"), partition)))


def dev_pairs(source: str, target: str) -> list[SentencePair]:
    """The development utterances in both languages: half as many as there are transcripts."""
    by_id = {u.id: u.text for u in massive(source, "dev")}
    chosen = drawn(massive(target, "dev"), N_DEV)
    sources, targets = normalise_all([by_id[u.id] for u in chosen]), normalise_all([u.text for u in chosen])
    return [SentencePair(id=u.id, source=s, target=t) for u, s, t in zip(chosen, sources, targets, strict=True)]


def drawn(items: list[Item], n: int, random_seed: int = RANDOM_SEED) -> list[Item]:
    """``n`` items drawn at random, in their order."""
    rows = np.random.default_rng(random_seed).permutation(len(items))[:n]
    return [items[row] for row in np.sort(rows)]


def general_pairs(source: str, target: str) -> PairCorpus:
    """All clean general pairs, as they are spoken; the files have English on the left."""
    other = target if source == "en" else source

    def rows() -> Iterator[SentencePair]:
        with gzip.open(DATA / "parallel" / f"en-{other}.train.tsv.gz", "rt", encoding="utf-8") as lines:
            for left, right, origin in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield SentencePair(source=left, target=right, source_lang="en", target_lang=other, origin=origin)

    pairs = PairCorpus.from_pairs(rows())
    pairs = pairs if source == "en" else swapped(pairs)
    kept = clean_pairs(pairs, source_lang=source, target_lang=target).positions
    return PairCorpus.from_table(spoken_form(take_pairs(pairs, kept)).table())


def transcripts(lang: str) -> list[Utterance]:
    """All in-domain target text of a chain."""
    return drawn(massive(lang, "train"), N_TRANSCRIPTS)


def selected_pairs(source: str, target: str, work: Path) -> PairCorpus:
    """The general pairs nearest to the transcripts of either language, made once, in either direction."""
    left, right = sorted((source, target))
    path = work / f"selected-{left}-{right}.parquet"
    if not path.exists():
        pairs = general_pairs(left, right)
        scores = cross_entropy_of_pairs(
            pairs,
            in_domain_source=[u.text for u in transcripts(left)],
            in_domain=[u.text for u in transcripts(right)],
            random_seed=RANDOM_SEED,
        )
        write_pairs(take_pairs(pairs, keep_fraction(scores, fraction=SELECTED_FRACTION).positions), path)
    pairs = PairCorpus.from_table(read_pairs(path).table())
    return pairs if source == left else swapped(pairs)


def base_settings(n_target_tokens: int) -> TrainingSettings:
    """A network that learns most in minutes of a CPU; a few passes leave nothing to regularise."""
    return TrainingSettings(
        n_target_tokens=n_target_tokens,
        tokens_per_batch=2_500,
        learning_rate=4e-3,
        n_warmup_steps=300,
        n_subwords=3_000,
        n_evaluations=4,
        patience=4,
        shape=NetworkShape(width=128, n_encoder_layers=3, n_decoder_layers=1, dropout=0.0),
    )


def train_base(source: str, target: str, n_target_tokens: int, work: Path) -> None:
    pairs = selected_pairs(source, target, work)
    say(f"{source} to {target}: {pairs.count():,} pairs")
    trained = train_translator(
        pairs,
        dev_pairs(source, target),
        work / f"base-{source}-{target}",
        settings=base_settings(n_target_tokens),
        checkpoints=work / f"base-{source}-{target}.checkpoints",
        random_seed=RANDOM_SEED,
    )
    say(f"{source} to {target}: dev chrF {trained.dev_chrf:.2f} after {trained.n_target_tokens:,} tokens")


def back_translate_base(source: str, target: str, work: Path) -> None:
    """Both directions improve each other; slot variants count as transcripts."""
    seen = transcripts(target)
    rng = np.random.default_rng(RANDOM_SEED)
    texts = [u.text for u in (*seen, *resample_slot_values(seen, n_variants=N_VARIANTS, rng=rng))]
    found = back_translate(
        Direction(folder=work / f"base-{source}-{target}", texts=texts, dev=dev_pairs(source, target)),
        Direction(
            folder=work / f"base-{target}-{source}",
            texts=[u.text for u in massive(source, "train")],
            dev=dev_pairs(target, source),
        ),
        selected_pairs(source, target, work),
        work / f"rounds-{source}-{target}",
        settings=BACK_TRANSLATION,
        random_seed=RANDOM_SEED,
    )
    say(f"dev chrF {found.dev_chrf_by_round}, the other direction {found.reverse_dev_chrf_by_round}")
    shutil.copytree(found.folder, work / f"back-translated-{source}-{target}", dirs_exist_ok=True)


@dataclass(frozen=True)
class Bench:
    """The mixture of transcripts, general text and some translations, all over one vocabulary; weights by EM on dev."""

    seen: Sequence[str]
    general: Sequence[str]
    dev: Sequence[str]
    test: Sequence[str]

    def perplexities(self, translations: Sequence[str]) -> tuple[float, float]:
        """Dev and test perplexity of the mixture with the translations, when there are any."""
        texts = [self.seen, self.general, *([translations] if translations else [])]
        models = share_vocabulary([language_model(some) for some in texts])
        mixture = fit_mixture(models, [list(self.dev)])
        dev, test = (measure_perplexity(mixture, [list(some)]).perplexity for some in (self.dev, self.test))
        return round(dev, 2), round(test, 2)


def language_model(texts: Sequence[str]) -> NgramModel:
    return estimate([list(texts)], order=3, fallback_discounts=FALLBACK_DISCOUNTS)


def best_texts(lists: Sequence[NBest], weights: RescoringWeights, n_hypotheses: int = N_HYPOTHESES) -> list[str]:
    return normalise_all([h.text for nbest in rescored(lists, weights) for h in nbest.hypotheses[:n_hypotheses]])


def kept_texts(texts: Sequence[str], in_domain: NgramModel, bench: Bench) -> list[str]:
    """The fraction of the translations that dev likes best, by log-probability per word in the domain."""
    scores = in_domain_scores(texts, in_domain)
    points = keep_curve(
        scores, lambda kept: bench.perplexities([texts[row] for row in kept.positions])[0], fractions=KEPT_FRACTIONS
    )
    return [texts[row] for row in keep_likely(scores, logp_per_word=best_point(points).logp_per_word).positions]


def measure(source: str, target: str, work: Path) -> None:
    utterances = drawn(massive(source, "train"), N_SOURCES)
    texts = normalise_all([u.text for u in utterances])
    seen = normalise_all([u.text for u in transcripts(target)])
    pairs = selected_pairs(source, target, work)
    general = normalise_all([text for batch in pairs.batches() for text in batch.column("target").to_pylist()])
    test_pairs = parallel_test(source, target)
    dev = [pair.target for pair in dev_pairs(source, target)]
    bench = Bench(seen, general, dev, [pair.target for pair in test_pairs])
    in_domain = language_model([*seen, *general])
    rows: list[dict[str, Json]] = []

    def add(step: str, translations: Sequence[str], chrf_on_test: float | None = None) -> None:
        on_dev, on_test = bench.perplexities(translations)
        rows.append({"step": step, "dev_perplexity": on_dev, "test_perplexity": on_test, "chrf": chrf_on_test})
        say(f"{rows[-1]}")

    add("general text", [])
    for name in ("base", "back-translated"):
        translator = load_translator(work / f"{name}-{source}-{target}", n_threads=1)
        lists = list(translator.nbest(texts, n_best=N_BEST))
        quality = round(dev_chrf(translator, test_pairs), 2)
        if name == "base":
            add("base, 1 best", best_texts(lists, NO_RESCORING, 1), quality)
        add(f"{name}, {N_HYPOTHESES} best", best_texts(lists, NO_RESCORING), quality)
    lists = list(with_lm(lists, language_model(seen)))
    tuning = drawn(lists, N_TUNING)
    weights = tune_weights(tuning, lambda some: bench.perplexities(normalise_all(some))[0], n_hypotheses=N_HYPOTHESES)
    add("rescored", best_texts(lists, weights))
    add("kept", kept_texts(best_texts(lists, weights), in_domain, bench))
    add("true text (topline)", true_texts(utterances, target))
    given = zip(utterances, rescored(lists, weights), strict=True)
    lines = [
        json.dumps({"id": u.id, "hypotheses": [{"text": h.text} for h in n.hypotheses]}, ensure_ascii=False)
        for u, n in given
    ]
    write_text_whole(work / f"translations-{source}-{target}.jsonl", "\n".join(lines) + "\n")
    say(f"written: {write_results(results(source, target, rows, work), RESULTS)}")


def parallel_test(source: str, target: str) -> list[SentencePair]:
    by_id = {u.id: u.text for u in massive(source, "test")}
    found = massive(target, "test")
    sides = zip(normalise_all([by_id[u.id] for u in found]), normalise_all([u.text for u in found]), strict=True)
    return [SentencePair(source=left, target=right) for left, right in sides]


def true_texts(utterances: Sequence[Utterance], target: str) -> list[str]:
    wanted = {u.id for u in utterances}
    return normalise_all([u.text for u in massive(target, "train") if u.id in wanted])


def results(source: str, target: str, rows: Sequence[Mapping[str, Json]], work: Path) -> Results:
    other = target if source == "en" else source
    files = [DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz" for lang in (source, target)]
    files.append(DATA / "parallel" / f"en-{other}.train.tsv.gz")
    translators = {name: work / f"{name}-{source}-{target}" for name in ("base", "back-translated")}
    by_step = {str(row["step"]): row for row in rows}
    return Results(
        name=f"translation-steps-{source}-{target}",
        command=f"benchmarks/translation_steps.py base|back-translate|measure --source {source} --target {target} "
        "--work FOLDER",
        config_digest=digest_of_json(
            {"back_translation": BACK_TRANSLATION.model_dump(mode="json"), "n_sources": N_SOURCES}
        ),
        data_digests={path.name: digest_of_file(path)[:16] for path in files}
        | {f"translator {name}": digest_of_folder(folder)[:16] for name, folder in translators.items()},
        random_seeds=[RANDOM_SEED],
        rows=rows,
        summary={
            "chrf": by_step[f"back-translated, {N_HYPOTHESES} best"]["chrf"],
            "test_perplexity_by_step": {name: row["test_perplexity"] for name, row in by_step.items()},
        },
    )


def main() -> None:
    steps = {"base": None, "back-translate": back_translate_base, "measure": measure}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=tuple(steps))
    parser.add_argument("--source", choices=tuple(LOCALES), required=True)
    parser.add_argument("--target", choices=tuple(LOCALES), required=True)
    parser.add_argument("--target-tokens", type=int, default=4_000_000)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    source, target, work = arguments.source, arguments.target, arguments.work
    step = steps[arguments.step]
    with showing_progress(ProgressMode.LINES):
        if step is None:
            train_base(source, target, arguments.target_tokens, work)
        else:
            step(source, target, work)


if __name__ == "__main__":
    main()
