"""The YAML configuration files: read safely, checked strictly, refusals with their place and the nearest known key."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from seedcorn.errors import ConfigError, at, nearest
from seedcorn.input_files import INPUT_FILE_ERROR

_A_GROUP = "Input should be a group of settings"
_IN_YAML = {
    "tuple_type": "Input should be a list",
    "model_type": _A_GROUP,
    "dict_type": _A_GROUP,
    "mapping_type": _A_GROUP,
}


_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")  # of an enum, as Python writes it
_MOST_SHOWN = 100  # characters of a value


class Settings(BaseModel):
    """Base of all configuration models: unknown keys are refused, values cannot change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


Config = TypeVar("Config", bound=Settings)


def load_config(path: Path | str, model: type[Config], *, overrides: Sequence[str] = ()) -> Config:
    """Return the configuration in the YAML file ``path``; ``overrides`` are ``key.subkey=value`` with YAML values.

    Raises ConfigError with file and line for unreadable YAML, unknown keys (and the nearest known one) and impossible
    values.
    """
    path = Path(path)
    tree, nodes = read_yaml(path)
    tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        raise ConfigError(wanted="a mapping of settings", found=type(tree).__name__, where=path)
    for override in overrides:
        _apply_override(tree, override)
    try:
        return model.model_validate(tree, context={"relative_to": path.resolve().parent})
    except ValidationError as error:
        # An unknown key comes first: it is why the known one is missing.
        problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        raise _explained(problems[0], model, path, nodes, overrides) from error


