"""The model without pool: trained on what is labelled, judged by what it has not seen, refused what says nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_training import SETTINGS, TRAIN
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.input_files import digest_of_folder
from seedcorn.nlu.cross_fitting import CrossFitted, log_odds_of
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.saved_model import save_cross_fitted
from seedcorn.nlu.without_pool import BudgetSettings, labelled_of, linear_of, train_without_pool, weights_of

ROWS = st.lists(st.builds(Utterance, text=st.just("go"), intent=st.sampled_from("abcd")), max_size=6)


@given(ROWS, ROWS, ROWS, st.floats(0.1, 100))
def test_what_is_labelled_is_seed_and_background_or_refused(
    seed: list[Utterance], background: list[Utterance], dev: list[Utterance], seed_weight: float
) -> None:
    own = {u.intent for u in seed}
    if min(len(seed), len(background)) < 2 or own & {u.intent for u in background}:
        with pytest.raises(DataError):
            labelled_of(seed, background, dev)
        return
    labelled = labelled_of(seed, background, dev)
    assert labelled.rows == [*seed, *background]
    assert labelled.is_own.tolist() == [u.intent in own for u in (*seed, *background, *dev)]
    weights = weights_of(labelled.rows, labelled, BudgetSettings(seed_weight=seed_weight))
    assert weights == [seed_weight] * len(seed) + [1.0] * len(background)


def test_held_out_log_odds_are_of_models_that_did_not_see_the_utterance(teacher: CrossFitted) -> None:
    rows, functionality = teacher.labelled.rows, teacher.labelled.functionality
    for fold, model in enumerate(teacher.fold_models):
        held_out = np.flatnonzero(teacher.folds == fold).tolist()
        expected = log_odds_of(model, functionality, [rows[i].text for i in held_out])
        assert teacher.log_odds[held_out] == pytest.approx(expected)
    seen = log_odds_of(teacher.model, functionality, [u.text for u in rows])
    is_own = teacher.labelled.is_own[: len(rows)]
    assert seen[is_own].mean() > teacher.log_odds[: len(rows)][is_own].mean()


def test_a_larger_budget_misses_no_more(teacher: CrossFitted) -> None:
    missed = [teacher.missed(budget).sum() for budget in (0.001, 0.01, 0.1)]
    assert missed[0] >= missed[1] >= missed[2]


def test_slots_are_learnt_by_the_whole_model_alone(teacher: CrossFitted) -> None:
    text = next(u.text for u in teacher.labelled.rows if u.slots)
    assert teacher.model.predict([text])[0].slots
    assert not any(model.predict([text])[0].slots for model in teacher.fold_models)


def test_what_cannot_be_trained_on_is_refused(own_and_others: tuple[list[Utterance], list[Utterance]]) -> None:
    own, others = own_and_others
    with pytest.raises(DataError, match="without the intents of the seed"):
        train_without_pool(own[:5], [*others[:5], own[6]], [], train=TRAIN)
    with pytest.raises(DataError, match="at least two utterances of the functionality"):
        train_without_pool(own[:1], others[:5], [], train=TRAIN)


def test_other_models_than_linear_ones_are_refused(
    own_and_others: tuple[list[Utterance], list[Utterance]],
) -> None:
    own, others = own_and_others

    class Other:
        intents = ("alarm_set",)

    with pytest.raises(ConfigError, match="the model 'linear'"):
        train_without_pool(own[:5], others[:20], [], train=lambda *_, **__: Other())  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_model(
    teacher: CrossFitted, own_and_others: tuple[list[Utterance], list[Utterance]]
) -> None:
    own, others = own_and_others
    dev = [*own[10:20], *others[200:300]]
    again = train_without_pool(own[:10], others[:200], dev, train=TRAIN, settings=SETTINGS, random_seed=1)
    assert isinstance(again.model, LinearNlu)
    assert (again.log_odds == teacher.log_odds).all()


def test_folds_trained_in_another_process_are_the_same_models(
    teacher: CrossFitted, own_and_others: tuple[list[Utterance], list[Utterance]], tmp_path: Path
) -> None:
    own, others = own_and_others
    dev = [*own[10:20], *others[200:300]]
    again = train_without_pool(
        own[:10], others[:200], dev, train=TRAIN, settings=SETTINGS, random_seed=1, n_processes=2
    )
    save_cross_fitted(teacher, tmp_path / "one")
    save_cross_fitted(again, tmp_path / "two")
    assert digest_of_folder(tmp_path / "one") == digest_of_folder(tmp_path / "two")


def test_a_linear_model_is_itself(teacher: CrossFitted) -> None:
    assert linear_of(teacher.model) is teacher.model
