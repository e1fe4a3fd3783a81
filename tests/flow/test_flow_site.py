"""The documentation as a site: built without a network and without a warning, and read without one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOADED = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=["']?(https?:)?//[^"'> ]+[^>]*>""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # A proxy that nobody answers at: whatever wants the network fails.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_of_the_docs_is_in_the_site(site: Path) -> None:
    docs = REPOSITORY / "docs"
    pages = [path.relative_to(docs).with_suffix(".html") for path in docs.rglob("*.md")]
    assert [page.as_posix() for page in pages if not (site / page).is_file()] == []
    menu = (site / "index.html").read_text("utf-8")
    assert [page.as_posix() for page in pages if f'href="{page.as_posix()}"' not in menu] == []


def test_the_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = {f"{page.name}: {m[0]}" for page in site.rglob("*.html") for m in LOADED.finditer(page.read_text("utf-8"))}
    assert {found for found in loaded if 'rel="canonical"' not in found} == set()


def test_the_reference_has_signatures_and_links_that_lead_into_the_repository(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text("utf-8")
    assert "doc-signature" in page
    assert "class seedcorn.corpus.utterances.Corpus" not in page
