"""Settings of speech recognition, each written once: for the pipeline, the commands and the functions."""

from enum import StrEnum

from pydantic import Field

from seedcorn.config import Settings


class TestBedSize(StrEnum):
    """The built-in test bed: tiny takes a minute, small 40 minutes of a core, 2.5 hours of one without bfloat16."""

    __test__ = False  # pytest would take it for tests

    TINY = "tiny"
    SMALL = "small"


class Unspellable(StrEnum):
    """What to do with words that the alphabet cannot spell."""

    REFUSE = "refuse"
    LEAVE_OUT = "leave-out"


class OovModel(StrEnum):
    """What a word outside a language model gets."""

    UNKNOWN = "unknown"  # the model's probability of <unk>, whatever the word
    FLOOR = "floor"  # that of <unk>, shared evenly by all unknown words of the lexicon
    CHARACTERS = "characters"  # that of <unk> times the probability of its spelling


class TranscriptFormat(StrEnum):
    """How transcripts are written."""

    KALDI = "kaldi"  # "id words ..." a line
    TRN = "trn"  # "words ... (id)" a line
    JSONL = "jsonl"  # {"id": ..., "text": ...} a line
    LINES = "lines"  # "words ..." a line, paired by their numbers


class DecoderSettings(Settings):
    """Weights and limits of the search.

    ``lm_weight`` (alpha) and ``word_bonus`` (beta) are of the score in speech.decoding. ``beam_size`` hypotheses
    survive each step, if within ``beam_width_logp`` of the best; symbols less likely than ``min_symbol_logp`` are not
    tried.
    """

    lm_weight: float = Field(0.8, ge=0)
    word_bonus: float = 0.5
    beam_size: int = Field(100, ge=1)
    beam_width_logp: float = Field(14.0, ge=0)
    min_symbol_logp: float = -8.0
    n_best: int = Field(1, ge=1)


class KeyTermSettings(Settings):
    """At most ``n_terms`` terms of up to ``n_characters_max`` characters and ``n_words_max`` words.

    A term occurs ``count_min`` times or more in the texts: what was said once is hardly said again.
    """

    n_terms: int = Field(100, ge=1)
    n_characters_max: int = Field(50, ge=1)
    n_words_max: int = Field(3, ge=1)
    count_min: int = Field(2, ge=1)
