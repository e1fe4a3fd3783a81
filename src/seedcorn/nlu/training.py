"""Training and self-training as settings: which NLU model, how many rounds, which gates."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.linear import SLOT_INTENT_COPIES, LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.pool_training import PoolTrainingSettings
from seedcorn.nlu.pseudo_labels import Gates
from seedcorn.nlu.self_training import GatedSettings, SelfTraining, self_train
from seedcorn.nlu.sentence_encoder import CachedEncoder, load_sentence_encoder
from seedcorn.nlu.teacher import Teacher
from seedcorn.nlu.word_knowledge import WordKnowledge, learn_words
from seedcorn.pretrained import Checkpoint
from seedcorn.processes import with_another
from seedcorn.relevance.streaming import sample_texts

_ROWS_SAMPLED_FROM = 2_000_000


class NluKind(StrEnum):
    """Which NLU model is trained."""

    LINEAR = "linear"  # maximum entropy and a conditional random field
    NEURAL = "neural"  # a joint transformer encoder; needs the extra `neural`


class NluSettings(Settings):
    """How the NLU model is trained on labelled data.

    ``slots_of_functionality_only`` trains the slot model for the functionality's slot types alone, which is much
    faster and needs fewer ``n_crf_iterations``; the model then finds no slots in utterances of other intents.
    ``checkpoint`` names a pretrained encoder for the model ``neural``. All else is for the model ``linear``:
    ``encoder`` names a pretrained encoder that stands beside the n-grams, by its name on the model hub or its folder,
    and knows much of what fifty utterances cannot tell, of sentences for the intents and of tokens for the slots;
    with ``fine_tune_slots`` and ``fine_tune_intents`` its upper half is also fine-tuned as a second view of the slots
    and of the intents, in a minute or two, of the intents in every fold of a cross-validation too;
    ``n_word_texts`` pool texts, drawn at random, tell which words are alike (0: none do) unless cross-validation misses
    fewer without.
    """

    model: NluKind = NluKind.LINEAR
    checkpoint: Checkpoint | None = None
    encoder: Checkpoint | None = None
    slots_of_functionality_only: bool = True
    fine_tune_slots: bool = True
    fine_tune_intents: bool = True
    n_crf_iterations: int = Field(60, ge=1)
    n_word_texts: int = Field(120_000, ge=0)

    @model_validator(mode="after")
    def _the_encoder_is_for_linear_models(self) -> Self:
        if self.encoder and self.model is not NluKind.LINEAR:
            raise ValueError("encoder is for the model 'linear'; the model 'neural' has a checkpoint")
        return self


class SelfTrainingSettings(NluSettings, PoolTrainingSettings):
    """How self-training goes on from the model that ``NluSettings`` describe.

    The model ``linear`` is self-trained at a budget of false alarms (nlu.pool_training). ``gates`` are for the model
    ``neural``, whose rounds dev decides (nlu.self_training).
    """

    gates: Gates = Gates()


class Knowledge(NamedTuple):
    """What the model ``linear`` knows beside its labelled utterances."""

    words: WordKnowledge | None = None
    encoder: CachedEncoder | None = None


NO_KNOWLEDGE = Knowledge()


def knowledge_of(
    batches: Iterator[pa.StringArray],
    labelled: Sequence[Utterance],
    *,
    settings: NluSettings,
    random_seed: int,
    n_processes: int = 1,
) -> Knowledge:
    """Return what a sample of the pool tells of its words, and the encoder; each only where ``settings`` want it.

    With more than one of ``n_processes`` the words are learnt in another one while the encoder is loaded.
    """
    if settings.model is not NluKind.LINEAR:
        return NO_KNOWLEDGE
    learn = _words_of_pool(batches, labelled, n_texts=settings.n_word_texts, random_seed=random_seed)
    if not settings.encoder:
        return Knowledge(words=learn and learn())
    load = partial(load_sentence_encoder, str(settings.encoder))
    if learn is None:
        return Knowledge(encoder=load())
    encoder, words = with_another(load, learn, n_processes=n_processes)
    return Knowledge(words=words, encoder=encoder)


def knowledge_of_model(model: NluModel) -> Knowledge:
    """Return what a finished model knows beside its labelled utterances, to train the next one with."""
    if not isinstance(model, LinearNlu):
        return NO_KNOWLEDGE
    view = model.maxent.view
    return Knowledge(words=model.maxent.knowledge, encoder=None if view is None else view.encoder)


def _words_of_pool(
    batches: Iterator[pa.StringArray], labelled: Sequence[Utterance], *, n_texts: int, random_seed: int
) -> Callable[[], WordKnowledge] | None:
    """Return what learns them from the texts that were drawn, in any process; None where no texts are wanted."""
    if not n_texts:
        return None
    rng = np.random.default_rng(random_seed)
    sample = sample_texts(batches, n_texts=n_texts, n_rows=_ROWS_SAMPLED_FROM, rng=rng)
    texts = pa.concat_arrays([pa.array([u.text for u in labelled], pa.string()), sample])
    return partial(learn_words, texts, random_seed=random_seed)


def trainer(
    settings: NluSettings,
    *,
    intents: Sequence[str],
    knowledge: Knowledge = NO_KNOWLEDGE,
    few: bool = True,
) -> NluTrainer:
    """Return the function that trains the model that ``settings`` name, with ``knowledge`` where there is some.

    ``few``: whether the utterances of ``intents`` are few beside the others, and count several times for the slots.
    """
    slot_intents = tuple(intents) if settings.slots_of_functionality_only else None
    if settings.model is NluKind.LINEAR:
        linear = LinearSettings(
            slot_intents=slot_intents,
            slot_intent_copies=SLOT_INTENT_COPIES if few else 1,
            n_crf_iterations=settings.n_crf_iterations,
            knowledge=knowledge.words,
            encoder=knowledge.encoder,
            fine_tune_slots=settings.fine_tune_slots,
            fine_tune_intents=settings.fine_tune_intents,
        )
        return partial(train_linear, settings=linear)
    from seedcorn.nlu.neural import NeuralSettings
    from seedcorn.nlu.neural_training import train_neural

    checkpoint = None if settings.checkpoint is None else str(settings.checkpoint)
    return partial(train_neural, settings=NeuralSettings(checkpoint=checkpoint))


def train(
    labelled: Sequence[Utterance],
    *,
    intents: Sequence[str],
    settings: NluSettings,
    random_seed: int,
    knowledge: Knowledge = NO_KNOWLEDGE,
    few: bool = True,
) -> NluModel:
    """Return the model trained on labelled utterances; ``knowledge`` and ``few`` are as in ``trainer``."""
    learn = trainer(settings, intents=intents, knowledge=knowledge, few=few)
    return learn(labelled, weights=None, random_seed=random_seed)


def self_train_by_dev(
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    texts: Sequence[str],
    dev: Sequence[Utterance],
    intents: Sequence[str],
    settings: SelfTrainingSettings,
    random_seed: int,
    teacher: Teacher | None = None,
) -> SelfTraining:
    """Return the outcome of self-training on ``texts``; its decisions count positions in ``texts``."""
    return self_train(
        seed,
        background,
        [Utterance(text=text) for text in texts],
        dev,
        train=trainer(settings, intents=intents),
        teacher=teacher,
        settings=GatedSettings(gates=settings.gates, pseudo_weight=settings.pseudo_weight, n_rounds=settings.n_rounds),
        random_seed=random_seed,
    )
