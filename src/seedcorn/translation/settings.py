"""Settings of translators and translations, each written once: for the pipeline, the commands and the functions."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from seedcorn.config import Settings
from seedcorn.pretrained import Checkpoint
from seedcorn.relevance.cutoff import Cutoff

TRANSLATION_ORIGIN = "translation"
"""The origin of utterances that are translations."""


class NetworkShape(Settings):
    """Size of a transformer from scratch (Vaswani et al. 2017): a deeper encoder than decoder, embeddings tied.

    The default has 5 million parameters with 4,000 subwords: what a CPU can train.
    """

    width: int = Field(192, ge=8)
    n_encoder_layers: int = Field(3, ge=1)
    n_decoder_layers: int = Field(2, ge=1)
    n_heads: int = Field(4, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)


class Schedule(StrEnum):
    """How the learning rate falls after warming up: to zero at the end of the budget, or by 1 / sqrt(step).

    The second has no end: a training with a larger budget goes on just as if the budget had been larger from the start.
    """

    LINEAR = "linear"
    INVERSE_SQRT = "inverse_sqrt"


class TrainingSettings(Settings):
    """How a translator is trained. ``n_target_tokens`` is the budget: all target tokens seen, repeats counted.

    With ``checkpoint`` the training starts from that pretrained translator and its subwords, else from scratch with
    ``shape`` and ``n_subwords``; ``source_lang`` and ``target_lang`` are the languages as the checkpoint names them.
    ``word_dropout`` is how likely a subword is read as unknown (see regularisation). Training stops early when
    ``patience`` evaluations on dev in a row bring no better chrF; the best one is kept, or the mean of the last
    ``n_averaged`` checkpoints where that is better on dev. ``trim_vocabulary`` drops the subwords of a pretrained
    causal language model that the pairs do not use.
    """

    n_target_tokens: int = Field(20_000_000, ge=1)
    tokens_per_batch: int = Field(3_000, ge=1)
    learning_rate: float = Field(1.5e-3, gt=0)
    schedule: Schedule = Schedule.LINEAR
    n_warmup_steps: int = Field(400, ge=0)
    word_dropout: float = Field(0.0, ge=0, lt=1)
    n_averaged: int = Field(1, ge=1)
    n_subwords: int = Field(4_000, ge=1)
    max_length: int = Field(64, ge=2)
    shape: NetworkShape = NetworkShape()
    checkpoint: Checkpoint | None = None
    trim_vocabulary: bool = False
    source_lang: str = ""
    target_lang: str = ""
    n_evaluations: int = Field(10, ge=1)
    patience: int = Field(4, ge=1)
    n_dev_pairs: int = Field(400, ge=1)


class RescoringWeights(Settings):
    """What each feature counts beside the translation's own log-probability per word."""

    lm: float = 0.5
    length: float = 0.0
    out_of_vocabulary: float = 0.0


NO_RESCORING = RescoringWeights(lm=0.0, length=0.0)


class SelfTrainingSettings(Settings):
    """Which own translations are learnt from, and how.

    Of ``n_sources`` texts drawn at random (0: all) the ``kept_fraction`` with the best translations per word is kept,
    after rescoring with ``weights`` when there is a language model. ``real_per_own`` real pairs stand beside each own.
    """

    n_rounds: int = Field(1, ge=1)
    n_sources: int = Field(0, ge=0)
    n_best: int = Field(5, ge=1)
    kept_fraction: float = Field(0.5, gt=0, le=1)
    real_per_own: float = Field(2.0, ge=0)
    weights: RescoringWeights = NO_RESCORING
    training: TrainingSettings = TrainingSettings(n_target_tokens=2_000_000, learning_rate=3e-4, n_warmup_steps=100)


class BackTranslationSettings(Settings):
    """Which synthetic pairs are made of each target text, and how they are learnt from.

    ``n_best`` sources of the beam and ``n_sampled`` ones, each step drawn from its ``n_sampled_from`` likeliest
    subwords. ``copies`` adds the text as its own source. Each synthetic pair stands ``oversampling`` times beside
    ``real_per_synthetic`` times as many real pairs. ``n_texts_max`` texts (0: all) drawn at random are translated
    in a round of one direction.
    """

    n_rounds: int = Field(2, ge=1)
    n_best: int = Field(3, ge=0)
    n_sampled: int = Field(0, ge=0)
    n_sampled_from: int = Field(10, ge=0)
    tagged: bool = False
    copies: bool = False
    oversampling: int = Field(1, ge=1)
    real_per_synthetic: float = Field(1.0, ge=0)
    n_texts_max: int = Field(0, ge=0)
    training: TrainingSettings = TrainingSettings(n_target_tokens=500_000, learning_rate=5e-4, n_warmup_steps=30)

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if self.n_best + self.n_sampled < 1:
            raise ValueError("give at least one source a text: n_best or n_sampled of 1 or more")
        return self


