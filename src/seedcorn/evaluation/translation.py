"""BLEU and chrF of translations, with the signatures that make the numbers comparable (sacrebleu, Post 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass

from seedcorn.errors import DataError, require


@dataclass(frozen=True, kw_only=True)
class TranslationScore:
    """A corpus score from 0 to 100 and its sacrebleu signature."""

    score: float
    signature: str


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> TranslationScore:
    """Return chrF2 (Popović 2015) of ``hypotheses`` against one reference each."""
    return _scored("CHRF", hypotheses, references)


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> TranslationScore:
    """Return BLEU (Papineni et al. 2002), sacrebleu's own tokens, against one reference each."""
    return _scored("BLEU", hypotheses, references)


def _scored(metric: str, hypotheses: Sequence[str], references: Sequence[str]) -> TranslationScore:
    if len(hypotheses) != len(references) or not references:
        raise DataError(wanted="one reference a translation", found=f"{len(references)} for {len(hypotheses)}")
    scorer = getattr(require("sacrebleu.metrics", extra="neural"), metric)()
    score = scorer.corpus_score(list(hypotheses), [list(references)]).score
    return TranslationScore(score=float(score), signature=str(scorer.get_signature()))
