"""How a pass over a pool is carried out: by threads of this process, or by Ray Data on a cluster."""

from functools import partial

from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.errors import ConfigError, require

LOCAL, RAY = "local", "ray"


def mapper_of(engine: str, *, n_workers: int = 1) -> Mapper:
    """Return what carries out passes: "local", "ray" (a cluster started here) or "ray:ADDRESS" (one that runs).

    ``n_workers`` are threads here, or the processors of a cluster started here. Results are the same bytes in any case.
    Raises ConfigError for other names, MissingExtraError without Ray, DataError when no cluster answers at the address.
    """
    name, _, address = engine.partition(":")
    if name == LOCAL and not address:
        return partial(map_in_order, n_threads=n_workers)
    if name != RAY:
        raise ConfigError(wanted="the engine 'local', 'ray' or 'ray:ADDRESS'", found=f"'{engine}'")
    require("ray", extra="scale")
    from seedcorn.engines.ray import RayMapper

    return RayMapper.start(address, n_workers=n_workers)
