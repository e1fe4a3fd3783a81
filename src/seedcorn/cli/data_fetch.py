"""``seedcorn data fetch``: public data sets."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.data import data
from seedcorn.cli.options import AsJson, Quiet, progress, show
from seedcorn.errors import ConfigError, nearest

if TYPE_CHECKING:
    from seedcorn.files import Json


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="massive or snips.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where data sets are kept.")] = Path("data"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Download a public data set, or find its copy below $SEEDCORN_DATA; other bytes than at first are refused."""
    from seedcorn.corpus.fetch import DATA_SETS
    from seedcorn.corpus.fetch import fetch as fetch_data_set

    if name not in DATA_SETS:
        raise ConfigError(wanted="the name of a data set", found=f"'{name}'", fix=nearest(name, list(DATA_SETS)))
    local_copies = os.environ.get("SEEDCORN_DATA")
    with progress(quiet):
        fetched = fetch_data_set(DATA_SETS[name], folder, local_copies=Path(local_copies) if local_copies else None)
    kind = "local copy" if fetched.is_local_copy else "download"
    licence = DATA_SETS[name].licence
    result: dict[str, Json] = {"folder": str(fetched.folder), "found_as": kind, "licence": licence}
    digests: dict[str, Json] = dict(fetched.digests)
    show({**result, "sha256": digests if as_json else ", ".join(fetched.digests.values())}, as_json=as_json)
