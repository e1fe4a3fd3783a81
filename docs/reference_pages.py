"""Makes the reference pages that come from the code: every setting of every configuration, and every public name.

python docs/reference_pages.py          # write them
python docs/reference_pages.py --check  # exit 1 when they are not what the code says
"""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import seedcorn
from seedcorn.config import Settings

REFERENCE = Path(__file__).parent / "reference"
CONFIGURATIONS = {
    "intent": ("seedcorn.intent.pipeline", "IntentConfig"),
    "language": ("seedcorn.language.pipeline", "LanguageConfig"),
    "grow": ("seedcorn.growth.pipeline", "GrowthConfig"),
    "study-intent": ("seedcorn.studies.intent", "IntentStudyConfig"),
    "study-language": ("seedcorn.studies.language", "LanguageStudyConfig"),
    "study-growth": ("seedcorn.studies.growth_settings", "GrowthStudyConfig"),
}
_NOTE = "<!-- Made by docs/reference_pages.py; do not edit. -->\n"


def main() -> int:
    """Write the pages, or compare them with what is there; return the exit code."""
    pages = {"configuration.md": configuration_page(), "api.md": api_page()}
    pages |= {f"{name}.schema.json": schema_of(name) for name in CONFIGURATIONS}
    if sys.argv[1:] == ["--check"]:
        stale = [n for n, text in pages.items() if not _is(REFERENCE / n, text)]
        sys.stderr.write("".join(f"docs/reference/{name} is not what the code says\n" for name in stale))
        return int(bool(stale))
    for name, text in pages.items():
        (REFERENCE / name).write_text(text, "utf-8")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def model_of(name: str) -> type[Settings]:
    """Return the settings class of a configuration."""
    module, attribute = CONFIGURATIONS[name]
    model: type[Settings] = getattr(importlib.import_module(module), attribute)
    return model


def schema_of(name: str) -> str:
    """Return the JSON schema of a configuration, which editors complete and check by."""
    return json.dumps(model_of(name).model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def configuration_page() -> str:
    """Return the page of all configuration keys."""
    parts = [
        _NOTE,
        "# Configuration keys\n",
        "Paths count from the folder of the configuration file and may hold `${VARIABLES}`. For completion in an "
        "editor, put `# yaml-language-server: $schema=PATH` with one of the schemas beside this page on the first "
        "line.\n",
    ]
    for name in CONFIGURATIONS:
        model = model_of(name)
        parts.append(f"## {name}\n\n{inspect.getdoc(model)}\n")
        parts.append("| key | type | default |\n|---|---|---|")
        parts += [f"| `{key}` | {kind} | {default} |" for key, kind, default in keys_of(model)]
        parts.append("")
        for section in dict.fromkeys(sections_of(model)):
            parts.append(f"**{section.__name__}.** {inspect.getdoc(section)}\n")
    return "\n".join(parts)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every key with its type and its default, sections before what is in them."""
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section is None:
            yield f"{prefix}{name}", _named(field.annotation), _default(field)
        else:
            repeated = ".N" if get_origin(field.annotation) is tuple else ""
            named = (
                ".NAME" if section is not field.annotation and not repeated and _is_mapping(field.annotation) else ""
            )
            yield from keys_of(section, f"{prefix}{name}{repeated}{named}.")


def sections_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the settings classes below ``model``, in the order of their keys."""
    for field in model.model_fields.values():
        section = _section(field.annotation)
        if section is not None:
            yield section
            yield from sections_of(section)


def _is_mapping(annotation: object) -> bool:
    return "Mapping" in str(get_origin(annotation))


def _section(annotation: object) -> type[BaseModel] | None:
    """Return the settings class in an annotation such as X, X | None, tuple[X, ...] or Mapping[str, X]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part)) is not None), None)


def _named(annotation: object) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_named(part) for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Annotated:
        return _named(get_args(annotation)[0])
    if isinstance(annotation, type) and not get_args(annotation):
        members = getattr(annotation, "__members__", None)
        return ", ".join(f"`{member.value}`" for member in members.values()) if members else annotation.__name__
    return re.sub(r"\b[a-z_]\w*\.", "", str(annotation)).replace("|", "or")  # classes without their modules


def _default(field: FieldInfo) -> str:
    if field.is_required() or field.default is PydanticUndefined:
        return "required"
    default = getattr(field.default, "value", field.default)
    return "none" if default is None else f"`{default}`"


def api_page() -> str:
    """Return the page of the names that ``import seedcorn`` shows."""
    parts = [_NOTE, "# Python API\n", "What `import seedcorn` shows; each name is loaded on first use.\n"]
    for name in dir(seedcorn):
        thing = getattr(seedcorn, name)
        if name.startswith("_"):
            continue
        parts.append(f"## {name}\n\n```\n{_heading(name, thing)}\n```\n\n{inspect.getdoc(thing)}\n")
    return "\n".join(parts)


def _heading(name: str, thing: object) -> str:
    home = f"{getattr(thing, '__module__', 'seedcorn')}.{name}"
    if not inspect.isfunction(thing):
        return f"class {home}"
    parameters = inspect.signature(thing).parameters.values()
    return f"{home}({', '.join(_parameter(p) for p in parameters)})"


def _parameter(parameter: inspect.Parameter) -> str:
    return parameter.name if parameter.default is parameter.empty else f"{parameter.name}=..."


if __name__ == "__main__":
    sys.exit(main())
