"""Self-training of the slots: one more tagger learns what the views make of the pool, unless dev is against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.files import Json
from seedcorn.nlu.cross_fitting import Labelled
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.slot_views import SlotHint, SlotViews, self_train_views
from seedcorn.progress import say
from seedcorn.selection import FloatArray

WITH_CONFIDENCE = 1.645  # standard errors: what is worse by more is so with 95 % confidence, one-sided


@dataclass(frozen=True, kw_only=True)
class SlotOutcome:
    """What the pool did to the share of the functionality's dev utterances that have a wrong slot.

    ``change`` is student minus teacher on the same utterances, below zero where the pool pays. Without such utterances
    all three are zero, and the student is kept.
    """

    n_pseudo_labelled: int
    wrong_before: float
    wrong_after: float
    change: float
    standard_error: float

    @property
    def kept(self) -> bool:
        """Whether the student is kept: it is, unless it is worse with confidence."""
        return self.change <= WITH_CONFIDENCE * self.standard_error

    def as_row(self) -> dict[str, Json]:
        """Return the outcome as a row of a table."""
        return {
            "round": "slots",
            "kept": "yes" if self.kept else "no",
            "accepted": self.n_pseudo_labelled,
            "wrong_before": self.wrong_before,
            "wrong_after": self.wrong_after,
            "change": self.change,
            "standard_error": self.standard_error,
        }


def self_train_slots(
    model: LinearNlu,
    labelled: Labelled,
    texts: Sequence[str],
    *,
    hints: Mapping[str, SlotHint] | None = None,
    random_seed: int = 0,
) -> tuple[LinearNlu, SlotOutcome | None]:
    """Return ``model`` with slots that also learnt from the pool ``texts``, and what that did on dev.

    ``hints`` are the slots of some texts as somebody else sees them. The model is returned as it is, without an
    outcome, where it has no tagger or there is nothing to learn from.
    """
    if not model.taggers or not texts:
        return model, None
    teacher = model.slot_views
    student = self_train_views(
        teacher,
        labelled.rows,
        texts,
        slot_intents=sorted(labelled.functionality),
        hints=hints,
        random_seed=random_seed,
    )
    own = [u for u in labelled.dev if u.intent in labelled.functionality]
    outcome = _compared(_wrong(teacher, own), _wrong(student, own), n_pseudo_labelled=len(texts))
    say(
        f"slots: {outcome.n_pseudo_labelled} pseudo-labelled, wrong on dev {outcome.wrong_before:.3f} -> "
        f"{outcome.wrong_after:.3f}, {'kept' if outcome.kept else 'thrown away'}"
    )
    return (replace(model, taggers=student.taggers) if outcome.kept else model), outcome


def _wrong(views: SlotViews, utterances: Sequence[Utterance]) -> FloatArray:
    """Return 1 for every utterance with a wrong slot, or one too many or too few, else 0."""
    found = views.slots([u.text for u in utterances])
    return np.array([set(f.slots) != set(u.slots) for f, u in zip(found, utterances, strict=True)], dtype=np.float64)


def _compared(before: FloatArray, after: FloatArray, *, n_pseudo_labelled: int) -> SlotOutcome:
    n, changes = len(before), after - before
    return SlotOutcome(
        n_pseudo_labelled=n_pseudo_labelled,
        wrong_before=float(before.mean()) if n else 0.0,
        wrong_after=float(after.mean()) if n else 0.0,
        change=float(changes.mean()) if n else 0.0,
        standard_error=float(changes.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0,
    )
