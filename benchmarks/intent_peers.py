"""SetFit and logistic regression on the same encoder, on the cells of an intent study, beside the study's systems.

Run: python benchmarks/intent_peers.py CONFIG RUN_FOLDER [--set KEY=VALUE ...] [--choose]  (needs setfit; RUN_FOLDER is
that of `seedcorn study CONFIG`, whose finished cells are read). Peers learn from the same seed and background, and are
held to the same budget of false alarms, by the log odds of others that they have not learnt from. They find no slots:
of their errors only those of the intents say something. With --choose all settings are compared on the study's
development functionalities, by which the ones below were chosen; else its results are written anew with the peers.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from seedcorn.config import load_config
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.nlu import outcomes, outcomes_of_functionality
from seedcorn.evaluation.nlu_changes import bootstrap_statistics, rates
from seedcorn.intent.data import IntentData
from seedcorn.intent.oracle import MeasuredSystem
from seedcorn.nlu.operating_point import threshold_at_budget
from seedcorn.runs import Run
from seedcorn.studies.intent import Cell, IntentStudyConfig, MeasuredCell, cells_of, run_cells, settings_of
from seedcorn.studies.intent_results import DEVELOPMENT, PEER, intent_results, part_of
from seedcorn.studies.results import write_results

RESULTS = Path(__file__).parent / "results"
OTHER = "other"
N_FOLDS = 5
LOGISTIC = "logistic regression"

Encode: TypeAlias = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class PeerSettings:
    """How a peer is trained: ``n_steps`` of 16 pairs tune SetFit's encoder, none leaves it as it is."""

    n_steps: int
    n_contrasted: int = 250  # utterances of other intents in SetFit's pairs, besides the whole seed
    c: float = 10.0


CHOSEN = {PEER: PeerSettings(n_steps=250), LOGISTIC: PeerSettings(n_steps=0, c=100.0)}
COMPARED = [PeerSettings(n_steps=0, c=c) for c in (1.0, 10.0, 100.0)] + [PeerSettings(n_steps=n) for n in (120, 250)]


class Labelled(NamedTuple):
    """Texts, whose label is the intent of the functionality or OTHER, and which of them the encoder was tuned with."""

    texts: list[str]
    labels: NDArray[np.str_]
    tuned: NDArray[np.bool_]


def labelled_of(data: IntentData, settings: PeerSettings, rng: np.random.Generator) -> Labelled:
    """Return seed and background; of the background, ``n_contrasted`` at random are for the encoder too."""
    labels = [label_of(u, data.intents) for u in data.labelled]
    n_seed = len(data.seed)
    tuned = np.arange(len(labels)) < n_seed
    tuned[n_seed + rng.choice(len(data.background), settings.n_contrasted, replace=False)] = True
    return Labelled([u.text for u in data.labelled], np.array(labels), tuned if settings.n_steps else tuned & False)


def label_of(utterance: Utterance, intents: Sequence[str]) -> str:
    """Return the intent, or OTHER."""
    return str(utterance.intent) if utterance.intent in intents else OTHER


def encoder_of(labelled: Labelled, name: str, settings: PeerSettings, random_seed: int) -> Encode:
    """Return the sentence encoder, tuned by SetFit's pairs if there are steps for it."""
    model = SetFitModel.from_pretrained(name)
    body: SentenceTransformer = model.model_body
    if settings.n_steps:
        texts = [text for text, is_tuned in zip(labelled.texts, labelled.tuned, strict=True) if is_tuned]
        rows = Dataset.from_dict({"text": texts, "label": labelled.labels[labelled.tuned].tolist()})
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                batch_size=16,
                max_steps=settings.n_steps,
                report_to="none",
                save_strategy="no",
                seed=random_seed,
            )
            trainer = Trainer(model=model, args=arguments, train_dataset=rows)
            trainer.train_embeddings(*trainer.dataset_to_parameters(rows), args=arguments)
    return lambda texts: body.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=64)


