"""Decoding against flashlight-text: the same posteriors, lexicon, language model and beam, one thread each.

Run: python benchmarks/decode.py TEST_BED_FOLDER [--n 1000]  (the folder that benchmarks/test_bed_hi.py filled; needs
flashlight-text). The weights of both are tuned on dev at the beam of the test, flashlight's with the faster of its two
ways of adding alignments that is no worse; then both try the fewest symbols a step that cost nothing on dev. Processor
seconds are medians of interleaved repeats.
"""

import argparse
import gzip
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from flashlight.lib.text.decoder import (
    CriterionType,
    LexiconDecoder,
    LexiconDecoderOptions,
    SmearingMode,
    Trie,
)
from flashlight.lib.text.decoder.kenlm import KenLM
from flashlight.lib.text.dictionary import create_word_dict

from seedcorn.corpus.text import normalise
from seedcorn.evaluation.bootstrap import paired_bootstrap
from seedcorn.evaluation.wer import error_rate, word_errors
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.kneser_ney import estimate
from seedcorn.progress import ProgressMode, say, showing_progress
from seedcorn.runs import digest_of_json
from seedcorn.speech.decoding import decode
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import Lexicon, build_lexicon
from seedcorn.speech.posteriors import LogPosteriors, Posteriors, read_posteriors
from seedcorn.speech.settings import DecoderSettings, Unspellable
from seedcorn.studies.results import Results, write_results

DATA = Path(os.environ.get("SEEDCORN_DATA", Path(__file__).parents[2] / "shared" / "data"))
N_REPEATS = 3
N_TUNED_ON = 300
BEAM_SIZES = (100, 200)
BEAM_WIDTH_LOGP = 14.0
LOGP_FLOORS = (-4.0, -5.0, -6.0, -7.0)
LOG10_TO_NATURAL = math.log(10.0)
RANDOM_SEED = 0
Limits = TypeVar("Limits")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Settings of flashlight's decoder; its language-model scores are log10, so its weight is scaled."""

    lm_weight: float
    word_bonus: float
    beam_size: int
    n_symbols: int
    adds_alignments: bool


def massive(partition: str) -> dict[str, str]:
    with gzip.open(DATA / "massive" / "hi-IN.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {r["id"]: normalise(r["utt"]) for r in map(json.loads, lines) if r["partition"] == partition}


class Flashlight:
    """flashlight-text's lexicon decoder on our lexicon and an ARPA file of our language model."""

    def __init__(self, lexicon: Lexicon, arpa: Path) -> None:
        alphabet = lexicon.alphabet
        self.blank, self.boundary = alphabet.blank, alphabet.boundary
        self.words = create_word_dict({word: [[word]] for word in (*lexicon.words, "<unk>")})
        self.lm = KenLM(str(arpa), self.words)
        self.trie = Trie(len(alphabet), self.boundary)
        start = self.lm.start(False)
        for row, spelling in lexicon.spellings:
            word = self.words.get_index(lexicon.words[row])
            _, logp = self.lm.score(start, word)
            self.trie.insert([*spelling, self.boundary], word, logp)
        self.trie.smear(SmearingMode.MAX)

    def decoder(self, peer: Peer) -> LexiconDecoder:
        """Return a decoder with these settings."""
        options = LexiconDecoderOptions(
            beam_size=peer.beam_size,
            beam_size_token=peer.n_symbols,
            beam_threshold=BEAM_WIDTH_LOGP,
            lm_weight=peer.lm_weight * LOG10_TO_NATURAL,
            word_score=peer.word_bonus,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=peer.adds_alignments,
            criterion_type=CriterionType.CTC,
        )
        unknown = self.words.get_index("<unk>")
        return LexiconDecoder(options, self.trie, self.lm, self.boundary, self.blank, unknown, [], False)

    def decode(self, posteriors: Sequence[LogPosteriors], peer: Peer) -> list[str]:
        """Return the best text of each utterance."""
        decoder = self.decoder(peer)
        texts = []
        for logps in posteriors:
            emissions = self.with_last_boundary(logps)
            results = decoder.decode(emissions.ctypes.data, *emissions.shape)
            texts.append(" ".join(self.words.get_entry(w) for w in results[0].words if w >= 0) if results else "")
        return texts

    def with_last_boundary(self, logps: LogPosteriors) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        """Return the posteriors with one frame of word boundary, which our decoder adds by itself."""
        last = np.full((1, logps.shape[1]), -1e4, dtype=np.float32)
        last[0, self.boundary] = 0.0
        return np.ascontiguousarray(np.concatenate([logps.astype(np.float32), last]))


def best_weights(rate: Callable[[float, float], float]) -> tuple[float, float]:
    """Return the language-model weight and word bonus of a fixed grid with the lowest rate."""
    grid = [(a, b) for a in (0.4, 0.6, 0.8, 1.0, 1.2) for b in (-0.5, 0.5, 1.5)]
    return min(grid, key=lambda point: rate(*point))


def processor_seconds(work: Callable[[], list[str]]) -> tuple[float, list[str]]:
    started = time.process_time()
    texts = work()
    return time.process_time() - started, texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=600)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    dev = read_posteriors(arguments.folder / "posteriors" / "dev.npz")
    test = read_posteriors(arguments.folder / "posteriors" / "test.npz")
    model = estimate([list(massive("train").values())], order=3)
    words = [word for word in model.words if not word.startswith("<")]
    lexicon = build_lexicon(words, alphabet=test.alphabet, on_unspellable=Unspellable.LEAVE_OUT)
    with tempfile.TemporaryDirectory() as folder, showing_progress(ProgressMode.LINES):
        arpa = Path(folder) / "train.arpa"
        write_arpa(model, arpa)
        peer = Flashlight(lexicon, arpa)
        rows = [
            compared(size, peer, lexicon, WeightedModel(model=model), dev, test, arguments.n) for size in BEAM_SIZES
        ]
    at_100 = next(row for row in rows if row["beam_size"] == 100)
    results = Results(
        name="bench-decode",
        command=f"python benchmarks/decode.py TEST_BED_FOLDER --n {arguments.n}",
        config_digest=digest_of_json({"n": arguments.n, "beam_sizes": BEAM_SIZES, "beam_width_logp": BEAM_WIDTH_LOGP}),
        data_digests={
            "dev": digest_of_file(arguments.folder / "posteriors" / "dev.npz"),
            "test": digest_of_file(arguments.folder / "posteriors" / "test.npz"),
        },
        peers=["flashlight-text"],
        random_seeds=[RANDOM_SEED],
        rows=rows,
        summary={name: at_100[name] for name in ("speed_vs_flashlight", "wer_minus_flashlight")},
    )
    write_results(results, arguments.results)


