"""A relevance scorer and a diversity method are each a function and one line that names it."""

import ast
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.methods import Method as DiversityMethod
from seedcorn.diversity.objectives import Budget, Picks
from seedcorn.diversity.submodular import select_diverse
from seedcorn.diversity.view import View
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.relevance.names import Method as RelevanceMethod
from seedcorn.relevance.relevant import RelevanceSettings, find_relevant
from seedcorn.relevance.scorer import FittedMethod, ScorerOptions, ScorerTexts
from seedcorn.selection import Scores

PACKAGE = Path(__file__).parents[2] / "src" / "seedcorn"


def by_length(texts: ScorerTexts, options: ScorerOptions) -> FittedMethod:
    longest = max(map(len, texts.seed))
    return FittedMethod(
        score=lambda batch: Scores(values=np.array([len(t) / longest for t in batch.to_pylist()]), name="length")
    )


def last_rows(pool: View, budget: Budget, **_: object) -> Picks:
    return Picks(np.arange(budget.n_rows)[::-1][: budget.total], np.ones(budget.total))


def test_a_scorer_is_a_function_and_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RelevanceMethod.IMPORTANCE, "fitted_by", f"{__name__}:by_length")
    found = find_relevant(
        lambda: [pa.array(["stop", "please stop the music", "stop it"])],
        seed=[Utterance(text="stop", intent="stop")],
        background=[],
        settings=RelevanceSettings(method=RelevanceMethod.IMPORTANCE, cutoff=Cutoff(n_kept=2)),
        random_seed=0,
    )
    assert found.selection.positions.tolist() == [1, 2]


def test_a_diversity_method_is_a_function_and_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiversityMethod.RANDOM, "chosen_by", f"{__name__}:last_rows")
    chosen = select_diverse(View(), method=DiversityMethod.RANDOM, budget=Budget.utterances(2, n_rows=5))
    assert chosen.positions.tolist() == [4, 3]


@pytest.mark.parametrize(("folder", "own_case"), [("relevance", set()), ("diversity", {"ALL"})])
def test_no_code_asks_which_method_it_is(folder: str, own_case: set[str]) -> None:
    """But for ALL: where everything is kept, no number is worked out."""
    asked = {
        side.attr
        for path in (PACKAGE / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Compare | ast.match_case)
        for side in ast.walk(node)
        if isinstance(side, ast.Attribute) and isinstance(side.value, ast.Name) and side.value.id == "Method"
    }
    assert asked == own_case
