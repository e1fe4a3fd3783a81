"""The same objective gives the choices and gains of apricot-select (recorded by diversity/record_apricot.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from seedcorn.diversity.facility_location import FacilityLocation
from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy
from seedcorn.diversity.methods import Concave
from seedcorn.diversity.objectives import Budget, Objective

GOLDENS = json.loads((Path(__file__).parent / "diversity" / "apricot.json").read_text("utf-8"))


def amounts() -> np.ndarray:
    rng = np.random.default_rng(42)
    return (rng.random((80, 30)) * (rng.random((80, 30)) < 0.3)).astype(np.float32)


def check(objective: Objective, name: str) -> None:
    golden = GOLDENS[name]
    picks = lazy_greedy(objective, Budget.utterances(len(golden["positions"]), n_rows=objective.n_rows))
    assert picks.positions.tolist() == golden["positions"]
    assert picks.gains == pytest.approx(golden["gains"], rel=1e-5)


def test_feature_coverage_by_square_roots() -> None:
    check(FeatureCoverage(csr_matrix(amounts())), "sqrt")


def test_feature_coverage_by_logarithms() -> None:
    check(FeatureCoverage(csr_matrix(amounts()), concave=Concave.LOG1P), "log1p")


def test_feature_coverage_after_a_seed() -> None:
    rows = csr_matrix(amounts())
    check(FeatureCoverage(rows[5:], seed_rows=rows[:5]), "sqrt_after_seed")


def test_facility_location() -> None:
    """Two rows that are each other's neighbours tie exactly, and apricot takes either: the gains must be the same."""
    rows = amounts()
    objective = FacilityLocation(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    picks = lazy_greedy(objective, Budget.utterances(25, n_rows=80))
    assert picks.positions[:14].tolist() == GOLDENS["facility"]["positions"][:14]
    assert picks.gains == pytest.approx(GOLDENS["facility"]["gains"], abs=1e-4)