class DistillationSettings(Settings):
    """How a translator learns from the first ``n_hypotheses`` that another engine has of each text.

    ``real_per_taught`` real pairs stand beside each.
    """

    n_hypotheses: int = Field(1, ge=1)
    real_per_taught: float = Field(2.0, ge=0)
    training: TrainingSettings = TrainingSettings(n_target_tokens=1_000_000, learning_rate=5e-4, n_warmup_steps=100)


class Treatment(StrEnum):
    """What becomes of a slot value."""

    TRANSLATE = "translate"
    CATALOGUE = "catalogue"
    TRANSLITERATE = "transliterate"
    LATIN = "latin"


class Lost(StrEnum):
    """What to do with an utterance whose placeholders no hypothesis carries."""

    COPY = "copy"
    REJECT = "reject"


class EntitySettings(Settings):
    """The treatment of each slot type, ``default`` for those not named, and of lost placeholders.

    With ``spoken``, texts are decoded as words only, which is how translators from scratch are trained by default.
    """

    default: Treatment = Treatment.TRANSLATE
    by_type: Mapping[str, Treatment] = {}
    lost: Lost = Lost.COPY
    spoken: bool = True

    def of(self, slot_type: str) -> Treatment:
        """Return the treatment of slots of ``slot_type``."""
        return self.by_type.get(slot_type, self.default)

    def where_known(self, catalogue: Iterable[str], slot_types: Iterable[str]) -> "EntitySettings":
        """Return these settings for ``slot_types``; those that the ``catalogue`` lacks are translated in place."""
        known = set(catalogue)
        treatments = {slot_type: self.of(slot_type) for slot_type in sorted(set(slot_types))}
        lacking = {
            t: Treatment.TRANSLATE for t, way in treatments.items() if way is Treatment.CATALOGUE and t not in known
        }
        return EntitySettings(by_type=treatments | lacking, lost=self.lost, spoken=self.spoken)


class KeepSettings(Settings):
    """The cut-off of keep/reject, in-domain log-probability per word; exactly one is set.

    ``tuned`` takes the fraction whose language model, interpolated with those of the transcripts and the general text,
    has the lowest perplexity on dev. ``known_words_only`` rejects translations with a word that no text at hand has
    (transcripts, clean pairs, dictionary, source text): translators spell by subwords, and so out-of-vocabulary words.
    It is not for languages with very many word forms.
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


class TranslationFormat(StrEnum):
    """How given translations are written."""

    TSV = "tsv"  # id, translation and, where known, its natural-log probability; further lines are further hypotheses
    JSONL = "jsonl"  # {"id", "text", "score"} or {"id", "hypotheses": [{"text", "score"}, ...]} a line
    MOSES = "moses"  # "row ||| text ||| name= value ... ||| total", rows counted from 0 as the source utterances lie
    LABEL_STUDIO = "label-studio"  # an export: tasks with data.id and annotations whose results hold text


class PairMethod(StrEnum):
    """How near a pair is to in-domain text."""

    CENTROID = "centroid"  # distance of its target side from the transcripts' centroid in a sentence embedding
    CROSS_ENTROPY = "cross_entropy"  # likelier in-domain than in general, both sides added


class PairSelectionSettings(Settings):
    """Which pairs are nearest to in-domain text.

    ``minus_general`` ranks by in-domain minus general distance (Wang et al. 2017). ``encoder`` names a sentence
    encoder; none means the built-in one of ``n_dimensions``, fitted on the text at hand.
    """

    method: PairMethod = PairMethod.CENTROID
    cutoff: Cutoff = Cutoff(fraction=0.4)
    minus_general: bool = True
    encoder: Checkpoint | None = None
    n_dimensions: int = Field(128, ge=1)

    @field_validator("cutoff")
    @classmethod
    def _cuts_by_score_alone(cls, cutoff: Cutoff) -> Cutoff:
        if cutoff.fraction is None and cutoff.n_kept is None and cutoff.threshold is None:
            raise ValueError("pairs are cut by fraction, n_kept or threshold")
        return cutoff
