"""Stage of key terms: what a recogniser should listen for in the domain, as the phrase lists that recognisers read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field

from seedcorn.corpus.normalising import normalise_all
from seedcorn.language.models import SystemModel
from seedcorn.language.pairs import CleanPairs
from seedcorn.language.texts import Texts, target_side
from seedcorn.lm.domain_model import estimate_texts
from seedcorn.runs import Context, Stage
from seedcorn.speech.key_terms import KeyTerm, choose_key_terms, read_terms, write_phrase_lists
from seedcorn.speech.settings import KeyTermSettings


@dataclass(frozen=True, kw_only=True)
class KeyTerms:
    """Key terms, best first, and the ``boost`` written for recognisers that take one."""

    terms: list[KeyTerm]
    boost: float

    @property
    def counts(self) -> Mapping[str, int]:
        """How many terms there are."""
        return {"n_kept": len(self.terms)}

    def save(self, folder: Path) -> None:
        """Write the lists for sherpa, NeMo and Vosk, and the terms as TSV."""
        write_phrase_lists(self.terms, folder, boost=self.boost)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the terms; the boost is for recognisers to read."""
        return cls(terms=read_terms(folder), boost=0.0)


class ChooseKeyTerms(KeyTermSettings, Stage[KeyTerms]):
    """Choose the terms of in-domain text that the domain finds likelier than general text does, submodularly."""

    stage_name: ClassVar[str] = "key-terms"
    is_random: ClassVar[bool] = False

    order: int = Field(3, ge=1, le=6)
    boost: float = 2.0

    def __call__(self, system: SystemModel, clean: CleanPairs, *texts: Texts, context: Context) -> KeyTerms:
        """Return the terms of ``texts``, in-domain ones, by the model of ``system`` and that of all clean pairs."""
        general = estimate_texts(normalise_all(target_side(clean.pairs)), order=self.order, vocabulary=system.words)
        normalised = [text for part in texts for text in part.normalised]
        return KeyTerms(
            terms=choose_key_terms(normalised, domain=system.model, general=general, settings=self), boost=self.boost
        )
