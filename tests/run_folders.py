"""What two run folders are compared by."""

from pathlib import Path


def run_bytes(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a run but the seconds that it took and the locks of processes."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith((".lock", "seconds.json")))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}
