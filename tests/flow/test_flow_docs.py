"""Every Python block in the README and the docs runs, each page in one namespace, top to bottom, in an empty folder."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHELL_BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def with_python(pages: list[Path]) -> list[Path]:
    return [page for page in pages if PYTHON_BLOCK.search(page.read_text("utf-8"))]


@pytest.mark.filterwarnings("default::seedcorn.errors.SeedcornWarning")
@pytest.mark.parametrize("page", with_python(PAGES), ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_the_code_of_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n\n".join(PYTHON_BLOCK.findall(page.read_text("utf-8")))
    exec(compile(code, str(page), "exec"), {"__name__": page.stem})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_every_link_to_a_file_of_the_repository_leads_somewhere(page: Path) -> None:
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", without_code)
    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_every_command_and_option_named_on_the_page_exists(page: Path) -> None:
    from typer.main import get_command

    from seedcorn.cli import app

    unknown = []
    for block in SHELL_BLOCK.findall(page.read_text("utf-8")):
        for line in re.findall(r"^\s*(?:\$ )?seedcorn (.*)$", block.replace("\\\n", " "), re.MULTILINE):
            command = get_command(app)
            words = line.split("|")[0].split()
            while words and hasattr(command, "commands"):
                if words[0] not in command.commands:
                    unknown.append(line)
                    break
                command = command.commands[words.pop(0)]
            options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "--version"}
            unknown += [f"{line}: {w}" for w in words if re.match(r"--[a-z]", w) and w.split("=")[0] not in options]
    assert unknown == []
