"""What two run folders are compared by, and what of one the reference names."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "run-folder.md"


def run_bytes(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a run but the seconds that it took and the locks of processes."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith((".lock", "seconds.json")))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def unnamed_files(folder: Path, *, section: str) -> list[str]:
    """Return the files of a run that neither the head of the reference page nor its ``section`` names."""
    head, *sections = _PAGE.read_text("utf-8").split("\n## ")
    named = head + next(text for text in sections if text.startswith(f"{section}\n"))
    patterns = [re.compile(_pattern(name)) for name in re.findall(r"`([^`\n]+)`", named)]
    files = (p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file())
    return [file for file in files if not any(pattern.fullmatch(file) for pattern in patterns)]


def _pattern(name: str) -> str:
    """Return what ``name`` stands for: {a,b} for either, WORDS in capitals for any name, a folder for what is in it."""
    pattern = re.sub(r"\\\{(.+?)\\\}", lambda either: f"({either[1].replace(',', '|')})", re.escape(name))
    pattern = pattern.replace("AGENT", "(data/agent|model|current)").replace("…", ".+")
    return re.sub(r"\b([A-Z]{2,}|N)\b", "[^/]+", pattern) + (".+" if name.endswith("/") else "")
