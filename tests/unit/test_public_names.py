"""The names that `import seedcorn` shows: there, documented, and loaded on first use only."""

import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import seedcorn
from seedcorn.corpus.formats.bad_rows import SKIP
from seedcorn.runs import Stage


@pytest.mark.parametrize("name", [name for name in dir(seedcorn) if not name.startswith("_")])
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(seedcorn, name))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        seedcorn.nothing  # noqa: B018  (the access is what is tested)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import seedcorn, sys; print(sorted({'numpy', 'torch', 'pyarrow', 'numba'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, encoding="utf-8")
    assert found.stdout.strip() == "[]"


def test_type_checkers_see_the_same_names() -> None:
    stub = (Path(seedcorn.__file__).with_suffix(".pyi")).read_text("utf-8")
    seen = set(re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE))
    assert seen == {(home, name) for name, home in seedcorn._HOMES.items()}


def public_functions() -> Iterator[tuple[str, Callable[..., object]]]:
    for name in sorted(set(dir(seedcorn)) - {"__version__"}):
        value = getattr(seedcorn, name)
        members = inspect.getmembers(value) if inspect.isclass(value) and not issubclass(value, Stage) else []
        own = [(f"{name}.{of}", member) for of, member in members if not of.startswith("_")]
        functions = ((of, f) for of, f in [(name, value), *own] if inspect.isfunction(f) or inspect.ismethod(f))
        yield from ((of, f) for of, f in functions if f.__module__.startswith("seedcorn"))


def test_a_path_may_be_text_wherever_people_give_one() -> None:
    asked = [
        (f"{name}({parameter.name})", str(parameter.annotation))
        for name, function in public_functions()
        if not name.endswith((".save", ".load"))  # of results: the run calls these
        for parameter in inspect.signature(function).parameters.values()
        if re.search(r"\bPath\b", str(parameter.annotation))
    ]
    assert len(asked) > 10
    assert [name for name, annotation in asked if "str" not in annotation] == []


def test_models_corpora_and_pairs_are_saved_under_a_path_that_is_text(tmp_path: Path) -> None:
    folder, rows = str(tmp_path), [seedcorn.Utterance(text=t, intent=t[:1]) for t in ("play", "stop")]
    model = seedcorn.train_linear(rows)
    seedcorn.save_nlu(model, f"{folder}/model")
    assert seedcorn.load_nlu(f"{folder}/model").predict(["play"]) == model.predict(["play"])
    seedcorn.write_corpus(seedcorn.Corpus.from_utterances(rows), f"{folder}/corpus.jsonl")
    assert len(seedcorn.read_corpus(f"{folder}/corpus.jsonl", on_error=SKIP, rejects=f"{folder}/rejects.jsonl")) == 2
    (tmp_path / "pairs.tsv").write_text("one\teins\n", "utf-8")
    seedcorn.write_pairs(seedcorn.read_pairs(f"{folder}/pairs.tsv"), f"{folder}/again.jsonl")
    assert seedcorn.read_pairs(f"{folder}/again.jsonl").count() == 1