def log_odds(head: LogisticRegression, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log odds of any intent of the functionality."""
    logps = head.predict_log_proba(vectors)
    is_other = head.classes_ == OTHER
    odds: NDArray[np.float64] = np.logaddexp.reduce(logps[:, ~is_other], axis=1) - logps[:, is_other][:, 0]
    return odds


def held_out_log_odds(labelled: Labelled, vectors: NDArray[np.float32], c: float) -> NDArray[np.float64]:
    """Return the cross-validated log odds of others that neither encoder nor head was trained with."""
    found = np.empty(len(labelled.labels), dtype=np.float64)
    for train, test in StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(vectors, labelled.labels):
        found[test] = log_odds(head_of(vectors[train], labelled.labels[train], c), vectors[test])
    return np.compress((labelled.labels == OTHER) & ~labelled.tuned, found)


def head_of(vectors: NDArray[np.float32], labels: NDArray[np.str_], c: float) -> LogisticRegression:
    """Return the head."""
    return LogisticRegression(C=c, max_iter=1000).fit(vectors, labels)


def measured(data: IntentData, labelled: Labelled, encode: Encode, *, c: float, budget: float) -> MeasuredSystem:
    """Train the head, place its threshold at the budget, and measure it on test."""
    vectors, texts = encode(labelled.texts), [u.text for u in data.test]
    head = head_of(vectors, labelled.labels, c)
    dev_others = [u.text for u in data.dev if u.intent not in data.intents]
    others = np.concatenate([held_out_log_odds(labelled, vectors, c), log_odds(head, encode(dev_others))])
    threshold = threshold_at_budget(others, budget=budget).value
    own = [name for name in head.classes_ if name != OTHER]
    test_vectors = encode(texts)
    best = head.predict_log_proba(test_vectors)[:, head.classes_ != OTHER].argmax(axis=1)
    is_own = log_odds(head, test_vectors) > threshold
    intents = [own[row] if taken else OTHER for row, taken in zip(best, is_own, strict=True)]
    predictions = [Prediction(intent=str(intent), intent_probability=1.0) for intent in intents]
    found = outcomes_of_functionality(outcomes(data.test, predictions), data.intents)
    return MeasuredSystem(rates=rates(found), statistics=bootstrap_statistics(found), n_added=0)


def peer_of(cell: Cell, config: IntentStudyConfig, folder: Path, settings: PeerSettings) -> MeasuredSystem:
    """Return what a peer does in a cell; what is done is kept in the run folder."""
    kept = folder / "peers" / f"{cell.name}-{settings.n_steps}-{settings.n_contrasted}-{settings.c:g}"
    if kept.exists():
        return MeasuredSystem.load(kept)
    of_cell = settings_of(cell, config, next(iter(config.systems.values())))
    run = Run(folder=folder / "cells" / cell.name, random_seed=cell.random_seed, store=folder / "store")
    data = run.do(of_cell.data).value
    labelled = labelled_of(data, settings, np.random.default_rng(cell.random_seed))
    encode = encoder_of(labelled, str(of_cell.self_training.encoder), settings, cell.random_seed)
    found = measured(data, labelled, encode, c=settings.c, budget=of_cell.self_training.false_alarm_budget)
    new = kept.with_name(f"{kept.name}.new")
    new.mkdir(parents=True, exist_ok=True)
    found.save(new)
    new.rename(kept)
    return found


def with_peers(cells: Sequence[MeasuredCell], config: IntentStudyConfig, folder: Path) -> Iterator[MeasuredCell]:
    """Yield the cells with the peers beside their systems."""
    for cell in cells:
        peers = {name: peer_of(cell.cell, config, folder, settings) for name, settings in CHOSEN.items()}
        for name, peer in peers.items():
            sys.stdout.write(f"{cell.cell.functionality} {name}: {peer.rates}\n")
        yield replace(cell, systems={**cell.systems, **peers})


def compare(config: IntentStudyConfig, folder: Path) -> None:
    """Print what every setting does on the development functionalities."""
    own = [cell for cell in cells_of(config) if part_of(config, cell.functionality) == DEVELOPMENT]
    for settings in COMPARED:
        found = [peer_of(cell, config, folder, settings).rates for cell in own]
        errors, alarms = ([float(str(rates[key])) for rates in found] for key in ("intent_error", "false_alarm_rate"))
        means = f"{np.mean(errors):.3f} at {np.mean(alarms):.4f} false alarms"
        sys.stdout.write(f"{settings}: intent error {means} ({', '.join(f'{e:.3f}' for e in errors)})\n")


def main() -> None:
    """Compare settings, or write the study's results with the peers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("run_folder", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--choose", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(options.config, IntentStudyConfig, overrides=options.overrides)
    if options.choose:
        compare(config, options.run_folder)
        return
    cells = run_cells(config, folder=options.run_folder, n_workers=1)
    command = shlex.join(["python", "benchmarks/intent_peers.py", *sys.argv[1:2], "RUN_FOLDER", *sys.argv[3:]])
    beside = list(with_peers(cells, config, options.run_folder))
    write_results(intent_results(config, beside, command=command), RESULTS)


if __name__ == "__main__":
    main()
