"""N-best lists of in-domain source text: made part by part, so that a long translation goes on where it stopped."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.utterances import SLOT_TYPE, Slot, Utterance
from seedcorn.files import writing_whole
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates, Catalogue, EntitySettings
    from seedcorn.translation.translator import Translator
    from seedcorn.translation.transliteration import Lexicon

SOURCES_PER_PART = 2_000
_HYPOTHESIS_TYPE = pa.struct([("text", pa.string()), ("logp", pa.float64()), ("slots", pa.list_(SLOT_TYPE))])
CANDIDATES_SCHEMA = pa.schema([("position", pa.int64()), ("hypotheses", pa.list_(_HYPOTHESIS_TYPE))])
REJECTS_SCHEMA = pa.schema([("position", pa.int64()), ("text", pa.string()), ("reason", pa.string())])


def translate_in_parts(
    utterances: Sequence[Utterance],
    translator: "Translator",
    *,
    entities: "EntitySettings",
    catalogue: "Catalogue",
    lexicon: "Lexicon",
    n_best: int,
    random_seed: int,
    checkpoints: Path,
) -> tuple[pa.Table, pa.Table]:
    """Return the n-best lists of ``utterances`` and the rejects, each row with its position.

    Finished parts are kept in ``checkpoints``. The randomness of a part follows from its number alone.
    """
    parts = []
    for number, start in enumerate(range(0, len(utterances), SOURCES_PER_PART)):
        found, rejected = (checkpoints / f"{name}-{number}.parquet" for name in ("candidates", "rejects"))
        if not found.exists():
            from seedcorn.translation.entities import translate_utterances

            candidates, rejects = translate_utterances(
                utterances[start : start + SOURCES_PER_PART],
                translator,
                settings=entities,
                rng=np.random.default_rng([random_seed, number]),
                catalogue=catalogue,
                lexicon=lexicon,
                n_best=n_best,
            )
            lost = {reject.position for reject in rejects}
            positions = [p for p in range(len(candidates) + len(rejects)) if p not in lost]
            rows = [{"position": start + r.position, "text": r.utterance.text, "reason": r.reason} for r in rejects]
            _write_whole(pa.Table.from_pylist(rows, schema=REJECTS_SCHEMA), rejected)
            _write_whole(candidates_table(candidates, [start + p for p in positions]), found)
        parts.append((pq.read_table(found), pq.read_table(rejected)))
    empty = CANDIDATES_SCHEMA.empty_table(), REJECTS_SCHEMA.empty_table()
    return pa.concat_tables([empty[0], *(p[0] for p in parts)]), pa.concat_tables([empty[1], *(p[1] for p in parts)])


def without_slots(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Return the utterances as plain text: their slot values are translated as any other words."""
    return [replace(u, slots=()) for u in utterances]


def candidates_table(found: Sequence["Candidates"], positions: Sequence[int]) -> pa.Table:
    """Return n-best lists as rows, each with the position of its source utterance."""
    rows = [
        {
            "position": position,
            "hypotheses": [
                {"text": h.text, "logp": h.features[TRANSLATION_LOGP], "slots": [asdict(s) for s in slots]}
                for h, slots in zip(candidates.nbest.hypotheses, candidates.slots, strict=True)
            ],
        }
        for candidates, position in zip(found, positions, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=CANDIDATES_SCHEMA)


def read_candidates(path: Path, source: Sequence[Utterance]) -> list["Candidates"]:
    """Return the n-best lists in ``path``, of utterances of ``source``, in order."""
    from seedcorn.translation.entities import Candidates

    found = []
    for row in pq.read_table(path).to_pylist():
        utterance, hypotheses = source[row["position"]], row["hypotheses"]
        listed = tuple(Hypothesis(text=h["text"], features={TRANSLATION_LOGP: h["logp"]}) for h in hypotheses)
        slots = tuple(tuple(Slot(**slot) for slot in h["slots"]) for h in hypotheses)
        nbest = NBest(source=utterance.text, hypotheses=listed)
        found.append(Candidates(utterance=utterance, nbest=nbest, slots=slots))
    return found


def _write_whole(table: pa.Table, path: Path) -> None:
    with writing_whole(path) as partial:
        pq.write_table(table, partial)
