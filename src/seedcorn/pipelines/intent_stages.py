"""The stages of the intent pipeline as a run executes them: settings and finished stages in, a finished stage out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.contamination import Screening, screen_pool
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import DataError
from seedcorn.files import digest_of_file
from seedcorn.pipelines.corpus_files import resolved_path
from seedcorn.pipelines.diversity_stage import DiversityChoice, choose_diverse, load_network
from seedcorn.pipelines.intent_data import IntentData, IntentDataSettings, data_files, load_intent_data
from seedcorn.pipelines.relevance_stage import RelevanceSettings, Relevant, find_relevant
from seedcorn.pipelines.stage_files import (
    POSITION,
    Done,
    open_parquet,
    read_utterances,
    rows_at,
    write_batches,
    write_json,
    write_scores,
    write_utterances,
)
from seedcorn.pipelines.teaching import TeachingSettings, taken_by_teacher
from seedcorn.runs import Json, Run, StageFolder
from seedcorn.selection import Scores

SETS = ("seed", "background", "dev", "test", "hidden")


class ContaminationSettings(Settings):
    """Pool rows whose character 5-grams are this similar (Jaccard) to a dev or test utterance are removed."""

    similarity: float = Field(0.8, gt=0, le=1)


def data(run: Run, settings: IntentDataSettings, *, intents: Sequence[str], relative_to: Path) -> Done:
    """Read the five sets, and keep a copy of each in the run."""

    def work(folders: StageFolder) -> dict[str, int]:
        loaded = load_intent_data(settings, intents=intents, relative_to=relative_to, random_seed=run.random_seed)
        return _write_data(loaded, folders.output)

    files = data_files(settings, relative_to=relative_to)
    inputs = {name: digest_of_file(path) for name, path in files.items()}
    chosen: dict[str, Json] = {"data": settings.model_dump(mode="json"), "intents": list(intents)}
    return Done(record=run.stage("data", work, settings=chosen, inputs=inputs), folder=run.folder / "data")


def _write_data(loaded: IntentData, folder: Path) -> dict[str, int]:
    sets = {name: getattr(loaded, name) for name in SETS}
    counts = {f"n_{name}": write_utterances(rows, folder / f"{name}.parquet") for name, rows in sets.items()}
    write_json({"intents": list(loaded.intents)}, folder / "intents.json")
    n_pool = write_batches(loaded.pool.batches(), loaded.pool.schema, folder / "pool.parquet")
    return {**counts, "n_pool": n_pool}


def contamination(run: Run, data: Done, settings: ContaminationSettings) -> Done:
    """Collapse equal pool rows, and remove those equal or nearly equal to dev or test."""

    def work(folders: StageFolder) -> dict[str, int]:
        pool = open_parquet(data.folder / "pool.parquet")
        evaluation = [u for name in ("dev", "test") for u in read_utterances(data.folder / f"{name}.parquet")]
        screening = screen_pool(pool.texts(), [u.text for u in evaluation], threshold=settings.similarity)
        kept = screening.selection.positions
        if not len(kept):
            raise DataError(
                wanted="pool utterances that are not in dev or test",
                found=f"none: all {screening.selection.n_rows:,} are equal or nearly equal to one",
                where="data.pool",
                fix="Give a pool of other text.",
            )
        schema = pool.schema.append(pa.field(POSITION, pa.int64())).append(pa.field("n_copies", pa.int64()))
        write_batches(_kept_rows(pool, screening), schema, folders.output / "pool.parquet")
        _write_rejects(data.folder / "pool.parquet", screening, evaluation, folders.output / "rejects.parquet")
        codes = screening.selection.reject_codes
        by_reason = {f"n_{r.replace(' ', '_')}": int((codes == i).sum()) for i, r in enumerate(_reasons(screening))}
        return {"n_in": len(codes), "n_kept": len(kept), "n_rejected": len(codes) - len(kept), **by_reason}

    record = run.stage("contamination", work, settings=settings.model_dump(mode="json"), inputs=data.digest)
    return Done(record=record, folder=run.folder / "contamination")


def _reasons(screening: Screening) -> tuple[str, ...]:
    return screening.selection.reject_reasons


def _kept_rows(pool: Corpus, screening: Screening) -> Iterator[pa.RecordBatch]:
    """Yield the kept rows with their position in the pool as read, and how many rows each stands for."""
    start = 0
    for batch in pool.batches():
        kept = np.flatnonzero(screening.selection.reject_codes[start : start + batch.num_rows] < 0)
        columns = [*batch.take(pa.array(kept)).columns, pa.array(kept + start)]
        columns.append(pa.array(screening.n_copies[kept + start]))
        yield pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, POSITION, "n_copies"])
        start += batch.num_rows


def _write_rejects(pool: Path, screening: Screening, evaluation: Sequence[Utterance], path: Path) -> None:
    """Write the rows that were too near to evaluation text, each with the text it is near to."""
    near = screening.evaluation
    table = pa.table(
        {
            POSITION: near.positions,
            "text": rows_at(pool, near.positions).column("text"),
            "near_to": [evaluation[i].text for i in near.matches],
            "similarity": near.similarities,
        }
    )
    pq.write_table(table, path)


def relevance(run: Run, data: Done, pool: Done, settings: RelevanceSettings) -> Done:
    """Score the pool, and keep its relevant part, each row with the reason why."""

    def work(folders: StageFolder) -> dict[str, int]:
        corpus = open_parquet(pool.folder / "pool.parquet")
        seed, background = (read_utterances(data.folder / f"{name}.parquet") for name in ("seed", "background"))
        found = find_relevant(
            corpus.texts, seed=seed, background=background, settings=settings, random_seed=run.random_seed
        )
        kept = rows_at(pool.folder / "pool.parquet", found.selection.positions)
        pq.write_table(_with_reasons(kept, found, [u.text for u in seed]), folders.output / "relevant.parquet")
        write_scores(found.scores, folders.output / "scores.npz")
        _write_relevance_curves(found, folders.output / "curves.json")
        n_rows, n_kept = len(found.scores), len(found.selection.positions)
        return {"n_in": n_rows, "n_kept": n_kept, "n_rejected": n_rows - n_kept}

    record = run.stage("relevance", work, settings=settings.model_dump(mode="json"), inputs=data.digest | pool.digest)
    return Done(record=record, folder=run.folder / "relevance")


def _with_reasons(kept: pa.Table, found: Relevant, seed: Sequence[str]) -> pa.Table:
    """Return the kept rows with their score, their strongest n-grams and their nearest seed utterance."""
    from seedcorn.relevance.reasons import nearest_seed, strongest_ngrams

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


def _write_relevance_curves(found: Relevant, path: Path) -> None:
    """Write the sorted scores at 200 ranks, and the precision curve where there is one."""
    ranked = found.scores.values[found.scores.best_first()]
    ranks = np.unique(np.geomspace(1, len(ranked), 200).astype(np.int64)) if len(ranked) else np.zeros(0, np.int64)
    curve = found.fitted.curve
    precision = (
        []
        if curve is None
        else [
            {"threshold": float(t), "precision": float(p), "recall": float(r)}
            for t, p, r in zip(curve.thresholds, curve.precision, curve.recall, strict=True)
        ]
    )
    by_rank = [{"rank": int(rank), "score": float(ranked[rank - 1])} for rank in ranks]
    write_json({"score_by_rank": by_rank, "precision": precision, "name": found.scores.name}, path)


def diversity(
    run: Run,
    data: Done,
    pool: Done,
    relevant: Done,
    choice: DiversityChoice,
    teaching: TeachingSettings,
    *,
    relative_to: Path,
) -> Done:
    """Keep of the relevant part what adds something, each row with its round and gain.

    A choice that is cleaned needs the teacher of self-training, which is trained here as ``teaching`` says.
    """
    network = choice.paraphrase_network and resolved_path(choice.paraphrase_network, relative_to=relative_to)

    def work(folders: StageFolder) -> dict[str, int]:
        table = pq.read_table(relevant.folder / "relevant.parquet")
        by_rank = Scores(values=-np.arange(table.num_rows, dtype=np.float64), name="relevance rank")
        texts = table.column("text").to_pylist()
        seed, background = (read_utterances(data.folder / f"{name}.parquet") for name in ("seed", "background"))
        chosen = choose_diverse(
            texts,
            by_rank,
            seed=seed,
            background=background,
            choice=choice,
            random_seed=run.random_seed,
            network=load_network(network) if network else None,
            taken=taken_by_teacher(
                texts,
                seed=seed,
                background=background,
                pool=open_parquet(pool.folder / "pool.parquet").texts(),
                settings=teaching,
                random_seed=run.random_seed,
            )
            if choice.cleaned
            else None,
        )
        kept = table.take(pa.array(chosen.positions))
        kept = kept.append_column("round", pa.array(chosen.rounds)).append_column("gain", pa.array(chosen.gains))
        pq.write_table(kept, folders.output / "selected.parquet")
        n_rows, n_kept = table.num_rows, kept.num_rows
        return {"n_in": n_rows, "n_kept": n_kept, "n_rejected": n_rows - n_kept}

    inputs = data.digest | relevant.digest | ({"paraphrase_network": digest_of_file(network)} if network else {})
    settings = choice.model_dump(mode="json")
    if choice.cleaned:
        inputs |= pool.digest
        settings["teacher"] = teaching.model_dump(mode="json")
    record = run.stage("diversity", work, settings=settings, inputs=inputs)
    return Done(record=record, folder=run.folder / "diversity")
