"""Fetching from a server on the loopback: resumed, checked, unpacked safely."""

import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seedcorn.corpus import downloading
from seedcorn.corpus.downloading import download
from seedcorn.corpus.fetch import DATA_SETS, DataSet, fetch, recorded_digests
from seedcorn.corpus.unpacking import unpack
from seedcorn.errors import DataError
from seedcorn.input_files import digest_of_file

CONTENT = bytes(range(256)) * 5_000


@dataclass
class Server:
    """What the server has and how it behaves: after ``cut_after`` bytes of an answer the connection breaks."""

    files: dict[str, bytes]
    version: str = '"1"'
    cut_after: list[int] = field(default_factory=list)
    gives_ranges: bool = True
    url: str = ""
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server({"/file.bin": CONTENT})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.headers.get("Range", "whole"))
            if self.path not in state.files:
                self.send_error(404)
                return
            body, start = state.files[self.path], 0
            if state.gives_ranges and "Range" in self.headers and self.headers["If-Range"] == state.version:
                start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("ETag", state.version)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            n_bytes = state.cut_after.pop(0) if state.cut_after else len(body)
            self.wfile.write(body[start : start + n_bytes])

        def log_message(self, *args: object) -> None:
            pass

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http_server.server_port}"
    threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
    yield state
    http_server.shutdown()
    http_server.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "SECONDS_BEFORE_RETRY", 0.0)


