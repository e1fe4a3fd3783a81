"""The recogniser that tests every language model: decoder weights and decoding."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.text import words
from seedcorn.files import write_json
from seedcorn.language.data import LanguageData
from seedcorn.language.posteriors import ReadSpeech, SpeechPosteriors, SynthesiseSpeech
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.runs import Context, Stage
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import decode
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import Lexicon, build_lexicon
from seedcorn.speech.posteriors import Posteriors
from seedcorn.speech.settings import DecoderSettings, Unspellable
from seedcorn.speech.tuning import tune_weights

if TYPE_CHECKING:
    from seedcorn.language.models import SystemModel

_LATIN = re.compile("[a-z]")


class Tuning(StrEnum):
    """For which systems the decoder's weights are tuned on dev; what is not tuned takes the weights given."""

    NONE = "none"
    ONCE = "once"  # for the baseline, and held fixed for all systems
    EACH = "each"


class Decoder(DecoderSettings):
    """Beam and weights of the decoder; weights are tuned on the first ``n_tuning`` utterances of dev (0: all).

    With ``fixed_lexicon`` every system is also decoded with the words that all systems know together.
    """

    tuning: Tuning = Tuning.ONCE
    n_tuning: int = Field(0, ge=0)
    fixed_lexicon: bool = True


class Recogniser(Settings):
    """Either the built-in ``test_bed`` or ``files`` of another recogniser, and how to decode."""

    test_bed: SynthesiseSpeech | None = None
    files: ReadSpeech | None = None
    decoder: Decoder = Decoder()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.test_bed is None) == (self.files is None):
            raise ValueError("give either 'test_bed' or 'files'")
        return self


@dataclass(frozen=True, kw_only=True)
class DecoderWeights:
    """The settings to decode with, their weights tuned or given."""

    settings: DecoderSettings

    @property
    def counts(self) -> Mapping[str, int]:
        """Nothing is counted."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the settings as JSON."""
        write_json(self.settings.model_dump(), folder / "weights.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(settings=DecoderSettings.model_validate_json((folder / "weights.json").read_text("utf-8")))


class TuneDecoder(Stage[DecoderWeights]):
    """Find the decoder's weights with the fewest word errors on dev, or take those given."""

    is_random: ClassVar[bool] = False

    decoder: Decoder = Decoder()

    def __call__(
        self, data: LanguageData, posteriors: SpeechPosteriors, system: "SystemModel", *, context: Context
    ) -> DecoderWeights:
        """Return the settings that are best for ``system``."""
        settings = DecoderSettings(**self.decoder.model_dump(include=set(DecoderSettings.model_fields)))
        if self.decoder.tuning is Tuning.NONE:
            return DecoderWeights(settings=settings)
        n_used = self.decoder.n_tuning or len(data.dev)
        found = tune_weights(
            posteriors.dev.logps[:n_used],
            [" ".join(words(u.text)) for u in data.dev[:n_used]],
            lexicon=lexicon_of(system.words, posteriors.dev.alphabet),
            models=[WeightedModel(model=system.model)],
            settings=settings,
            n_threads=context.n_threads,
        )
        return DecoderWeights(settings=found.settings)


@dataclass(frozen=True, kw_only=True)
class Hypotheses:
    """What was recognised of each test utterance; words that the recogniser cannot spell were left out."""

    ids: list[str]
    texts: list[str]
    n_not_spelt: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances there are, and how many words the recogniser cannot say."""
        return {"n_test": len(self.texts), "n_words_not_spelt": self.n_not_spelt}

    def save(self, folder: Path) -> None:
        """Write one row an utterance."""
        pq.write_table(pa.table({"id": self.ids, "text": self.texts}), folder / "hypotheses.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        table = pq.read_table(folder / "hypotheses.parquet")
        return cls(ids=table.column("id").to_pylist(), texts=table.column("text").to_pylist())


class Decode(Stage[Hypotheses]):
    """Decode test with the words and the probabilities of one language model."""

    is_random: ClassVar[bool] = False

    def __call__(
        self, posteriors: SpeechPosteriors, weights: DecoderWeights, system: "SystemModel", *, context: Context
    ) -> Hypotheses:
        """Return what is recognised of each test utterance."""
        lexicon = lexicon_of(system.words, posteriors.test.alphabet)
        test = posteriors.test
        texts = recognise(test, system.model, lexicon, settings=weights.settings, n_threads=context.n_threads)
        return Hypotheses(ids=list(test.ids), texts=texts, n_not_spelt=len(lexicon.left_out))


def recognise(
    speech: Posteriors, model: NgramModel, lexicon: Lexicon, *, settings: DecoderSettings, n_threads: int
) -> list[str]:
    """Return what is understood of ``speech`` with the words of ``lexicon`` and the probabilities of ``model``."""
    found = decode(
        speech.logps, lexicon=lexicon, models=[WeightedModel(model=model)], settings=settings, n_threads=n_threads
    )
    return [" ".join(hypotheses[0].words) for hypotheses in found]


def lexicon_of(vocabulary: Sequence[str], alphabet: Alphabet) -> Lexicon:
    """Return the lexicon of all words that the recogniser can spell; Latin words also as they sound in Devanagari."""
    return _lexicon_of(tuple(vocabulary), alphabet)


@functools.lru_cache(maxsize=2)  # one after the other, many models have the same words
def _lexicon_of(vocabulary: tuple[str, ...], alphabet: Alphabet) -> Lexicon:
    from seedcorn.translation.transliteration import transliterate

    latin = [word for word in vocabulary if _LATIN.search(word)]
    spoken_as = {word: (word, transliterate(word)) for word in latin}
    return build_lexicon(vocabulary, alphabet=alphabet, spoken_as=spoken_as, on_unspellable=Unspellable.LEAVE_OUT)
