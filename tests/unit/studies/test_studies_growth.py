"""A growth study of two intents on the built-in corpus, and its summary from measures that are known."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.studies.growth import measure_all, measure_labels
from seedcorn.studies.growth_data import load_growth_data
from seedcorn.studies.growth_label_measures import LabelMeasures, label_summary
from seedcorn.studies.growth_labels import spoil
from seedcorn.studies.growth_results import difference, forgetting, growth_summary
from seedcorn.studies.growth_rounds import RoundMeasure, run_system
from seedcorn.studies.growth_settings import GrowthStudyConfig
from small_runs import GROWTH_STUDY


@pytest.fixture(scope="module")
def config() -> GrowthStudyConfig:
    return GrowthStudyConfig.model_validate(GROWTH_STUDY)


def test_hidden_utterances_come_after_their_intent_and_all_others_are_out_of_scope(config: GrowthStudyConfig) -> None:
    data = load_growth_data(config, random_seed=1)
    assert [len(seed) for seed in data.seeds] == [8, 8]
    assert {u.intent for u in data.slices[0]} == {"alarm_set", OUT_OF_SCOPE}
    assert {u.intent for u in data.slices[1]} == {"alarm_set", "weather_query", OUT_OF_SCOPE}
    trained = {u.text for part in (*data.seeds, *data.slices, data.background) for u in part}
    assert len(trained) == sum(len(p) for p in (*data.seeds, *data.slices, data.background))
    assert not trained & {u.text for u in data.test}


def test_every_system_is_measured_after_each_round_and_found_again(config: GrowthStudyConfig, tmp_path: Path) -> None:
    first = measure_all(config, folder=tmp_path)
    assert [(m.system, m.round, m.n_labels) for m in first if m.system in ("seed_only", "chosen")] == [
        ("seed_only", 1, 0),
        ("seed_only", 2, 0),
        ("chosen", 1, 4),
        ("chosen", 2, 8),
    ]
    deployed = [m for m in first if m.system == "chosen, certified"]
    assert [m.promoted for m in deployed] == [True, False]  # a margin that so few utterances cannot prove
    assert deployed[1].intent_f1["weather_query"] == 0.0
    assert [m.round for m in first if m.system == "oracle"] == [2]
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("record.json")}
    second = measure_all(config, folder=tmp_path, n_workers=2)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("record.json")} == made
    assert growth_summary(first, config) == growth_summary(second, config)


def measure(system: str, round_: int, errors: list[float], f1: dict[str, float]) -> RoundMeasure:
    return RoundMeasure(
        random_seed=1,
        round=round_,
        system=system,
        n_labels=0,
        semantic_error=float(np.mean(errors)),
        slot_f1=1.0,
        false_alarm_rate=0.0,
        intent_f1=f1,
        errors=errors,
    )


def test_the_summary_is_of_the_last_round(config: GrowthStudyConfig) -> None:
    measured = [measure(s, 1, [1.0, 1.0], {"alarm_set": 0.9}) for s in config.systems]
    last = {"seed_only": 0.8, "random": 0.7, "chosen": 0.6, "grown": 0.4, "oracle": 0.3}
    f1 = {"alarm_set": 0.7, "weather_query": 0.5}
    measured += [measure(s, 2, [e] * 10, f1) for s, e in last.items()]
    summary = growth_summary(measured, config)
    assert summary["final_semantic_error_reduction"] == pytest.approx(0.5)
    assert summary["share_of_oracle"] == pytest.approx(0.8)
    assert summary["forgetting"] == pytest.approx(0.2)
    assert summary["chosen_25_vs_random_25"]["mean"] == pytest.approx(0.05)  # type: ignore[index,call-overload]


def test_twice_as_many_random_labels_are_another_system(config: GrowthStudyConfig) -> None:
    systems = {**GROWTH_STUDY["systems"], "random_8": {"labels": "random", "n_labels": 8}}  # type: ignore[dict-item]
    config = GrowthStudyConfig.model_validate({**GROWTH_STUDY, "systems": systems, "random_twice": "random_8"})
    data = load_growth_data(config, random_seed=1)
    first, last = run_system(config, "random_8", data, random_seed=1)
    assert (first.n_labels, last.n_labels) == (8, 16)
    errors = dict.fromkeys(systems, 0.5) | {"chosen": 0.25}
    measured = [measure(name, 2, [error] * 10, {"alarm_set": 0.5}) for name, error in errors.items()]
    assert growth_summary(measured, config)["chosen_25_vs_random_50"] == {"mean": 0.25, "low": 0.25, "high": 0.25}


def test_what_labels_are_measured_for_is_saved_and_in_the_summary(config: GrowthStudyConfig, tmp_path: Path) -> None:
    (measures,) = measure_labels(config, folder=tmp_path)
    (cell,) = measures.cells
    assert (cell.n_now, cell.n_ahead) == (8, 16)
    measures.save(tmp_path)
    assert LabelMeasures.load(tmp_path) == measures
    summary = label_summary([measures])
    assert summary["forecast_coverage"] == float(cell.is_covered)
    assert 0 <= summary["label_noise_precision_5"] <= 1


def test_certified_systems_need_utterances_to_be_certified_by() -> None:
    with pytest.raises(ValueError, match="certificate_on"):
        GrowthStudyConfig.model_validate({**GROWTH_STUDY, "certificate_on": None})


def test_an_intent_that_only_got_better_is_not_forgotten() -> None:
    rounds = [measure("grown", r, [0.0], {"alarm_set": 0.5 + 0.1 * r}) for r in (1, 2)]
    assert forgetting(rounds, "grown", 1) == 0.0


def test_equal_errors_differ_by_nothing() -> None:
    errors = {(1, 1): np.array([0.0, 1.0, 1.0])}
    assert difference(errors, errors, rng=np.random.default_rng(0)) == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_a_role_that_is_no_system_is_refused() -> None:
    with pytest.raises(ValueError, match="'best' is not one of the systems"):
        GrowthStudyConfig.model_validate({**GROWTH_STUDY, "reported": "best"})


def test_as_many_labels_are_spoilt_as_asked_and_all_are_wrong(config: GrowthStudyConfig) -> None:
    data = load_growth_data(config, random_seed=1)
    rows = [u for seed in data.seeds for u in seed]
    spoilt = spoil(rows, fraction=0.25, rng=np.random.default_rng(0))
    assert len(spoilt.wrong_intents) == 4
    for i, (before, after) in enumerate(zip(rows, spoilt.utterances, strict=True)):
        assert (before.intent != after.intent) == (i in spoilt.wrong_intents)
        assert (before.slots != after.slots) == (i in spoilt.wrong_slots)
