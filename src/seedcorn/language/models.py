"""Stages from text to language models: what is known of the domain, one model a text, one mixture a system, export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.tables import read_texts, write_texts
from seedcorn.files import Json, write_json
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.language.texts import Texts, target_side, transliterated
from seedcorn.language.translations import Entities
from seedcorn.lm.component_choice import choose_components
from seedcorn.lm.domain_model import (
    DomainModel,
    estimate_domain_model,
    estimate_texts,
    interpolate,
    own_words,
    prune,
    words_of,
)
from seedcorn.lm.model_file import read_model, write_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.runs import Context, Stage


class EstimateDomain(Stage[DomainModel]):
    """Estimate what is known of the domain: a model of transcripts and general text, and the words of all text."""

    stage_name: ClassVar[str] = "domain-model"
    is_random: ClassVar[bool] = False

    order: int = Field(3, ge=1, le=6)
    lexicon: InputFile | None = None

    def __call__(
        self,
        data: LanguageData,
        transcripts: Transcripts,
        clean: CleanPairs,
        nearest: SelectedPairs,
        *,
        context: Context,
    ) -> DomainModel:
        """Return the model; words of the source text, all pairs, the dictionary and the lexicon are known too."""
        source = normalise_all([u.text for u in data.source])
        in_script = transliterated(source, target_lang=data.target_lang)
        general, dictionary = (normalise_all(target_side(pairs)) for pairs in (clean.pairs, clean.dictionary))
        names = normalise_all(sorted(Entities(lexicon=self.lexicon).spellings().values()))
        return estimate_domain_model(
            transcripts.texts,
            target_side(nearest.pairs).to_pylist(),
            [u.text for u in data.dev],
            other_texts=(source, in_script, general, dictionary, names),
            order=self.order,
        )


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words of all systems, sorted."""

    words: list[str]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are."""
        return {"n_words": len(self.words)}

    def save(self, folder: Path) -> None:
        """Write them as Parquet."""
        write_texts(self.words, folder / "words.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(words=read_texts(folder / "words.parquet"))


class ListWords(Stage[Vocabulary]):
    """List the words of all text of all systems: the fixed vocabulary, over which perplexities compare."""

    stage_name: ClassVar[str] = "vocabulary"
    is_random: ClassVar[bool] = False

    def __call__(self, *texts: Texts, context: Context) -> Vocabulary:
        """Return the words."""
        return Vocabulary(words=words_of(part.normalised for part in texts))


@dataclass(frozen=True, kw_only=True)
class TextModel:
    """The language model of one text; None where there is no text."""

    label: str
    n_sentences: int
    model: NgramModel | None

    @property
    def counts(self) -> Mapping[str, int]:
        """How large it is."""
        return {"n_sentences": self.n_sentences, "n_ngrams": 0 if self.model is None else sum(self.model.n_ngrams)}

    def save(self, folder: Path) -> None:
        """Write the model, if any."""
        write_json({"label": self.label, "n_sentences": self.n_sentences}, folder / "text.json")
        if self.model is not None:
            write_model(self.model, folder / "model.lm")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        path = folder / "model.lm"
        about = json.loads((folder / "text.json").read_text("utf-8"))
        return cls(**about, model=read_model(path) if path.exists() else None)


class EstimateText(Stage[TextModel]):
    """Estimate the language model of one text, over its own words or over a vocabulary."""

    is_random: ClassVar[bool] = False

    order: int = Field(3, ge=1, le=6)
    label: str = "text"

    def __call__(self, texts: Texts, vocabulary: Vocabulary | None = None, *, context: Context) -> TextModel:
        """Return the modified Kneser-Ney model."""
        words = None if vocabulary is None else vocabulary.words
        model = estimate_texts(texts.normalised, order=self.order, vocabulary=words) if any(texts.normalised) else None
        return TextModel(label=self.label, n_sentences=len(texts.normalised), model=model)


@dataclass(frozen=True, kw_only=True)
class SystemModel:
    """The language model of a system: the mixture of its texts' models, what that is made of, what it is worth.

    Where texts were chosen on dev, ``steps`` says what each brought there; those left out have weight 0.
    """

    model: NgramModel
    n_sentences: Mapping[str, int]
    weights: Mapping[str, float]
    perplexity: float
    oov_fraction: float
    steps: Sequence[Mapping[str, str | float]] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How large it is."""
        return {"n_words": len(self.words), "n_ngrams": sum(self.model.n_ngrams)}

    @property
    def words(self) -> list[str]:
        """The words that can be said."""
        return own_words(self.model)

    def save(self, folder: Path) -> None:
        """Write the model, and its measures as JSON."""
        write_model(self.model, folder / "model.lm")
        parts: Json = [[label, n, self.weights[label]] for label, n in self.n_sentences.items()]
        measures: dict[str, Json] = {"perplexity": self.perplexity, "oov_fraction": self.oov_fraction, "parts": parts}
        measures["steps"] = list(self.steps)
        write_json(measures, folder / "measures.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        measures = json.loads((folder / "measures.json").read_text("utf-8"))
        parts = measures.pop("parts")
        return cls(
            model=read_model(folder / "model.lm"),
            n_sentences={label: n for label, n, _ in parts},
            weights={label: weight for label, _, weight in parts},
            **measures,
        )


class MixModels(Stage[SystemModel]):
    """Interpolate the models of a system's texts with the weights best for dev, prune, and measure on test.

    With ``chosen_on_dev`` texts beside the first enter while held-out dev perplexity falls beyond chance.
    """

    is_random: ClassVar[bool] = False

    n_ngrams: int | None = Field(None, ge=1)
    chosen_on_dev: bool = False

    def __call__(self, data: LanguageData, *models: TextModel, context: Context) -> SystemModel:
        """Return the model. Texts without a sentence have no part in it."""
        parts = [(part.label, part.n_sentences, part.model) for part in models if part.model is not None]
        labels = _told_apart([label for label, _, _ in parts])
        dev, test = (normalise_all([u.text for u in some]) for some in (data.dev, data.test))
        models_of = dict(zip(labels, (model for _, _, model in parts), strict=True))
        chosen, steps = _chosen(models_of, dev) if self.chosen_on_dev else (labels, [])
        mixed, weights = interpolate([models_of[label] for label in chosen], dev)
        weight_of = dict.fromkeys(labels, 0.0) | dict(zip(chosen, weights, strict=True))
        model = prune(mixed, self.n_ngrams)
        measured = measure_perplexity(model, [test])
        return SystemModel(
            model=model,
            n_sentences=dict(zip(labels, (n for _, n, _ in parts), strict=True)),
            weights=weight_of,
            perplexity=measured.perplexity,
            oov_fraction=measured.oov_fraction,
            steps=steps,
        )


def _chosen(models: Mapping[str, NgramModel], dev: Sequence[str]) -> tuple[list[str], list[Mapping[str, str | float]]]:
    """Return the texts that enter the mixture, the first one always, and what each brought on dev."""
    if len(models) == 1:
        return list(models), []
    # The folds are the same in every run: what is chosen follows from the texts alone.
    found = choose_components(models, dev, required=list(models)[:1], rng=np.random.default_rng(0))
    steps: list[Mapping[str, str | float]] = [
        {
            "text": step.name,
            "entered": "yes" if step.entered else "no",
            "dev_perplexity": step.dev_perplexity,
            "reduction": step.reduction.relative,
            "low": step.reduction.low,
            "high": step.reduction.high,
        }
        for step in found.steps
    ]
    return list(found.names), steps


def _told_apart(labels: Sequence[str]) -> list[str]:
    """Return ``labels``, the second and further of the same name numbered."""
    return [
        label if label not in labels[:n] else f"{label} {labels[:n].count(label) + 1}" for n, label in enumerate(labels)
    ]
