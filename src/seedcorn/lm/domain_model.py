"""What is known of a domain: the mixture of language models that stands for it, and the words of all text at hand."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.tables import read_texts, write_texts
from seedcorn.files import write_text_whole
from seedcorn.lm.interpolation import (
    Mixture,
    em_weights,
    fit_mixture,
    share_vocabulary,
    static_model,
    word_probabilities,
)
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.model_file import read_model, write_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.pruning import prune_by_entropy
from seedcorn.lm.vocabulary import SPECIAL_WORDS
from seedcorn.selection import FloatArray, Selection

_TEXTS = ("transcripts", "general", "dev")


@dataclass(frozen=True, kw_only=True)
class DomainModel:
    """What is known of the domain, normalised, and the language model that judges translations.

    The ``mixture`` is of a model of ``transcripts`` and one of ``general`` text (the target side of the selected pairs;
    may be empty), with the weights that make ``dev`` most likely: transcripts alone know too few words to judge by.
    ``words`` are those of all text at hand: a translation with others has out-of-vocabulary words.
    """

    transcripts: list[str]
    general: list[str]
    dev: list[str]
    words: frozenset[str]
    mixture: Mixture
    order: int

    @property
    def counts(self) -> Mapping[str, int]:
        """How many sentences and words are known."""
        return {"n_transcripts": len(self.transcripts), "n_general": len(self.general), "n_words": len(self.words)}

    def save(self, folder: Path) -> None:
        """Write texts, words and models into ``folder``."""
        for name in _TEXTS:
            write_texts(getattr(self, name), folder / f"{name}.parquet")
        write_texts(sorted(self.words), folder / "words.parquet")
        for number, model in enumerate(self.mixture.models):
            write_model(model, folder / f"{number}.lm")
        about = {"weights": self.mixture.weights, "order": self.order}
        write_text_whole(folder / "mixture.json", json.dumps(about) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        about = json.loads((folder / "mixture.json").read_text("utf-8"))
        weights = tuple(about["weights"])
        models = tuple(read_model(folder / f"{number}.lm") for number in range(len(weights)))
        transcripts, general, dev, words = (read_texts(folder / f"{name}.parquet") for name in (*_TEXTS, "words"))
        return cls(
            transcripts=transcripts,
            general=general,
            dev=dev,
            words=frozenset(words),
            mixture=Mixture(models=models, weights=weights),
            order=about["order"],
        )


def estimate_domain_model(
    transcripts: Sequence[str],
    general: Sequence[str],
    dev: Sequence[str],
    *,
    other_texts: Iterable[Sequence[str]] = (),
    order: int,
) -> DomainModel:
    """Return what is known of the domain by these texts.

    ``other_texts`` are normalised, their words known too, such as the source text, which translations may keep.
    """
    seen, near, wanted = (normalise_all(texts) for texts in (transcripts, general, dev))
    models = share_vocabulary([estimate_texts(texts, order=order) for texts in (seen, near) if texts])
    return DomainModel(
        transcripts=seen,
        general=near,
        dev=wanted,
        words=frozenset(words_of([seen, near, *other_texts])),
        mixture=fit_mixture(models, [wanted]),
        order=order,
    )


def estimate_texts(normalised: Sequence[str], *, order: int, vocabulary: Sequence[str] | None = None) -> NgramModel:
    """Return the modified Kneser-Ney model of ``normalised`` texts, however few they are."""
    # Discounts given outright: what small transcripts cannot tell is no news to whoever brings up a language.
    return estimate([list(normalised)], order=order, vocabulary=vocabulary, fallback_discounts=FALLBACK_DISCOUNTS)


def interpolate(components: Sequence[NgramModel], dev: Sequence[str]) -> tuple[NgramModel, tuple[float, ...]]:
    """Return one static model of ``components`` with the weights that make ``dev`` most likely, and the weights."""
    if len(components) == 1:
        return components[0], (1.0,)
    mixture = fit_mixture(share_vocabulary(components), [list(dev)])
    return static_model(mixture), mixture.weights


def prune(model: NgramModel, n_ngrams: int | None) -> NgramModel:
    """Return ``model`` pruned by entropy to ``n_ngrams``, as it is when it is no larger or None is given."""
    too_large = n_ngrams is not None and sum(model.n_ngrams) > n_ngrams
    return prune_by_entropy(model, n_ngrams=n_ngrams) if too_large else model


def words_of(texts: Iterable[Sequence[str]]) -> list[str]:
    """Return the words of normalised texts, sorted."""
    return sorted({word for part in texts for text in part for word in text.split()})


def own_words(model: NgramModel) -> list[str]:
    """Return the words of ``model`` that can be said."""
    return [word for word in model.words if word not in SPECIAL_WORDS]


@dataclass(frozen=True)
class DevLoss:
    """The perplexity of dev under what is known and a selection of ``texts``, over one fixed vocabulary.

    ``known`` (models, dev words) are the probabilities of the words of dev under the models of what is known.
    """

    texts: Sequence[str]
    dev: Sequence[str]
    known: FloatArray
    words: list[str]
    order: int

    @classmethod
    def of_domain(cls, texts: Sequence[str], domain: DomainModel) -> Self:
        """Return the loss of selections of ``texts``, normalised, beside transcripts and general text of ``domain``."""
        known = [part for part in (domain.transcripts, domain.general) if part]
        words = words_of([*known, texts])
        models = [estimate_texts(part, order=domain.order, vocabulary=words) for part in known]
        return cls(texts, domain.dev, word_probabilities(models, domain.dev), words, domain.order)

    def __call__(self, selection: Selection) -> float:
        """Return the perplexity with the selected texts."""
        return self.of([self.texts[row] for row in np.sort(selection.positions)])

    def of(self, texts: Sequence[str]) -> float:
        """Return the perplexity with these texts."""
        added = estimate_texts(texts, order=self.order, vocabulary=self.words)
        probabilities = np.vstack([self.known, word_probabilities([added], self.dev)])
        mixed = em_weights(probabilities) @ probabilities
        return float(np.exp(-np.log(mixed).mean()))
