"""Slot variants of 576 transcripts, without and with values of the source text said by rule: perplexity of the mixture.

    python benchmarks/spoken_values.py --source en --target fr

The mixture is of transcripts, the target side of all general pairs, and the variants; weights by EM on 288 dev
utterances. Three random subsets of transcripts and dev; what dev says decides, the test is beside.
"""

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from component_choice import N_DEV, N_TRANSCRIPTS, N_VARIANTS, SEEDS, models_of, targets, test_perplexity
from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.templates import resample_slot_values
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.lm.interpolation import fit_mixture
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.spoken_values import spoken_values_of
from translation_steps import DATA, LOCALES, RESULTS, drawn, general_pairs, massive

NAMES = ("no variants", "variants", "variants with spoken values")


def row_of(source: str, target: str, general: Sequence[str], seed: int) -> Mapping[str, Json]:
    """Dev and test perplexity of each mixture, for one subset of transcripts and dev."""
    seen = drawn(massive(target, "train"), N_TRANSCRIPTS, seed)
    dev, test = drawn(massive(target, "dev"), N_DEV, seed), massive(target, "test")
    said = spoken_values_of(
        massive(source, "train"), source_lang=source, target_lang=target, rng=np.random.default_rng(seed)
    )
    texts: dict[str, list[str]] = {NAMES[0]: [u.text for u in seen]}
    for name, values in ((NAMES[1], {}), (NAMES[2], said)):
        rng = np.random.default_rng(seed)
        made = resample_slot_values(seen, n_variants=N_VARIANTS, rng=rng, further_values=values)
        texts[name] = [u.text for u in made]
    row: dict[str, Json] = {"random_seed": seed, "n_spoken": sum(map(len, said.values()))}
    models = models_of({name: normalise_all(some) for name, some in texts.items()} | {"general": list(general)})
    on_dev, on_test = (normalise_all([u.text for u in some]) for some in (dev, test))
    for name in NAMES:
        mixture = fit_mixture([models[n] for n in dict.fromkeys((NAMES[0], "general", name))], [on_dev])
        row[name] = {"dev": test_perplexity(mixture, on_dev), "test": test_perplexity(mixture, on_test)}
    say(f"{row}")
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="en")
    parser.add_argument("--target", default="fr")
    arguments = parser.parse_args()
    source, target = arguments.source, arguments.target
    with showing_progress(ProgressMode.LINES):
        general = normalise_all(targets(general_pairs(source, target)))
        rows = [row_of(source, target, general, seed) for seed in SEEDS]
    files = [DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz" for lang in (source, target)]
    files.append(DATA / "parallel" / f"{source}-{target}.train.tsv.gz")
    summary = {name: _means(rows, name) for name in NAMES}
    results = Results(
        name=f"spoken-values-{target}",
        command=f"benchmarks/spoken_values.py --source {source} --target {target}",
        config_digest=digest_of_json({"n_variants": N_VARIANTS, "n_transcripts": N_TRANSCRIPTS, "n_dev": N_DEV}),
        data_digests={path.name: digest_of_file(path)[:16] for path in files},
        random_seeds=SEEDS,
        rows=rows,
        summary=summary,
    )
    say(f"written: {write_results(results, RESULTS)}")


def _means(rows: Sequence[Mapping[str, Json]], name: str) -> Json:
    found = [row[name] for row in rows]
    measured = {key: [some[key] for some in found if isinstance(some, Mapping)] for key in ("dev", "test")}
    return {key: round(float(np.mean(np.asarray(values, np.float64))), 2) for key, values in measured.items()}


if __name__ == "__main__":
    main()
