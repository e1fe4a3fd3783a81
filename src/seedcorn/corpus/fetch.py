"""Public data sets by their official addresses: a local copy first, else a download that is trusted on first use.

The SHA-256 of what came is recorded beside it; from then on other bytes from the same address are refused. No digest
is known before that: none is written here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seedcorn.corpus.downloading import download
from seedcorn.corpus.unpacking import unpack
from seedcorn.errors import DataError
from seedcorn.files import write_text_whole
from seedcorn.input_files import digest_of_file
from seedcorn.progress import say

DIGESTS_NAME = "digests.json"
_MASSIVE_URL = "https://amazon-massive-nlu-dataset.s3.amazonaws.com/amazon-massive-dataset-1.1.tar.gz"
_SNIPS_URL = "https://raw.githubusercontent.com/sonos/nlu-benchmark/master/2017-06-custom-intent-engines"
_SNIPS_INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set: where each of its files comes from, by its name in the set; archives are unpacked."""

    name: str
    description: str
    licence: str
    urls: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Where a data set is, whether that is a local copy, and the SHA-256 of each of its sources."""

    folder: Path
    is_local_copy: bool
    digests: Mapping[str, str]


DATA_SETS = {
    "massive": DataSet(
        name="massive",
        description="MASSIVE 1.1: voice-assistant utterances, 60 intents, 55 slot types, 52 locales",
        licence="CC BY 4.0",
        urls={"amazon-massive-dataset-1.1.tar.gz": _MASSIVE_URL},
    ),
    "snips": DataSet(
        name="snips",
        description="SNIPS 2017-06: crowd-sourced queries, 7 intents, in SNIPS JSON",
        licence="CC0 1.0",
        urls={
            f"{intent}/{name}.json": f"{_SNIPS_URL}/{intent}/{name}.json"
            for intent in _SNIPS_INTENTS
            for name in (f"train_{intent}_full", f"validate_{intent}")
        },
    ),
}


def fetch(data_set: DataSet, folder: Path, *, local_copies: Path | None = None) -> Fetched:
    """Return where ``data_set`` is: below ``local_copies`` if it is there, else below ``folder``, perhaps downloaded.

    Digests are recorded in ``folder``/digests.json. Raises DataError when an address or a local copy gives other bytes
    than at first, or the download fails; what has come of it is kept, and the next call goes on from there.
    """
    if local_copies is not None and (local_copies / data_set.name).is_dir():
        copy = local_copies / data_set.name
        return Fetched(folder=copy, is_local_copy=True, digests={str(copy): _trusted(str(copy), copy, folder)})
    digests = {url: _fetched(name, url, data_set.name, folder) for name, url in data_set.urls.items()}
    return Fetched(folder=folder / data_set.name, is_local_copy=False, digests=digests)


def _fetched(name: str, url: str, set_name: str, folder: Path) -> str:
    """Download one file of a data set unless it is there, check it, unpack an archive; return the digest."""
    is_archive = name.endswith(".tar.gz")
    path = folder / "downloads" / name if is_archive else folder / set_name / name
    if not path.exists():
        say(f"fetching {url}")
        arrived = folder / "downloads" / f"{name}.new"
        download(url, arrived)
        _trusted(url, arrived, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrived.replace(path)
    digest = _trusted(url, path, folder)
    if is_archive and not (folder / set_name).exists():
        unpack(path, folder / set_name)
    return digest


def _trusted(source: str, path: Path, folder: Path) -> str:
    """Return the digest of ``path``, recorded now if ``source`` is new; raises DataError when it was another before."""
    recorded = recorded_digests(folder)
    digest = digest_of_file(path)
    if recorded.setdefault(source, digest) != digest:
        raise DataError(
            wanted=f"the bytes with SHA-256 {recorded[source]}, as recorded when they came first",
            found=f"SHA-256 {digest} in {path}",
            where=source,
            fix=f"If the change is right, delete the file and its line in {folder / DIGESTS_NAME}.",
        )
    write_text_whole(folder / DIGESTS_NAME, json.dumps(recorded, indent=1, sort_keys=True) + "\n")
    return digest


def recorded_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of everything fetched into ``folder`` so far, by its source."""
    path = folder / DIGESTS_NAME
    try:
        recorded: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        raise DataError(wanted="the digests of earlier downloads as JSON", found=str(error), where=path) from error
    return recorded
