"""N-best lists of the in-domain source text, and the weights that rescore them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import SLOT_TYPE, Slot, Utterance
from seedcorn.files import InputFile, write_json, writing_whole
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.translators import TranslatorFolder, TranslatorName
from seedcorn.lm.domain_model import DomainModel
from seedcorn.runs import Context, Stage
from seedcorn.translation.choosing import tune_for_dev
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.settings import (
    EntitySettings,
    RescoringWeights,
    Treatment,
)

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates, Reject


Translated: TypeAlias = "tuple[list[Candidates], list[Reject]]"
SOURCES_PER_PART = 2_000
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


class Entities(EntitySettings):
    """The treatment of slot values; catalogue values are those of the transcripts' own slots.

    ``lexicon`` is a file of words and their spelling in the target script, for transliteration.
    """

    default: Treatment = Treatment.CATALOGUE
    lexicon: InputFile | None = None

    def spellings(self) -> dict[str, str]:
        """Return the user's spellings of words in the target script, none without a file of them."""
        from seedcorn.translation.transliteration import read_lexicon

        return {} if self.lexicon is None else read_lexicon(self.lexicon.path)


class Translation(Settings):
    """How in-domain source text becomes ``n_best`` target texts, and what becomes of slot values."""

    n_best: int = Field(10, ge=1)
    entities: Entities = Entities()


class TranslateSource(Stage[NBestLists]):
    """Translate all in-domain source text as plain text: slot values are translated as any other words."""

    is_random: ClassVar[bool] = False

    n_best: int = Field(10, ge=1)

    def __call__(self, data: LanguageData, translator: TranslatorFolder, *, context: Context) -> NBestLists:
        """Return the n-best lists."""
        from seedcorn.translation.entities import translate_utterances
        from seedcorn.translation.translator import load_translator

        loaded = load_translator(translator.folder)

        def translate(part: Sequence[Utterance], rng: np.random.Generator) -> Translated:
            return translate_utterances(part, loaded, settings=EntitySettings(), rng=rng, n_best=self.n_best)

        return translate_in_parts([replace(u, slots=()) for u in data.source], translate, context=context)


class TranslateEntities(Stage[NBestLists]):
    """Translate all in-domain source text, slot values treated as ``entities`` says."""

    n_best: int = Field(10, ge=1)
    entities: Entities = Entities()

    def __call__(
        self, data: LanguageData, transcripts: Transcripts, translator: TranslatorFolder, *, context: Context
    ) -> NBestLists:
        """Return the n-best lists, each hypothesis with its slots."""
        from seedcorn.translation.entities import catalogue_of, translate_utterances
        from seedcorn.translation.translator import load_translator

        loaded = load_translator(translator.folder)
        catalogue, lexicon = catalogue_of(transcripts.utterances), self.entities.spellings()
        settings = self.entities.where_known(catalogue, {s.type for u in data.source for s in u.slots})

        def translate(part: Sequence[Utterance], rng: np.random.Generator) -> Translated:
            return translate_utterances(
                part, loaded, settings=settings, rng=rng, catalogue=catalogue, lexicon=lexicon, n_best=self.n_best
            )

        return translate_in_parts(data.source, translate, context=context)


def translate_in_parts(
    utterances: Sequence[Utterance],
    translate: Callable[[Sequence[Utterance], np.random.Generator], Translated],
    *,
    context: Context,
) -> NBestLists:
    """Return the n-best lists of ``utterances`` and the rejects, each row with its position.

    Finished parts are kept with the checkpoints, so that a long translation goes on where it stopped. The randomness of
    a part follows from its number alone.
    """
    parts = [NBestLists(lists=_LISTS_SCHEMA.empty_table(), rejects=_REJECTS_SCHEMA.empty_table())]
    with context.working_folder() as working:
        for number, start in enumerate(range(0, len(utterances), SOURCES_PER_PART)):
            folder = working / f"part-{number}"
            if not (folder / "nbest.parquet").exists():
                folder.mkdir(exist_ok=True)
                part = utterances[start : start + SOURCES_PER_PART]
                translated = translate(part, np.random.default_rng([context.random_seed, number]))
                _write_part(_tables(*translated, first=start), folder)
            parts.append(NBestLists.load(folder))
    return NBestLists(
        lists=pa.concat_tables([p.lists for p in parts]), rejects=pa.concat_tables([p.rejects for p in parts])
    )


def _write_part(part: NBestLists, folder: Path) -> None:
    """Write the lists last and whole: they say that the part is done."""
    pq.write_table(part.rejects, folder / "rejects.parquet")
    with writing_whole(folder / "nbest.parquet") as partial:
        pq.write_table(part.lists, partial)


def _tables(candidates: "Sequence[Candidates]", rejects: "Sequence[Reject]", *, first: int) -> NBestLists:
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
    return NBestLists(
        lists=pa.Table.from_pylist(listed, schema=_LISTS_SCHEMA),
        rejects=pa.Table.from_pylist(rejected, schema=_REJECTS_SCHEMA),
    )


@dataclass(frozen=True, kw_only=True)
class TunedWeights:
    """How much each feature counts when the lists of one set are rescored."""

    weights: RescoringWeights

    @property
    def counts(self) -> Mapping[str, int]:
        """Nothing is counted."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the weights as JSON."""
        write_json(self.weights.model_dump(), folder / "weights.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(weights=RescoringWeights.model_validate_json((folder / "weights.json").read_text("utf-8")))


class TuneRescoring(Stage[TunedWeights]):
    """Find how much the in-domain language model counts beside the translator, by the perplexity of dev.

    ``lm_weight`` is taken as it is where it is given; ``n_tuning`` lists are measured with. ``n_hypotheses`` of each
    list become text.
    """

    is_random: ClassVar[bool] = False

    lm_weight: float | None = Field(None, ge=0)
    n_tuning: int = Field(2_000, ge=1)
    n_hypotheses: int = Field(1, ge=1)

    def __call__(self, data: LanguageData, domain: DomainModel, nbest: NBestLists, *, context: Context) -> TunedWeights:
        """Return the weights."""
        if self.lm_weight is not None:
            return TunedWeights(weights=RescoringWeights(lm=self.lm_weight))
        return TunedWeights(
            weights=tune_for_dev(
                nbest.candidates(data.source), domain, n_hypotheses=self.n_hypotheses, n_tuning=self.n_tuning
            )
        )
