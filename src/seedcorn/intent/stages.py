"""The stages of the intent pipeline: each is its section of the configuration and a call."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar, TypeAlias

import numpy as np
import pyarrow as pa
from pydantic import Field

from seedcorn.config import fields_of
from seedcorn.corpus.contamination import Screening, screen_pool
from seedcorn.corpus.tables import POSITION, rows_at
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.diversity.choosing import DiversityChoice, choose_diverse
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import outcomes, outcomes_of_functionality
from seedcorn.evaluation.nlu_changes import (
    ERROR_SCHEMA,
    bootstrap_statistics,
    errors_before_and_after,
    rates,
    reductions,
)
from seedcorn.files import Json
from seedcorn.intent.data import IntentData
from seedcorn.intent.stage_results import (
    CleanPool,
    Evaluated,
    RelevantPool,
    SelectedPool,
    SelfTrained,
    TrainedTeacher,
    TrainingFolder,
)
from seedcorn.intent.training_set import decision_table, training_set
from seedcorn.nlu.cross_fitting import CrossFitted, log_odds_of
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.pool_training import (
    BudgetSettings,
    PoolLabel,
    compare,
    self_train_at_budget,
    train_without_pool,
)
from seedcorn.nlu.self_training import PseudoLabel, Teacher, pseudo_labels, train_teacher
from seedcorn.nlu.training import (
    NluKind,
    NluSettings,
    SelfTrainingSettings,
    knowledge_of,
    knowledge_of_model,
    self_train_by_dev,
    train,
    trainer,
)
from seedcorn.progress import say
from seedcorn.relevance.explain import nearest_seed, strongest_ngrams
from seedcorn.relevance.relevant import RelevanceSettings, Relevant, find_relevant
from seedcorn.relevance.requests import RequestGate, fit_request_gate
from seedcorn.relevance.streaming import sample_texts
from seedcorn.runs import Context, Stage
from seedcorn.selection import PositionArray, Scores

SEED_ONLY, WITHOUT_POOL, WITH_POOL, TRUE_LABELS = "seed only", "without pool", "with pool", "true labels"
_SURELY_OTHER = 0.1
_N_GATE_TEXTS, _FEWEST_GATE_TEXTS = 20_000, 2
_ROWS_SAMPLED_FROM = 2_000_000


class RemoveContamination(Stage[CleanPool]):
    """Collapse equal pool rows, and remove those equal or nearly equal to dev or test.

    ``similarity`` is the Jaccard similarity of character 5-grams from which a row counts as a copy.
    """

    stage_name: ClassVar[str] = "contamination"
    is_random: ClassVar[bool] = False

    similarity: float = Field(0.8, gt=0, le=1)

    def __call__(self, data: IntentData, *, context: Context) -> CleanPool:
        """Return the rows that may be used. Raises DataError when there are none."""
        evaluation = [*data.dev, *data.test]
        screening = screen_pool(
            data.pool.text_pieces(),
            [u.text for u in evaluation],
            threshold=self.similarity,
            mapper=context.mapper,
            folder=context.checkpoints,
        )
        codes, kept = screening.selection.reject_codes, screening.selection.positions
        if not len(kept):
            raise DataError(
                wanted="pool utterances that are not in dev or test",
                found=f"none: all {screening.selection.n_rows:,} are equal or nearly equal to one",
                where="data.pool",
                fix="Give a pool of other text.",
            )
        schema = data.pool.schema.append(pa.field(POSITION, pa.int64())).append(pa.field("n_copies", pa.int64()))
        by_reason = {
            f"n_{reason.replace(' ', '_')}": int((codes == i).sum())
            for i, reason in enumerate(screening.selection.reject_reasons)
        }
        return CleanPool(
            pool=Corpus(partial(_kept_rows, data.pool, screening), schema),
            rejects=_near_evaluation(data.pool, screening, evaluation),
            counts={"n_in": len(codes), "n_kept": len(kept), "n_rejected": len(codes) - len(kept), **by_reason},
        )


def _kept_rows(pool: Corpus, screening: Screening) -> Iterator[pa.RecordBatch]:
    """Yield the kept rows with their position in the pool as read, and how many rows each stands for."""
    start = 0
    for batch in pool.batches():
        kept = np.flatnonzero(screening.selection.reject_codes[start : start + batch.num_rows] < 0)
        columns = [*batch.take(pa.array(kept)).columns, pa.array(kept + start)]
        columns.append(pa.array(screening.n_copies[kept + start]))
        yield pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, POSITION, "n_copies"])
        start += batch.num_rows


def _near_evaluation(pool: Corpus, screening: Screening, evaluation: Sequence[Utterance]) -> pa.Table:
    """Return the rows that were too near to evaluation text, each with the text it is near to."""
    near = screening.evaluation
    return pa.table(
        {
            POSITION: near.positions,
            "text": rows_at(pool, near.positions).column("text"),
            "near_to": pa.array([evaluation[i].text for i in near.matches], pa.string()),
            "similarity": near.similarities,
        }
    )


class SelectRelevant(RelevanceSettings, Stage[RelevantPool]):
    """Score the pool, and keep its relevant part, each row with the reason why."""

    stage_name: ClassVar[str] = "relevance"

    def __call__(self, data: IntentData, clean: CleanPool, *, context: Context) -> RelevantPool:
        """Return the relevant rows, best first. Raises DataError when nothing is kept."""
        found = find_relevant(
            clean.pool.text_pieces,
            seed=data.seed,
            background=data.background,
            settings=self,
            random_seed=context.random_seed,
            mapper=context.mapper,
            folder=context.checkpoints,
        )
        kept = rows_at(clean.pool, found.selection.positions)
        return RelevantPool(
            rows=_with_reasons(kept, found, [u.text for u in data.seed]),
            scores=found.scores,
            curves=_relevance_curves(found),
        )


def _with_reasons(kept: pa.Table, found: Relevant, seed: Sequence[str]) -> pa.Table:
    """Return the kept rows with their score, their strongest n-grams and their nearest seed utterance."""
    texts = kept.column("text").to_pylist()
    nearest = nearest_seed(texts, list(seed))
    strongest = strongest_ngrams(texts, found.fitted.model) if found.fitted.model else [()] * len(texts)
    columns = {
        "relevance": pa.array(found.selection.gains),
        "strongest_ngrams": pa.array([", ".join(f"{n.ngram} {n.weight:+.2f}" for n in row) for row in strongest]),
        "nearest_seed": pa.array([seed[i] if i >= 0 else "" for i in nearest.positions]),
        "nearest_seed_similarity": pa.array(nearest.similarities),
    }
    for name, values in columns.items():
        kept = kept.append_column(name, values)
    return kept


def _relevance_curves(found: Relevant) -> Mapping[str, Json]:
    """Return the sorted scores at 200 ranks, and the precision curve where there is one."""
    ranked = found.scores.values[found.scores.best_first()]
    ranks = np.unique(np.geomspace(1, len(ranked), 200).astype(np.int64)) if len(ranked) else np.zeros(0, np.int64)
    curve = found.fitted.curve
    precision: list[Json] = []
    if curve is not None:
        points = zip(curve.thresholds, curve.precision, curve.recall, strict=True)
        precision = [{"threshold": float(t), "precision": float(p), "recall": float(r)} for t, p, r in points]
    by_rank: list[Json] = [{"rank": int(rank), "score": float(ranked[rank - 1])} for rank in ranks]
    return {"score_by_rank": by_rank, "precision": precision, "name": found.scores.name}


class TrainTeacher(NluSettings, BudgetSettings, Stage[TrainedTeacher]):
    """Train the model that has to be beaten: on seed and background, with all that stands beside them but the pool."""

    stage_name: ClassVar[str] = "teacher"

    def __call__(self, data: IntentData, clean: CleanPool, *, context: Context) -> TrainedTeacher:
        """Return the teacher with its cross-validation, and the model that knows the annotated utterances alone."""
        random_seed = context.random_seed
        knowledge = knowledge_of(clean.pool.texts(), data.labelled, settings=self, random_seed=random_seed)
        learn = trainer(self, intents=data.intents, knowledge=knowledge)
        if self.model is NluKind.NEURAL:
            teacher = train_teacher(data.seed, data.background, train=learn, random_seed=random_seed)
            seed_only = train(data.labelled, intents=data.intents, settings=self, random_seed=random_seed)
            return TrainedTeacher(model=teacher.model, calibration=teacher.calibration, seed_only=seed_only)
        fit = partial(train_without_pool, data.seed, data.background, data.dev, settings=self, random_seed=random_seed)
        plain = fitted = fit(train=trainer(self, intents=data.intents))
        if knowledge.encoder:
            fitted = fit(train=learn)
        elif knowledge.words:
            fitted = _no_worse(plain, fit(train=learn), self.false_alarm_budget)
        return TrainedTeacher(
            model=fitted.at_budget(self.false_alarm_budget),
            seed_only=plain.at_budget(self.false_alarm_budget),
            fitted=fitted,
        )


def _no_worse(plain: CrossFitted, with_words: CrossFitted, budget: float) -> CrossFitted:
    """Return the model with the pool's words, or the plain one where that misses fewer held-out utterances."""
    change = compare(plain, with_words, budget=budget)
    say(f"words that the pool uses alike: missed at the budget {change.missed_before:.3f} -> {change.missed_after:.3f}")
    return plain if change.change > 0 else with_words


