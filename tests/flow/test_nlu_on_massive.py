import gzip
import json
import re
from pathlib import Path

import pytest

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.evaluation.nlu import outcomes
from seedcorn.nlu.linear import LinearSettings, train_linear

_SLOT = re.compile(r"\[(\w+) : ([^\]]*)\]")


def massive(folder: Path, partition: str) -> list[Utterance]:
    with gzip.open(folder / "massive" / "en-US.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["partition"] == partition]
    return [_utterance(row["annot_utt"], row["intent"]) for row in rows]


def _utterance(annotated: str, intent: str) -> Utterance:
    text, slots, here = "", [], 0
    for match in _SLOT.finditer(annotated):
        text += annotated[here : match.start()]
        slots.append(Slot(len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        here = match.end()
    return Utterance(text=text + annotated[here:], intent=intent, slots=tuple(slots))


@pytest.mark.needs_data
def test_intents_of_massive_reach_77_percent_with_a_quarter_of_the_examples(real_data: Path) -> None:
    test = massive(real_data, "test")
    # All examples and slots take minutes: benchmarks/nlu.py measures them.
    model = train_linear(massive(real_data, "train")[::4], settings=LinearSettings(slot_intents=("alarm_set",)))
    result = outcomes(test, model.predict([u.text for u in test]))
    assert result.intent_accuracy >= 0.77
    alarms = result.rows(result.wanted_intents == "alarm_set")
    assert alarms.slot_f1 >= 0.75
