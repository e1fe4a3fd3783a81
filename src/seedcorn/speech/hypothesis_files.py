"""Decoded utterances written as JSON lines with scores and times, sclite trn, or Kaldi text."""

import json
from collections.abc import Sequence
from pathlib import Path

from seedcorn.files import Json, write_text_whole
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import Hypothesis


def write_hypotheses(
    path: Path,
    ids: Sequence[str],
    n_best: Sequence[Sequence[Hypothesis]],
    *,
    alphabet: Alphabet,
    seconds_per_step: float,
) -> None:
    """Write the n-best of each utterance; .trn and Kaldi text hold the best only, .jsonl everything.

    Words are joined by spaces, or by nothing where ``alphabet`` has no word boundary.
    """
    joiner = " " if alphabet.boundary >= 0 else ""
    lines = []
    for utterance_id, hypotheses in zip(ids, n_best, strict=True):
        best = joiner.join(hypotheses[0].words)
        if path.suffix == ".trn":
            lines.append(f"{best} ({utterance_id})")
        elif path.suffix == ".jsonl":
            entries = [_entry(hypothesis, joiner, seconds_per_step) for hypothesis in hypotheses]
            row: dict[str, Json] = {"id": utterance_id, "text": best, "hypotheses": entries}
            lines.append(json.dumps(row, ensure_ascii=False))
        else:
            lines.append(f"{utterance_id} {best}".rstrip())
    write_text_whole(path, "".join(line + "\n" for line in lines))


def _entry(hypothesis: Hypothesis, joiner: str, seconds_per_step: float) -> Json:
    times = zip(hypothesis.words, hypothesis.first_steps, hypothesis.last_steps, strict=True)
    return {
        "text": joiner.join(hypothesis.words),
        "score": round(hypothesis.score, 4),
        "acoustic_logp": round(hypothesis.acoustic_logp, 4),
        "lm_logp": round(hypothesis.lm_logp, 4),
        "words": [
            {
                "word": word,
                "start_seconds": round(first * seconds_per_step, 3),
                "end_seconds": round((last + 1) * seconds_per_step, 3),
            }
            for word, first, last in times
        ],
    }
