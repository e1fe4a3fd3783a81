"""The systems of the ablation: which text each language model is made of, and how translations are chosen for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.folding import fold_all
from seedcorn.corpus.pair_cleaning import scripts_of
from seedcorn.corpus.utterances import Utterance
from seedcorn.lm.interpolation import Mixture, fit_mixture, share_vocabulary, static_model
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.lm.pruning import prune_by_entropy
from seedcorn.lm.vocabulary import SPECIAL_WORDS
from seedcorn.pipelines.language_translation import KeepChoice
from seedcorn.progress import say
from seedcorn.selection import Selection
from seedcorn.translation.rescoring import NO_RESCORING, RescoringWeights, with_lm, with_made_up_words

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates
    from seedcorn.translation.nbest import NBest

TRANSCRIPTS, SLOT_VARIANTS, TRANSLATIONS = "transcripts", "slot variants", "translations"
GENERAL, ALL_GENERAL, DICTIONARY_WORDS = "general", "all general", "dictionary"
SOURCE, BORROWED, TRUE_TARGET = "source text", "transliterated source text", "true target"
N_SLOT_VARIANTS = 20
_TRANSLITERATED_INTO = "DEVANAGARI"


class TranslatorName(StrEnum):
    """Which translator a system's translations come from."""

    ALL_PAIRS = "all_pairs"  # trained on all clean pairs
    SELECTED = "selected"  # trained on the pairs nearest to the transcripts
    SELF_TRAINED = "self_trained"  # the selected one, trained further on its own in-domain translations


class System(Settings):
    """One language model: the transcripts, and what is added to them.

    ``slot_variants`` adds so many variants of each transcript that has slots, the slot values drawn anew from all of
    their type. ``general`` adds the target side of the chosen pairs, ``all_general`` that of all clean pairs and of the
    dictionary: further words.
    ``source_text`` adds the in-domain source text as it is and, for languages in Devanagari, transliterated: what is
    said in the source language or borrowed from it. ``translator`` adds translations of that text: with slot values
    treated as ``translation.entities`` says, or in place without; the best ``n_hypotheses`` of each utterance after
    rescoring, or the translator's own; those kept by keep/reject, or all. ``true_target`` adds the true translations:
    the ceiling.
    """

    slot_variants: int = Field(0, ge=0)
    general: bool = False
    all_general: bool = False
    source_text: bool = False
    translator: TranslatorName | None = None
    entities: bool = False
    n_hypotheses: int = Field(1, ge=1)
    rescored: bool = False
    kept: bool = False
    true_target: bool = False

    @model_validator(mode="after")
    def _needs_translations(self) -> Self:
        if self.translator is None and (self.entities or self.rescored or self.kept or self.n_hypotheses > 1):
            raise ValueError("entities, rescored, kept and n_hypotheses need a translator")
        return self

    @property
    def translations(self) -> str | None:
        """The name of the set of n-best lists that the system uses."""
        return None if self.translator is None else set_name(self.translator, self.entities)


def set_name(translator: TranslatorName, with_entities: bool) -> str:
    """Return the name of a set of n-best lists."""
    return f"{translator.value}-entities" if with_entities else translator.value


def default_systems() -> dict[str, System]:
    """Return the ablation of one run: what each step adds to transcripts and general text, and all of them together."""
    selected, self_trained = TranslatorName.SELECTED, TranslatorName.SELF_TRAINED
    return {
        "transcripts": System(),
        "general text": System(general=True),
        "raw translations": System(general=True, translator=selected),
        "self-training": System(general=True, translator=self_trained),
        "rescoring": System(general=True, translator=selected, rescored=True),
        "keep/reject": System(general=True, translator=selected, kept=True),
        "entities": System(general=True, translator=selected, entities=True),
        "slot variants": System(general=True, slot_variants=N_SLOT_VARIANTS),
        "all general text": System(general=True, all_general=True),
        "code-switching": System(general=True, translator=selected, source_text=True),
        "all": System(
            slot_variants=N_SLOT_VARIANTS,
            general=True,
            all_general=True,
            translator=self_trained,
            entities=True,
            rescored=True,
            kept=True,
        ),
    }


