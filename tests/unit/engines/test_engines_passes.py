"""Every pass gives the same bytes by one, two and four threads, by Ray, and however the rows are cut into blocks."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.contamination import screen_pool
from seedcorn.corpus.pair_cleaning import clean_pairs
from seedcorn.corpus.pairs import PAIR_SCHEMA, PairCorpus
from seedcorn.corpus.parallel import Mapper, Sharded, map_in_order
from seedcorn.diversity.sieve_parts import SieveSettings, sieve_texts
from seedcorn.lm import counts
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.score_lines import sentence_lines
from seedcorn.nlu.file_to_file import prediction_lines
from seedcorn.nlu.linear import train_linear
from seedcorn.nlu.saved_model import save_nlu
from seedcorn.relevance.keeping import keep_best
from seedcorn.relevance.methods import fit_method
from seedcorn.relevance.names import Method
from seedcorn.relevance.streaming import keep_from_stream
from seedcorn.selection import Scores, Selection
from seedcorn.translation.pair_selection import score_pairs
from seedcorn.translation.settings import PairMethod, PairSelectionSettings

# Three examples of the functionality are too few to calibrate by, and enough to compare bytes.
pytestmark = pytest.mark.filterwarnings("ignore::seedcorn.errors.SeedcornWarning")

SEED = ["wake me up at six", "set an alarm for noon", "alarm at seven please"]
BACKGROUND = ["play some jazz", "what is the weather", "turn off the lights"]
TEXTS = [f"{text} {n % 37}" for n, text in enumerate((SEED + BACKGROUND + ["it rained all day", "the cat sat"]) * 60)]
HINDI = ["छह बजे जगाओ", "अलार्म लगाओ", "गाना बजाओ", "मौसम कैसा है", "the cat sat", ""]
ROWS = pa.table(
    {
        "id": [str(n) for n in range(len(TEXTS))],
        "source": TEXTS,
        "target": [f"{HINDI[n % len(HINDI)]} {n % 41}" for n in range(len(TEXTS))],
        **{name: [""] * len(TEXTS) for name in ("source_lang", "target_lang", "origin")},
    },
    schema=PAIR_SCHEMA,
)

Pieces = Sharded[pa.RecordBatch]
Pass = Callable[[Mapper, Pieces], bytes]


def texts_of(pieces: Pieces) -> Sharded[pa.StringArray]:
    return pieces.map(lambda batch: batch.column("source"))


def relevance(method: str, mapper: Mapper, pieces: Pieces) -> bytes:
    fitted = fit_method(method, SEED, BACKGROUND, pa.array(TEXTS[:200]))

    def cut(scores: Scores, texts: pa.Array) -> Selection:
        return keep_best(scores, n_kept=23)

    rows = pieces.map(lambda batch: batch.rename_columns(["id", "text", *batch.schema.names[2:]]))
    kept = keep_from_stream(rows, fitted.score, cut, mapper=mapper)
    return kept.positions.tobytes() + kept.scores.values.tobytes() + str(kept.rows.to_pylist()).encode()


def contamination(mapper: Mapper, pieces: Pieces) -> bytes:
    found = screen_pool(texts_of(pieces), ["play some jazz 3", "the cat sat 1 2"], mapper=mapper)
    assert 0 < len(found.selection.positions) < len(TEXTS)
    return found.selection.reject_codes.tobytes() + found.n_copies.tobytes() + found.evaluation.matches.tobytes()


def pair_cleaning(mapper: Mapper, pieces: Pieces) -> bytes:
    kept = clean_pairs(PairCorpus(pieces), source_lang="en", target_lang="hi", mapper=mapper)
    assert 0 < len(kept.positions) < len(TEXTS)
    return kept.reject_codes.tobytes()


def pair_selection(method: PairMethod, mapper: Mapper, pieces: Pieces) -> bytes:
    scores = score_pairs(
        PairCorpus(pieces),
        in_domain=HINDI[:3],
        in_domain_source=SEED,
        settings=PairSelectionSettings(method=method),
        random_seed=1,
        mapper=mapper,
    )
    return scores.values.tobytes() + (b"" if scores.missing is None else scores.missing.tobytes())


def streamed_selection(mapper: Mapper, pieces: Pieces) -> bytes:
    picks = sieve_texts(texts_of(pieces), settings=SieveSettings(budget=20), mapper=mapper, rows_per_part=100)
    assert len(picks.positions) == 20
    return picks.positions.tobytes() + picks.gains.tobytes()


def ngram_counting(mapper: Mapper, pieces: Pieces) -> bytes:
    counting = counts.Counting(mapper=mapper)
    model = estimate(texts_of(pieces), order=3, fallback_discounts=FALLBACK_DISCOUNTS, counting=counting)
    return " ".join(model.words).encode() + b"".join(array.tobytes() for array in model.arrays)


def lm_score(mapper: Mapper, pieces: Pieces) -> bytes:
    model = estimate([TEXTS[:50]], order=2, fallback_discounts=FALLBACK_DISCOUNTS)
    return "".join(mapper(partial(sentence_lines, model), texts_of(pieces))).encode()


def nlu_predict(folder: Path, mapper: Mapper, pieces: Pieces) -> bytes:
    return "".join(prediction_lines(folder, texts_of(pieces), mapper=mapper)).encode()


def cut_up(n_rows: int, n_shards: int) -> Pieces:
    """Return ROWS in shards, each in blocks of ``n_rows``."""
    per_shard = -(-len(TEXTS) // n_shards)

    def shard(first: int) -> Iterator[pa.RecordBatch]:
        return iter(ROWS.slice(first, per_shard).to_batches(max_chunksize=n_rows))

    return Sharded(tuple(partial(shard, first) for first in range(0, len(TEXTS), per_shard)))


@pytest.fixture(scope="module", autouse=True)
def _small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counts, "_TOKENS_PER_SHARED_CHUNK", 500)
        yield


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pass]:
    model = tmp_path_factory.mktemp("nlu")
    save_nlu(train_linear(builtin_requests(60, lang="en", random_seed=1).utterances()), model)
    return {
        "contamination": contamination,
        **{f"relevance {method}": partial(relevance, method) for method in Method},
        "pair cleaning": pair_cleaning,
        **{f"pair selection {method}": partial(pair_selection, method) for method in PairMethod},
        "streamed selection": streamed_selection,
        "n-gram counting": ngram_counting,
        "lm score": lm_score,
        "nlu predict": partial(nlu_predict, model),
    }


NAMES = [
    "contamination",
    *(f"relevance {method}" for method in Method),
    "pair cleaning",
    *(f"pair selection {method}" for method in PairMethod),
    "streamed selection",
    "n-gram counting",
    "lm score",
    "nlu predict",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_by_threads_whatever_their_number_and_the_blocks(passes: dict[str, Pass], name: str) -> None:
    whole = passes[name](map_in_order, cut_up(len(TEXTS), 1))
    for n_threads, n_rows, n_shards in ((1, 7, 3), (2, 64, 2), (4, 33, 5)):
        mapper = partial(map_in_order, n_threads=n_threads)
        assert passes[name](mapper, cut_up(n_rows, n_shards)) == whole


@pytest.mark.cluster
@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_by_ray(cluster: Mapper, passes: dict[str, Pass], name: str) -> None:
    assert passes[name](cluster, cut_up(170, 2)) == passes[name](map_in_order, cut_up(len(TEXTS), 1))


def test_parts_of_a_stream_are_even_whatever_its_blocks() -> None:
    from seedcorn.diversity.sieve_parts import even_parts

    for n_rows in (1, 7, 100, 1000):
        batches = (batch.column("source") for batch in cut_up(n_rows, 3))
        parts = list(even_parts(batches, 100))
        assert [len(part) for part in parts] == [100] * 4 + [80]
        assert [text for part in parts for text in part.to_pylist()] == TEXTS


def test_a_choice_merged_over_parts_is_worth_as_much_as_one_sieve() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(200)]
    texts = pa.array([" ".join(rng.choice(words, 5)) for _ in range(600)])
    settings = SieveSettings(budget=15)
    whole = sieve_texts([texts], settings=settings)
    merged = sieve_texts([texts], settings=settings, rows_per_part=100)
    assert merged.gains.sum() >= whole.gains.sum()
    assert len(set(merged.positions.tolist())) == len(merged.positions)