def test_a_download_that_breaks_goes_on_where_it_stopped(server: Server, tmp_path: Path):
    server.cut_after = [1_000, 500_000]
    download(f"{server.url}/file.bin", tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests == ["whole", "bytes=1000-", "bytes=501000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_a_later_call_goes_on_too(server: Server, tmp_path: Path):
    server.cut_after = [300_000]
    with pytest.raises(DataError, match="goes on where it stopped"):
        download(f"{server.url}/file.bin", tmp_path / "file.bin", n_attempts=1)
    assert not (tmp_path / "file.bin").exists()
    download(f"{server.url}/file.bin", tmp_path / "file.bin", n_attempts=1)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=300000-"


@pytest.mark.parametrize("gives_ranges", [True, False])
def test_another_version_or_no_ranges_start_anew(server: Server, tmp_path: Path, gives_ranges: bool):
    server.cut_after = [300_000]
    with pytest.raises(DataError):
        download(f"{server.url}/file.bin", tmp_path / "file.bin", n_attempts=1)
    server.version, server.gives_ranges = '"2"', gives_ranges
    server.files["/file.bin"] = CONTENT[::-1]
    download(f"{server.url}/file.bin", tmp_path / "file.bin", n_attempts=1)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_is_already_whole_is_fetched_again_rather_than_trusted(server: Server, tmp_path: Path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    (tmp_path / "file.bin.part.version").write_text('"1"', "utf-8")
    download(f"{server.url}/file.bin", tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_refusal_is_not_asked_again(server: Server, tmp_path: Path):
    with pytest.raises(DataError, match="404"):
        download(f"{server.url}/none.bin", tmp_path / "none.bin")
    assert len(server.requests) == 1


def test_too_much_is_refused(server: Server, tmp_path: Path):
    with pytest.raises(DataError, match="wanted at most 1,000 bytes"):
        download(f"{server.url}/file.bin", tmp_path / "file.bin", max_bytes=1_000)
    assert not (tmp_path / "file.bin").exists()


def tar_of(*members: tuple[str, bytes | None], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content or b""), kind
            member.linkname = "/etc/passwd"
            tar.addfile(member, io.BytesIO(content or b""))
    return buffer.getvalue()


def archive_set(server: Server) -> DataSet:
    server.files["/set.tar.gz"] = tar_of(("1.1/data/a.jsonl", b'{"text": "a"}\n'), ("1.1/LICENSE", b"free"))
    return DataSet(name="tiny", description="", licence="CC0", urls={"set.tar.gz": f"{server.url}/set.tar.gz"})


def test_an_archive_is_fetched_once_unpacked_and_its_digest_recorded(server: Server, tmp_path: Path):
    data_set = archive_set(server)
    fetched = fetch(data_set, tmp_path)
    assert (fetched.folder / "1.1/data/a.jsonl").read_text("utf-8") == '{"text": "a"}\n'
    assert not fetched.is_local_copy
    url = f"{server.url}/set.tar.gz"
    assert recorded_digests(tmp_path) == {url: digest_of_file(tmp_path / "downloads" / "set.tar.gz")}
    assert fetch(data_set, tmp_path).digests == fetched.digests
    assert len(server.requests) == 1


def test_other_bytes_from_the_same_address_are_refused(server: Server, tmp_path: Path):
    data_set = archive_set(server)
    fetch(data_set, tmp_path)
    (tmp_path / "downloads" / "set.tar.gz").unlink()
    server.files["/set.tar.gz"] += b"\0"
    with pytest.raises(DataError, match="as recorded when they came first"):
        fetch(data_set, tmp_path)
    assert not (tmp_path / "downloads" / "set.tar.gz").exists()


def test_a_file_that_was_changed_on_disk_is_refused(server: Server, tmp_path: Path):
    data_set = DataSet(name="one", description="", licence="CC0", urls={"x/file.bin": f"{server.url}/file.bin"})
    path = fetch(data_set, tmp_path).folder / "x" / "file.bin"
    path.write_bytes(b"changed")
    with pytest.raises(DataError, match="as recorded"):
        fetch(data_set, tmp_path)


def test_a_local_copy_is_preferred_and_its_digest_recorded(server: Server, tmp_path: Path):
    copy = tmp_path / "copies" / "tiny"
    copy.mkdir(parents=True)
    (copy / "a.txt").write_text("a\n", "utf-8")
    fetched = fetch(archive_set(server), tmp_path / "data", local_copies=tmp_path / "copies")
    assert (fetched.folder, fetched.is_local_copy, server.requests) == (copy, True, [])
    assert list(recorded_digests(tmp_path / "data")) == [str(copy)]


def test_unreadable_digests_are_refused(server: Server, tmp_path: Path):
    (tmp_path / "digests.json").write_text("{", "utf-8")
    with pytest.raises(DataError, match="digests of earlier downloads"):
        fetch(archive_set(server), tmp_path)


def test_the_known_data_sets_come_over_https_and_name_their_licence():
    for data_set in DATA_SETS.values():
        assert all(url.startswith("https://") for url in data_set.urls.values())
        assert data_set.licence


@pytest.mark.parametrize("name", ["../outside", "/absolute", "a/../../b", "a\\..\\b"])
def test_members_outside_the_folder_are_refused(tmp_path: Path, name: str):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(tar_of(("fine", b"1"), (name, b"2")))
    with pytest.raises(DataError, match="plain files inside"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(tar_of(("link", None), kind=kind))
    with pytest.raises(DataError, match="plain files inside"):
        unpack(archive, tmp_path / "out")


def test_limits_on_files_and_bytes(tmp_path: Path):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(tar_of(*((f"f{i}", b"0" * 100) for i in range(10))))
    assert len(unpack(archive, tmp_path / "out")) == 10
    for limits in ({"max_files": 9}, {"max_bytes": 999}):
        with pytest.raises(DataError, match="found more"):
            unpack(archive, tmp_path / "other", **limits)
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("n_bytes_lost", [1, 10, 300, 600])
def test_an_archive_cut_short_is_refused(tmp_path: Path, n_bytes_lost: int):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(tar_of(*((f"f{i}", bytes([i]) * 5000) for i in range(50)))[:-n_bytes_lost])
    with pytest.raises(DataError, match="whole tar archive"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_something_else_than_an_archive_is_refused(tmp_path: Path):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(b"no archive at all")
    with pytest.raises(DataError, match="whole tar archive"):
        unpack(archive, tmp_path / "out")
