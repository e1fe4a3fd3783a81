import numpy as np
import pytest

from seedcorn.errors import DataError
from seedcorn.lm.vocabulary import Vocabulary, n_slots_for


def test_special_words_come_first_and_words_keep_their_order() -> None:
    vocabulary = Vocabulary.from_words(["b", "a", "</s>", "b"])
    assert vocabulary.words == ["<unk>", "<s>", "</s>", "b", "a"]


def test_every_word_is_found_and_others_are_unknown() -> None:
    words = [f"word{i}" for i in range(1000)] + ["नमस्ते", "あ", "e\u0301"]
    vocabulary = Vocabulary.from_words(words)
    assert [vocabulary.words[vocabulary.id_of(word)] for word in words] == words
    assert vocabulary.id_of("é") == 0
    assert vocabulary.id_of("") == 0


def test_subset_renumbers() -> None:
    vocabulary = Vocabulary.from_words(["a", "b", "c"]).subset(np.array([0, 1, 2, 5, 3]))
    assert vocabulary.words == ["<unk>", "<s>", "</s>", "c", "a"]


def test_repeated_word_is_refused() -> None:
    with pytest.raises(DataError, match="'ab' again"):
        Vocabulary.from_bytes(np.frombuffer(b"abab", np.uint8).copy(), np.array([0, 2, 4]))


@pytest.mark.parametrize("n_words", [1, 31, 32, 33, 1000])
def test_table_is_at_most_half_full(n_words: int) -> None:
    assert n_slots_for(n_words) >= 2 * n_words


def test_ids_of_many_words_are_those_of_each() -> None:
    vocabulary = Vocabulary.from_words(["म", "b", "ab"])
    words = ["ab", "", "म", "none", "<s>", "b"]
    assert vocabulary.ids_of(words).tolist() == [vocabulary.id_of(word) for word in words] == [5, 0, 3, 0, 1, 4]
    assert vocabulary.ids_of([]).tolist() == []
