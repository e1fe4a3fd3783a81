"""Where the real data are, and what every test may use."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from seedcorn.corpus.parallel import Mapper
from seedcorn.engines import mapper_of

# The same examples in every run, however slow the machine: a test that fails fails for everybody.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parent.parent
_BESIDE = REPOSITORY.parent / "shared" / "data"
if _BESIDE.is_dir():
    os.environ.setdefault("SEEDCORN_DATA", str(_BESIDE))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, help="the random seed of the order of the files, and of the tests in each")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("--shuffle")
    if seed is not None:
        rng = random.Random(seed)
        rng.shuffle(items)
        files = list(dict.fromkeys(item.path for item in items))
        items.sort(key=lambda item: files.index(item.path))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets; tests that ask for it skip where it is absent."""
    folder = Path(os.environ.get("SEEDCORN_DATA", _BESIDE))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set SEEDCORN_DATA")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["SEEDCORN_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Mapper]:
    """What carries passes out on a Ray cluster of two processors on this machine, one for all tests."""
    ray = pytest.importorskip("ray")
    yield mapper_of("ray", n_workers=2)
    ray.shutdown()


@pytest.fixture(scope="session")
def encoder_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny encoder for transformers, of random weights."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from seedcorn.translation.subwords import train_subwords

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = train_subwords(["wake me up", "play some music"] * 4, n_subwords=80)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=16,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
