"""English to Hindi from general pairs: all of them against those nearest to 1,151 Hindi transcripts, at equal budgets.

    python benchmarks/translation_hi.py train --system selected --work FOLDER
    python benchmarks/translation_hi.py train --system all_pairs --work FOLDER
    python benchmarks/translation_hi.py train --system random --work FOLDER
    python benchmarks/translation_hi.py train --system selected_half --work FOLDER
    python benchmarks/translation_hi.py self-train --work FOLDER
    python benchmarks/translation_hi.py measure --work FOLDER

Trainings keep checkpoints in FOLDER: interrupted, the same command goes on; with a larger --target-tokens it trains
further from where it was. What is measured is the quality on MASSIVE hi-IN and on general test sets, and the perplexity
of the hi-IN test under language models of the transcripts, of the general text (the target side of the selected pairs)
and of each step's output, interpolated over one vocabulary; without the general text too.
"""

import argparse
import csv
import gzip
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Utterance, utterances_of
from seedcorn.evaluation.translation import bleu, chrf
from seedcorn.files import Json, write_text_whole
from seedcorn.input_files import digest_of_file, digest_of_folder
from seedcorn.lm.domain_model import words_of
from seedcorn.lm.interpolation import Mixture, fit_mixture
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.entities import catalogue_of, translate_utterances
from seedcorn.translation.keep_or_reject import best_point, in_domain_scores, keep_curve, keep_likely
from seedcorn.translation.nbest import NBest
from seedcorn.translation.pair_selection import score_pairs, select_pairs
from seedcorn.translation.placeholders import add_placeholders
from seedcorn.translation.rescoring import rescored, tune_weights, with_lm, with_out_of_vocabulary_words
from seedcorn.translation.self_training import self_train
from seedcorn.translation.settings import (
    EntitySettings,
    NetworkShape,
    PairSelectionSettings,
    RescoringWeights,
    SelfTrainingSettings,
    TrainingSettings,
    Treatment,
)
from seedcorn.translation.training import train_translator
from seedcorn.translation.translator import Translator, load_translator

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
RESULTS = Path(__file__).parent / "results"
N_TRANSCRIPTS = 1_151
SELECTED_FRACTION = 0.4
SYSTEMS = ("all_pairs", "selected", "random", "selected_half")
PLACEHOLDER_FRACTION = 0.25
N_SOURCES = 4_000
N_BEST = 20
N_HYPOTHESES = 10  # of each list that go into a language model: one alone has too little variety
LM_ORDER = 3
RANDOM_SEED = 0


def massive(lang: str, partition: str) -> list[Utterance]:
    """The annotated utterances of one partition, in the order of the file."""
    table = read_corpus(DATA / "massive" / f"{lang}.jsonl.gz", lang=lang).table()
    return utterances_of(table.filter(pc.equal(table.column("partition"), partition)))


def parallel_massive(partition: str) -> list[SentencePair]:
    english = {u.id: u.text for u in massive("en-US", partition)}
    return [SentencePair(id=u.id, source=english[u.id], target=u.text) for u in massive("hi-IN", partition)]


def transcripts() -> list[Utterance]:
    """The first Hindi train utterances: all in-domain target text that the systems may see."""
    return massive("hi-IN", "train")[:N_TRANSCRIPTS]


def general_pairs(name: str) -> PairCorpus:
    def rows() -> Iterator[SentencePair]:
        with gzip.open(DATA / "parallel" / f"en-hi.{name}.tsv.gz", "rt", encoding="utf-8") as lines:
            for source, target, origin in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield SentencePair(source=source, target=target, source_lang="en", target_lang="hi", origin=origin)

    return PairCorpus.from_pairs(rows())


def cleaned(pairs: PairCorpus) -> PairCorpus:
    kept = clean_pairs(pairs, source_lang="en", target_lang="hi").positions
    return PairCorpus.from_table(spoken_form(take_pairs(pairs, kept)).table())


def training_pairs(system: str) -> PairCorpus:
    """The general pairs that ``system`` learns from, then the dictionary, a quarter of them with placeholders."""
    general, dictionary = cleaned(general_pairs("train")), cleaned(general_pairs("dict"))
    if system == "random":
        n_selected = round(SELECTED_FRACTION * general.count())
        drawn = np.random.default_rng(RANDOM_SEED).choice(general.count(), n_selected, replace=False)
        general = take_pairs(general, np.sort(drawn))
    elif system != "all_pairs":
        general = nearest(general, SELECTED_FRACTION / (2 if system == "selected_half" else 1))
    return add_placeholders(general, dictionary, pair_fraction=PLACEHOLDER_FRACTION, random_seed=RANDOM_SEED)


