"""Contamination: what counts as equal and nearly equal, reasons, and the real pool against real dev and test text."""

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

from seedcorn.corpus.contamination import (
    EQUAL_TO_EVALUATION,
    NEAR_TO_EVALUATION,
    REPEATED,
    near_duplicates,
    screen_pool,
)
from seedcorn.corpus.text import normalise
from seedcorn.errors import ConfigError

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[4] / "shared" / "data"))


def test_every_reject_has_its_reason() -> None:
    pool = ["Play some jazz", "wake me up at five in the morning, please", "play some jazz!", "Turn it off", "new text"]
    screening = screen_pool([pa.array(pool)], ["wake me up at five in the morning please thanks", "turn it OFF."])
    assert [screening.selection.reason(i) for i in range(5)] == [
        None,
        NEAR_TO_EVALUATION,
        REPEATED,
        EQUAL_TO_EVALUATION,
        None,
    ]
    assert screening.n_copies.tolist() == [2, 0, 0, 0, 1]


def test_evaluation_text_is_named_before_repetition() -> None:
    screening = screen_pool([pa.array(["stop", "stop"])], ["Stop"])
    assert {screening.selection.reason(i) for i in range(2)} == {EQUAL_TO_EVALUATION}


def test_texts_shorter_than_a_gram_are_compared_whole() -> None:
    near = near_duplicates([pa.array(["hey", "he", "音楽"])], ["Hey", "音楽"])
    assert near.positions.tolist() == [0, 2]
    assert near.equal.all()


def test_empty_pool_and_empty_evaluation() -> None:
    assert screen_pool([], ["a"]).selection.n_rows == 0
    assert screen_pool([pa.array(["a", "!"])], []).selection.positions.tolist() == [0, 1]


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01])
def test_threshold_out_of_range(threshold: float) -> None:
    with pytest.raises(ConfigError, match="threshold"):
        near_duplicates([], [], threshold=threshold)


@pytest.mark.needs_data
@pytest.mark.skipif(not DATA.exists(), reason=f"no data in {DATA}")
def test_every_pool_line_equal_to_a_dev_or_test_line_is_found() -> None:
    with gzip.open(DATA / "massive" / "en-US.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    evaluation = [row["utt"] for row in rows if row["partition"] != "train"]
    with gzip.open(DATA / "pool" / "en.tsv.gz", "rt", encoding="utf-8") as stream:
        pool = [line.split("\t")[0] for line in stream][::6]
    near = near_duplicates([pa.array(pool)], evaluation)
    known = {normalise(text) for text in evaluation}
    assert near.positions[near.equal].tolist() == [i for i, text in enumerate(pool) if normalise(text) in known]
    assert near.equal.sum() > 100
