"""What a run of the language pipeline found; report and tables are views of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from seedcorn.language.annotation import ForPeople
from seedcorn.language.export import Exported
from seedcorn.language.key_terms import KeyTerms
from seedcorn.language.measures import OWN, Measures
from seedcorn.language.models import SystemModel, Vocabulary
from seedcorn.language.posteriors import SpeechPosteriors
from seedcorn.language.recogniser import DecoderWeights, Hypotheses
from seedcorn.language.texts import Materials, Texts
from seedcorn.runs import Result, StageResult


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """How the language models do in a recogniser: ``hypotheses`` by system and lexicon."""

    posteriors: Result[SpeechPosteriors]
    decoder_weights: Mapping[str, Result[DecoderWeights]]
    hypotheses: Mapping[tuple[str, str], Result[Hypotheses]]
    measures: Result[Measures]


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """What the model of a system is made of, how large it is, and its perplexity on test.

    ``perplexity`` is over the words of all systems, so that it compares; ``perplexity_own_words`` over its own.
    """

    system: str
    n_sentences: Mapping[str, int]
    weights: Mapping[str, float]
    n_words: int
    n_ngrams: int
    oov_fraction: float
    perplexity_own_words: float
    perplexity: float

    @classmethod
    def of(cls, system: str, own: SystemModel, fixed: SystemModel) -> Self:
        """Return the row of a system by its models over its own words and over those of all systems."""
        return cls(
            system=system,
            n_sentences=dict(own.n_sentences),
            weights=dict(own.weights),
            n_words=len(own.words),
            n_ngrams=sum(own.model.n_ngrams),
            oov_fraction=own.oov_fraction,
            perplexity_own_words=own.perplexity,
            perplexity=fixed.perplexity,
        )


@dataclass(frozen=True, kw_only=True)
class Models:
    """The language model of each system: over its own words, and over the ``words`` of all, the fixed lexicon."""

    words: Result[Vocabulary]
    own: Mapping[str, Result[SystemModel]]
    fixed: Mapping[str, Result[SystemModel]]

    def of(self, lexicon: str) -> Mapping[str, Result[SystemModel]]:
        """Return the models of one lexicon."""
        return self.own if lexicon == OWN else self.fixed

    def rows(self) -> list[ModelRow]:
        """Return a row a system, in their order."""
        return [ModelRow.of(system, own.value, self.fixed[system].value) for system, own in self.own.items()]


@dataclass(frozen=True, kw_only=True)
class LanguageResult:
    """The results of all stages; ``texts`` by the name of their source, no ``recognition`` without a recogniser."""

    materials: Materials
    texts: Mapping[str, Result[Texts]]
    models: Models
    recognition: Recognition | None
    exported: list[Result[Exported]]
    key_terms: Result[KeyTerms] | None = None
    for_people: Sequence[Result[ForPeople]] = ()

    def stages(self) -> Iterator[Result[StageResult]]:
        """Yield the results of all stages but those of single texts' models, in the order of the pipeline."""
        made = self.materials
        before: list[Result[StageResult]] = [made.data, made.transcripts, made.pairs, made.nearest, made.domain]
        yield from before
        for results in (made.translators, made.nbest, made.weights, self.texts):
            yield from results.values()
        yield self.models.words
        yield from self.models.own.values()
        yield from self.models.fixed.values()
        if (found := self.recognition) is not None:
            yield found.posteriors
            yield from found.decoder_weights.values()
            yield from found.hypotheses.values()
            yield found.measures
        yield from self.exported
        if self.key_terms is not None:
            yield self.key_terms
        yield from self.for_people
