"""Trainings that are begun again where a kill or a full disk ended them: the same translator as of an unbroken one."""

from dataclasses import replace
from pathlib import Path

import pytest

from limits import files_of_at_most
from run_folders import run_bytes
from seedcorn.translation.settings import TrainingSettings

pytest.importorskip("torch")
pytest.importorskip("transformers")

from seedcorn.translation.checkpoints import checkpoints_by_step, last_checkpoint
from seedcorn.translation.training import TrainedTranslator, train_translator

SHORT = {"n_target_tokens": 1_800, "n_averaged": 1}
STOPPED_EARLY = {"n_target_tokens": 6_000, "n_evaluations": 20, "patience": 2, "learning_rate": 1e-6}


@pytest.fixture
def train(pairs, settings, tmp_path: Path):
    def call(folder: str, **changed: int | float) -> TrainedTranslator:
        return train_translator(
            pairs,
            pairs.pairs(),
            tmp_path / folder / "model",
            settings=TrainingSettings(**{**settings.model_dump(), **changed}),
            checkpoints=tmp_path / folder / "checkpoints",
            random_seed=1,
        )

    return call


def same(one: TrainedTranslator, other: TrainedTranslator) -> bool:
    return replace(one, folder=other.folder) == other


@pytest.mark.parametrize("changed", [SHORT, {**SHORT, "n_averaged": 2}, STOPPED_EARLY])
def test_a_training_that_has_ended_is_not_gone_on_with(train, tmp_path: Path, changed: dict[str, int | float]) -> None:
    first = train("here", **changed)
    wanted = run_bytes(first.folder)
    first.folder.rename(tmp_path / "saved before the disk was full")
    (tmp_path / "here").rename(tmp_path / "elsewhere")
    again = train("elsewhere", **changed)
    assert same(again, first)
    assert run_bytes(again.folder) == wanted


@pytest.mark.parametrize(
    ("lost", "state"), [("optimizer.pt", ""), ("rng_state.pth", ""), ("model.safetensors", '{"best_')]
)
def test_a_half_written_checkpoint_is_not_gone_on_from(train, tmp_path: Path, lost: str, state: str) -> None:
    first = train("here", **SHORT)
    wanted = run_bytes(first.folder)
    *_, last = checkpoints_by_step(tmp_path / "here" / "checkpoints")
    (last / lost).unlink()
    (last / "trainer_state.json").write_text(state, "utf-8")
    again = train("here", **SHORT)
    assert same(again, first)
    assert run_bytes(again.folder) == wanted


def test_without_a_whole_checkpoint_there_is_none(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path / "nowhere") is None
    (tmp_path / "checkpoint-12").mkdir()
    assert last_checkpoint(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


# The network is the longest file, its optimiser's is longer, the tokenizer is short.
@pytest.mark.parametrize("n_bytes", [4_096, 300_000])
def test_a_full_disk_is_told_as_one_and_leads_to_the_same_translator(train, tmp_path: Path, n_bytes: int) -> None:
    first = train("here", **SHORT)
    with files_of_at_most(n_bytes), pytest.raises(OSError, match="model") as raised:
        train("there", **SHORT)
    assert raised.value.filename == str(tmp_path / "there" / "model")
    again = train("there", **SHORT)
    assert same(again, first)
    assert run_bytes(again.folder) == run_bytes(first.folder)
