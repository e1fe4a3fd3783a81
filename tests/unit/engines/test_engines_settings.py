import pytest
from pydantic import ValidationError

from seedcorn.engines.settings import EngineSettings


def test_threads_of_this_process_by_default() -> None:
    assert list(EngineSettings().mapper()(abs, [-1, 2])) == [1, 2]
    assert list(EngineSettings(n_threads=3).mapper()(abs, range(-9, 9))) == [abs(n) for n in range(-9, 9)]


@pytest.mark.parametrize("engine", ["spark", "local:here", ""])
def test_an_unknown_engine_is_refused_before_anything_runs(engine: str) -> None:
    with pytest.raises(ValidationError, match="ray:ADDRESS"):
        EngineSettings(engine=engine)


@pytest.mark.cluster
def test_a_cluster_is_joined_at_the_first_pass() -> None:
    pytest.importorskip("ray")
    mapper = EngineSettings(engine="ray:10.0.0.1:6379").mapper()
    assert "10.0.0.1:6379" in str(mapper)
