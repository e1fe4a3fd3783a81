"""Diversity selection alone: from the rows of a pool to the rows kept, each with its round, gain and neighbour."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.contamination import exact_duplicates
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.diversity.choosing import DiversityChoice, load_network, paraphrase_network, views_for
from seedcorn.diversity.methods import Method, Needs
from seedcorn.diversity.nearest import NO_NEIGHBOUR, NearestKept, Vectors, nearest_kept
from seedcorn.diversity.objectives import Budget, Picks
from seedcorn.diversity.paraphrase import save_paraphrase_network
from seedcorn.diversity.paraphrase_fitting import fit_paraphrase_network
from seedcorn.diversity.sieve_parts import STREAMED_FEATURES, SieveSettings, sieve_texts
from seedcorn.diversity.submodular import DiverseSelection, select_diverse
from seedcorn.diversity.view import DiversitySettings
from seedcorn.errors import ConfigError, DataError
from seedcorn.relevance.embedding import fit_encoder
from seedcorn.relevance.ngrams import count_words, ngram_matrix
from seedcorn.selection import PositionArray, Scores

SCORE_COLUMNS = ("score", "relevance")  # as ``select relevance`` and the relevance stage of a run call it


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much to keep: exactly one of so many utterances, a fraction of the distinct ones, or so many words."""

    count: int | None = None
    fraction: float | None = None
    words: int | None = None

    def __post_init__(self) -> None:
        if sum(amount is not None for amount in (self.count, self.fraction, self.words)) != 1:
            raise ConfigError(wanted="one budget", found="none or several", fix="Give --count, --fraction or --words.")

    def budget(self, texts: pa.StringArray) -> Budget:
        """Return the budget over ``texts``."""
        if self.words is not None:
            return Budget.words(self.words, words_of_rows=count_words(texts))
        n_rows = len(texts)
        return Budget.utterances(self.count or max(1, round((self.fraction or 0) * n_rows)), n_rows=n_rows)


@dataclass(frozen=True, kw_only=True)
class KeptTable:
    """The kept rows in the order chosen, explained by further columns, and what became of the others."""

    rows: pa.Table
    n_rows: int
    n_repeated: int


def keep_diverse(
    pool: Corpus,
    *,
    method: Method,
    amount: Amount,
    seed: Sequence[Utterance] = (),
    background: Sequence[Utterance] = (),
    network: Path | None = None,
    settings: DiversitySettings = DiversitySettings(),
    random_seed: int = 0,
) -> KeptTable:
    """Return what ``method`` keeps of the distinct rows of ``pool``, which is held in memory.

    ``network`` is a folder with a trained paraphrase network; without it the method ``paraphrase`` trains one on seed
    and background. Relevance is read from the column ``score`` or ``relevance`` where the method needs it. Raises
    DataError for an empty pool or a missing column, ConfigError for a budget that the distinct rows cannot use up.
    """
    table = pool.table()
    texts = table.column("text").combine_chunks().cast(pa.string())
    first = exact_duplicates([texts])
    distinct = np.flatnonzero(first == np.arange(len(first)))
    texts = texts.take(pa.array(distinct))
    needs_relevance = method.needs is Needs.RELEVANCE or settings.relevance_share > 0
    relevance = _relevance(table, distinct, is_needed=needs_relevance)
    budget = amount.budget(texts)
    strings = texts.to_pylist()
    seed_texts = [u.text for u in seed]
    trained = None
    if method.needs is Needs.CODES:
        trained = (
            load_network(network)
            if network
            else paraphrase_network(seed, background, strings, choice=DiversityChoice(), random_seed=random_seed)
        )
    pool_view, seed_view = views_for(method, strings, relevance, seed_texts, random_seed, trained)
    chosen = select_diverse(
        pool_view, method=method, budget=budget, seed=seed_view, settings=settings, random_seed=random_seed
    )
    vectors, seed_vectors = (
        (pool_view.vectors, seed_view.vectors)
        if pool_view.vectors is not None and seed_view.vectors is not None
        else _embedded(strings, seed_texts, random_seed)
    )
    neighbours = nearest_kept(vectors, chosen.positions, seed_vectors=seed_vectors)
    explained = _explained(table, distinct, chosen, neighbours, strings, seed_texts)
    return KeptTable(rows=explained, n_rows=len(table), n_repeated=len(table) - len(distinct))


def train_network(annotated: Sequence[Utterance], pool: Corpus, folder: Path, *, random_seed: int) -> None:
    """Train a paraphrase network on annotated utterances and the texts of ``pool``, and save it in ``folder``."""
    unlabelled = pool.table().column("text").to_pylist()
    save_paraphrase_network(fit_paraphrase_network(annotated, unlabelled=unlabelled, random_seed=random_seed), folder)


