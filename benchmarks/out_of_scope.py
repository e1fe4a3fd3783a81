"""Text that is none of an agent's intents, told from what is, on ten intents of MASSIVE en-US.

Command: python benchmarks/out_of_scope.py

A model of 50 utterances an intent and 200 of other intents; AUROC of test utterances against text of the open pool
(Tatoeba, CLINC150) and of MASSIVE's other intents. With "dev", the development intents are measured on the dev
partition, and nothing is written.
"""

import sys
from collections.abc import Sequence

from growth_data import DEVELOPMENT, REPORTED, cut, massive, open_text, shown, train, written
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import Json
from seedcorn.nlu.out_of_scope import fit_scope_gate, scope_scores


def scope_rows(intents: Sequence[str], test: Sequence[Utterance]) -> list[dict[str, Json]]:
    """Return the AUROC on each kind of out-of-scope text, and the gate's recall at 5 % false alarms."""
    setting = cut(massive("train"), test, intents, n_seed=50, random_seed=1)
    model = train(setting.labelled, intents)
    own = scope_scores(model, [u.text for u in setting.test], intents=intents)
    kinds = {
        "tatoeba": open_text("tatoeba_en", 2000),
        "clinc150": open_text("clinc150", 2000),
        "massive, other intents": setting.outside,
    }
    rows = []
    for kind, texts in kinds.items():
        outside = scope_scores(model, [u.text for u in texts], intents=intents)
        gate = fit_scope_gate(own, outside[::2], most_false_alarms=0.05)
        passed = float(gate.passes(outside[1::2]).mean())
        rows.append(
            shown(
                {
                    "measure": "out of scope",
                    "text": kind,
                    "auroc": gate.auroc,
                    "recall": gate.recall,
                    "false_alarm_rate": passed,
                    "bound": gate.false_alarm_rate,
                }
            )
        )
    return rows


def main() -> None:
    """Measure, and write the results of the reported intents."""
    is_dev = sys.argv[1:] == ["dev"]
    intents, test = (DEVELOPMENT, massive("dev")) if is_dev else (REPORTED, massive("test"))
    rows = scope_rows(intents, test)
    summary: dict[str, Json] = {f"out_of_scope_auroc_{str(r['text']).split(',')[0]}": r["auroc"] for r in rows}
    shown(summary)
    if not is_dev:
        written("growth-scope", rows, summary, {})


if __name__ == "__main__":
    main()
