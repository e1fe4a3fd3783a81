"""One round of growth as plain functions: what is trained on, by whom it was labelled, and the model of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.growth.replay import replay_set
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.nlu.pseudo_labels import Gates
from seedcorn.nlu.self_training import GatedSettings, SelfTraining, self_train
from seedcorn.nlu.sentence_encoder import load_sentence_encoder
from seedcorn.nlu.training import NO_KNOWLEDGE, Knowledge, knowledge_of_model
from seedcorn.pretrained import Checkpoint


class RoundSettings(Settings):
    """How the model of a round is trained.

    ``most_replayed`` old labelled utterances train again, chosen by diversity where there are more. ``n_rounds`` of
    self-training follow, on at most ``most_pool`` new texts that the model takes to be in scope; the gates are those of
    self-training. Utterances of the intents that the agent was grown for count for the intent as much as its whole
    background, each at most ``seed_weight`` times; slots are learnt for these intents only, and their utterances count
    ``slot_intent_copies`` times where they are few beside the others. ``encoder`` names a pretrained encoder that
    stands beside the n-grams; where there is an agent of before, its own is taken over. With ``fine_tune_slots`` and
    ``fine_tune_intents`` its upper half is also fine-tuned as a second view of the slots and of the intents.
    """

    most_replayed: int = Field(20_000, ge=1)
    encoder: Checkpoint | None = None
    fine_tune_slots: bool = False
    fine_tune_intents: bool = False
    n_crf_iterations: int = Field(60, ge=1)
    seed_weight: float = Field(10.0, ge=1)
    slot_intent_copies: int = Field(1, ge=1)
    n_rounds: int = Field(1, ge=0)
    most_pool: int = Field(2_000, ge=0)
    least_intent_probability: float = Field(0.7, ge=0, le=1)
    least_slot_probability: float = Field(0.6, ge=0, le=1)
    n_calibration_folds: int = Field(3, ge=2)


@dataclass(frozen=True, kw_only=True)
class Grown:
    """The model of a round, and what of the pool it labelled by itself and was trained on."""

    model: LinearNlu
    pseudo_labelled: tuple[Utterance, ...]


def trainer_for(intents: Collection[str], settings: RoundSettings, *, like: NluModel | None = None) -> NluTrainer:
    """Return the trainer of models whose slots are those of ``intents``, and that know of words what ``like`` knows."""
    knowledge = _own_knowledge(settings) if like is None else knowledge_of_model(like)
    linear = LinearSettings(
        slot_intents=tuple(sorted(intents)),
        most_seed_weight=settings.seed_weight,
        slot_intent_copies=settings.slot_intent_copies,
        n_crf_iterations=settings.n_crf_iterations,
        knowledge=knowledge.words,
        encoder=knowledge.encoder,
        fine_tune_slots=settings.fine_tune_slots,
        fine_tune_intents=settings.fine_tune_intents,
    )
    return partial(train_linear, settings=linear)


def _own_knowledge(settings: RoundSettings) -> Knowledge:
    return Knowledge(encoder=load_sentence_encoder(str(settings.encoder))) if settings.encoder else NO_KNOWLEDGE


def grow(
    labelled: Sequence[Utterance],
    texts: Sequence[Utterance],
    *,
    intents: Collection[str],
    settings: RoundSettings,
    dev: Sequence[Utterance] = (),
    like: NluModel | None = None,
    random_seed: int = 0,
) -> Grown:
    """Return the model of ``labelled`` and of what it can label of ``texts``; ``intents`` are those it is grown for.

    All other intents of ``labelled`` are background. What the model ``like`` knows of words beside its labelled
    utterances, and its sentence encoder, are taken over. Without ``dev`` every round of self-training is kept. Raises
    DataError when none of ``intents`` has a labelled utterance.
    """
    seed, background = divided(labelled, intents)
    train = trainer_for(intents, settings, like=like)
    if not settings.n_rounds or not texts:
        return Grown(model=_linear(train([*seed, *background], random_seed=random_seed)), pseudo_labelled=())
    pool = [replace(u, domain="", intent="", slots=()) for u in texts]
    found = _self_trained(seed, background, pool, dev, train, settings, random_seed)
    return Grown(model=_linear(found.model), pseudo_labelled=tuple(found.pseudo_labelled(pool)))


def divided(labelled: Sequence[Utterance], intents: Collection[str]) -> tuple[list[Utterance], list[Utterance]]:
    """Return the utterances of ``intents``, and those of all other intents; those without an intent are left out."""
    seed = [u for u in labelled if u.intent in intents]
    if not seed:
        raise DataError(wanted=f"labelled utterances of {', '.join(sorted(intents))}", found="none")
    return seed, [u for u in labelled if u.intent and u.intent not in intents]


def _self_trained(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    pool: Sequence[Utterance],
    dev: Sequence[Utterance],
    train: NluTrainer,
    settings: RoundSettings,
    random_seed: int,
) -> SelfTraining:
    gates = Gates(
        least_intent_probability=settings.least_intent_probability,
        least_slot_probability=settings.least_slot_probability,
    )
    return self_train(
        seed,
        background,
        pool[: settings.most_pool],
        dev,
        train=train,
        settings=GatedSettings(
            gates=gates, n_rounds=settings.n_rounds, n_calibration_folds=settings.n_calibration_folds
        ),
        random_seed=random_seed,
    )


def _linear(model: object) -> LinearNlu:
    if not isinstance(model, LinearNlu):
        raise DataError(wanted="a linear NLU model", found=type(model).__name__)
    return model


def next_labelled(
    old: Sequence[Utterance], labels: Sequence[Utterance], new: Sequence[Utterance], *, settings: RoundSettings
) -> list[Utterance]:
    """Return what the next round is trained on: the replay set, then new labels, then the seed of new intents.

    A text that was labelled before and is labelled anew has its new label.
    """
    anew = {u.text for u in (*labels, *new)}
    replayed = replay_set([u for u in old if u.text not in anew], most=settings.most_replayed)
    return [*replayed, *labels, *new]


def in_scope_first(texts: Sequence[Utterance], model: LinearNlu, intents: Collection[str]) -> list[Utterance]:
    """Return ``texts`` by how probably they are of ``intents``, best first; self-training reads the beginning."""
    columns = [i for i, intent in enumerate(model.intents) if intent in intents and intent != OUT_OF_SCOPE]
    share = model.intent_probabilities([u.text for u in texts])[:, columns].sum(axis=1)
    return [texts[i] for i in (-share).argsort(kind="stable").tolist()]