def keep_diverse_stream(
    pool: Corpus,
    *,
    amount: Amount,
    seed: Sequence[Utterance] = (),
    settings: DiversitySettings = DiversitySettings(),
    mapper: Mapper = map_in_order,
) -> KeptTable:
    """Return what one pass of sieve streaming over the n-grams of ``pool`` keeps, and a second pass collects.

    ``mapper`` carries the first pass out. Memory does not grow with the pool, so repeated rows are not looked for, and
    a fraction cannot be asked for.
    """
    total = amount.words or amount.count
    if total is None:
        raise ConfigError(wanted="a budget in utterances or words to stream", found="a fraction", fix="Give --count.")
    sieve = SieveSettings(
        budget=total,
        in_words=amount.words is not None,
        seed_rows=ngram_matrix([u.text for u in seed], features=STREAMED_FEATURES) if seed else None,
        concave=settings.concave,
        limit=settings.limit,
    )
    picks = sieve_texts(pool.texts(), settings=sieve, mapper=mapper)
    rows, n_rows = _collected(pool, picks)
    rank = pa.array(np.arange(1, len(picks.positions) + 1))
    columns = {"pool_row": pa.array(picks.positions), "round": rank, "gain": pa.array(picks.gains)}
    strings, seed_texts = rows.column("text").to_pylist(), [u.text for u in seed]
    vectors, seed_vectors = _embedded(strings, seed_texts, 0)
    neighbours = nearest_kept(vectors, np.arange(len(strings)), seed_vectors=seed_vectors)
    return KeptTable(
        rows=_with_columns(rows, columns | _neighbour_columns(neighbours, strings, seed_texts)),
        n_rows=n_rows,
        n_repeated=0,
    )


def _collected(pool: Corpus, picks: Picks) -> tuple[pa.Table, int]:
    """Return the picked rows in the order picked, and the number of rows of the pool."""
    order = np.argsort(picks.positions, kind="stable")
    wanted, kept, n_rows = picks.positions[order], [], 0
    for batch in pool.batches():
        inside = wanted[(wanted >= n_rows) & (wanted < n_rows + batch.num_rows)]
        kept.append(batch.take(pa.array(inside - n_rows)))
        n_rows += batch.num_rows
    return pa.Table.from_batches(kept, schema=pool.schema).take(pa.array(np.argsort(order, kind="stable"))), n_rows


def _relevance(table: pa.Table, distinct: PositionArray, *, is_needed: bool) -> Scores:
    name = next((name for name in SCORE_COLUMNS if name in table.column_names), None)
    if name is None:
        if is_needed:
            raise DataError(
                wanted=f"a column '{SCORE_COLUMNS[0]}' with the relevance of each row",
                found=", ".join(table.column_names),
                fix="Run 'seedcorn select relevance' first.",
            )
        return Scores(values=np.zeros(len(distinct)), name="none", missing=np.ones(len(distinct), np.bool_))
    column = pc.cast(table.column(name).take(pa.array(distinct)), pa.float64())
    missing = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    return Scores(values=pc.fill_null(column, 0.0).to_numpy(), name="relevance", missing=missing)


def _embedded(texts: Sequence[str], seed_texts: Sequence[str], random_seed: int) -> tuple[Vectors, Vectors]:
    # Neighbours are shown, not computed with: a small encoder will do.
    encoder = fit_encoder([*seed_texts, *texts], n_dimensions=64, n_buckets=1 << 14, random_seed=random_seed)
    return encoder.encode(texts), encoder.encode(seed_texts)


def _explained(
    table: pa.Table,
    distinct: PositionArray,
    chosen: DiverseSelection,
    neighbours: NearestKept,
    texts: Sequence[str],
    seed_texts: Sequence[str],
) -> pa.Table:
    rows = distinct[chosen.positions]
    columns = {"pool_row": pa.array(rows), "round": pa.array(chosen.rounds), "gain": pa.array(chosen.gains)}
    return _with_columns(table.take(pa.array(rows)), columns | _neighbour_columns(neighbours, texts, seed_texts))


def _neighbour_columns(neighbours: NearestKept, texts: Sequence[str], seed_texts: Sequence[str]) -> dict[str, pa.Array]:
    """Return the text of each neighbour, whether it is of the seed or was kept before, and how similar it is."""
    places = zip(neighbours.seed_rows.tolist(), neighbours.positions.tolist(), strict=True)
    found = [
        (seed_texts[row], "seed")
        if row != NO_NEIGHBOUR
        else (texts[kept], "kept")
        if kept != NO_NEIGHBOUR
        else (None,) * 2
        for row, kept in places
    ]
    similarities = [float(s) if np.isfinite(s) else None for s in neighbours.similarities]
    return {
        "neighbour": pa.array([text for text, _ in found], pa.string()),
        "neighbour_from": pa.array([origin for _, origin in found], pa.string()),
        "neighbour_similarity": pa.array(similarities, pa.float64()),
    }


def _with_columns(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    table = table.drop_columns([name for name in columns if name in table.column_names])
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table
