"""Which source requests people should translate, and which recordings they should transcribe."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.input_files import InputFile
from seedcorn.language.annotation import ChooseToTranscribe, ChooseToTranslate, ForPeople
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import NBestLists
from seedcorn.runs import Context
from seedcorn.speech.alphabet import BLANK, WORD_BOUNDARY, Alphabet
from seedcorn.speech.posteriors import Posteriors

SOURCE = ["wake me at five", "wake me at six", "wake me at nine", "play some jazz", "what is the weather"]


def data(*dev_source: str) -> LanguageData:
    def named(texts: list[str]) -> list[Utterance]:
        return [Utterance(id=f"s{i}", text=text) for i, text in enumerate(texts)]

    empty: list[Utterance] = []
    return LanguageData(
        source_lang="en",
        target_lang="hi",
        transcripts=empty,
        source=named(SOURCE),
        dev=empty,
        test=empty,
        dev_source=named(list(dev_source)),
        oracle_target=empty,
    )


def translated(*logps: float) -> NBestLists:
    rows = [
        {"position": i, "hypotheses": [{"text": "एक दो", "logp": logp, "slots": []}]} for i, logp in enumerate(logps)
    ]
    empty = NBestLists.of([], [])
    return NBestLists(lists=pa.Table.from_pylist(rows, schema=empty.lists.schema), rejects=empty.rejects)


def test_requests_that_are_badly_translated_come_first(tmp_path: Path) -> None:
    stage = ChooseToTranslate(batch_size=2, n_unsure=2)
    chosen = stage(data(), translated(-0.1, -0.1, -0.1, -8.0, -9.0), context=Context(random_seed=1))
    assert {row.text for row in chosen.rows} == {"play some jazz", "what is the weather"}
    assert chosen.rows[0].proposed == "एक दो"
    assert chosen.counts == {"n_tasks": 2, "n_cost": 7}
    chosen.save(tmp_path)
    assert ForPeople.load(tmp_path).rows == chosen.rows
    assert (tmp_path / "tasks.tsv").read_text("utf-8").startswith("id\ttext\tproposed\tprobability\n")


def test_requests_alike_are_asked_once_and_translated_ones_never() -> None:
    stage = ChooseToTranslate(batch_size=3)
    chosen = stage(data("play some jazz"), translated(*[-3.0] * 5), context=Context(random_seed=1))
    texts = [row.text for row in chosen.rows]
    assert "play some jazz" not in texts
    assert "what is the weather" in texts[:2]


def test_a_request_without_a_translation_is_the_most_doubtful() -> None:
    chosen = ChooseToTranslate(batch_size=1, n_unsure=1)(
        data(), translated(-5.0, -5.0, -5.0, -5.0), context=Context(random_seed=1)
    )
    assert [(row.text, row.proposed, row.probability) for row in chosen.rows] == [("what is the weather", "", 0.0)]


def test_words_pay_for_the_batch() -> None:
    chosen = ChooseToTranslate(n_words=7)(data(), translated(*[-3.0] * 5), context=Context(random_seed=1))
    assert sum(row.cost for row in chosen.rows) <= 7


def posteriors(path: Path, *sure: float) -> InputFile:
    alphabet = Alphabet((BLANK, WORD_BOUNDARY, "a", "b"))
    logps = []
    for i, probability in enumerate(sure):
        rest = (1 - probability) / 3
        row = [rest] * 4
        row[2 + i % 2] = probability
        logps.append(np.log(np.array([row] * 60, dtype=np.float64)).astype(np.float16))
    ids = tuple(f"r{i}" for i in range(len(sure)))
    Posteriors(ids=ids, logps=tuple(logps), alphabet=alphabet, seconds_per_step=0.04).save(path)
    return InputFile.at(path)


def test_recordings_that_are_hardly_understood_come_first(tmp_path: Path) -> None:
    stage = ChooseToTranscribe(
        untranscribed=posteriors(tmp_path / "new.npz", 0.99, 0.98, 0.5, 0.6), n_seconds=6, n_unsure=2
    )
    known = Transcripts(utterances=[Utterance(text="b b")])
    chosen = stage(known, context=Context(random_seed=1))
    assert {row.id for row in chosen.rows} == {"r2", "r3"}
    assert all(row.cost == 3 for row in chosen.rows)
    assert chosen.rows[0].proposed in ("a", "b")


def test_no_recordings_are_refused(tmp_path: Path) -> None:
    stage = ChooseToTranscribe(untranscribed=posteriors(tmp_path / "none.npz"))
    with pytest.raises(DataError, match="recordings to transcribe"):
        stage(Transcripts(utterances=[]), context=Context(random_seed=1))
