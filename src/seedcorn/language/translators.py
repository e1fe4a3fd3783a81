"""Stages from pairs to n-best lists: pair selection, translators, self-training, translation, rescoring weights."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.folding import fold_all
from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import SLOT_TYPE, Slot, Utterance
from seedcorn.files import InputFile, write_json, writing_whole
from seedcorn.language.data import CleanPairs, LanguageData, Transcripts, open_pairs, write_pairs
from seedcorn.lm.domain_model import DomainModel, estimate_texts
from seedcorn.runs import Context, Stage
from seedcorn.selection import Direction, Scores
from seedcorn.translation.choosing import tune_for_dev
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.pair_selection import score_pairs, select_pairs
from seedcorn.translation.placeholders import add_placeholders
from seedcorn.translation.settings import (
    EntitySettings,
    PairSelectionSettings,
    RescoringWeights,
    SelfTrainingSettings,
    TrainingSettings,
    Treatment,
)

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates, Reject

Translated: TypeAlias = "tuple[list[Candidates], list[Reject]]"

SOURCES_PER_PART = 2_000
_N_HELD_OUT = 400
_HYPOTHESIS_TYPE = pa.struct([("text", pa.string()), ("logp", pa.float64()), ("slots", pa.list_(SLOT_TYPE))])
_LISTS_SCHEMA = pa.schema([("position", pa.int64()), ("hypotheses", pa.list_(_HYPOTHESIS_TYPE))])
_REJECTS_SCHEMA = pa.schema([("position", pa.int64()), ("text", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True, kw_only=True)
class SelectedPairs:
    """The pairs nearest to in-domain text, in the order of the clean pairs, and how near every pair is."""

    pairs: PairCorpus
    scores: Scores
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write the pairs as Parquet, the scores as .npz, what is missing told by a mask."""
        write_pairs(self.pairs, folder / "pairs.parquet")
        missing = np.zeros(len(self.scores), np.bool_) if self.scores.missing is None else self.scores.missing
        about = {"name": self.scores.name, "direction": self.scores.direction.value, "unit": self.scores.unit}
        write_json(about, folder / "scores.json")
        np.savez_compressed(folder / "scores.npz", values=self.scores.values, missing=missing)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote; the pairs are streamed."""
        about = json.loads((folder / "scores.json").read_text("utf-8"))
        about["direction"] = Direction(about["direction"])
        with np.load(folder / "scores.npz", allow_pickle=False) as saved:
            scores = Scores(values=saved["values"], missing=saved["missing"], **about)
        return cls(pairs=open_pairs(folder / "pairs.parquet"), scores=scores, counts={})


class SelectPairs(PairSelectionSettings, Stage[SelectedPairs]):
    """Keep the sentence pairs nearest to in-domain text: what translators learn from, and general text."""

    stage_name: ClassVar[str] = "select-pairs"

    def __call__(
        self, data: LanguageData, transcripts: Transcripts, clean: CleanPairs, *, context: Context
    ) -> SelectedPairs:
        """Return the pairs near the transcripts and, by cross-entropy, the source text."""
        scores = score_pairs(
            clean.pairs,
            in_domain=transcripts.texts,
            in_domain_source=[u.text for u in data.source],
            settings=self,
            random_seed=context.random_seed,
        )
        kept = select_pairs(scores, self.cutoff)
        n_rows, n_kept = len(scores), len(kept.positions)
        return SelectedPairs(
            pairs=take_pairs(clean.pairs, kept.positions),
            scores=scores,
            counts={"n_in": n_rows, "n_kept": n_kept, "n_rejected": n_rows - n_kept},
        )


class TranslatorName(StrEnum):
    """Which translator translations come from."""

    ALL_PAIRS = "all_pairs"  # trained on all clean pairs
    SELECTED = "selected"  # trained on the pairs nearest to the transcripts
    SELF_TRAINED = "self_trained"  # the selected one, trained further on its own in-domain translations


@dataclass(frozen=True, kw_only=True)
class TranslatorFolder:
    """A trained translator: its folder, and what its training took and reached."""

    folder: Path
    counts: Mapping[str, int]
    training: Mapping[str, float | Mapping[str, float] | Sequence[float]]

    def save(self, folder: Path) -> None:
        """Copy the translator."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("record.json"))
        write_json(dict(self.training), folder / "training.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the translator in ``folder``."""
        return cls(folder=folder, counts={}, training={})


class GiveTranslator(Stage[TranslatorFolder]):
    """Take over a translator that was trained before."""

    is_random: ClassVar[bool] = False

    folder: InputFile

    def __call__(self, *, context: Context) -> TranslatorFolder:
        """Return the translator. Raises DataError when there is none in the folder."""
        from seedcorn.translation.translator import load_translator

        load_translator(self.folder.path)
        n_files = sum(1 for path in self.folder.path.rglob("*") if path.is_file())
        return TranslatorFolder(folder=self.folder.path, counts={"n_files": n_files}, training={})


class TrainTranslator(TrainingSettings, Stage[TranslatorFolder]):
    """Train a translator; in ``placeholder_fraction`` of the pairs words become slot placeholders, which it learns.

    ``folder`` is a translator that was trained before, to be taken instead.
    """

    folder: InputFile | None = None
    placeholder_fraction: float = Field(0.25, ge=0, le=1)

    def __call__(
        self, data: LanguageData, clean: CleanPairs, selected: SelectedPairs | None = None, *, context: Context
    ) -> TranslatorFolder:
        """Return the translator of the ``selected`` pairs, or of all clean ones, and the dictionary."""
        from seedcorn.translation.training import train_translator

        pairs, dev = held_out(clean.pairs if selected is None else selected.pairs, data.dev_pairs())
        working = _lasting_folder(context)
        trained = train_translator(
            add_placeholders(
                pairs, clean.dictionary, pair_fraction=self.placeholder_fraction, random_seed=context.random_seed
            ),
            dev,
            working / "translator",
            settings=self,
            checkpoints=working / "checkpoints",
            random_seed=context.random_seed,
        )
        n_used = {"n_steps": trained.n_steps, "n_target_tokens": trained.n_target_tokens}
        by_step = {str(step): value for step, value in trained.dev_chrf_by_step.items()}
        return TranslatorFolder(
            folder=trained.folder,
            counts={"n_pairs": pairs.count(), **n_used},
            training={"dev_chrf": trained.dev_chrf, "dev_chrf_by_step": by_step},
        )


def _lasting_folder(context: Context) -> Path:
    """Return the folder of the checkpoints, or a new one where there is none, that outlives the call."""
    folder = context.checkpoints or Path(tempfile.mkdtemp(prefix="seedcorn-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def held_out(pairs: PairCorpus, dev: list[SentencePair]) -> tuple[PairCorpus, list[SentencePair]]:
    """Return the training pairs and the dev pairs; without given ones, some of the training pairs are held out."""
    if dev:
        return pairs, dev
    n_pairs = pairs.count()
    rows = np.linspace(0, n_pairs - 1, min(_N_HELD_OUT, max(n_pairs // 10, 1))).astype(np.int64)
    return take_pairs(pairs, np.setdiff1d(np.arange(n_pairs), rows)), take_pairs(pairs, rows).pairs()


class SelfTrain(SelfTrainingSettings, Stage[TranslatorFolder]):
    """Go on training a translator on its own translations of in-domain text, while dev chrF rises.

    ``order`` is that of the language model of the transcripts, which has its say where ``weights.lm`` is not 0.
    """

    stage_name: ClassVar[str] = "translator-self_trained"

    folder: InputFile | None = None
    weights: RescoringWeights = RescoringWeights(lm=0.3)
    order: int = Field(3, ge=1, le=6)

    def __call__(
        self,
        data: LanguageData,
        transcripts: Transcripts,
        selected: SelectedPairs,
        translator: TranslatorFolder,
        *,
        context: Context,
    ) -> TranslatorFolder:
        """Return the best translator of all rounds, the first one included."""
        from seedcorn.translation.self_training import self_train

        pairs, dev = held_out(selected.pairs, data.dev_pairs())
        seen = _spoken(transcripts.texts)
        found = self_train(
            translator.folder,
            _spoken([u.text for u in data.source]),
            pairs,
            dev,
            _lasting_folder(context),
            settings=self,
            random_seed=context.random_seed,
            lm=estimate_texts(seen, order=self.order) if self.weights.lm else None,
        )
        history = found.dev_chrf_by_round
        return TranslatorFolder(
            folder=found.folder, counts={"n_rounds": len(history) - 1}, training={"dev_chrf_by_round": history}
        )


def _spoken(texts: Sequence[str]) -> list[str]:
    """Return texts as they are spoken and as translators are trained: folded, empty ones left out."""
    return [text for text in fold_all(texts) if text]


class Translators(Settings):
    """The translators that systems choose from; ``all_pairs`` is trained as ``selected`` is where it is not given."""

    selected: TrainTranslator = TrainTranslator()
    all_pairs: TrainTranslator | None = None
    self_training: SelfTrain = SelfTrain()


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
