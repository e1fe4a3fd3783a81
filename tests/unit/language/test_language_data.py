"""The texts and pairs that the language pipeline starts from."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.language.data import DrawTranscripts, LanguageData, PairFile, ReadLanguageData, drawn, side_by_side
from seedcorn.language.pairs import CleanPairFiles, CleanPairs, open_pairs, write_pairs
from seedcorn.runs import Context, content_of


def requests(lang, partition="train", n_rows=60):
    return {"path": "builtin:requests", "lang": lang, "n_rows": n_rows, "where": {"partition": partition}}


def settings(folder: Path = Path(), **changes) -> ReadLanguageData:
    given = {
        "source_lang": "en",
        "target_lang": "hi",
        "transcripts": requests("hi"),
        "source": [requests("en")],
        "pairs": [{"path": "builtin:pairs", "n_rows": 200}],
        "dev": requests("hi", "dev"),
        "test": requests("hi", "test"),
        **changes,
    }
    return ReadLanguageData.model_validate(given, context={"relative_to": folder})


def cleaned(stage: ReadLanguageData) -> CleanPairs:
    clean = CleanPairFiles(source_lang="en", target_lang="hi", pairs=stage.pairs, dictionary=stage.dictionary)
    return clean(context=Context())


def test_smaller_draws_of_transcripts_are_parts_of_larger_ones() -> None:
    corpus = [Utterance(text=str(n), id=str(n)) for n in range(50)]
    small, large = (drawn(corpus, n, rng=np.random.default_rng(3)) for n in (5, 20))
    assert {u.id for u in small} < {u.id for u in large}
    assert [int(u.id) for u in large] == sorted(int(u.id) for u in large)


def test_more_transcripts_than_there_are_are_refused() -> None:
    with pytest.raises(DataError, match="1,000 transcripts"):
        drawn([Utterance(text="x")], 1_000, rng=np.random.default_rng(0))


def test_another_random_seed_draws_other_transcripts() -> None:
    data = settings()(context=Context())
    draw = DrawTranscripts(n_transcripts=10)
    first, second = (draw(data, context=Context(random_seed=seed)) for seed in (1, 2))
    assert first != second
    assert len(first.utterances) == len(second.utterances) == 10


def test_a_small_dev_is_spread_over_the_large_one() -> None:
    whole, some, more = (settings(n_dev=n)(context=Context()).dev for n in (None, 3, 1_000))
    assert len(whole) > 3
    assert [u.id for u in some] == [whole[0].id, whole[(len(whole) - 1) // 2].id, whole[-1].id]
    assert more == whole


def test_the_data_come_back_as_they_were_saved(tmp_path: Path) -> None:
    data = settings(dev_source=requests("en", "dev"))(context=Context())
    data.save(tmp_path)
    assert LanguageData.load(tmp_path) == data
    assert data.counts["n_dev"] == len(data.dev_pairs()) > 0
    assert data.oracle_target == []


def test_utterances_without_an_id_are_named_by_their_row(tmp_path: Path) -> None:
    (tmp_path / "dev.txt").write_text("एक\nदो\n", "utf-8")
    found = settings(tmp_path, dev={"path": "dev.txt", "lang": "hi"})(context=Context())
    assert len({u.id for u in found.dev}) == 2


def test_sides_meet_by_id_in_the_order_of_the_target() -> None:
    source = [Utterance(text="One!", id="a"), Utterance(text="two", id="b"), Utterance(text="three", id="c")]
    target = [Utterance(text="दो", id="b"), Utterance(text="एक", id="a")]
    assert [(p.source, p.target) for p in side_by_side(source, target)] == [("two", "दो"), ("one", "एक")]


def test_sides_without_a_common_id_are_refused() -> None:
    with pytest.raises(DataError, match="none in common"):
        side_by_side([Utterance(text="one", id="a")], [Utterance(text="एक", id="z")])


def test_two_files_of_lines_are_pairs_and_their_content_counts(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("one house\ntwo houses\n", "utf-8")
    (tmp_path / "hi.txt").write_text("एक घर\nदो घर\n", "utf-8")
    stage = settings(tmp_path, pairs=[{"path": "en.txt", "target": "hi.txt"}])
    assert [p.target for p in cleaned(stage).pairs.pairs()] == ["एक घर", "दो घर"]
    before = content_of(stage)
    (tmp_path / "hi.txt").write_text("एक घर\nदो घर हैं\n", "utf-8")
    assert content_of(settings(tmp_path, pairs=[{"path": "en.txt", "target": "hi.txt"}])) != before


def test_a_later_file_in_the_other_direction_is_named(tmp_path: Path) -> None:
    (tmp_path / "right.tsv").write_text("one house\tएक घर\n" * 3, "utf-8")
    (tmp_path / "wrong.tsv").write_text("दो घर\ttwo houses\n", "utf-8")
    stage = settings(tmp_path, pairs=[{"path": "right.tsv"}, {"path": "wrong.tsv"}])
    with pytest.raises(DataError, match=r"wrong\.tsv: wanted pairs from en to hi, found the other direction"):
        cleaned(stage)


def test_an_unknown_built_in_corpus_of_pairs_is_refused() -> None:
    with pytest.raises(ConfigError, match="builtin:pears"):
        PairFile.model_validate({"path": "builtin:pears"}).open("en", "hi")


def test_rejected_pairs_are_counted_by_reason(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("one house\tएक घर\none house\tएक घर\n", "utf-8")
    found = cleaned(settings(tmp_path, pairs=[{"path": "pairs.tsv"}]))
    assert (found.counts["n_in"], found.counts["n_kept"], found.counts["n_duplicate"]) == (2, 1, 1)


def test_pairs_are_written_in_even_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedcorn.language.pairs.ROWS_PER_BATCH", 4)
    parts = [PairCorpus.from_pairs(SentencePair(source=f"{k} {n}", target="x") for n in range(k)) for k in (3, 6, 1)]
    streamed = PairCorpus(lambda: (batch for part in parts for batch in part.batches()))
    assert write_pairs(streamed, tmp_path / "pairs.parquet") == 10
    found = open_pairs(tmp_path / "pairs.parquet")
    assert [batch.num_rows for batch in found.batches()] == [4, 4, 2]
    assert found.pairs() == streamed.pairs()
    assert write_pairs(PairCorpus.from_pairs([]), tmp_path / "none.parquet") == 0
