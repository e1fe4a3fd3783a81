"""Synthetic pairs, and both directions improving each other in rounds."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from seedcorn.errors import DataError

pytest.importorskip("torch")

from seedcorn.translation import back_translation
from seedcorn.translation.back_translation import (
    COPY_ORIGIN,
    Direction,
    back_translate,
    synthetic_pairs,
)
from seedcorn.translation.settings import BackTranslationSettings
from seedcorn.translation.subwords import SYNTHETIC_TAG


@pytest.fixture
def chosen(settings) -> BackTranslationSettings:
    further = settings.model_copy(update={"n_target_tokens": 400, "learning_rate": 1e-5, "n_warmup_steps": 1})
    return BackTranslationSettings(n_best=2, training=further)


def test_the_real_text_is_the_target_and_sources_are_distinct(translator, chosen) -> None:
    texts = ["a red house", "door", "A red house!", " "]
    pairs = synthetic_pairs(translator, texts, settings=chosen, random_seed=0)
    assert [pair.target for pair in pairs] == ["a red house"] * 2 + ["door"] * 2
    assert pairs[0].source == "एक लाल घर"
    assert len({pair.source for pair in pairs}) == 4


def test_tags_copies_and_oversampling(translator, chosen) -> None:
    wanted = chosen.model_copy(update={"n_best": 1, "tagged": True, "copies": True, "oversampling": 2})
    pairs = synthetic_pairs(translator, ["a red house"], settings=wanted, random_seed=0)
    assert [(p.source, p.target) for p in pairs] == [
        (f"{SYNTHETIC_TAG} एक लाल घर", "a red house"),
        ("a red house", "a red house"),
    ] * 2
    assert pairs[1].origin == COPY_ORIGIN
    tokens = translator.tokenizer.tokenize(pairs[0].source)
    assert SYNTHETIC_TAG in tokens


def test_samples_depend_on_the_seed_alone_and_do_not_spoil_the_beam(translator, chosen) -> None:
    wanted = chosen.model_copy(update={"n_best": 1, "n_sampled": 6, "n_sampled_from": 0})
    texts = ["a red house", "a white <slot1>"]
    first, again, other = (synthetic_pairs(translator, texts, settings=wanted, random_seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert first[0].source == "एक लाल घर"


def test_impossible_settings_and_missing_text_are_refused(translator, trained, pairs, chosen, tmp_path: Path) -> None:
    forward = Direction(folder=trained.folder, texts=["घर"], dev=pairs.pairs())
    for wrong in ({"n_best": 0}, {"oversampling": 0}, {"n_rounds": 0}):
        with pytest.raises(ValidationError, match=r"at least one source|greater than or equal to 1"):
            BackTranslationSettings(**wrong)
    with pytest.raises(DataError, match="translate back"):
        back_translate(replace(forward, texts=[" "]), forward, pairs, tmp_path, settings=chosen, random_seed=0)


def test_directions_take_turns_and_stop_where_dev_does_not_gain(
    trained, pairs, chosen, tmp_path: Path, monkeypatch
) -> None:
    # Before: forward, reverse; then forward gains, reverse does not, forward does not.
    gains = iter([10.0, 12.0, 20.0, 11.0, 15.0])
    seen: list[tuple[str, str]] = []
    synthetic = back_translation.synthetic_pairs

    def noted(reverse, texts, **rest):
        seen.append((texts[0], reverse.best([texts[0]])[0]))
        return synthetic(reverse, texts, **rest)

    monkeypatch.setattr(back_translation, "dev_chrf", lambda translator, dev: next(gains))
    monkeypatch.setattr(back_translation, "synthetic_pairs", noted)
    forward = Direction(folder=trained.folder, texts=["a red house"], dev=pairs.pairs())
    reverse = Direction(folder=trained.folder, texts=["a blue door"], dev=pairs.pairs())
    wanted = chosen.model_copy(update={"n_rounds": 3})
    found = back_translate(forward, reverse, pairs, tmp_path, settings=wanted, random_seed=0)
    assert found.folder == tmp_path / "round-1" / "forward"
    assert found.reverse_folder == trained.folder
    assert found.dev_chrf_by_round == (10.0, 20.0, 15.0)
    assert found.reverse_dev_chrf_by_round == (12.0, 11.0)
    assert [text for text, _ in seen] == ["a red house", "a blue door", "a red house"]
    assert (found.folder / "model.safetensors").exists()
