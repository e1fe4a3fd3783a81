"""How a pass over a pool is carried out: by threads of this process, or by Ray Data on a cluster."""

from functools import partial

from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.errors import ConfigError, require

LOCAL, RAY = "local", "ray"


def mapper_of(engine: str, *, n_workers: int = 1) -> Mapper:
    """Return what carries out passes: "local", "ray" (a cluster started here) or "ray:ADDRESS" (one that runs).

    ``n_workers`` are threads here, or the processors of a cluster started here, at the first pass. Results are the same
    bytes in any case. Raises ConfigError for other names, MissingExtraError without Ray.
    """
    name, address = split_engine(engine)
    if name == LOCAL:
        return partial(map_in_order, n_threads=n_workers)
    require("ray", extra="scale")
    from seedcorn.engines.ray import RayMapper

    return RayMapper(address, n_workers)


def split_engine(engine: str) -> tuple[str, str]:
    """Return the name of ``engine`` and the address of its cluster, if any. Raises ConfigError when there is none."""
    name, _, address = engine.partition(":")
    if name not in (LOCAL, RAY) or (name == LOCAL and engine != LOCAL):
        raise ConfigError(wanted="the engine 'local', 'ray' or 'ray:ADDRESS'", found=f"'{engine}'")
    return name, address
