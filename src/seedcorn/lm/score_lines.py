"""Scores as lines of text: what ``seedcorn lm score`` prints."""

import numpy as np

from seedcorn.lm.arpa_writing import LOG10_E
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.text_buffers import Texts, text_buffers


def sentence_lines(model: NgramModel, texts: Texts) -> str:
    """Return a line a row: log10 probability with the sentence end, number of unknown words, the words."""
    scores = model.score(texts)
    log10s = (scores.logps * LOG10_E).tolist()
    rows = zip(log10s, scores.n_oov.tolist(), _words_of_rows(texts), strict=True)
    return "".join(f"{log10:.6f}\t{n_oov}\t{' '.join(words)}\n" for log10, n_oov, words in rows)


def word_lines(model: NgramModel, texts: Texts) -> str:
    """Return a line a word: log10 probability, 1 when the word is unknown, the word; a blank line after each row."""
    scores = model.word_scores(texts)
    log10s = (scores.logps * LOG10_E).tolist()
    unknown = (scores.word_ids == model.unknown_id).astype(np.int64).tolist()
    lines, at = [], 0
    for words in _words_of_rows(texts):
        for word in (*words, "</s>"):
            lines.append(f"{log10s[at]:.6f}\t{unknown[at]}\t{word}\n")
            at += 1
        lines.append("\n")
    return "".join(lines)


def _words_of_rows(texts: Texts) -> list[list[str]]:
    text, offsets = text_buffers(texts)
    raw = text.tobytes()
    # The same separators as in scoring, which are fewer than those of split().
    spaced = raw.translate(bytes.maketrans(b"\0\t\r\n", b"    "))
    rows = (spaced[a:b] for a, b in zip(offsets.tolist(), offsets[1:].tolist(), strict=False))
    return [[word.decode("utf-8") for word in row.split(b" ") if word] for row in rows]
