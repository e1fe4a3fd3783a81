"""The terms whose boosting helps a recogniser most, chosen submodularly, and the phrase lists that recognisers read.

Recognisers take a short list of phrases to listen for (hotwords, word boosting, key terms). A word of the domain gains
by being on it as much as the domain finds it likelier than the recogniser's general model does, and it gains once,
however many listed terms cover it: so the value of a list is a weighted coverage of the domain's words, and the greedy
list reaches at least 1 - 1/e of the best one's value (Nemhauser, Wolsey, Fisher 1978).
"""

import heapq
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.normalising import normalise_all
from seedcorn.errors import DataError
from seedcorn.files import write_text_whole
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.selection import FloatArray
from seedcorn.speech.settings import KeyTermSettings

TERMS = "terms.tsv"
PHRASE_LISTS = ("sherpa.txt", "nemo.txt", "vosk.json", TERMS)


@dataclass(frozen=True, kw_only=True)
class KeyTerm:
    """A term, how often the texts have it, and what it adds to the terms before it, in nats over the texts."""

    text: str
    count: int
    gain: float


def choose_key_terms(
    texts: Sequence[str], *, domain: NgramModel, general: NgramModel, settings: KeyTermSettings
) -> list[KeyTerm]:
    """Return the terms of in-domain ``texts`` by greedy choice, best first, ties by occurrence; lazily evaluated.

    A word's value is max(0, log p_domain - log p_general) where it stands; the models should share a vocabulary. Terms
    that add nothing are left out. Cost: one scoring of the texts by each model, and a heap of their distinct terms.
    Raises DataError without texts.
    """
    normalised = [text for text in normalise_all(texts) if text]
    if not normalised:
        raise DataError(wanted="in-domain text to choose terms from", found="none")
    values = _values_of_words(normalised, domain, general)
    return _greedy(_occurrences(normalised, settings), values, settings.n_terms)


def _values_of_words(normalised: Sequence[str], domain: NgramModel, general: NgramModel) -> FloatArray:
    """Return the value of each word, sentence ends counted as places but worth nothing."""
    inside, outside = domain.word_scores(list(normalised)), general.word_scores(list(normalised))
    values = np.maximum(inside.logps - outside.logps, 0.0)
    values[inside.sentence_ends[1:] - 1] = 0.0
    return values


def _occurrences(normalised: Sequence[str], settings: KeyTermSettings) -> dict[str, NDArray[np.int64]]:
    """Return the places of the words under each term that is frequent and short enough, (count, words of the term)."""
    starts: defaultdict[str, list[int]] = defaultdict(list)
    begin = 0
    for text in normalised:
        words = text.split()
        for length in range(1, settings.n_words_max + 1):
            for at in range(len(words) - length + 1):
                term = " ".join(words[at : at + length])
                if len(term) <= settings.n_characters_max:
                    starts[term].append(begin + at)
        begin += len(words) + 1
    return {
        term: np.array(places)[:, None] + np.arange(term.count(" ") + 1)
        for term, places in starts.items()
        if len(places) >= settings.count_min
    }


def _greedy(places: dict[str, NDArray[np.int64]], values: FloatArray, n_terms: int) -> list[KeyTerm]:
    left = values.copy()  # what no chosen term covers yet

    def gain(term: str) -> float:
        return float(left[np.unique(places[term])].sum())

    heap = [(-gain(term), order, term) for order, term in enumerate(places)]
    heapq.heapify(heap)
    chosen: list[KeyTerm] = []
    while heap and len(chosen) < n_terms:
        _, order, term = heapq.heappop(heap)
        now = gain(term)
        if heap and -now > heap[0][0]:  # gains only fall: the bound of the next one decides whether this is the best
            heapq.heappush(heap, (-now, order, term))
            continue
        if now <= 0:
            break
        chosen.append(KeyTerm(text=term, count=len(places[term]), gain=now))
        left[places[term].ravel()] = 0.0
    return chosen


def read_terms(folder: Path) -> list[KeyTerm]:
    """Return the terms that ``write_phrase_lists`` wrote."""
    rows = [line.split("\t") for line in (folder / TERMS).read_text("utf-8").splitlines()]
    return [KeyTerm(text=text, count=int(count), gain=float(gain)) for text, count, gain in rows]


def write_phrase_lists(terms: Iterable[KeyTerm], folder: Path, *, boost: float = 2.0) -> list[Path]:
    """Write ``terms`` as the lists that recognisers read, and return their paths.

    sherpa.txt: "phrase :boost" (sherpa-onnx hotwords file); nemo.txt: a phrase a line (NeMo word boosting, key-phrases
    file); vosk.json: a grammar of phrases with "[unk]" (Vosk's KaldiRecognizer); terms.tsv: term, count, gain.
    """
    listed = list(terms)
    files = {
        "sherpa.txt": "".join(f"{term.text} :{boost:g}\n" for term in listed),
        "nemo.txt": "".join(f"{term.text}\n" for term in listed),
        "vosk.json": json.dumps([*(term.text for term in listed), "[unk]"], ensure_ascii=False) + "\n",
        TERMS: "".join(f"{term.text}\t{term.count}\t{term.gain:.4f}\n" for term in listed),
    }
    for name in PHRASE_LISTS:
        write_text_whole(folder / name, files[name])
    return [folder / name for name in PHRASE_LISTS]
