import pytest

from seedcorn.engines import mapper_of
from seedcorn.errors import ConfigError, DataError, SeedcornError


def test_threads_here_keep_the_order() -> None:
    for n_workers in (1, 2, 4):
        assert list(mapper_of("local", n_workers=n_workers)(lambda n: n * n, range(50))) == [n * n for n in range(50)]


@pytest.mark.parametrize("engine", ["spark", "local:here", ""])
def test_an_unknown_engine_is_refused(engine: str) -> None:
    with pytest.raises(ConfigError, match="ray:ADDRESS"):
        mapper_of(engine)


def test_an_error_travels_whole() -> None:
    from multiprocessing.reduction import ForkingPickler

    error = DataError(wanted="a", found="b", where="c", fix="Do d.")
    again = ForkingPickler.loads(ForkingPickler.dumps(error))
    assert isinstance(again, DataError)
    assert isinstance(again, SeedcornError)
    assert (str(again), again.fix) == (str(error), "Do d.")
