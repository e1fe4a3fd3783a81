"""Record the choices of apricot-select as goldens: pip install apricot-select, then run this file."""

import json
from importlib import metadata
from pathlib import Path

import apricot
import numpy as np

N_ROWS, N_FEATURES, N_PICKS = 80, 30, 25


def amounts() -> np.ndarray:
    """Return amounts drawn so that no two gains tie; the test draws the same."""
    rng = np.random.default_rng(42)
    return rng.random((N_ROWS, N_FEATURES)) * (rng.random((N_ROWS, N_FEATURES)) < 0.3)


def similarities() -> np.ndarray:
    """Return cosines of non-negative rows, as the test computes them."""
    rows = amounts().astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows @ rows.T).astype(np.float64)


def chosen(selector: "apricot.BaseSelection", values: np.ndarray) -> dict[str, list[float]]:
    selector.fit(values)
    return {"positions": selector.ranking.tolist(), "gains": selector.gains.tolist()}


def main() -> None:
    x = amounts()
    goldens = {
        "sqrt": chosen(apricot.FeatureBasedSelection(N_PICKS, "sqrt", optimizer="lazy"), x),
        "log1p": chosen(apricot.FeatureBasedSelection(N_PICKS, "log", optimizer="naive"), x),
        "sqrt_after_seed": chosen(
            apricot.FeatureBasedSelection(N_PICKS, "sqrt", optimizer="lazy", initial_subset=x[:5]), x[5:]
        ),
        "facility": chosen(
            apricot.FacilityLocationSelection(N_PICKS, metric="precomputed", optimizer="lazy"), similarities()
        ),
        "apricot": metadata.version("apricot-select"),
    }
    path = Path(__file__).with_name("apricot.json")
    path.write_text(json.dumps(goldens, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
