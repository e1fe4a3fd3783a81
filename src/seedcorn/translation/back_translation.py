"""Back-translation: in-domain target text translated into the source language teaches the translator its own domain.

A reverse translator makes a synthetic source of every target text (Sennrich, Haddow, Birch 2016); what the translator
learns to write is real, only what it reads is not. Both directions take turns, each learning from what the other made
(Hoang et al. 2018, "Iterative back-translation for neural machine translation"). Synthetic sources can carry a tag
(Caswell, Chelba, Grangier 2019), be sampled beside the likeliest ones (Edunov et al. 2018), and the target text can
stand as its own source, which teaches names and words by copying (Currey, Miceli Barone, Heafield 2017).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_cleaning import swapped
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import ConfigError, DataError
from seedcorn.progress import say
from seedcorn.translation.nbest import NBest
from seedcorn.translation.self_training import drawn, mixed, train_further
from seedcorn.translation.settings import BackTranslationSettings
from seedcorn.translation.subwords import SYNTHETIC_TAG
from seedcorn.translation.translator import Translator, dev_chrf, load_translator

SYNTHETIC_ORIGIN, COPY_ORIGIN = "back-translation", "copy"


@dataclass(frozen=True, kw_only=True)
class Direction:
    """One direction of translation: its translator, real text of its target language, and dev pairs of its own."""

    folder: Path
    texts: Sequence[str]
    dev: Sequence[SentencePair]


@dataclass(frozen=True, kw_only=True)
class BackTranslated:
    """The best translators of both directions, and the dev chrF of each before and after its rounds."""

    folder: Path
    reverse_folder: Path
    dev_chrf_by_round: tuple[float, ...]
    reverse_dev_chrf_by_round: tuple[float, ...]


def back_translate(
    forward: Direction,
    reverse: Direction,
    real_pairs: PairCorpus,
    output: Path,
    *,
    settings: BackTranslationSettings,
    random_seed: int,
) -> BackTranslated:
    """Improve both directions in turn, round by round, and return the best translator of each.

    ``real_pairs`` are in the forward direction. In a round the forward translator learns from its ``texts`` translated
    by the reverse one, then the reverse translator from its own texts translated by the new forward one; the last
    round has no use for the second half. A training that does not raise dev chrF is thrown away, and when that is the
    forward one, no round follows. Rounds lie in ``output``/round-1 and so on, with checkpoints, and are resumed.
    Raises DataError without target text.
    """
    if not any(text.strip() for text in forward.texts):
        raise DataError(wanted="in-domain text of the target language to translate back", found="none")
    seeds = range(random_seed * 1_000, random_seed * 1_000 + 2 * settings.n_rounds)
    here, back = _Turn(forward, real_pairs, settings), _Turn(reverse, swapped(real_pairs), settings)
    for number in range(1, settings.n_rounds + 1):
        folder = output / f"round-{number}"
        if not here.learn_from(back.folder, folder / "forward", random_seed=seeds[2 * number - 2]):
            break
        if number < settings.n_rounds and reverse.texts:
            back.learn_from(here.folder, folder / "reverse", random_seed=seeds[2 * number - 1])
    return BackTranslated(
        folder=here.folder,
        reverse_folder=back.folder,
        dev_chrf_by_round=tuple(here.history),
        reverse_dev_chrf_by_round=tuple(back.history),
    )


class _Turn:
    """One direction in its rounds: the best translator so far, and how good each was."""

    def __init__(self, direction: Direction, real_pairs: PairCorpus, settings: BackTranslationSettings) -> None:
        self.direction, self.real_pairs, self.settings = direction, real_pairs, settings
        self.folder = direction.folder
        self.history = [dev_chrf(load_translator(direction.folder), direction.dev)]

    def learn_from(self, reverse: Path, output: Path, *, random_seed: int) -> bool:
        """Train on the direction's texts translated by ``reverse``; return whether dev chrF rose."""
        rng = np.random.default_rng(random_seed)
        texts = drawn(self.direction.texts, self.settings.n_texts_max, rng)
        synthetic = synthetic_pairs(load_translator(reverse), texts, settings=self.settings, random_seed=random_seed)
        learnt = mixed(synthetic, self.real_pairs, real_per_own=self.settings.real_per_synthetic, rng=rng)
        trained = train_further(
            self.folder,
            learnt,
            self.direction.dev,
            output,
            settings=self.settings.training,
            random_seed=random_seed,
        )
        before, after = max(self.history), dev_chrf(load_translator(trained.folder), self.direction.dev)
        self.history.append(after)
        say(
            f"back-translation, {output.name}: {len(synthetic):,} synthetic pairs, dev chrF {before:.2f} -> {after:.2f}"
        )
        if after > before:
            self.folder = trained.folder
        return after > before


def synthetic_pairs(
    reverse: Translator, texts: Sequence[str], *, settings: BackTranslationSettings, random_seed: int
) -> list[SentencePair]:
    """Return the synthetic pairs of ``texts`` in their order, each ``oversampling`` times; repeated texts count once.

    Sources are distinct for each text. Raises ConfigError when a tag is wanted that the subwords do not have.
    """
    if settings.tagged and SYNTHETIC_TAG not in reverse.tokenizer.get_vocab():
        raise ConfigError(
            wanted=f"a translator that knows the tag {SYNTHETIC_TAG}",
            found="subwords without it",
            fix="Set tagged to false for pretrained checkpoints.",
        )
    distinct = [text for text in dict.fromkeys(normalise_all(texts)) if text]
    sources = _sources(reverse, distinct, settings, random_seed)
    tag = f"{SYNTHETIC_TAG} " if settings.tagged else ""
    pairs = [
        SentencePair(source=f"{tag}{source}", target=text, origin=SYNTHETIC_ORIGIN)
        for text, found in zip(distinct, sources, strict=True)
        for source in found
    ]
    if settings.copies:
        pairs += [SentencePair(source=text, target=text, origin=COPY_ORIGIN) for text in distinct]
    return pairs * settings.oversampling


def _sources(
    reverse: Translator, texts: Sequence[str], settings: BackTranslationSettings, random_seed: int
) -> list[list[str]]:
    """Return the distinct, normalised translations of each text, those of the beam first."""
    lists: list[Iterator[NBest]] = []
    if settings.n_best:
        lists.append(reverse.nbest(texts, n_best=settings.n_best, beam_size=max(settings.n_best, 4)))
    if settings.n_sampled:
        lists.append(
            reverse.sampled(
                texts, n_samples=settings.n_sampled, n_likeliest=settings.n_sampled_from, random_seed=random_seed
            )
        )
    found = [[h.text for nbest in of_one for h in nbest.hypotheses] for of_one in zip(*lists, strict=True)]
    return [[text for text in dict.fromkeys(normalise_all(some)) if text] for some in found]