def compared(
    beam_size: int,
    peer: Flashlight,
    lexicon: Lexicon,
    model: WeightedModel,
    dev: Posteriors,
    test: Posteriors,
    n_test: int,
) -> dict[str, Json]:
    dev_texts, test_texts = massive("dev"), massive("test")
    some_dev, some_test = dev.logps[:N_TUNED_ON], test.logps[:n_test]
    dev_references = [dev_texts[i] for i in dev.ids[:N_TUNED_ON]]
    references = [test_texts[i] for i in test.ids[:n_test]]

    def ours(logps: Sequence[LogPosteriors], settings: DecoderSettings) -> list[str]:
        return [" ".join(h[0].words) for h in decode(logps, lexicon=lexicon, models=[model], settings=settings)]

    def rate_of(texts: list[str]) -> float:
        return word_errors(dev_references, texts).total().rate

    settings = DecoderSettings(beam_size=beam_size, beam_width_logp=BEAM_WIDTH_LOGP)
    a, b = best_weights(
        lambda a, b: rate_of(ours(some_dev, settings.model_copy(update={"lm_weight": a, "word_bonus": b})))
    )
    settings = settings.model_copy(update={"lm_weight": a, "word_bonus": b})
    fewer = (settings.model_copy(update={"min_symbol_logp": floor}) for floor in LOGP_FLOORS)
    settings = first_that_costs_nothing(fewer, settings, lambda tried: rate_of(ours(some_dev, tried)))
    theirs = best_peer(peer, some_dev, rate_of, beam_size)
    our_seconds: list[float] = []
    their_seconds: list[float] = []
    our_texts: list[str] = []
    their_texts: list[str] = []
    for _ in range(N_REPEATS):
        seconds, our_texts = processor_seconds(lambda: ours(some_test, settings))
        our_seconds.append(seconds)
        seconds, their_texts = processor_seconds(lambda: peer.decode(some_test, theirs))
        their_seconds.append(seconds)
    our_table, their_table = word_errors(references, our_texts), word_errors(references, their_texts)
    rng = np.random.default_rng(RANDOM_SEED)
    reduction = paired_bootstrap(their_table.statistics(), our_table.statistics(), rng=rng, rate=error_rate)
    row: dict[str, Json] = {
        "beam_size": beam_size,
        "n_utterances": len(references),
        "lm_weight": a,
        "word_bonus": b,
        "min_symbol_logp": settings.min_symbol_logp,
        "flashlight_lm_weight": theirs.lm_weight,
        "flashlight_word_bonus": theirs.word_bonus,
        "flashlight_log_add": theirs.adds_alignments,
        "flashlight_beam_size_token": theirs.n_symbols,
        "milliseconds_per_utterance": 1e3 * statistics.median(our_seconds) / len(references),
        "flashlight_milliseconds_per_utterance": 1e3 * statistics.median(their_seconds) / len(references),
        "speed_vs_flashlight": statistics.median(their_seconds) / statistics.median(our_seconds),
        "wer": our_table.total().rate,
        "flashlight_wer": their_table.total().rate,
        "wer_minus_flashlight": our_table.total().rate - their_table.total().rate,
        "wer_reduction": reduction.relative,
        "wer_reduction_low": reduction.low,
        "wer_reduction_high": reduction.high,
    }
    say(json.dumps(row))
    return row


def first_that_costs_nothing(tried: Iterable[Limits], best: Limits, rate: Callable[[Limits], float]) -> Limits:
    """Return the first of the settings ``tried`` with no more errors on dev than ``best``, or ``best``."""
    least = rate(best)
    return next((fewer for fewer in tried if rate(fewer) <= least), best)


def best_peer(
    peer: Flashlight, dev: Sequence[LogPosteriors], rate_of: Callable[[list[str]], float], beam_size: int
) -> Peer:
    """Return flashlight's best settings on dev: weights, way of adding, then the fewest symbols that cost nothing."""
    n_all = dev[0].shape[1]
    candidates = []
    for adds in (False, True):
        plain = Peer(lm_weight=0.0, word_bonus=0.0, beam_size=beam_size, n_symbols=n_all, adds_alignments=adds)

        def rate(a: float, b: float, plain: Peer = plain) -> float:
            return rate_of(peer.decode(dev, replace(plain, lm_weight=a, word_bonus=b)))

        a, b = best_weights(rate)
        candidates.append((rate(a, b), replace(plain, lm_weight=a, word_bonus=b)))
    _, best = min(candidates, key=lambda candidate: candidate[0])
    fewer = (replace(best, n_symbols=n_symbols) for n_symbols in (10, 20, 40))
    return first_that_costs_nothing(fewer, best, lambda tried: rate_of(peer.decode(dev, tried)))


if __name__ == "__main__":
    main()
