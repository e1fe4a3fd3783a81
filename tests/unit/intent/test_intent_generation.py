"""A run that asks a large language model for utterances and for slots, by a server on the loopback address."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

pytest.importorskip("openai")

from chat_servers import answering
from seedcorn.corpus.utterances import Slot
from seedcorn.errors import SeedcornError
from seedcorn.intent.pipeline import IntentConfig, run_intent
from seedcorn.runs import Context, Run
from seedcorn.runs.record import content_of
from small_runs import INTENT, requests

GENERATED = "set an alarm for [time : half past nine]\nplease ring at [time : noon sharp] tomorrow\nno more of this"


def reply(prompt: str) -> str:
    """Generate three utterances, and mark the last two words of a text as a time."""
    if prompt.startswith("These are"):
        return GENERATED
    *first, one, two = prompt.splitlines()[-1].split()
    return " ".join([*first, f"[time : {one} {two}]"])


def config_with(url: str, encoder: Path, **changed: Any) -> IntentConfig:
    asked = {"model": "small", "base_url": url, "cost_of_prompt": 1.0, "cost_of_answer": 10.0, **changed}
    llm = {"generation": {**asked, "n_requests": 2}, "labelling": {**asked, "n_texts_max": 5}}
    learnt = {**INTENT["self_training"], "encoder": str(encoder), "fine_tune_intents": False, "n_word_texts": 0}
    few = {part: requests(part, n_rows=300) for part in ("train", "dev", "test")}
    data = {**INTENT["data"], "annotated": {**few, "n_seed": 10}}
    changed = {**llm, "data": data, "self_training": learnt, "annotation": None, "certificate": None}
    return IntentConfig.model_validate({**INTENT, **changed})


def test_generated_utterances_join_the_pool_and_labels_are_one_more_view(
    tmp_path: Path, encoder_checkpoint: Path
) -> None:
    with answering(reply) as (url, asked):
        run = Run(folder=tmp_path / "run", random_seed=1)
        config = config_with(url, encoder_checkpoint, answers=tmp_path / "answers")
        made = run_intent(config, run=run)
        n_asked = len(asked)
        assert config.generation is not None
        again = config.generation(made.data.value, context=Context(random_seed=1))
        assert len(asked) == n_asked  # the answers are kept, and never paid for twice
    assert set(config.stages()) == {path.parent.name for path in run.folder.glob("*/record.json")}
    generated, labelled = (answers.value for answers in made.answers)
    assert [u.text for u in generated.utterances] == [
        "set an alarm for half past nine",
        "please ring at noon sharp tomorrow",
        "no more of this",
    ]
    pool = made.clean_pool.value.pool.utterances()
    assert [(u.text, u.origin, u.slots) for u in pool[-3:]] == [(u.text, "generated", ()) for u in generated.utterances]
    assert generated.cost == pytest.approx(2 * (100 * 1.0 + 10 * 10.0) / 1e6)
    assert generated.counts["n_requests"] == 2
    assert 0 < len(labelled.utterances) <= 5
    assert labelled.weight == 0.0  # all ten of the seed are shown: there is nothing to measure it by
    assert {slot.type for u in labelled.utterances for slot in u.slots} == {"time"}
    assert generated.hints()["set an alarm for half past nine"].slots == (Slot(17, 31, "time"),)
    exchanges = json.loads((run.folder / "generation" / "exchanges.json").read_text("utf-8"))
    assert {e["answer"] for e in exchanges} == {GENERATED}
    assert again == generated
    assert "generated" in made.selected.value.rows.column("origin").to_pylist()


def test_a_server_that_is_not_there_leaves_no_stage(tmp_path: Path, encoder_checkpoint: Path) -> None:
    run = Run(folder=tmp_path / "run", random_seed=1)
    with pytest.raises(SeedcornError, match="an answer of 'small'"):
        run_intent(config_with("http://127.0.0.1:9/v1", encoder_checkpoint, n_retries=0), run=run)
    assert not (run.folder / "generation").exists()


def test_the_folder_of_answers_counts_from_the_configuration_and_decides_nothing(tmp_path: Path) -> None:
    asked = {"model": "small", "base_url": "http://127.0.0.1:9/v1", "answers": "kept"}
    here, there = (
        IntentConfig.model_validate({**INTENT, "generation": asked}, context={"relative_to": folder}).generation
        for folder in (tmp_path / "here", tmp_path / "there")
    )
    assert here is not None
    assert here.answers == tmp_path / "here" / "kept"
    assert content_of(here) == content_of(there)


def test_labels_that_nothing_learns_from_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"labelling needs self_training\.encoder"):
        IntentConfig.model_validate({**INTENT, "labelling": {"model": "small"}})
