"""Settings of the translator, of self-training, entities, rescoring and keep/reject."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from seedcorn.config import Settings

if TYPE_CHECKING:
    from seedcorn.translation.entities import EntitySettings
    from seedcorn.translation.self_training import SelfTrainingSettings
    from seedcorn.translation.training_settings import TrainingSettings


class TranslatorSettings(Settings):
    """How the translator is trained, or ``folder``, where one is that was trained before.

    ``checkpoint`` is a pretrained translator to start from, by name or path, with the language names it uses. The
    budget is ``n_target_tokens``, repeats counted. The other settings are those of translation.training_settings.
    """

    folder: str | None = None
    checkpoint: str = ""
    checkpoint_source_lang: str = ""
    checkpoint_target_lang: str = ""
    n_target_tokens: int = Field(20_000_000, ge=1)
    tokens_per_batch: int = Field(3_000, ge=1)
    learning_rate: float = Field(1.5e-3, gt=0)
    n_warmup_steps: int = Field(300, ge=0)
    n_subwords: int = Field(4_000, ge=300)
    width: int = Field(192, ge=8)
    n_encoder_layers: int = Field(3, ge=1)
    n_decoder_layers: int = Field(2, ge=1)
    n_heads: int = Field(4, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    n_evaluations: int = Field(8, ge=1)
    patience: int = Field(8, ge=1)
    n_dev_pairs: int = Field(400, ge=1)

    def training(self) -> "TrainingSettings":
        """Return these settings as the training takes them."""
        from seedcorn.translation.network import NetworkShape
        from seedcorn.translation.training_settings import TrainingSettings

        shape = ("width", "n_encoder_layers", "n_decoder_layers", "n_heads", "dropout")
        taken = self.model_dump(exclude={"folder", "checkpoint_source_lang", "checkpoint_target_lang", *shape})
        return TrainingSettings(
            **taken,
            shape=NetworkShape(**{name: getattr(self, name) for name in shape}),
            source_lang=self.checkpoint_source_lang,
            target_lang=self.checkpoint_target_lang,
        )


class SelfTrainingChoice(Settings):
    """How the selected translator goes on with its own translations; ``folder`` is one that did so before."""

    folder: str | None = None
    n_rounds: int = Field(1, ge=1)
    n_sources: int = Field(0, ge=0)
    n_best: int = Field(5, ge=1)
    kept_fraction: float = Field(0.5, gt=0, le=1)
    real_per_own: float = Field(2.0, ge=0)
    lm_weight: float = Field(0.3, ge=0)
    n_target_tokens: int = Field(2_000_000, ge=1)
    learning_rate: float = Field(3e-4, gt=0)

    def settings(self, training: "TrainingSettings") -> "SelfTrainingSettings":
        """Return these settings as self-training takes them; ``training`` is that of the translator itself."""
        from dataclasses import replace

        from seedcorn.translation.rescoring import RescoringWeights
        from seedcorn.translation.self_training import SelfTrainingSettings

        further = replace(
            training, n_target_tokens=self.n_target_tokens, learning_rate=self.learning_rate, n_warmup_steps=100
        )
        return SelfTrainingSettings(
            n_sources=self.n_sources,
            n_best=self.n_best,
            kept_fraction=self.kept_fraction,
            real_per_own=self.real_per_own,
            n_rounds=self.n_rounds,
            weights=RescoringWeights(lm=self.lm_weight),
            training=further,
        )


class TranslatorsSettings(Settings):
    """The translators that systems choose from; ``all_pairs`` is trained as ``selected`` is where it is not given."""

    selected: TranslatorSettings = TranslatorSettings()
    all_pairs: TranslatorSettings | None = None
    self_training: SelfTrainingChoice = SelfTrainingChoice()


class EntityTreatment(StrEnum):
    """What becomes of a slot value; see translation.entities."""

    TRANSLATE = "translate"
    CATALOGUE = "catalogue"
    TRANSLITERATE = "transliterate"
    LATIN = "latin"


class EntityChoice(Settings):
    """The treatment of slot values, ``by_type`` for the slot types named there.

    Catalogue values are those of the transcripts' own slots. ``lexicon`` is a file of words and their spelling in the
    target script, for transliteration. Utterances whose placeholders are lost are translated piece by piece, or
    rejected with ``reject_lost``.
    """

    default: EntityTreatment = EntityTreatment.CATALOGUE
    by_type: Mapping[str, EntityTreatment] = {}
    reject_lost: bool = False
    lexicon: str | None = None

    @property
    def needs_catalogue(self) -> bool:
        """Whether any slot value comes from the transcripts."""
        return EntityTreatment.CATALOGUE in (self.default, *self.by_type.values())

    def settings(self, known_types: Iterable[str], wanted_types: Iterable[str]) -> "EntitySettings":
        """Return these settings as entities.translate_utterances takes them.

        Slot types that the catalogue does not know (``known_types``) are translated in place instead.
        """
        from seedcorn.translation.entities import EntitySettings, Lost, Treatment

        known = set(known_types)
        chosen = {slot_type: self.by_type.get(slot_type, self.default) for slot_type in sorted(set(wanted_types))}
        return EntitySettings(
            default=Treatment.TRANSLATE,
            by_type={
                slot_type: Treatment.TRANSLATE
                if treatment is EntityTreatment.CATALOGUE and slot_type not in known
                else Treatment(treatment.value)
                for slot_type, treatment in chosen.items()
            },
            lost=Lost.REJECT if self.reject_lost else Lost.COPY,
        )


class KeepChoice(Settings):
    """The cut-off of keep/reject, in-domain log-probability per word; exactly one is set.

    ``tuned`` takes the fraction whose language model, interpolated with those of the transcripts and the general text,
    has the lowest perplexity on dev. ``known_words_only`` rejects translations with a word that no text at
    hand has (transcripts, clean pairs, dictionary, source text): translators make words up. It is not for languages
    with very many word forms.
    """

    known_words_only: bool = True
    tuned: bool = True
    fraction: float | None = Field(None, gt=0, le=1)
    logp_per_word: float | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [self.tuned, self.fraction is not None, self.logp_per_word is not None]
        if sum(given) != 1:
            raise ValueError(f"set exactly one of tuned, fraction and logp_per_word; found {sum(given)}")
        return self


class TranslationSettings(Settings):
    """How in-domain source text becomes target text: n-best size, entities, rescoring weights, keep/reject.

    ``lm_weight`` unset means tuned with ``n_tuning`` lists by the perplexity of dev.
    """

    n_best: int = Field(10, ge=1)
    entities: EntityChoice = EntityChoice()
    lm_weight: float | None = Field(None, ge=0)
    n_tuning: int = Field(2_000, ge=1)
    keep: KeepChoice = KeepChoice()