class SelectDiverse(DiversityChoice, Stage[SelectedPool]):
    """Keep of the relevant rows what adds something, each with its round and gain."""

    stage_name: ClassVar[str] = "diversity"

    def __call__(
        self, data: IntentData, relevant: RelevantPool, teacher: TrainedTeacher, *, context: Context
    ) -> SelectedPool:
        """Return the rows in the order chosen. Raises DataError when the teacher is unsure of all."""
        texts = relevant.rows.column("text").to_pylist()
        by_rank = Scores(values=-np.arange(len(texts), dtype=np.float64), name="relevance rank")
        chosen = choose_diverse(
            texts,
            by_rank,
            seed=data.seed,
            background=data.background,
            choice=self,
            random_seed=context.random_seed,
            groups=_sure_groups(texts, data, teacher) if self.cleaned else None,
        )
        rows = relevant.rows.take(pa.array(chosen.positions))
        rows = rows.append_column("round", pa.array(chosen.rounds)).append_column("gain", pa.array(chosen.gains))
        return SelectedPool(rows=rows, n_relevant=len(texts))


def _sure_groups(texts: Sequence[str], data: IntentData, teacher: TrainedTeacher) -> list[PositionArray]:
    """Return the rows that the teacher is sure are of the functionality, and those it is sure are of others."""
    if teacher.fitted is None:
        by_gates = Teacher(model=teacher.model, calibration=teacher.calibration)
        labels = pseudo_labels(texts, data.intents, teacher=by_gates)
        return [np.flatnonzero(labels == kind) for kind in (PseudoLabel.FUNCTIONALITY, PseudoLabel.OTHER_INTENT)]
    fitted = teacher.fitted
    probabilities = fitted.calibration.probabilities(log_odds_of(fitted.model, data.intents, texts))
    return [np.flatnonzero(probabilities >= 0.5), np.flatnonzero(probabilities <= _SURELY_OTHER)]


