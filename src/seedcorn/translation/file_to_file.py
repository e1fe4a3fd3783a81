"""Training, translating and rescoring from files to files: what the commands of ``seedcorn translate`` call."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seedcorn.corpus.formats import detect_format, read_corpus, write_corpus
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import line_blocks
from seedcorn.corpus.formats.pairs import read_pairs
from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, take_pairs
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.utterances import Corpus, Utterance, row_of
from seedcorn.files import write_text_whole
from seedcorn.lm.model_file import read_model
from seedcorn.translation.nbest import write_moses
from seedcorn.translation.pair_selection import score_pairs, select_pairs
from seedcorn.translation.placeholders import add_placeholders
from seedcorn.translation.rescoring import with_lm
from seedcorn.translation.settings import (
    EntitySettings,
    PairSelectionSettings,
    RescoringWeights,
    TrainingSettings,
)

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates, Reject
    from seedcorn.translation.training import TrainedTranslator


@dataclass(frozen=True, kw_only=True)
class PairFiles:
    """The pairs of a training: general ones, dev, a dictionary, and ``in_domain`` target text to select by.

    Pairs are files of pairs, or source lines with target lines in ``target`` and ``dev_target``. ``spoken`` leaves
    words only, as transcripts are.
    """

    pairs: Path
    dev: Path
    source_lang: str
    target_lang: str
    target: Path | None = None
    dev_target: Path | None = None
    dictionary: Path | None = None
    in_domain: Path | None = None
    spoken: bool = True

    def clean(
        self, path: Path, target: Path | None, rejected: Counter[str], *, mapper: Mapper = map_in_order
    ) -> PairCorpus:
        """Return the pairs of ``path`` fit for training, and count in ``rejected`` those that are not, by reason."""
        pairs = read_pairs(path, target=target, source_lang=self.source_lang, target_lang=self.target_lang)
        kept = clean_pairs(pairs, source_lang=self.source_lang, target_lang=self.target_lang, where=path, mapper=mapper)
        for code, reason in enumerate(kept.reject_reasons):
            rejected[reason] += int((kept.reject_codes == code).sum())
        return spoken_form(take_pairs(pairs, kept.positions)) if self.spoken else take_pairs(pairs, kept.positions)


@dataclass(frozen=True, kw_only=True)
class TrainedFromFiles:
    """A finished training, and how many pairs were fit for it, rejected by reason, and selected."""

    trained: "TrainedTranslator"
    n_clean: int
    n_selected: int
    rejected: dict[str, int] = field(default_factory=dict)


def train_from_files(
    files: PairFiles,
    output: Path,
    *,
    selection: PairSelectionSettings,
    placeholder_fraction: float,
    training: TrainingSettings,
    checkpoints: Path,
    random_seed: int,
    mapper: Mapper = map_in_order,
) -> TrainedFromFiles:
    """Clean the pairs, select those near to in-domain text where there is some, and train a translator on them.

    ``mapper`` carries the passes over the pairs out. Interrupted, the same call goes on where it stopped; checkpoints
    of other pairs or settings are never gone on from.
    """
    from seedcorn.translation.training import train_translator

    rejected = Counter[str]()
    clean = files.clean(files.pairs, files.target, rejected, mapper=mapper)
    selected = clean
    if files.in_domain is not None:
        in_domain = texts_of(files.in_domain)
        scores = score_pairs(clean, in_domain=in_domain, settings=selection, random_seed=random_seed, mapper=mapper)
        selected = take_pairs(clean, select_pairs(scores, selection.cutoff).positions)
    dictionary = (
        PairCorpus.from_pairs([]) if files.dictionary is None else files.clean(files.dictionary, None, rejected)
    )
    pairs = add_placeholders(selected, dictionary, pair_fraction=placeholder_fraction, random_seed=random_seed)
    trained = train_translator(
        pairs,
        files.clean(files.dev, files.dev_target, rejected).pairs(),
        output,
        settings=training,
        checkpoints=checkpoints / _digest(pairs, training, random_seed),
        random_seed=random_seed,
    )
    by_reason = {reason: n for reason, n in rejected.items() if n}
    return TrainedFromFiles(trained=trained, n_clean=clean.count(), n_selected=selected.count(), rejected=by_reason)


def _digest(pairs: PairCorpus, settings: TrainingSettings, random_seed: int) -> str:
    """Return what names the checkpoints of a training: its pairs and settings, but for the budget."""
    content = hashlib.sha256()
    for batch in pairs.batches():
        for name in ("source", "target"):
            content.update("\n".join(batch.column(name).to_pylist()).encode())
    # A larger budget goes on from the same checkpoints.
    decisive = {**settings.model_dump(mode="json"), "n_target_tokens": 0, "random_seed": random_seed}
    content.update(json.dumps(decisive, sort_keys=True).encode())
    return content.hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class TranslationFiles:
    """What a corpus is translated with, and what is written beside the translations."""

    translator: Path
    source: Path
    catalogue: Path | None = None
    lexicon: Path | None = None
    lm: Path | None = None
    nbest_output: Path | None = None
    rejects: Path | None = None


@dataclass(frozen=True, kw_only=True)
class TranslationPass:
    """How a file is translated: what becomes of slot values, how many hypotheses there are, and where it is done.

    ``mapper`` has parts of the file translated, by ``n_threads`` threads each (0: all).
    """

    entities: EntitySettings
    n_best: int = 10
    n_threads: int = 0
    random_seed: int = 0
    mapper: Mapper = map_in_order


def translate_file(
    files: TranslationFiles, output: Path, *, how: TranslationPass, weights: RescoringWeights, lang: str
) -> tuple[int, int]:
    """Write the best translation of each utterance, and return how many there are and how many were rejected."""
    from seedcorn.translation.entities import catalogue_of
    from seedcorn.translation.in_parts import TranslatePart, parts_of
    from seedcorn.translation.transliteration import read_lexicon

    translate = TranslatePart(
        folder=files.translator,
        settings=how.entities,
        random_seed=how.random_seed,
        catalogue=catalogue_of(read_corpus(files.catalogue).utterances()) if files.catalogue else None,
        lexicon=read_lexicon(files.lexicon) if files.lexicon else None,
        n_best=how.n_best,
        n_threads=how.n_threads,
    )
    candidates: list[Candidates] = []
    rejected: list[Reject] = []
    for found, lost in how.mapper(translate, parts_of(read_corpus(files.source).utterances())):
        candidates += found
        rejected += lost
    if files.lm is not None:
        candidates = _with_lm(candidates, files.lm)
    best = Corpus.from_utterances(candidate.chosen(weights, lang=lang) for candidate in candidates)
    n_written = write_corpus(best, output)
    if files.nbest_output is not None:
        write_moses((candidate.nbest for candidate in candidates), files.nbest_output)
    if files.rejects is not None:
        write_rejects(((reject.utterance, reject.reason) for reject in rejected), files.rejects)
    return n_written, len(rejected)


def _with_lm(candidates: "Sequence[Candidates]", lm: Path) -> "list[Candidates]":
    scored = with_lm((candidate.nbest for candidate in candidates), read_model(lm))
    return [replace(candidate, nbest=nbest) for candidate, nbest in zip(candidates, scored, strict=True)]


def source_rows(path: Path) -> list[Utterance]:
    """Return the source sentences in ``path``; of plain text every line, because lists are numbered by lines."""
    if path.is_file() and detect_format(path) == "text":
        return [Utterance(text=clean_text(line)) for block in line_blocks(path, BadRows()) for _, line in block]
    return read_corpus(path).utterances()


def texts_of(path: Path) -> list[str]:
    """Return the texts of the corpus in ``path``."""
    return [text for texts in read_corpus(path).texts() for text in texts.to_pylist()]


def write_rejects(rejected: Iterable[tuple[Utterance, str]], path: Path) -> None:
    """Write rejected utterances with their reasons as JSON lines."""
    lines = (json.dumps({**row_of(utterance), "reason": reason}, ensure_ascii=False) for utterance, reason in rejected)
    write_text_whole(path, "".join(f"{line}\n" for line in lines))
