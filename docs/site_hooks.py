"""What the site shows otherwise than the files read as they are: links into the repository, and the API in full."""

import re
from types import SimpleNamespace

REPOSITORY = "https://github.com/seedcorn/seedcorn/blob/main/"
_OUTSIDE = re.compile(r"\]\((?:\.\./)+((?:configs|benchmarks|src|tests)/[^)]*)\)")
_API_ENTRY = re.compile(r"^## \w+\n\n```\n(?:class |def )?(seedcorn[\w.]+).*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def on_page_markdown(markdown: str, page: SimpleNamespace, **_: object) -> str:
    """Return the text of a page with links to files outside the docs, and each public name with its signature."""
    markdown = _OUTSIDE.sub(rf"]({REPOSITORY}\1)", markdown)
    if page.file.src_uri == "reference/api.md":
        markdown = _API_ENTRY.sub(r"::: \1\n\n", markdown)
    return markdown