def read_yaml(path: Path) -> tuple[object, yaml.Node | None]:
    """Return what the YAML file ``path`` says, and its nodes, which know their lines.

    Raises ConfigError with file and line for what cannot be read, a key given twice or that is no name, values that are
    none, and aliases that would fill the memory.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(wanted="a readable YAML file", found=str(error), where=path) from error
    nodes = None
    try:
        nodes = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_aliases_without_end(nodes, path)
        _refuse_odd_keys(nodes, path)
        return yaml.safe_load(text), nodes
    except _FROM_INSIDE_YAML as error:
        found = "lists nested too deep" if isinstance(error, RecursionError) else f"a value that is none ({error})"
        line = _line_of_no_value(nodes)
        raise ConfigError(wanted="YAML", found=found, where=at(path, line) if line else path) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = at(path, mark.line + 1) if mark else str(path)
        raise ConfigError(wanted="YAML", found=str(getattr(error, "problem", error)), where=where) from error


def fields_of(settings: Settings, kind: type[Settings]) -> dict[str, object]:
    """Return those settings that ``kind`` has too, by name, to make one of that kind."""
    return {name: getattr(settings, name) for name in kind.model_fields}


def dump_config(config: Settings) -> str:
    """Return the resolved configuration as YAML, every default written out."""
    return yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False)


_MOST_NODES = 100_000
# A date that is none, a number of letters, a tag over a value of another kind: the safe loader raises these.
_FROM_INSIDE_YAML = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    OverflowError,
)


def _refuse_aliases_without_end(root: yaml.Node | None, path: Path) -> None:
    """Raise ConfigError when aliases make more of the file than a configuration can hold, or contain themselves."""
    sizes: dict[int, int] = {}

    def size_of(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = _MOST_NODES  # what it has while it is being counted: inside itself it has no end
            children = [n for pair in node.value for n in pair] if isinstance(node, yaml.MappingNode) else node.value
            sizes[id(node)] = 1 + (0 if isinstance(node, yaml.ScalarNode) else sum(map(size_of, children)))
        return sizes[id(node)]

    if root is not None and size_of(root) >= _MOST_NODES:
        raise ConfigError(
            wanted=f"a configuration of at most {_MOST_NODES:,} values", found="aliases that make more", where=path
        )


def _line_of_no_value(node: yaml.Node | None) -> int | None:
    """Return the line of the first value below ``node`` that is none of its kind, None where it is elsewhere."""
    if isinstance(node, yaml.CollectionNode):
        parts = [n for pair in node.value for n in pair] if isinstance(node, yaml.MappingNode) else node.value
        return next(filter(None, map(_line_of_no_value, parts)), None)
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.constructor.SafeConstructor().construct_object(node)
        except (yaml.YAMLError, *_FROM_INSIDE_YAML):
            return int(node.start_mark.line) + 1
    return None


def _refuse_odd_keys(node: yaml.Node | None, path: Path) -> None:
    """Raise ConfigError for a key that is no name, or given twice: YAML would silently drop the first."""
    if isinstance(node, yaml.MappingNode):
        keys = set[str]()
        for key, value in node.value:
            where = at(path, key.start_mark.line + 1)
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(wanted="the name of a setting", found="a list or a group in its place", where=where)
            if key.value in keys:
                raise ConfigError(wanted="each setting once", found=f"'{key.value}' a second time", where=where)
            keys.add(key.value)
            _refuse_odd_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_odd_keys(item, path)


def _apply_override(tree: dict[str, object], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key:
        raise ConfigError(wanted="--set key.subkey=value", found=f"'{override}'")
    *parents, last = key.split(".")
    here = tree
    for parent in parents:
        below = here.setdefault(parent, {})
        if not isinstance(below, dict):
            raise ConfigError(wanted=f"a group of settings at '{parent}'", found=f"the value {below!r}", where="--set")
        here = below
    try:
        here[last] = yaml.safe_load(value)
    except (yaml.YAMLError, *_FROM_INSIDE_YAML) as error:
        raise ConfigError(wanted=f"a YAML value for '{key}'", found=f"'{value}'", where="--set") from error


def _explained(
    problem: ErrorDetails, model: type[BaseModel], path: Path, nodes: yaml.Node | None, overrides: Sequence[str]
) -> ConfigError:
    location = [str(part) for part in problem["loc"]]
    line = _line_of(nodes, location)
    where = at(path, line) if line else str(path)
    key = ".".join(location)
    overridden = [override.partition("=")[0] for override in overrides]
    if any(f"{key}.".startswith(f"{name}.") or (not line and name.startswith(f"{key}.")) for name in overridden):
        where = "--set"
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return ConfigError(
            wanted="a known setting", found=f"'{key}'", where=where, fix=nearest(location[-1], known) if known else ""
        )
    if problem["type"] == "missing":
        return ConfigError(wanted=f"the setting '{key}'", found="none", where=where, fix=f"Add '{key}'.")
    if problem["type"] == INPUT_FILE_ERROR:
        refused = problem["ctx"]["error"]
        return ConfigError(wanted=f"'{key}': {refused.wanted}", found=refused.found, where=where, fix=refused.fix)
    message = _MEMBER.sub(r"\1", _IN_YAML.get(problem["type"], problem["msg"]).removeprefix("Value error, "))
    if not key:  # what was found is the whole configuration
        fix = f"{message[:1].upper()}{message[1:]}."
        return ConfigError(wanted="settings that fit together", found="some that do not", where=where, fix=fix)
    return ConfigError(wanted=f"'{key}': {message}", found=_shown(problem["input"]), where=where)


def _shown(value: object) -> str:
    """Return ``value`` where it is short, what is in it where it is a long group, else its beginning."""
    try:
        written = repr(value)
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return "an integer of thousands of digits"
    if len(written) <= _MOST_SHOWN:
        return written
    return f"the settings {', '.join(map(str, value))}" if isinstance(value, dict) else f"{written[:_MOST_SHOWN]} ..."


def _keys_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    """Return the keys known at ``location``, following the models nested in annotations."""
    models = [model]
    for part in location:
        annotations = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        # A part that names no field is an index of a list, a key of a mapping or the tag of a union.
        models = [n for a in annotations for n in _models_in(a)] or models
    return sorted({name for m in models for name in m.model_fields})


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, list, tuple, dict) or get_args(annotation):
        return [m for argument in get_args(annotation) for m in _models_in(argument)]
    return []


def _line_of(node: yaml.Node | None, location: Sequence[str]) -> int | None:
    """Return the 1-based line of the key at ``location``, or of the deepest part of it that the file has."""
    line: int | None = None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == part), None)
            if entry is None:
                continue
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line
