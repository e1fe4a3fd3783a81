"""N-best lists of the in-domain source text, whoever translated it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.utterance_columns import SLOT_TYPE
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.language.translators import TranslatorName
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates, Reject

_HYPOTHESIS_TYPE = pa.struct([("text", pa.string()), ("logp", pa.float64()), ("slots", pa.list_(SLOT_TYPE))])
_LISTS_SCHEMA = pa.schema([("position", pa.int64()), ("hypotheses", pa.list_(_HYPOTHESIS_TYPE))])
_REJECTS_SCHEMA = pa.schema([("position", pa.int64()), ("text", pa.string()), ("reason", pa.string())])


class TranslationSet(NamedTuple):
    """N-best lists of all source text: by which translator, and whether slot values are treated as entities."""

    translator: TranslatorName
    entities: bool

    @property
    def name(self) -> str:
        """What the set is called."""
        return f"{self.translator.value}-entities" if self.entities else self.translator.value


@dataclass(frozen=True, kw_only=True)
class NBestLists:
    """N-best lists of source utterances, and why the others have none; rows with the position of the utterance."""

    lists: pa.Table
    rejects: pa.Table

    @classmethod
    def of(cls, candidates: "Sequence[Candidates]", rejects: "Sequence[Reject]", *, first: int = 0) -> Self:
        """Return the lists of ``candidates`` and the ``rejects``, which together are utterances ``first`` and on."""
        lost = {reject.position for reject in rejects}
        positions = [p for p in range(len(candidates) + len(rejects)) if p not in lost]
        rejected = [{"position": first + r.position, "text": r.utterance.text, "reason": r.reason} for r in rejects]
        listed = [
            {
                "position": first + position,
                "hypotheses": [
                    {"text": h.text, "logp": h.features[TRANSLATION_LOGP], "slots": [asdict(s) for s in slots]}
                    for h, slots in zip(found.nbest.hypotheses, found.slots, strict=True)
                ],
            }
            for found, position in zip(candidates, positions, strict=True)
        ]
        return cls(
            lists=pa.Table.from_pylist(listed, schema=_LISTS_SCHEMA),
            rejects=pa.Table.from_pylist(rejected, schema=_REJECTS_SCHEMA),
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances were translated."""
        n_kept, n_rejected = self.lists.num_rows, self.rejects.num_rows
        return {"n_in": n_kept + n_rejected, "n_kept": n_kept, "n_rejected": n_rejected}

    def save(self, folder: Path) -> None:
        """Write both tables as Parquet."""
        pq.write_table(self.lists, folder / "nbest.parquet")
        pq.write_table(self.rejects, folder / "rejects.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(lists=pq.read_table(folder / "nbest.parquet"), rejects=pq.read_table(folder / "rejects.parquet"))

    def candidates(self, source: Sequence[Utterance]) -> "list[Candidates]":
        """Return the lists with the utterances of ``source`` that they translate, in order."""
        from seedcorn.translation.entities import Candidates

        found = []
        for row in self.lists.to_pylist():
            utterance, hypotheses = source[row["position"]], row["hypotheses"]
            listed = tuple(Hypothesis(text=h["text"], features={TRANSLATION_LOGP: h["logp"]}) for h in hypotheses)
            slots = tuple(tuple(Slot(**slot) for slot in h["slots"]) for h in hypotheses)
            nbest = NBest(source=utterance.text, hypotheses=listed)
            found.append(Candidates(utterance=utterance, nbest=nbest, slots=slots))
        return found
