"""Rescoring n-best lists from file to file, with weights given, saved or tuned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedcorn.corpus.formats import write_corpus
from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import ConfigError, DataError
from seedcorn.lm.model_file import read_model
from seedcorn.translation.file_to_file import source_rows, texts_of, write_rejects
from seedcorn.translation.keep_or_reject import KeepPoint, in_domain_scores, keep_curve, keep_likely
from seedcorn.translation.nbest import NBest, read_moses, write_moses
from seedcorn.translation.rescoring import chrf_loss, rescored, tune_weights, with_lm
from seedcorn.translation.settings import TRANSLATION_ORIGIN, RescoringWeights


@dataclass(frozen=True, kw_only=True)
class RescoringFiles:
    """N-best lists with their sources, what they are rescored by, and what is written beside the best hypotheses.

    ``score_feature`` is the translation score, where it has another name than ``read_moses`` looks for.
    """

    nbest: Path
    source: Path
    score_feature: str = ""
    lm: Path | None = None
    references: Path | None = None
    nbest_output: Path | None = None
    rejects: Path | None = None


@dataclass(frozen=True, kw_only=True)
class RescoredFile:
    """How many lists were rescored, kept and rejected, with which weights, and what other cut-offs would keep."""

    n_lists: int
    n_kept: int
    n_rejected: int
    weights: RescoringWeights
    curve: list[KeepPoint]


def rescore_file(
    files: RescoringFiles,
    output: Path,
    *,
    weights: RescoringWeights,
    keep_above: float | None = None,
    with_curve: bool = False,
) -> RescoredFile:
    """Write the best hypothesis of each list, those that are not kept left out.

    Weights are tuned where there are references. Raises ConfigError when there is no language model to keep or reject
    by.
    """
    if files.lm is None and (keep_above is not None or with_curve):
        raise ConfigError(wanted="a language model (--lm) to keep or reject by", found="none")
    model = read_model(files.lm) if files.lm else None
    sources = source_rows(files.source)
    read = read_moses(files.nbest, [u.text for u in sources], score_feature=files.score_feature)
    lists = [found.without_empty() for found in read]
    lists = list(with_lm(lists, model)) if model else lists
    if files.references is not None:
        weights = _tuned(lists, texts_of(files.references))
    ranked = list(rescored(lists, weights))
    best = [
        replace(of, id=of.id or str(i), text=ranked[i].best.text, lang="", slots=(), origin=TRANSLATION_ORIGIN)
        for i, of in enumerate(sources)
    ]
    scores = None if model is None else in_domain_scores([u.text for u in best], model)
    reasons: list[str | None] = [None] * len(best)
    if scores is not None and keep_above is not None:
        selection = keep_likely(scores, logp_per_word=keep_above)
        reasons = [selection.reason(row) for row in range(len(best))]
    reasons = ["an empty translation" if not u.text else reason for u, reason in zip(best, reasons, strict=True)]
    kept = [u for u, reason in zip(best, reasons, strict=True) if reason is None]
    n_kept = write_corpus(Corpus.from_utterances(kept), output)
    if files.nbest_output is not None:
        write_moses(ranked, files.nbest_output)
    if files.rejects is not None:
        write_rejects(((u, reason) for u, reason in zip(best, reasons, strict=True) if reason), files.rejects)
    curve = keep_curve(scores) if scores is not None and with_curve else []
    return RescoredFile(n_lists=len(ranked), n_kept=n_kept, n_rejected=len(best) - n_kept, weights=weights, curve=curve)


def _tuned(lists: Sequence[NBest], references: Sequence[str]) -> RescoringWeights:
    if len(lists) != len(references):
        raise DataError(wanted=f"{len(lists)} references, one a list", found=str(len(references)))
    return tune_weights(lists, chrf_loss(references))
