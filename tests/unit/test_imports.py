"""The dependency rule over all imports, those inside functions too."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "seedcorn"
LAYERS = (
    {"cli"},
    {"studies"},
    {"pipelines"},
    {"intent", "language", "growth"},
    {"deployment"},
    {"relevance", "diversity", "nlu", "lm", "translation", "speech"},
    {"evaluation"},
    {"corpus", "chat_server", "pretrained", "processes", "torch_threads", "bfloat16", "user_cache"},
    {
        *(
            "compiled",
            "config",
            "errors",
            "progress",
            "selection",
            "files",
            "input_files",
            "streams",
            "array_files",
            "tensor_files",
        ),
        "ending",
        "interruption",
    },
)
SIDEWAYS = {
    ("relevance", "lm"),
    ("speech", "lm"),
    ("nlu", "relevance"),
    ("diversity", "relevance"),
    ("translation", "relevance"),
    ("translation", "lm"),
    ("growth", "intent"),
    ("growth", "language"),
}
PIPELINES_AND_UP = {"cli", "studies", "intent", "language", "growth", "deployment", "pipelines"}
KNOWN_TO = {"runs": PIPELINES_AND_UP, "report": PIPELINES_AND_UP, "engines": {*PIPELINES_AND_UP, "runs"}}
FOUNDATION = set().union(*LAYERS[-2:])


def part_of(module: str) -> str:
    names = module.split(".")
    return names[1] if len(names) > 1 else ""


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("seedcorn"):
            found |= {node.module} if node.module != "seedcorn" else {f"seedcorn.{a.name}" for a in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("seedcorn")}
    return found


def layer(part: str) -> int:
    return next((number for number, parts in enumerate(LAYERS) if part in parts), -1)


def is_allowed(part: str, other: str) -> bool:
    if part == other or other == "__version__":
        return True
    if other in KNOWN_TO:
        return part in KNOWN_TO[other]
    if part in KNOWN_TO:
        return other in FOUNDATION
    if layer(part) == len(LAYERS) - 1:
        return layer(other) == len(LAYERS) - 1
    return layer(part) < layer(other) or (part, other) in SIDEWAYS


def test_every_import_points_down() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part in ("__init__", "__main__"):
            continue
        wrong += [
            f"{path.relative_to(PACKAGE)}: {module}"
            for module in sorted(imports(path))
            if not is_allowed(part, part_of(module))
        ]
    assert wrong == []


def modules() -> dict[str, Path]:
    return {
        ".".join(("seedcorn", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def run_time_imports(node: ast.AST, known: dict[str, Path]) -> set[str]:
    """Return the modules that ``node`` imports when it runs, those inside functions too; types alone do not count."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.ImportFrom) and child.module:
            names = (f"{child.module}.{alias.name}" for alias in child.names)
            found |= {name if name in known else child.module for name in names} & set(known)
        found |= run_time_imports(child, known)
    return found


def test_there_is_no_circle() -> None:
    known = modules()
    left = {m: run_time_imports(ast.parse(p.read_text("utf-8")), known) - {m} for m, p in known.items()}
    while free := [module for module, needed in left.items() if not needed & set(left)]:
        left = {module: needed for module, needed in left.items() if module not in free}
    assert sorted(left) == []
