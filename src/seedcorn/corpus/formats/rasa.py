"""Rasa NLU YAML: intents with examples, slots as ``[value](type)`` or ``[value]{"entity": "type"}``.

Synonyms, lookup tables and regular expressions are no utterances; these, and an entity's role, group and synonym value,
are counted and said. Stories and rules are passed over.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import yaml

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import open_text_sink, read_text
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rasa_markup import annotated_row
from seedcorn.corpus.formats.rows import NumberedRow, chunks_of, core_row
from seedcorn.corpus.utterances import Corpus, Utterance, utterances_of
from seedcorn.errors import DataError, at

_OTHER_KINDS = ("synonym", "lookup", "regex")
_EXAMPLE = re.compile(r"\s*-\s+(.*\S)\s*")


def read_rasa(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the examples of the intents in a Rasa NLU file; raises DataError when it is not one."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows, others=())


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    for intent, line, example in _examples(path, bad_rows):
        try:
            yield NumberedRow(line, core_row(annotated_row(example, bad_rows) | {"intent": intent}))
        except DataError as error:
            bad_rows.report(error, example, where=at(path, line))


def _examples(path: Path, bad_rows: BadRows) -> Iterator[tuple[str, int, str]]:
    """Yield the intent, the line and the text of each example, from YAML nodes because these know their lines."""
    for item in _sequence(_entry(_root(path), "nlu", path), path):
        intent, examples = _entry(item, "intent", path), _entry(item, "examples", path)
        if intent is None or examples is None:
            _count_left_out(item, examples, path, bad_rows)
            continue
        name = intent.value if isinstance(intent, yaml.ScalarNode) else ""
        if isinstance(examples, yaml.ScalarNode):
            for line, example in _lines(examples, path, bad_rows):
                yield name, line, example
        else:
            for example_item in _sequence(examples, path):
                text = _entry(example_item, "text", path)
                if isinstance(text, yaml.ScalarNode):
                    yield name, text.start_mark.line + 1, text.value
                else:
                    where = at(path, example_item.start_mark.line + 1)
                    bad_rows.report(DataError(wanted="an example with a text", found="none"), "", where=where)


def _count_left_out(item: yaml.Node, examples: yaml.Node | None, path: Path, bad_rows: BadRows) -> None:
    kinds = [kind for kind in _OTHER_KINDS if _entry(item, kind, path) is not None]
    lines = examples.value.split("\n") if isinstance(examples, yaml.ScalarNode) else []
    for kind in kinds:
        bad_rows.leave_out(f"examples of a {kind}", max(1, sum(bool(line.strip()) for line in lines)))
    if not kinds and examples is not None:
        problem = DataError(wanted="an intent beside its examples", found="none")
        bad_rows.report(problem, "", where=at(path, item.start_mark.line + 1))
    elif not kinds:
        bad_rows.leave_out("intents without examples")


def _root(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(read_text(path), Loader=yaml.SafeLoader)
    except RecursionError as error:
        raise DataError(wanted="Rasa YAML", found="lists nested too deep", where=path) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = at(path, mark.line + 1) if mark else str(path)
        raise DataError(wanted="YAML", found=str(error.problem), where=where) from error
    except yaml.YAMLError as error:
        raise DataError(wanted="YAML", found=str(error).splitlines()[0], where=path) from error


def _entry(node: yaml.Node | None, key: str, path: Path) -> yaml.Node | None:
    """Return what stands under ``key``. Raises DataError where it is there twice, of which YAML would drop one."""
    if not isinstance(node, yaml.MappingNode):
        return None
    found = [(name, value) for name, value in node.value if name.value == key]
    if len(found) > 1:
        where = at(path, found[1][0].start_mark.line + 1)
        raise DataError(wanted=f"'{key}' once", found="it a second time", where=where)
    return found[0][1] if found else None


def _sequence(node: yaml.Node | None, path: Path) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    where = at(path, node.start_mark.line + 1) if node else str(path)
    raise DataError(wanted="a list 'nlu' of intents with examples", found="none", where=where)


def _lines(examples: yaml.ScalarNode, path: Path, bad_rows: BadRows) -> Iterator[tuple[int, str]]:
    # A literal block begins in the line after its "|".
    first_line = examples.start_mark.line + (2 if examples.style == "|" else 1)
    for line, example in enumerate(examples.value.split("\n"), start=first_line):
        match = _EXAMPLE.fullmatch(example)
        if match:
            yield line, match[1]
        elif example.strip():
            problem = DataError(wanted="an example as '- text'", found=f"'{example}'")
            bad_rows.report(problem, example, where=at(path, line))


class _Literal(str):
    """A text that YAML writes as a block of lines."""


class _Dumper(yaml.SafeDumper):
    """Writes literal blocks; a class of its own because representers belong to classes."""


_Dumper.add_representer(
    _Literal, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")
)


def write_rasa(corpus: Corpus, path: Path) -> int:
    """Write every row, each run of one intent as a block, and return their number.

    Raises DataError for a row without intent and for brackets in a text or a slot type.
    """
    utterances = (u for batch in corpus.batches() for u in utterances_of(batch))
    n_rows = 0
    with open_text_sink(path) as sink:
        sink.write('version: "3.1"\nnlu:\n')
        for intent, run in groupby(utterances, key=lambda u: u.intent):
            lines = [_example(u, where=f"row {n_rows + i}") for i, u in enumerate(run)]
            n_rows += len(lines)
            block = [{"intent": intent, "examples": _Literal("".join(lines))}]
            sink.write(yaml.dump(block, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31))
    return n_rows


def _example(utterance: Utterance, *, where: str) -> str:
    types = [slot.type for slot in utterance.slots]
    if (
        not utterance.intent
        or re.search(r"[\[\]]", utterance.text)
        or any(re.search(r"^[\"']|[():\n\r]", t) for t in types)
    ):
        raise DataError(
            wanted="an intent, a text without [ or ], and slot types without ( ) : or a quote at the start",
            found=f"intent '{utterance.intent}', text '{utterance.text}', slots {types}",
            where=where,
            fix="Write another format, for example jsonl.",
        )
    example, end = "", 0
    for slot in utterance.slots:
        example += f"{utterance.text[end : slot.start]}[{utterance.value(slot)}]({slot.type})"
        end = slot.end
    return f"- {example}{utterance.text[end:]}\n"
