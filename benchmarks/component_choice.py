"""Which text beside 576 transcripts makes a better language model, chosen on 288 dev utterances, reported on the test.

    python benchmarks/component_choice.py --source en --target fr
    python benchmarks/component_choice.py --source en --target hi

The components: transcripts, their slot variants, their slot values alone (entity lists), and the target side of the
general pairs: all of it, the tenth nearest by centroid, and by cross-entropy of both sides in tiers. They enter while
held-out dev perplexity falls beyond chance; what the test says of each step and of the mixture of everything is beside.
Three random subsets of transcripts and dev each.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.corpus.templates import resample_slot_values, value_catalogue
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.lm.component_choice import ChosenComponents, choose_components
from seedcorn.lm.interpolation import Mixture, fit_mixture, share_vocabulary
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.runs import digest_of_json
from seedcorn.selection import Scores
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.pair_selection import cross_entropy_of_pairs, distance_of_pairs
from seedcorn.translation.settings import PairSelectionSettings
from translation_steps import DATA, LOCALES, RESULTS, drawn, general_pairs, massive

N_TRANSCRIPTS, N_DEV = 576, 288
SEEDS = (1, 2, 3)
TIERS = (0.0, 0.02, 0.1, 0.4, 1.0)
NEAREST = 0.1
N_VARIANTS = 20
ORDER = 3
SETTINGS: dict[str, Json] = {"tiers": list(TIERS), "nearest": NEAREST, "n_variants": N_VARIANTS, "order": ORDER}


def targets(pairs: PairCorpus) -> list[str]:
    return [text for batch in pairs.batches() for text in batch.column("target").to_pylist()]


def part(scores: Scores, low: float, high: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The rows of the scores between two fractions, best first."""
    ranked = scores.best_first()
    return ranked[round(low * len(ranked)) : round(high * len(ranked))]


def component_texts(
    seen: Sequence[Utterance], source: Sequence[Utterance], pairs: PairCorpus, seed: int
) -> dict[str, list[str]]:
    """The normalised text of each component."""
    texts = [u.text for u in seen]
    variants = resample_slot_values(seen, n_variants=N_VARIANTS, rng=np.random.default_rng(seed))
    values = [value for some in value_catalogue(seen).values() for value in some]
    by_centroid = distance_of_pairs(pairs, texts, settings=PairSelectionSettings(), random_seed=seed)
    by_entropy = cross_entropy_of_pairs(
        pairs, in_domain=texts, in_domain_source=[u.text for u in source], random_seed=seed
    )
    found = {
        "transcripts": texts,
        "slot variants": [u.text for u in variants],
        "entity lists": values,
        "all pairs": targets(pairs),
        f"centroid, nearest {NEAREST:g}": targets(take_pairs(pairs, part(by_centroid, 0, NEAREST))),
        f"cross-entropy, nearest {NEAREST:g}": targets(take_pairs(pairs, part(by_entropy, 0, NEAREST))),
    }
    for low, high in zip(TIERS, TIERS[1:], strict=False):
        found[f"cross-entropy, {low:g} to {high:g}"] = targets(take_pairs(pairs, part(by_entropy, low, high)))
    return {name: normalise_all(some) for name, some in found.items()}


def models_of(texts: Mapping[str, Sequence[str]]) -> dict[str, NgramModel]:
    """One model of each component, over the words of all of them."""
    own = [estimate([list(some)], order=ORDER, fallback_discounts=FALLBACK_DISCOUNTS) for some in texts.values()]
    return dict(zip(texts, share_vocabulary(own), strict=True))


def test_perplexity(mixture: Mixture, test: Sequence[str]) -> float:
    return round(measure_perplexity(mixture, [list(test)]).perplexity, 2)


def rows_of(chosen: ChosenComponents, models: Mapping[str, NgramModel], dev: list[str], test: list[str]) -> list[Json]:
    """One row a component: what it brought on dev, and the test perplexity of the mixture with it."""
    rows: list[Json] = []
    inside = [name for name in chosen.names if name not in {step.name for step in chosen.steps}]
    for step in chosen.steps:
        mixture = fit_mixture([models[name] for name in (*inside, step.name)], [dev])
        inside += [step.name] if step.entered else []
        rows.append(
            {
                "component": step.name,
                "entered": step.entered,
                "dev_perplexity": round(step.dev_perplexity, 2),
                "dev_reduction": round(step.reduction.relative, 4),
                "dev_reduction_low": round(step.reduction.low, 4),
                "test_perplexity": test_perplexity(mixture, test),
            }
        )
    return rows


@dataclass(frozen=True, kw_only=True)
class Subset:
    """What was chosen for one draw of transcripts and dev, and what the test says."""

    random_seed: int
    chosen: tuple[str, ...]
    test_perplexity: Mapping[str, float]
    steps: list[Json]


def one_subset(source: str, target: str, pairs: PairCorpus, seed: int) -> Subset:
    rng = np.random.default_rng(seed)
    seen = drawn(massive(target, "train"), N_TRANSCRIPTS, seed)
    dev = normalise_all([u.text for u in drawn(massive(target, "dev"), N_DEV, seed)])
    test = normalise_all([u.text for u in massive(target, "test")])
    models = models_of(component_texts(seen, massive(source, "train"), pairs, seed))
    chosen = choose_components(models, dev, required=["transcripts"], rng=rng)

    def mixed(*names: str) -> float:
        return test_perplexity(fit_mixture([models[name] for name in names], [dev]), test)

    tiers = [name for name in models if " to " in name]
    return Subset(
        random_seed=seed,
        chosen=chosen.names,
        test_perplexity={
            "transcripts": mixed("transcripts"),
            "transcripts + all pairs": mixed("transcripts", "all pairs"),
            "transcripts + all pairs + centroid": mixed("transcripts", "all pairs", f"centroid, nearest {NEAREST:g}"),
            "transcripts + all pairs + cross-entropy": mixed(
                "transcripts", "all pairs", f"cross-entropy, nearest {NEAREST:g}"
            ),
            "transcripts + all tiers": mixed("transcripts", *tiers),
            "chosen": mixed(*chosen.names),
            "everything": mixed(*models),
        },
        steps=rows_of(chosen, models, dev, test),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=tuple(LOCALES), default="en")
    parser.add_argument("--target", choices=tuple(LOCALES), default="fr")
    arguments = parser.parse_args()
    source, target = arguments.source, arguments.target
    other = target if source == "en" else source
    with showing_progress(ProgressMode.LINES):
        pairs = general_pairs(source, target)
        subsets: list[Subset] = []
        for seed in SEEDS:
            subsets.append(one_subset(source, target, pairs, seed))
            say(f"subset {seed}: {subsets[-1].test_perplexity}, chosen {subsets[-1].chosen}")
    files = [DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz" for lang in (source, target)]
    files.append(DATA / "parallel" / f"en-{other}.train.tsv.gz")
    means = {
        name: round(float(np.mean([subset.test_perplexity[name] for subset in subsets])), 2)
        for name in subsets[0].test_perplexity
    }
    results = Results(
        name=f"component-choice-{target}",
        command=f"benchmarks/component_choice.py --source {source} --target {target}",
        config_digest=digest_of_json(SETTINGS),
        data_digests={path.name: digest_of_file(path)[:16] for path in files},
        random_seeds=list(SEEDS),
        rows=[asdict(subset) for subset in subsets],
        summary={"test_perplexity": means},
    )
    say(f"written: {write_results(results, RESULTS)}")


if __name__ == "__main__":
    main()
