import numpy as np
import pytest
from scipy.sparse import csr_matrix

from seedcorn.nlu import dual_logistic
from seedcorn.nlu.dual_logistic import LogisticFits, fit_logistic_models


def rows_of(n_rows: int = 60, n_features: int = 12) -> csr_matrix:
    rng = np.random.default_rng(0)
    dense = rng.random((n_rows, n_features)) * (rng.random((n_rows, n_features)) < 0.4)
    return csr_matrix(dense.astype(np.float32))


ROWS = rows_of()
RNG = np.random.default_rng(1)
HAS_LABEL = ROWS.toarray() @ RNG.standard_normal((12, 5)) + 0.3 * RNG.standard_normal((60, 5)) > 0
WEIGHTS = RNG.choice([0.5, 1.0, 3.0], 60)


def fitted(tolerance: float = 1e-6, *, labels: slice = slice(None), weights: np.ndarray = WEIGHTS) -> LogisticFits:
    return fit_logistic_models(
        ROWS, HAS_LABEL[:, labels], weights, inverse_regularisation=5.0, tolerance=tolerance, random_seed=3
    )


def test_the_models_are_those_of_liblinear() -> None:
    from sklearn.linear_model import LogisticRegression

    found = fitted()
    for label in range(5):
        regression = LogisticRegression(C=5.0, solver="liblinear", dual=True, tol=1e-8, max_iter=1000, random_state=0)
        regression.fit(ROWS, HAS_LABEL[:, label], sample_weight=WEIGHTS)
        np.testing.assert_allclose(found.coefficients[label], regression.coef_[0], atol=1e-4)
        np.testing.assert_allclose(found.intercepts[label], regression.intercept_[0], atol=1e-4)


def test_the_gradient_of_the_likelihood_is_nought() -> None:
    found = fitted()
    signs = np.where(HAS_LABEL, 1.0, -1.0)
    margins = ROWS @ found.coefficients.T + found.intercepts
    pull = 5.0 * WEIGHTS[:, np.newaxis] * signs / (1.0 + np.exp(signs * margins))
    np.testing.assert_allclose(ROWS.T @ pull, found.coefficients.T, atol=1e-4)


@pytest.mark.parametrize("tolerance", [0.1, 1e-6])
def test_a_model_does_not_depend_on_the_labels_beside_it(tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    together = fitted(tolerance)
    for label in range(5):
        alone = fitted(tolerance, labels=slice(label, label + 1))
        np.testing.assert_array_equal(alone.coefficients[0], together.coefficients[label])
    monkeypatch.setattr(dual_logistic, "_LABELS_AT_ONCE", 2)
    np.testing.assert_array_equal(fitted(tolerance).coefficients, together.coefficients)


def test_rows_of_weight_nought_count_for_nothing() -> None:
    from scipy.sparse import vstack

    weights = WEIGHTS.copy()
    weights[:20] = 0
    found = fitted(weights=weights)
    without = fit_logistic_models(
        vstack([ROWS[20:]], format="csr"),
        HAS_LABEL[20:],
        weights[20:],
        inverse_regularisation=5.0,
        tolerance=1e-6,
        random_seed=3,
    )
    np.testing.assert_array_equal(found.coefficients, without.coefficients)


def test_no_label_gives_no_model() -> None:
    found = fitted(labels=slice(0, 0))
    assert found.coefficients.shape == (0, 12)
    assert found.intercepts.shape == (0,)
