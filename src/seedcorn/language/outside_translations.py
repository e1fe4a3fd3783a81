"""Stages of translations that are made elsewhere: read from a file, or asked of a server."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from seedcorn.chat_server import AnswersFolder
from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData
from seedcorn.language.nbest_lists import NBestLists
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.runs import Context, Stage
from seedcorn.translation.endpoint import EndpointSettings, EndpointTranslator
from seedcorn.translation.settings import EntitySettings, TranslationFormat


class GivenTranslations(Stage[NBestLists]):
    """Read translations of the in-domain source text by the ids of its utterances, whoever made them.

    The ``format`` follows from the suffix of the ``file`` unless it is named.
    """

    is_random: ClassVar[bool] = False

    file: InputFile
    format: TranslationFormat | None = None

    def __call__(self, data: LanguageData, *, context: Context) -> NBestLists:
        """Return the n-best lists; utterances without a translation are rejects."""
        from seedcorn.translation.given_translations import given_translations

        return NBestLists.of(*given_translations(self.file.path, data.source, format=self.format))


class AskEndpoint(EndpointSettings, Stage[NBestLists]):
    """Ask an OpenAI-compatible server for ``n_best`` translations of each text, as it is written.

    The prompt shows the ``n_examples`` general pairs nearest to in-domain text. Answers are kept in the folder
    ``answers``, from which other runs take them too; without one, until the stage is finished.
    """

    is_random: ClassVar[bool] = False

    n_best: int = Field(5, ge=1)
    n_examples: int = Field(8, ge=0)
    answers: AnswersFolder | None = None

    def __call__(
        self, data: LanguageData, clean: CleanPairs, selected: SelectedPairs, *, context: Context
    ) -> NBestLists:
        """Return the n-best lists, in the order of the source text."""
        from seedcorn.translation.entities import translate_utterances

        nearest = np.sort(selected.scores.best_first(self.n_examples))
        examples = take_pairs(clean.pairs, nearest).pairs()
        with context.working_folder() as working:
            translator = EndpointTranslator(self, self.answers or working, examples)
            return NBestLists.of(
                *translate_utterances(
                    [replace(u, slots=()) for u in data.source],
                    translator,
                    settings=EntitySettings(spoken=False),
                    rng=context.rng(),
                    n_best=self.n_best,
                )
            )