def translations_of(systems: Iterable[System]) -> list[tuple[TranslatorName, bool]]:
    """Return the sets of n-best lists that ``systems`` use, as translator and whether slot values are treated."""
    return sorted({(s.translator, s.entities) for s in systems if s.translator is not None})


class LanguageModelSettings(Settings):
    """Order of the n-grams, and to how many n-grams a finished model is pruned (not at all when not given)."""

    order: int = Field(3, ge=1, le=6)
    n_ngrams: int | None = Field(None, ge=1)


@dataclass(frozen=True, kw_only=True)
class InDomain:
    """What is known of the domain in the target language, folded, and the language model that judges translations.

    The model is the mixture of a model of ``transcripts`` and one of ``general`` text (the target side of the chosen
    pairs; may be empty), with the weights that make ``dev`` most likely: transcripts alone know too few words to judge
    by. ``words`` are those of all text at hand: a translation with others has made them up.
    """

    transcripts: list[str]
    general: list[str]
    dev: list[str]
    words: frozenset[str]
    model: Mixture


def in_domain_of(
    transcripts: Sequence[str],
    general: Sequence[str],
    dev: Sequence[str],
    *,
    other_texts: Iterable[Sequence[str]] = (),
    order: int,
) -> InDomain:
    """Return what is known of the domain, with the language model that rescores and keeps or rejects.

    ``other_texts`` are folded texts whose words are known too, such as the source text, which translations may keep.
    """
    seen, near, wanted = (fold_all(texts) for texts in (transcripts, general, dev))
    models = share_vocabulary([estimated(texts, order=order, vocabulary=None) for texts in (seen, near) if texts])
    known = frozenset(vocabulary_of([seen, near, *other_texts]))
    return InDomain(transcripts=seen, general=near, dev=wanted, words=known, model=fit_mixture(models, [wanted]))


def estimated(folded: Sequence[str], *, order: int, vocabulary: Sequence[str] | None) -> NgramModel:
    """Return the modified Kneser-Ney model of ``folded`` texts."""
    # Discounts given outright: what small transcripts cannot tell is no news to whoever brings up a language.
    return estimate([list(folded)], order=order, vocabulary=vocabulary, fallback_discounts=FALLBACK_DISCOUNTS)


def interpolated(components: Sequence[NgramModel], dev: Sequence[str]) -> tuple[NgramModel, tuple[float, ...]]:
    """Return one static model of ``components`` with the weights that make ``dev`` most likely, and the weights."""
    if len(components) == 1:
        return components[0], (1.0,)
    mixture = fit_mixture(share_vocabulary(components), [list(dev)])
    return static_model(mixture), mixture.weights


def pruned(model: NgramModel, settings: LanguageModelSettings) -> NgramModel:
    """Return ``model`` pruned by entropy to the size that the settings allow."""
    too_large = settings.n_ngrams is not None and sum(model.n_ngrams) > settings.n_ngrams
    return prune_by_entropy(model, n_ngrams=settings.n_ngrams) if too_large else model


def vocabulary_of(texts: Iterable[Sequence[str]]) -> list[str]:
    """Return the words of folded texts, sorted."""
    return sorted({word for part in texts for text in part for word in text.split()})


def borrowed(source: Sequence[str], *, target_lang: str) -> list[str]:
    """Return folded ``source`` texts in the script of the target language; none where no table leads there."""
    from seedcorn.translation.transliteration import transliterate

    if _TRANSLITERATED_INTO not in scripts_of(target_lang):
        return []
    return fold_all([transliterate(text) for text in source])


def own_words(model: NgramModel) -> list[str]:
    """Return the words of ``model`` that can be said."""
    return [word for word in model.words if word not in SPECIAL_WORDS]


