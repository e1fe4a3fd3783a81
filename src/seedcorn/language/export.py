"""The language model of a system for other recognisers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from seedcorn.files import write_text_whole
from seedcorn.language.models import SystemModel
from seedcorn.language.posteriors import SpeechPosteriors
from seedcorn.language.recogniser import lexicon_of
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.domain_model import own_words
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.runs import Context, Stage
from seedcorn.speech.lexicon import Lexicon


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A language model with the words that a recogniser can spell, for other recognisers."""

    model: NgramModel
    lexicon: Lexicon | None

    @property
    def counts(self) -> Mapping[str, int]:
        """How large the model and the lexicon are."""
        counts = {"n_ngrams": sum(self.model.n_ngrams), "n_words": len(own_words(self.model))}
        if self.lexicon is not None:
            counts |= {"n_words": len(self.lexicon.words), "n_left_out": len(self.lexicon.left_out)}
        return counts

    def save(self, folder: Path) -> None:
        """Write ARPA and word list; with a lexicon also that, its symbols, and both as FST text."""
        write_arpa(self.model, folder / "lm.arpa.gz")
        if self.lexicon is None:
            write_text_whole(folder / "words.txt", "".join(f"{word}\n" for word in own_words(self.model)))
            return
        from seedcorn.speech.export import write_lexicon_files

        write_lexicon_files(self.lexicon, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model; the lexicon is for others to read."""
        return cls(model=read_arpa(folder / "lm.arpa.gz"), lexicon=None)


class Export(Stage[Exported]):
    """Write the language model of a system for other recognisers: ARPA, lexicon, word list, symbols and FST text."""

    stage_name: ClassVar[str] = "export"
    is_random: ClassVar[bool] = False

    def __call__(
        self, system: SystemModel, posteriors: SpeechPosteriors | None = None, *, context: Context
    ) -> Exported:
        """Return the model, with the lexicon of the recogniser's symbols where there is one."""
        lexicon = None if posteriors is None else lexicon_of(system.words, posteriors.test.alphabet)
        return Exported(model=system.model, lexicon=lexicon)
