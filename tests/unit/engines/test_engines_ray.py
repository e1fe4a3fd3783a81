"""A real cluster on this machine gives what threads give, byte for byte, and survives the loss of a worker."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.contamination import screen_pool
from seedcorn.corpus.formats import read_pool
from seedcorn.corpus.parallel import Mapper, Sharded, map_in_order
from seedcorn.corpus.tables import open_parquet, write_batches
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import DataError
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.relevant import RelevanceSettings, find_relevant

pytest.importorskip("ray")
# Three examples of the functionality are too few to calibrate by, and enough to compare bytes.
pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore::seedcorn.errors.SeedcornWarning")]

SEED = ["wake me up at six", "set an alarm for noon", "alarm at seven please"]
BACKGROUND = ["play some jazz", "what is the weather", "turn off the lights"]
TEXTS = [f"{text} {n % 37}" for n, text in enumerate((SEED + BACKGROUND + ["it rained all day", "the cat sat"]) * 60)]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two Parquet files with row groups of different sizes."""
    folder = tmp_path_factory.mktemp("pool")
    half = len(TEXTS) // 2
    for name, texts, rows in (("a", TEXTS[:half], 50), ("b", TEXTS[half:], 101)):
        pq.write_table(pa.table({"text": texts}), folder / f"{name}.parquet", row_group_size=rows)
    return folder


def test_the_stage_of_relevance_is_the_same_here_and_there(cluster: Mapper, tmp_path: Path) -> None:
    corpus = Corpus.from_table(pa.table({"text": TEXTS}))
    write_batches(iter(corpus.table().to_batches(max_chunksize=99)), corpus.schema, tmp_path / "pool.parquet")
    clean = open_parquet(tmp_path / "pool.parquet")
    seed, background = ([Utterance(text=text, intent="x") for text in texts] for texts in (SEED, BACKGROUND))
    settings = RelevanceSettings(cutoff=Cutoff(n_kept=30))
    here, there = (
        find_relevant(
            clean.text_pieces, seed=seed, background=background, settings=settings, random_seed=1, mapper=mapper
        )
        for mapper in (map_in_order, cluster)
    )
    assert there.scores.values.tobytes() == here.scores.values.tobytes()
    assert there.selection.positions.tobytes() == here.selection.positions.tobytes()


def test_a_pass_begun_again_is_made_of_the_shards_that_are_left(cluster: Mapper, pool: Path, tmp_path: Path) -> None:
    texts, kept = read_pool(str(pool)).text_pieces(), tmp_path / "kept"
    whole = screen_pool(texts, ["play some jazz 3"], mapper=cluster, folder=kept)
    finished = sorted(kept.iterdir())
    assert len(finished) > 2
    finished[1].unlink()
    again = screen_pool(texts, ["play some jazz 3"], mapper=cluster, folder=kept)
    assert again.selection.reject_codes.tobytes() == whole.selection.reject_codes.tobytes()
    assert sorted(kept.iterdir()) == finished


def test_a_killed_worker_costs_no_result(cluster: Mapper, tmp_path: Path) -> None:
    def square_or_die(number: int) -> int:
        if number == 57 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number

    def numbers(start: int) -> Iterator[int]:
        return iter(range(start, start + 10))

    shards = Sharded(tuple(partial(numbers, 10 * i) for i in range(8)))
    assert list(cluster(square_or_die, shards)) == [n * n for n in range(80)]
    assert (tmp_path / "died").exists()


def test_bad_input_is_refused_as_here(cluster: Mapper) -> None:
    def refuse(number: int) -> int:
        raise DataError(wanted="a text", found=str(number), where="pool.jsonl:7", fix="Mend it.")

    with pytest.raises(DataError, match="pool.jsonl:7: wanted a text, found 5. Mend it."):
        list(cluster(refuse, [5]))
    assert list(cluster(refuse, [])) == []
    assert list(cluster(refuse, Sharded(()))) == []


def test_a_module_that_workers_lack_is_named_and_not_tried_for_ever(cluster: Mapper) -> None:
    with pytest.raises(DataError, match="every node.*test_engines_ray"):
        list(cluster(_only_here, [1]))


def _only_here(number: int) -> int:
    return number


def test_the_command_line_writes_the_same_file(cluster: Mapper, pool: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from seedcorn.cli import app

    (tmp_path / "seed.txt").write_text("\n".join(SEED), "utf-8")
    written = []
    for engine in ("local", "ray"):
        output = tmp_path / f"{engine}.jsonl"
        command = ["select", "relevance", str(pool), "-o", str(output), "--seed", str(tmp_path / "seed.txt")]
        ran = CliRunner().invoke(app, [*command, "--method", "importance", "--top", "9", "--engine", engine, "-q"])
        assert ran.exit_code == 0, ran.output
        written.append(output.read_bytes())
    assert written[0] == written[1]
