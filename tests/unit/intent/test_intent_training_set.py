"""The training set of a run: what was annotated as it was, what was accepted as labelled, each with its reason."""

import pyarrow as pa

from seedcorn.corpus.utterances import Corpus, Slot, Utterance, table_of, utterances_of
from seedcorn.intent.data import IntentData
from seedcorn.intent.training_set import decision_table, training_set
from seedcorn.nlu.pool_labels import PSEUDO_LABELLED, PoolLabel, PoolReason

SEED = [Utterance(text="wake me at six", intent="alarm", slots=(Slot(11, 14, "time"),))]
BACKGROUND = [Utterance(text="play jazz", intent="music", origin="logs")]
POOL = [
    Utterance(text=text, origin=origin) for text, origin in (("wake me up", ""), ("stop", "web"), ("wake us", "web"))
]
DATA = IntentData(
    intents=("alarm",),
    seed=SEED,
    background=BACKGROUND,
    pool=Corpus.from_utterances(POOL),
    dev=[],
    test=[],
    hidden=[],
)


def label(position: int, decision: PoolReason, weight: float) -> PoolLabel:
    slots = (Slot(0, 4, "verb"),) if weight else ()
    return PoolLabel(position=position, intent="alarm", slots=slots, confidence=0.9, weight=weight, decision=decision)


def test_what_is_learnt_from_is_what_was_annotated_and_accepted() -> None:
    labels = [label(0, PoolReason.ACCEPTED, 0.5), label(1, PoolReason.UNSURE, 0.0), label(2, PoolReason.ACCEPTED, 1.0)]
    whole = training_set(DATA, table_of(POOL), labels)
    rows = utterances_of(whole)
    assert rows[:2] == [*SEED, *BACKGROUND]
    assert [(u.text, u.intent, u.slots, u.origin) for u in rows[2:]] == [
        ("wake me up", "alarm", (Slot(0, 4, "verb"),), PSEUDO_LABELLED),
        ("wake us", "alarm", (Slot(0, 4, "verb"),), "web"),
    ]
    assert whole.column("set").to_pylist() == ["seed", "background", "pool", "pool"]
    assert whole.column("confidence").to_pylist() == [1.0, 1.0, 0.9, 0.9]
    assert whole.column("weight").to_pylist() == [1.0, 1.0, 0.5, 1.0]
    assert whole.column("reason").to_pylist() == ["annotated", "annotated", labels[0].reason, labels[2].reason]


def test_every_selected_row_has_a_decision_even_where_no_round_was_kept() -> None:
    selected = table_of(POOL).append_column("gain", pa.array([3.0, 2.0, 1.0]))
    decided = decision_table([label(2, PoolReason.ACCEPTED, 1.0)], selected)
    assert decided.column("text").to_pylist() == [u.text for u in POOL]
    assert decided.column("decision").to_pylist() == ["no round of self-training was kept"] * 2 + [
        str(PoolReason.ACCEPTED)
    ]
    assert decided.column("intent").to_pylist() == ["", "", "alarm"]
    assert decided.column("probability").to_pylist() == [0.0, 0.0, 0.9]
    assert "wake" in decided.column("slots").to_pylist()[2]
    assert "gain" in decided.column_names


def test_of_nothing_selected_there_is_what_was_annotated() -> None:
    assert utterances_of(training_set(DATA, table_of([]), [])) == [*SEED, *BACKGROUND]