def prepared(system: str, path: Path) -> PairCorpus:
    """The training pairs of ``system``, made once and then read from ``path``."""
    if not path.exists():
        write_pairs(training_pairs(system), path)
    return PairCorpus.from_table(read_pairs(path).table())


def nearest(general: PairCorpus, fraction: float) -> PairCorpus:
    """The ``fraction`` of pairs nearest, by their Hindi side, to the centroid of transcripts minus the general one."""
    settings = PairSelectionSettings(cutoff=Cutoff(fraction=fraction))
    in_domain = [u.text for u in transcripts()]
    scores = score_pairs(general, in_domain=in_domain, settings=settings, random_seed=RANDOM_SEED)
    return take_pairs(general, select_pairs(scores, settings.cutoff).positions)


def settings(n_target_tokens: int, network: str) -> TrainingSettings:
    """The two networks: "quick" learns most in minutes of a CPU, "small" is worth a budget of 50 million tokens."""
    quick = NetworkShape(width=128, n_encoder_layers=3, n_decoder_layers=1, dropout=0.0)
    return TrainingSettings(
        n_target_tokens=n_target_tokens,
        tokens_per_batch=2_500,
        learning_rate=4e-3 if network == "quick" else 3e-3,
        n_warmup_steps=300,
        n_subwords=3_000 if network == "quick" else 4_000,
        n_evaluations=8,
        patience=8,
        # A budget of a few passes over the pairs leaves nothing to regularise.
        shape=quick if network == "quick" else NetworkShape(dropout=0.05),
    )


def train(system: str, work: Path, chosen: TrainingSettings, network: str) -> None:
    pairs = prepared(system, work / f"{system}.pairs.parquet")
    say(f"{system}: {pairs.count():,} pairs")
    trained = train_translator(
        pairs,
        parallel_massive("dev"),
        work / system,
        settings=chosen,
        checkpoints=work / f"{system}.{network}.checkpoints",
        random_seed=RANDOM_SEED,
    )
    summary = {**asdict(trained), "folder": trained.folder.name, "n_pairs": pairs.count()}
    write_text_whole(work / f"{system}.json", json.dumps(summary, indent=1) + "\n")