class SelfTrain(SelfTrainingSettings, Stage[SelfTrained]):
    """Label the selected rows by the teacher, train on what it is sure of, and go on as long as that is no worse."""

    stage_name: ClassVar[str] = "self-training"

    @property
    def teacher(self) -> TrainTeacher:
        """The stage that trains the teacher: the same kind of model without the pool."""
        return TrainTeacher(**fields_of(self, NluSettings), **fields_of(self, BudgetSettings))

    def __call__(
        self, data: IntentData, clean: CleanPool, selected: SelectedPool, teacher: TrainedTeacher, *, context: Context
    ) -> SelfTrained:
        """Return the model with the pool, what was decided on every row, and the whole training set."""
        model, labels, rounds = (
            self._by_dev(data, selected, teacher, context)
            if teacher.fitted is None
            else self._at_budget(data, clean, selected, teacher.fitted, context)
        )
        whole = training_set(data, selected.rows, labels)
        n_in, n_kept = selected.rows.num_rows, whole.num_rows - len(data.labelled)
        return SelfTrained(
            model=model,
            decisions=decision_table(labels, selected.rows),
            rounds=rounds,
            training_set=whole,
            counts={"n_in": n_in, "n_kept": n_kept, "n_rejected": n_in - n_kept},
        )

    def _at_budget(
        self, data: IntentData, clean: CleanPool, selected: SelectedPool, fitted: CrossFitted, context: Context
    ) -> "_SelfTrained":
        sample = sample_texts(clean.pool.texts(), n_texts=_N_GATE_TEXTS, n_rows=_ROWS_SAMPLED_FROM, rng=context.rng())
        gate = _request_gate([u.text for u in data.labelled], sample, random_seed=context.random_seed)
        found = self_train_at_budget(
            fitted,
            selected.texts,
            gate=gate,
            train=trainer(self, intents=data.intents, knowledge=knowledge_of_model(fitted.model)),
            settings=self,
            random_seed=context.random_seed,
        )
        return found.model, found.labels, found.as_rows()

    def _by_dev(
        self, data: IntentData, selected: SelectedPool, teacher: TrainedTeacher, context: Context
    ) -> "_SelfTrained":
        found = self_train_by_dev(
            seed=data.seed,
            background=data.background,
            texts=selected.texts,
            dev=data.dev,
            intents=data.intents,
            settings=self,
            random_seed=context.random_seed,
            teacher=Teacher(model=teacher.model, calibration=teacher.calibration),
        )
        return found.model, found.labels, [round_.as_row() for round_ in found.rounds]


