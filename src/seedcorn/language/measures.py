"""What each system is worth on test: error rates, their reduction with intervals, slices, changed utterances."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.bootstrap import paired_bootstrap
from seedcorn.evaluation.wer import EditKind, ErrorTable, align, character_errors, error_rate, word_errors
from seedcorn.evaluation.wer_slices import breakdown
from seedcorn.files import Json, write_json
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.recogniser import Hypotheses
from seedcorn.runs import Context, Stage
from seedcorn.selection import FloatArray

OWN, FIXED = "own", "fixed"
Row = Mapping[str, str | int | float]
_CHANGED_SCHEMA = pa.schema([(name, pa.string()) for name in ("change", "intent", "said", "before", "after")])


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Rows of systems and of slices, the utterances that the reported system changed, and errors by utterance.

    ``statistics`` are errors and reference words of each utterance, shape (n, 2), by "system/lexicon".
    """

    systems: list[Row]
    slices: list[Row]
    changed: list[Mapping[str, str]]
    statistics: Mapping[str, FloatArray]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances were tested, and how many changed."""
        return {"n_test": len(next(iter(self.statistics.values()))), "n_changed": len(self.changed)}

    def save(self, folder: Path) -> None:
        """Write rows as JSON, changed utterances as Parquet, errors by utterance as .npz."""
        systems: Json = [dict(row) for row in self.systems]
        slices: Json = [dict(row) for row in self.slices]
        write_json({"systems": systems, "slices": slices}, folder / "measures.json")
        changed = pa.Table.from_pylist([dict(row) for row in self.changed], schema=_CHANGED_SCHEMA)
        pq.write_table(changed, folder / "changed.parquet")
        np.savez_compressed(folder / "errors.npz", **self.statistics)  # type: ignore[arg-type]  # allow_pickle is no array

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        rows = json.loads((folder / "measures.json").read_text("utf-8"))
        with np.load(folder / "errors.npz", allow_pickle=False) as saved:
            statistics = {name: saved[name] for name in saved.files}
        changed = pq.read_table(folder / "changed.parquet").to_pylist()
        return cls(**rows, changed=changed, statistics=statistics)


class Measure(Stage[Measures]):
    """Measure every system on test, with the paired bootstrap against ``baseline``, slices and changed utterances.

    ``recognised`` names the hypotheses that the call is given, as (system, lexicon). ``reported`` is the system whose
    changes against the baseline are listed.
    """

    stage_name: ClassVar[str] = "measures"

    recognised: tuple[tuple[str, str], ...]
    baseline: str
    reported: str

    def __call__(
        self, data: LanguageData, transcripts: Transcripts, *hypotheses: Hypotheses, context: Context
    ) -> Measures:
        """Return the measures; slices are with the own lexicon."""
        found = dict(zip(self.recognised, (h.texts for h in hypotheses), strict=True))
        said, rng = [u.text for u in data.test], context.rng()
        systems: list[Row] = []
        slices: list[Row] = []
        errors = {key: word_errors(said, texts) for key, texts in found.items()}
        statistics = {key: table.statistics() for key, table in errors.items()}
        for (system, lexicon), texts in found.items():
            row = {
                "system": system,
                "lexicon": lexicon,
                **rates(errors[system, lexicon], character_errors(said, texts)),
            }
            if system != self.baseline:
                row |= reduction_row(statistics[self.baseline, lexicon], statistics[system, lexicon], rng=rng)
            systems.append(row)
            if lexicon == OWN:
                slices += [{"system": system, **s} for s in slice_rows(data.test, texts, transcripts.utterances)]
        return Measures(
            systems=systems,
            slices=slices,
            changed=changed(data.test, found[self.baseline, OWN], found[self.reported, OWN]),
            statistics={f"{system}/{lexicon}": table for (system, lexicon), table in statistics.items()},
        )


def rates(in_words: ErrorTable, in_characters: ErrorTable) -> dict[str, str | int | float]:
    """Return word and character error rates, and the kinds of word errors."""
    total = in_words.total()
    return {
        "wer": total.rate,
        "cer": in_characters.total().rate,
        "substitutions": total.substitutions,
        "insertions": total.insertions,
        "deletions": total.deletions,
        "n_reference_words": total.reference_length,
    }


def reduction_row(before: FloatArray, after: FloatArray, *, rng: np.random.Generator) -> dict[str, str | int | float]:
    """Return the relative reduction of word errors with its interval and p-value, by paired bootstrap."""
    found = paired_bootstrap(before, after, rng=rng, rate=error_rate)
    return {"reduction": found.relative, "low": found.low, "high": found.high, "p_value": found.p_value}


def slice_rows(test: Sequence[Utterance], found: Sequence[str], transcripts: Sequence[Utterance]) -> list[Row]:
    """Return the word error rate of every slice; intents are rare or frequent among the transcripts."""
    slices = breakdown(test, found, transcript_intents=[u.intent for u in transcripts if u.intent])
    return [
        {"slice": name, "wer": counts.rate, "n_reference_words": counts.reference_length}
        for name, counts in slices.items()
    ]


def changed(test: Sequence[Utterance], before: Sequence[str], after: Sequence[str]) -> list[Mapping[str, str]]:
    """Return the utterances of which the two understood something different: most errors mended first, then broken."""
    said = [u.text for u in test]
    errors = [word_errors(said, found).statistics()[:, 0] for found in (before, after)]
    gains = errors[0] - errors[1]
    order = np.argsort(-gains, kind="stable")
    return [
        {
            "change": "mended" if gains[row] > 0 else "broken" if gains[row] < 0 else "otherwise wrong",
            "intent": test[row].intent,
            "said": said[row],
            "before": marked(said[row], before[row]),
            "after": marked(said[row], after[row]),
        }
        for row in order
        if words(before[row]) != words(after[row])
    ]


def marked(said: str, found: str) -> str:
    """Return ``found`` with its differences from ``said``, as word diffs show them: [-said-] {+understood+}."""
    shown = []
    for edit in align(words(said), words(found)):
        if edit.kind is EditKind.HIT:
            shown.append(edit.reference)
            continue
        shown += [f"[-{edit.reference}-]"] if edit.reference else []
        shown += [f"{{+{edit.hypothesis}+}}"] if edit.hypothesis else []
    return " ".join(shown)
