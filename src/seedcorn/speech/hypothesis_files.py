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
    best = [joiner.join(hypotheses[0].words) for hypotheses in n_best]
    if path.suffix != ".jsonl":
        write_texts(path, ids, best)
        return
    lines = []
    for utterance_id, text, hypotheses in zip(ids, best, n_best, strict=True):
        entries = [_entry(hypothesis, joiner, seconds_per_step) for hypothesis in hypotheses]
        row: dict[str, Json] = {"id": utterance_id, "text": text, "hypotheses": entries}
        lines.append(json.dumps(row, ensure_ascii=False))
    write_text_whole(path, "".join(line + "\n" for line in lines))


def write_texts(path: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
    """Write one text an utterance: JSON lines, sclite .trn, or else Kaldi text, by the name of the file."""
    form = {".jsonl": _json_line, ".trn": "{1} ({0})".format}.get(path.suffix, "{0} {1}".format)
    lines = [form(utterance_id, text).rstrip() for utterance_id, text in zip(ids, texts, strict=True)]
    write_text_whole(path, "".join(line + "\n" for line in lines))


def _json_line(utterance_id: str, text: str) -> str:
    return json.dumps({"id": utterance_id, "text": text}, ensure_ascii=False)


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
