"""Corpora of settings that are many files: patterns, folders of Parquet, URLs."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from seedcorn.corpus.formats import write_corpus
from seedcorn.corpus.places import CorpusPlace
from seedcorn.corpus.settings import CorpusFile, open_corpus
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.intent.data import ReadIntentData
from seedcorn.runs import Context
from small_runs import INTENT


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    for day, texts in (("b", ["ring the bell"]), ("a", ["play jazz", "stop"])):
        for suffix in ("jsonl", "parquet"):
            write_corpus(Corpus.from_utterances([Utterance(text=t) for t in texts]), folder / f"{day}.{suffix}")
    return folder


def texts_at(path: str, folder: Path) -> list[str]:
    file = CorpusFile.model_validate({"path": path}, context={"relative_to": folder})
    return [u.text for u in open_corpus(file).utterances()]


@pytest.mark.parametrize("written", ["logs/*.jsonl", "logs/*.parquet", "logs"])
def test_the_files_of_a_place_are_read_by_name(written: str, logs: Path) -> None:
    assert texts_at(written, logs.parent) == ["play jazz", "stop", "ring the bell"]


def test_a_url_names_parquet_files(logs: Path) -> None:
    assert texts_at(f"file://{logs}", Path()) == ["play jazz", "stop", "ring the bell"]
    assert texts_at(f"file://{logs}/b.parquet", Path()) == ["ring the bell"]
    with pytest.raises(DataError, match="nosuch"):
        texts_at("nosuch://bucket/logs", Path())


@pytest.mark.parametrize("written", ["{logs}/*.jsonl", "file://{logs}", "{logs}"])
def test_a_place_is_known_by_its_content(written: str, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS", str(logs))
    place = CorpusPlace.at(written.format(logs=logs))
    assert place.digest == CorpusPlace.at(written.format(logs="${LOGS}")).digest
    before = place.digest
    for suffix in ("jsonl", "parquet"):
        write_corpus(Corpus.from_utterances([Utterance(text="new")]), logs / f"c.{suffix}")
    assert place.digest != before


def test_a_pattern_of_nothing_is_refused(logs: Path) -> None:
    with pytest.raises(ConfigError, match="nothing there"):
        CorpusPlace.at("logs/*.tsv", relative_to=logs.parent)


def test_what_is_said_of_one_file_is_not_said_of_many(logs: Path) -> None:
    with pytest.raises(ValidationError, match="for single files"):
        CorpusFile.model_validate({"path": str(logs / "*.jsonl"), "lang": "en"})


def test_the_pool_of_a_run_may_be_a_pattern(logs: Path) -> None:
    stage = ReadIntentData.model_validate(
        {**INTENT["data"], "pool": [{"path": "logs/*.parquet"}]}, context={"relative_to": logs.parent}
    )
    data = stage(context=Context())
    assert [u.text for u in data.pool.utterances()][-3:] == ["play jazz", "stop", "ring the bell"]
