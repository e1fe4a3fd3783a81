"""The texts and pairs that the language pipeline starts from."""

import numpy as np
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.pipelines.corpus_files import CorpusFile
from seedcorn.pipelines.language_data import (
    LanguageDataSettings,
    PairFile,
    drawn,
    load_language_data,
    pair_files,
    read_pair_files,
    side_by_side,
    text_files,
)
from seedcorn.pipelines.language_pairs import PairChoice, choose_pairs, teaching_pairs


def requests(lang, partition="train", n_rows=60):
    return CorpusFile(path="builtin:requests", lang=lang, n_rows=n_rows, where={"partition": partition})


def settings(**changes):
    return LanguageDataSettings(
        **{
            "source_lang": "en",
            "target_lang": "hi",
            "transcripts": requests("hi"),
            "source": (requests("en"),),
            "pairs": (PairFile(path="builtin:pairs", n_rows=200),),
            "dev": requests("hi", "dev"),
            "test": requests("hi", "test"),
            **changes,
        }
    )


def test_smaller_draws_of_transcripts_are_parts_of_larger_ones() -> None:
    corpus = [Utterance(text=str(n), id=str(n)) for n in range(50)]
    small, large = (drawn(corpus, n, rng=np.random.default_rng(3)) for n in (5, 20))
    assert {u.id for u in small} < {u.id for u in large}
    assert [int(u.id) for u in large] == sorted(int(u.id) for u in large)


def test_more_transcripts_than_there_are_are_refused() -> None:
    with pytest.raises(DataError, match="1,000 transcripts"):
        drawn([Utterance(text="x")], 1_000, rng=np.random.default_rng(0))


def test_another_random_seed_draws_other_transcripts_and_nothing_else(tmp_path) -> None:
    found = [
        load_language_data(settings(n_transcripts=10), relative_to=tmp_path, random_seed=random_seed)
        for random_seed in (1, 2)
    ]
    assert found[0].transcripts != found[1].transcripts
    assert found[0].source == found[1].source
    assert found[0].test == found[1].test


def test_utterances_without_an_id_are_named_by_their_row(tmp_path) -> None:
    (tmp_path / "dev.txt").write_text("एक\nदो\n", "utf-8")
    found = load_language_data(settings(dev=CorpusFile(path="dev.txt", lang="hi")), relative_to=tmp_path, random_seed=1)
    assert len({u.id for u in found.dev}) == 2


def test_sides_meet_by_id_in_the_order_of_the_target() -> None:
    source = [Utterance(text="One!", id="a"), Utterance(text="two", id="b"), Utterance(text="three", id="c")]
    target = [Utterance(text="दो", id="b"), Utterance(text="एक", id="a")]
    assert [(p.source, p.target) for p in side_by_side(source, target)] == [("two", "दो"), ("one", "एक")]


def test_sides_without_a_common_id_are_refused() -> None:
    with pytest.raises(DataError, match="none in common"):
        side_by_side([Utterance(text="one", id="a")], [Utterance(text="एक", id="z")])


def test_files_are_named_by_their_setting(tmp_path) -> None:
    for name in ("t.txt", "en.txt", "hi.txt"):
        (tmp_path / name).write_text("x\n", "utf-8")
    given = settings(transcripts=CorpusFile(path="t.txt", lang="hi"), pairs=(PairFile(path="en.txt", target="hi.txt"),))
    assert text_files(given, relative_to=tmp_path) == {"transcripts": tmp_path / "t.txt"}
    assert set(pair_files(given, relative_to=tmp_path)) == {"pairs0", "pairs0_target"}
    assert read_pair_files(given.pairs, given, relative_to=tmp_path).count() == 1


def test_a_later_file_in_the_other_direction_is_named(tmp_path) -> None:
    (tmp_path / "right.tsv").write_text("one house\tएक घर\n" * 3, "utf-8")
    (tmp_path / "wrong.tsv").write_text("दो घर\ttwo houses\n", "utf-8")
    files = tuple(PairFile(path=name) for name in ("right.tsv", "wrong.tsv"))
    with pytest.raises(DataError, match=r"wrong\.tsv: wanted pairs from en to hi, found the other direction"):
        read_pair_files(files, settings(), relative_to=tmp_path)


def test_the_pairs_nearest_to_the_transcripts_are_chosen_first(tmp_path) -> None:
    pairs = read_pair_files(settings().pairs, settings(), relative_to=tmp_path)
    targets = [p.target for p in pairs.pairs()]
    wanted = targets[7]
    choice = PairChoice(fraction=None, n_kept=5, minus_general=False, n_dimensions=16)
    found = choose_pairs(pairs, [wanted], [], choice=choice, random_seed=1)
    assert targets[found.selection.positions[0]] == wanted
    assert len(found.selection.positions) == 5


def test_pairs_are_chosen_by_both_sides_too(tmp_path) -> None:
    pairs = read_pair_files(settings().pairs, settings(), relative_to=tmp_path)
    wanted = pairs.pairs()[7]
    choice = PairChoice(method="cross_entropy", fraction=None, n_kept=5)
    found = choose_pairs(pairs, [wanted.target], [wanted.source], choice=choice, random_seed=1)
    assert 7 in found.selection.positions
    assert len(found.selection.positions) == 5


def test_exactly_one_cut_off_of_pairs_is_given() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        PairChoice(fraction=0.5, n_kept=3)
    with pytest.raises(ValueError, match="for the method 'centroid'"):
        PairChoice(method="cross_entropy", fraction=None, distance=0.5)


def test_placeholders_stand_for_words_in_some_of_the_pairs(tmp_path) -> None:
    pairs = read_pair_files(settings().pairs, settings(), relative_to=tmp_path)
    none = read_pair_files((), settings(), relative_to=tmp_path)
    plain = teaching_pairs(pairs, none, placeholder_fraction=0, random_seed=1)
    assert plain.pairs() == pairs.pairs()
