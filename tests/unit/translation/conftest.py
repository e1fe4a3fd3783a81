"""One tiny translator, trained once: it knows its few sentences by heart, which is all that these tests need."""

from pathlib import Path

import pytest

from seedcorn.corpus.pairs import PairCorpus, SentencePair

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

WORDS = {"red": "लाल", "green": "हरा", "blue": "नीला", "black": "काला", "white": "सफ़ेद"}
THINGS = {"house": "घर", "door": "दरवाज़ा", "book": "किताब", "car": "गाड़ी"}


def pairs_by_heart() -> list[SentencePair]:
    sides = [(f"a {c} {t}", f"एक {WORDS[c]} {THINGS[t]}") for c in WORDS for t in THINGS]
    sides += [(f"a {c} <slot1>", f"एक {WORDS[c]} <slot1>") for c in WORDS]
    sides += [("the <slot2> of <slot1>", "<slot1> का <slot2>")]
    sides += list(THINGS.items())
    return [SentencePair(source=s, target=t, source_lang="en", target_lang="hi") for s, t in sides]


@pytest.fixture(scope="session")
def pairs() -> PairCorpus:
    return PairCorpus.from_pairs(pairs_by_heart())


@pytest.fixture(scope="session")
def settings():
    from seedcorn.translation.settings import NetworkShape, TrainingSettings

    torch.set_num_threads(1)
    return TrainingSettings(
        n_target_tokens=20_000,
        tokens_per_batch=200,
        learning_rate=5e-3,
        n_warmup_steps=30,
        n_subwords=150,
        n_evaluations=2,
        shape=NetworkShape(width=32, n_encoder_layers=1, n_decoder_layers=1, n_heads=2, dropout=0.0),
    )


@pytest.fixture(scope="session")
def trained(pairs, settings, tmp_path_factory):
    from seedcorn.translation.training import train_translator

    folder: Path = tmp_path_factory.mktemp("translator")
    return train_translator(
        pairs,
        pairs.pairs(),
        folder / "model",
        settings=settings,
        checkpoints=folder / "checkpoints",
        random_seed=1,
    )


@pytest.fixture(scope="session")
def translator(trained):
    from seedcorn.translation.translator import load_translator

    return load_translator(trained.folder, n_threads=1)
