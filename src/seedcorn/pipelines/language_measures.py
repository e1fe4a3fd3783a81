"""What the language pipeline reports of a system: error rates, their reduction, slices, and what changed."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.bootstrap import paired_bootstrap
from seedcorn.evaluation.wer import EditKind, align, character_errors, error_rate, word_errors
from seedcorn.evaluation.wer_slices import breakdown
from seedcorn.runs import Json

CHANGED_SCHEMA = pa.schema([(name, pa.string()) for name in ("change", "intent", "said", "before", "after")])


def rates(test: Sequence[Utterance], found: Sequence[str]) -> dict[str, Json]:
    """Return word and character error rates, and the kinds of word errors."""
    said = [u.text for u in test]
    total = word_errors(said, found).total()
    return {
        "wer": total.rate,
        "cer": character_errors(said, found).total().rate,
        "substitutions": total.substitutions,
        "insertions": total.insertions,
        "deletions": total.deletions,
        "n_reference_words": total.reference_length,
    }


def reduction_row(
    test: Sequence[Utterance], before: Sequence[str], after: Sequence[str], *, rng: np.random.Generator
) -> dict[str, Json]:
    """Return the relative reduction of word errors with its interval and p-value, by paired bootstrap."""
    said = [u.text for u in test]
    found = paired_bootstrap(
        word_errors(said, before).statistics(), word_errors(said, after).statistics(), rng=rng, rate=error_rate
    )
    return {"reduction": found.relative, "low": found.low, "high": found.high, "p_value": found.p_value}


def slice_rows(
    test: Sequence[Utterance], found: Sequence[str], transcripts: Sequence[Utterance]
) -> list[dict[str, Json]]:
    """Return the word error rate of every slice; intents are rare or frequent among the transcripts."""
    slices = breakdown(test, found, transcript_intents=[u.intent for u in transcripts if u.intent])
    return [
        {"slice": name, "wer": counts.rate, "n_reference_words": counts.reference_length}
        for name, counts in slices.items()
    ]


def changed(test: Sequence[Utterance], before: Sequence[str], after: Sequence[str]) -> list[dict[str, str]]:
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