def _request_gate(labelled: Sequence[str], sample: pa.StringArray, *, random_seed: int) -> RequestGate | None:
    if len(sample) < _FEWEST_GATE_TEXTS:
        say(f"self-training: a pool of {len(sample)} texts cannot tell requests from other text; all of it passes")
        return None
    return fit_request_gate(labelled, sample, random_seed=random_seed)


_SelfTrained: TypeAlias = tuple[NluModel, Sequence[PoolLabel], Sequence[Mapping[str, Json]]]


class WriteTraining(Stage[TrainingFolder]):
    """Write what users take home: the training set as JSON lines and in the format they name, and the model.

    ``format`` is one of those that ``seedcorn data convert`` writes, such as rasa, conll or parquet.
    """

    stage_name: ClassVar[str] = "training"
    is_random: ClassVar[bool] = False

    format: str | None = None

    def __call__(self, trained: SelfTrained, *, context: Context) -> TrainingFolder:
        """Return the folder's content."""
        return TrainingFolder(training_set=trained.training_set, model=trained.model, format=self.format)


class Evaluate(Stage[Evaluated]):
    """Measure every system on test, with the paired bootstrap of their differences."""

    stage_name: ClassVar[str] = "measures"

    def __call__(
        self, data: IntentData, trained: SelfTrained, teacher: TrainedTeacher, *, context: Context
    ) -> Evaluated:
        """Return rates, reductions and errors."""
        models = {SEED_ONLY: teacher.seed_only, WITHOUT_POOL: teacher.model, WITH_POOL: trained.model}
        texts = [u.text for u in data.test]
        predictions = {name: model.predict(texts) for name, model in models.items()}
        measured = {
            name: outcomes_of_functionality(outcomes(data.test, found), data.intents)
            for name, found in predictions.items()
        }
        systems: list[Mapping[str, Json]] = [{"system": name, **rates(m)} for name, m in measured.items()]
        compared = ((SEED_ONLY, WITH_POOL), (WITHOUT_POOL, WITH_POOL))
        errors = errors_before_and_after(data.test, predictions[WITHOUT_POOL], predictions[WITH_POOL], data.intents)
        return Evaluated(
            systems=systems,
            reductions=[
                {"against": before, **row}
                for before, after in compared
                for row in reductions(measured[before], measured[after], rng=context.rng())
            ],
            errors=pa.Table.from_pylist(errors, schema=ERROR_SCHEMA),
            predictions=predictions,
            texts=texts,
            statistics={
                f"{name}/{measure}": values
                for name, m in measured.items()
                for measure, values in bootstrap_statistics(m).items()
            },
        )