def self_train_selected(work: Path, chosen: TrainingSettings) -> None:
    """Continue the selected system on its own translations of the English train utterances."""
    seen = language_model([u.text for u in transcripts()])
    found = self_train(
        work / "selected",
        normalise_all([u.text for u in massive("en-US", "train")]),
        prepared("selected", work / "selected.pairs.parquet"),
        parallel_massive("dev"),
        # Checkpoints of another starting point are never gone on from.
        work / "self-training" / digest_of_folder(work / "selected")[:8],
        settings=SelfTrainingSettings(
            n_sources=3_000,
            kept_fraction=0.5,
            weights=RescoringWeights(lm=0.3),
            training=chosen.model_copy(
                update={
                    "n_target_tokens": max(chosen.n_target_tokens // 10, 200_000),
                    "learning_rate": 5e-4,
                    "n_warmup_steps": 30,
                    "n_evaluations": 3,
                }
            ),
        ),
        random_seed=RANDOM_SEED,
        lm=seen,
    )
    shutil.rmtree(work / "self_trained", ignore_errors=True)
    shutil.copytree(found.folder, work / "self_trained")
    summary = {**asdict(found), "folder": "self_trained"}
    write_text_whole(work / "self_trained.json", json.dumps(summary, indent=1) + "\n")


def language_model(texts: Sequence[str], vocabulary: Sequence[str] | None = None) -> NgramModel:
    return estimate(
        [normalise_all(texts)], order=LM_ORDER, vocabulary=vocabulary, fallback_discounts=FALLBACK_DISCOUNTS
    )


@dataclass(frozen=True)
class PerplexityBench:
    """Models of transcripts, general and other text over one vocabulary, mixed with the weights best for dev."""

    seen: Sequence[str]
    general: Sequence[str]
    dev: Sequence[str]
    test: Sequence[str]
    vocabulary: Sequence[str]

    @cached_property
    def known(self) -> tuple[NgramModel, NgramModel]:
        """The models of the transcripts and of the general text."""
        return language_model(self.seen, self.vocabulary), language_model(self.general, self.vocabulary)

    def mixture(self, *texts: Sequence[str], with_general: bool = True) -> Mixture:
        """The mixture of what was known with one model of each of ``texts``."""
        known = self.known if with_general else self.known[:1]
        models = [*known, *(language_model(some, self.vocabulary) for some in texts)]
        return fit_mixture(models, [normalise_all(self.dev)])

    def on_dev(self, *texts: Sequence[str]) -> float:
        """Dev perplexity of the mixture: what every choice is made by."""
        return measure_perplexity(self.mixture(*texts), [normalise_all(self.dev)]).perplexity

    def on_test(self, *texts: Sequence[str]) -> dict[str, Json]:
        """Test perplexity of the mixture, which is what is reported, and of the one without the general text."""
        mixtures = (self.mixture(*texts), self.mixture(*texts, with_general=False))
        full, without = (measure_perplexity(mixture, [normalise_all(self.test)]).perplexity for mixture in mixtures)
        return {
            "perplexity": round(full, 2),
            "perplexity_without_general_text": round(without, 2),
            "n_sentences": sum(map(len, texts)),
        }


def measure(work: Path, chosen: TrainingSettings, network: str) -> None:
    folders = {name: work / name for name in (*SYSTEMS, "self_trained")}
    translators = {name: load_translator(folder, n_threads=1) for name, folder in folders.items()}
    rows: list[dict[str, Json]] = [
        row for name, translator in translators.items() for row in quality_rows(name, translator)
    ]
    steps = perplexity_steps(work, {name: translators[name] for name in ("all_pairs", "selected", "self_trained")})
    rows += [{"step": name, **measured} for name, measured in steps.items()]
    trained = {name: json.loads((work / f"{name}.json").read_text("utf-8")) for name in SYSTEMS}
    rows += [{"training": name, **found} for name, found in trained.items()]

    def chrf_of(system: str) -> Json:
        return next(r["chrf"] for r in rows if r.get("system") == system and r["set"] == "massive test")

    data = [DATA / "massive" / f"{lang}.jsonl.gz" for lang in ("en-US", "hi-IN")]
    data += [DATA / "parallel" / f"en-hi.{name}.tsv.gz" for name in ("train", "dict", "eval")]
    results = Results(
        name="translation-hi",
        command=f"benchmarks/translation_hi.py train|self-train|measure --work FOLDER "
        f"--network {network} --target-tokens {chosen.n_target_tokens}",
        config_digest=digest_of_json({"settings": chosen.model_dump(mode="json"), "fraction": SELECTED_FRACTION}),
        data_digests={p.name: digest_of_file(p)[:16] for p in data}
        | {f"translator {name}": digest_of_folder(folder)[:16] for name, folder in folders.items()},
        random_seeds=[RANDOM_SEED],
        rows=rows,
        summary={
            **{f"chrf_{name}": chrf_of(name) for name in folders},
            "selected_fraction": SELECTED_FRACTION,
            "n_target_tokens": trained["selected"]["n_target_tokens"],
            "perplexity_by_step": {name: measured["perplexity"] for name, measured in steps.items()},
        },
    )
    say(f"written: {write_results(results, RESULTS)}")


def quality_rows(system: str, translator: Translator) -> list[dict[str, Json]]:
    """BLEU and chrF, both sides as words only, which is what the translators are trained on."""
    sets = {
        "massive dev": parallel_massive("dev"),
        "massive test": parallel_massive("test"),
        "general": general_pairs("eval").pairs(),
    }
    rows: list[dict[str, Json]] = []
    for name, pairs in sets.items():
        say(f"{system}: {name}")
        hypotheses = translator.best(normalise_all([p.source for p in pairs]))
        references = normalise_all([p.target for p in pairs])
        by_chrf, by_bleu = chrf(hypotheses, references), bleu(hypotheses, references)
        rows.append(
            {
                "system": system,
                "set": name,
                "n_sentences": len(pairs),
                "chrf": round(by_chrf.score, 2),
                "bleu": round(by_bleu.score, 2),
                "chrf_signature": by_chrf.signature,
                "bleu_signature": by_bleu.signature,
            }
        )
    return rows


def perplexity_steps(work: Path, translators: dict[str, Translator]) -> dict[str, dict[str, Json]]:
    """What each step brings to the mixture with transcripts and general text; all choices are made on dev."""
    seen = transcripts()
    source = massive("en-US", "train")
    some = np.random.default_rng(RANDOM_SEED).choice(len(source), min(N_SOURCES, len(source)), replace=False)
    source = [source[i] for i in np.sort(some)]
    texts = normalise_all([u.text for u in source])
    general = [p.target for p in prepared("selected", work / "selected.pairs.parquet").pairs()]
    lists = {
        name: list(translator.nbest(texts, n_best=N_BEST, beam_size=N_BEST)) for name, translator in translators.items()
    }
    candidates, rejects = translate_utterances(
        source,
        translators["self_trained"],
        settings=entity_settings(source, seen),
        rng=np.random.default_rng(RANDOM_SEED),
        catalogue=catalogue_of(seen),
        n_best=N_BEST,
    )
    lists["entities"] = [c.nbest for c in candidates]
    bench = perplexity_bench(seen, [text for text in general if "<slot" not in text], lists)
    own = {name: first_hypotheses(some) for name, some in lists.items()}
    steps = {
        "transcripts and general text": bench.on_test(),
        "translations, all pairs": bench.on_test(own["all_pairs"]),
        "translations, selected pairs": bench.on_test(own["selected"]),
        "+ self-training": bench.on_test(own["self_trained"]),
    }
    judge, known = bench.mixture(), known_words(bench, texts)
    for name, base in (("rescoring", "self_trained"), ("entities and rescoring", "entities")):
        ranked, weights = rescored_lists(lists[base], judge, known, bench)
        chosen = first_hypotheses(ranked)
        steps[f"+ {name}"] = {**bench.on_test(chosen), **weights.model_dump()}
        kept, fraction = kept_texts(chosen, judge, known, bench)
        steps[f"+ {name} and keep/reject"] = {**bench.on_test(kept), "kept_fraction": fraction}
        if base == "self_trained":
            only_kept, fraction = kept_texts(own[base], judge, known, bench)
            steps["+ keep/reject without rescoring"] = {**bench.on_test(only_kept), "kept_fraction": fraction}
    steps["+ entities and rescoring"]["n_rejected"] = len(rejects)
    steps["one best of self-training"] = bench.on_test([n.best.text for n in lists["self_trained"]])
    steps["true Hindi train"] = bench.on_test([u.text for u in massive("hi-IN", "train")])
    return steps


def perplexity_bench(
    seen: Sequence[Utterance], general: Sequence[str], lists: Mapping[str, Sequence[NBest]]
) -> PerplexityBench:
    """The bench whose vocabulary is all words of the training texts, whichever step they come from."""
    made = {h.text for some in lists.values() for n in some for h in n.hypotheses}
    known = [*normalise_all([u.text for u in seen]), *general, *normalise_all(sorted(made))]
    return PerplexityBench(
        [u.text for u in seen],
        general,
        [u.text for u in massive("hi-IN", "dev")],
        [u.text for u in massive("hi-IN", "test")],
        sorted({word for text in known for word in text.split()}),
    )


def first_hypotheses(lists: Sequence[NBest]) -> list[str]:
    """The first hypotheses of each list, in the order in which the list has them."""
    return [h.text for n in lists for h in n.hypotheses[:N_HYPOTHESES]]


def entity_settings(source: Sequence[Utterance], seen: Sequence[Utterance]) -> EntitySettings:
    """Catalogue values where the transcripts have some for the slot type, else translated."""
    known = catalogue_of(seen)
    types = {slot.type for u in source for slot in u.slots}
    return EntitySettings(by_type={t: Treatment.CATALOGUE for t in sorted(types) if t in known})


def known_words(bench: PerplexityBench, source: Sequence[str]) -> frozenset[str]:
    """The words that some text at hand has; a translation with others has made them up."""
    return frozenset(words_of([normalise_all(list(bench.seen)), bench.general, source]))


def rescored_lists(
    lists: Sequence[NBest], judge: Mixture, known: frozenset[str], bench: PerplexityBench
) -> tuple[list[NBest], RescoringWeights]:
    """The lists in the order of the weights whose first hypotheses make dev text most likely."""
    scored = list(with_out_of_vocabulary_words(with_lm(lists, judge), known))
    weights = tune_weights(scored, lambda texts: bench.on_dev(list(texts)), n_hypotheses=N_HYPOTHESES)
    return list(rescored(scored, weights)), weights


def kept_texts(
    texts: Sequence[str], judge: Mixture, known: frozenset[str], bench: PerplexityBench
) -> tuple[list[str], float]:
    """What has known words only and is likely enough in the domain, the cut-off being best for dev."""
    scores = in_domain_scores(texts, judge, known=known)
    curve = keep_curve(scores, lambda kept: bench.on_dev([texts[i] for i in kept.positions]))
    point = best_point(curve)
    kept = keep_likely(scores, logp_per_word=point.logp_per_word).positions
    return [texts[i] for i in np.sort(kept)], point.kept_fraction


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("train", "self-train", "measure"))
    parser.add_argument("--system", choices=SYSTEMS, default="selected")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--network", choices=("quick", "small"), default="quick")
    parser.add_argument("--target-tokens", type=int, default=4_000_000)
    arguments = parser.parse_args()
    chosen = settings(arguments.target_tokens, arguments.network)
    with showing_progress(ProgressMode.LINES):
        if arguments.step == "train":
            train(arguments.system, arguments.work, chosen, arguments.network)
        elif arguments.step == "self-train":
            self_train_selected(arguments.work, chosen)
        else:
            measure(arguments.work, chosen, arguments.network)


if __name__ == "__main__":
    main()