def best_translations(
    candidates: Sequence["Candidates"],
    in_domain: InDomain,
    weights: RescoringWeights,
    *,
    n_hypotheses: int = 1,
    lang: str,
) -> list[Utterance]:
    """Return the best hypotheses of each list under ``weights``, as utterances with intent and slots."""
    if weights != NO_RESCORING:
        with_scores = _with_features((c.nbest for c in candidates), in_domain)
        candidates = [replace(c, nbest=nbest) for c, nbest in zip(candidates, with_scores, strict=True)]
    return [u for c in candidates for u in c.best(weights, n_hypotheses=n_hypotheses, lang=lang)]


def _with_features(nbests: Iterable["NBest"], in_domain: InDomain) -> Iterator["NBest"]:
    return with_made_up_words(with_lm(nbests, in_domain.model), in_domain.words)


def keep_in_domain(texts: Sequence[str], in_domain: InDomain, choice: KeepChoice, *, order: int) -> Selection:
    """Return which folded translations are kept: known words only, by their in-domain log-probability per word."""
    from seedcorn.relevance.cutoff import keep_best, keep_fraction
    from seedcorn.translation.keep_or_reject import best_point, in_domain_scores, keep_curve, keep_likely

    known = in_domain.words if choice.known_words_only else None
    scores = in_domain_scores(texts, in_domain.model, known=known)
    if not len(scores.best_first()):
        say(f"keep/reject: none of {len(texts):,} translations is kept, for each has {scores.missing_reason}")
        return keep_best(scores, n_kept=0)
    if choice.logp_per_word is not None:
        return keep_likely(scores, logp_per_word=choice.logp_per_word)
    if choice.fraction is not None:
        return keep_fraction(scores, fraction=choice.fraction)
    best = best_point(keep_curve(scores, dev_loss(texts, in_domain, order)))
    return keep_best(scores, n_kept=best.n_kept)


def dev_loss(texts: Sequence[str], in_domain: InDomain, order: int) -> "DevLoss":
    """Return the loss of a selection of ``texts``: dev perplexity over the words of all text."""
    known = [part for part in (in_domain.transcripts, in_domain.general) if part]
    words = vocabulary_of([*known, texts])
    models = tuple(estimated(part, order=order, vocabulary=words) for part in known)
    return DevLoss(texts, in_domain.dev, models, words, order)


@dataclass(frozen=True)
class DevLoss:
    """The perplexity of ``dev`` under what was known and a selection of translations, over one fixed vocabulary."""

    texts: Sequence[str]
    dev: Sequence[str]
    known: tuple[NgramModel, ...]
    words: list[str]
    order: int

    def __call__(self, selection: Selection) -> float:
        """Return the perplexity with the selected texts."""
        return self.of([self.texts[row] for row in np.sort(selection.positions)])

    def of(self, texts: Sequence[str]) -> float:
        """Return the perplexity with these texts."""
        added = estimated(texts, order=self.order, vocabulary=self.words)
        mixture = fit_mixture((*self.known, added), [list(self.dev)])
        return measure_perplexity(mixture, [list(self.dev)]).perplexity


def tuned_weights(
    candidates: Sequence["Candidates"], in_domain: InDomain, *, n_hypotheses: int, n_tuning: int, order: int
) -> RescoringWeights:
    """Return the rescoring weights with the lowest dev perplexity, measured with ``n_tuning`` of the lists.

    They are spread evenly over ``candidates``, which may come from several corpora.
    """
    from seedcorn.translation.rescoring import tune_weights

    rows = np.unique(np.linspace(0, len(candidates) - 1, min(n_tuning, len(candidates))).astype(np.int64))
    nbests = list(_with_features((candidates[row].nbest for row in rows), in_domain))
    every = fold_all([h.text for nbest in nbests for h in nbest.hypotheses])
    loss = dev_loss(every, in_domain, order)
    return tune_weights(nbests, lambda texts: loss.of(fold_all(list(texts))), n_hypotheses=n_hypotheses)
