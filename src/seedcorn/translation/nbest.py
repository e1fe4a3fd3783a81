"""NBest: the hypotheses of one sentence with named natural-log features, and Moses n-best files."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from seedcorn.corpus.formats.lines import numbered_lines
from seedcorn.corpus.text import clean_text, words
from seedcorn.corpus.values import finite_number, whole_number
from seedcorn.errors import DataError, at
from seedcorn.files import writing_whole

TRANSLATION_LOGP = "translation_logp"
_SEPARATOR = " ||| "
_LABEL = re.compile(r"(?P<name>[^=]+?)(?:=(?P<value>.*)|:)$")
_FEATURES = "features 'name= value ...' of finite numbers"


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One translation: its text and its features, sums over the sentence in natural log."""

    text: str
    features: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def n_words(self) -> int:
        """Words of the hypothesis, at least 1, so that per-word values exist for an empty one."""
        return max(len(words(self.text)), 1)


@dataclass(frozen=True, kw_only=True)
class NBest:
    """The hypotheses of one source sentence, best first as the translator saw them; never empty."""

    source: str
    hypotheses: tuple[Hypothesis, ...]

    def __post_init__(self) -> None:
        if not self.hypotheses:
            raise DataError(wanted="at least one hypothesis", found=f"none for '{self.source}'")

    def without_empty(self) -> "NBest":
        """Return the list without empty hypotheses, itself when it has no others."""
        return NBest(source=self.source, hypotheses=tuple(h for h in self.hypotheses if h.text) or self.hypotheses)

    @property
    def best(self) -> Hypothesis:
        """The first hypothesis."""
        return self.hypotheses[0]


class NBestTranslator(Protocol):
    """Whatever translates texts into n-best lists."""

    def nbest(self, texts: Sequence[str], *, n_best: int = 10, beam_size: int = 0) -> Iterator[NBest]:
        """Yield the n-best list of each text, in order."""
        ...


def read_moses(path: Path, sources: Iterable[str], *, score_feature: str = "") -> Iterator[NBest]:
    """Yield the lists of a Moses n-best file: ``sentence ||| text ||| name= value ... ||| total``.

    ``sources`` are the source sentences, in order, blank ones too; lists come in their order. A feature with several
    values is named ``name_0``, ``name_1``... What the translator thinks of a hypothesis is the feature
    ``score_feature``, else ``translation_logp`` where there is one, else the total (Marian). Raises DataError, with the
    line, on what is not such a line or not UTF-8, on sentence numbers that go back, and when a sentence has none.
    """
    remaining = iter(sources)
    expected, hypotheses = 0, list[Hypothesis]()
    for n_line, line in numbered_lines(path):
        number, hypothesis = _parsed(line, score_feature, at(path, n_line))
        if number != expected:
            yield _finished(remaining, hypotheses, expected, path)
            expected, hypotheses = expected + 1, []
        if number != expected:
            raise DataError(
                wanted=f"hypotheses of sentence {expected}", found=f"sentence {number}", where=at(path, n_line)
            )
        hypotheses.append(hypothesis)
    if hypotheses:
        yield _finished(remaining, hypotheses, expected, path)
        expected += 1
    n_left = sum(1 for _ in remaining)
    if n_left:
        raise DataError(
            wanted=f"hypotheses for all {expected + n_left} sources", found=f"for the first {expected}", where=path
        )


def write_moses(nbests: Iterable[NBest], path: Path) -> int:
    """Write ``nbests`` as a Moses n-best file and return the number of lists; the total is the sum of the features.

    Raises DataError for a text that holds the separator or a line end, which the format cannot express.
    """
    n_lists = 0
    with writing_whole(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as lines:
        for nbest in nbests:
            for hypothesis in nbest.hypotheses:
                _refuse_unwritable(hypothesis.text, n_lists)
                features = " ".join(f"{name}= {value:.6g}" for name, value in hypothesis.features.items())
                fields = (str(n_lists), hypothesis.text, features, f"{sum(hypothesis.features.values()):.6g}")
                lines.write(_SEPARATOR.join(fields) + "\n")
            n_lists += 1
    return n_lists


def _refuse_unwritable(text: str, number: int) -> None:
    if "|||" in text or "\n" in text or "\r" in text:
        raise DataError(wanted="texts without '|||' and line ends", found=repr(text[:60]), where=f"list {number}")


def _finished(sources: Iterator[str], hypotheses: list[Hypothesis], number: int, path: Path) -> NBest:
    if not hypotheses:
        raise DataError(wanted=f"hypotheses of sentence {number}", found="none", where=path)
    source = next(sources, None)
    if source is None:
        raise DataError(wanted=f"a source sentence for list {number}", found=f"only {number} sources", where=path)
    return NBest(source=source, hypotheses=tuple(hypotheses))


def _parsed(line: str, score_feature: str, where: str) -> tuple[int, Hypothesis]:
    fields = line.split(_SEPARATOR.rstrip())
    wanted = "a line 'number ||| text ||| name= value ... ||| total'"
    if len(fields) < 3:
        raise DataError(wanted=wanted, found=f"'{line[:80]}'", where=where)
    number = whole_number(fields[0].strip(), wanted=wanted, where=where)
    features = _features(fields[2], where)
    total = _number(fields[3].strip(), where) if len(fields) > 3 and fields[3].strip() else None
    score = features.get(score_feature) if score_feature else features.get(TRANSLATION_LOGP, total)
    if score_feature and score is None:
        raise DataError(wanted=f"the feature '{score_feature}'", found=f"{', '.join(features) or 'none'}", where=where)
    scored = features if score is None else {**features, TRANSLATION_LOGP: score}
    return number, Hypothesis(text=clean_text(fields[1]), features=scored)


def _number(item: str, where: str) -> float:
    return finite_number(item, wanted=_FEATURES, where=where)


def _features(text: str, where: str) -> dict[str, float]:
    """Return the features "name= 1 2" (Moses), also as "name: 1" (its first versions) and "name=1" (Joshua)."""
    values: dict[str, list[float]] = {}
    name = ""
    for item in text.split():
        label = _LABEL.match(item)
        if label:
            name, item = label["name"], label["value"] or ""
            values.setdefault(name, [])
        if name not in values:
            raise DataError(wanted=_FEATURES, found=f"'{text[:80]}'", where=where)
        if item:
            values[name].append(_number(item, where))
    return {
        name if len(numbers) == 1 else f"{name}_{i}": number
        for name, numbers in values.items()
        for i, number in enumerate(numbers)
    }
