"""TMX translation memories, streamed. Entities declared by the file are refused: they can expand without bound."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.parsers import expat

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import open_bytes
from seedcorn.corpus.formats.pairs_rows import NumberedPair, PairChunk, chunks_of, in_language
from seedcorn.errors import DataError, at

_BYTES_PER_FEED = 1 << 20
# Inside a segment these hold codes of the document format, not text.
_CODES = ("bpt", "ept", "ph", "it", "ut")


def read_tmx(path: Path, bad_rows: BadRows, *, source_lang: str, target_lang: str) -> Iterator[PairChunk]:
    """Yield the units of ``path`` that have both languages; "hi" also takes the variants of "hi-IN" and the reverse.

    A unit with several variants of a language gives each pair of them. Raises DataError for XML that is broken or
    declares entities, when a language is not named, and when no unit has both.
    """
    if not source_lang or not target_lang:
        raise DataError(wanted="the two languages to take from a TMX file", found="not both", where=path)
    yield from chunks_of(_pairs(path, source_lang, target_lang))


def _pairs(path: Path, source_lang: str, target_lang: str) -> Iterator[NumberedPair]:
    units, n_pairs = _Units(path), 0
    with open_bytes(path) as stream:
        while block := stream.read(_BYTES_PER_FEED):
            units.feed(block, is_last=False)
            for pair in units.taken(source_lang, target_lang):
                n_pairs += 1
                yield pair
        units.feed(b"", is_last=True)
        last = list(units.taken(source_lang, target_lang))
        yield from last
    if not n_pairs + len(last):
        raise DataError(
            wanted=f"translations from {source_lang} to {target_lang}",
            found=f"the languages {', '.join(sorted(units.languages)) or '(none)'}",
            where=path,
        )


class _Units:
    """The translation units that have been parsed so far and not taken yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.languages: set[str] = set()
        self._done: list[tuple[int, list[tuple[str, str]]]] = []
        self._variants: list[tuple[str, str]] = []
        self._line = 0
        self._lang = ""
        self._segment: list[str] | None = None
        self._n_codes_open = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse_entity

    def feed(self, data: bytes, *, is_last: bool) -> None:
        """Parse the next bytes; raises DataError with the line when they are no XML."""
        try:
            self._parser.Parse(data, is_last)
        except expat.ExpatError as error:
            raise DataError(
                wanted="well-formed XML", found=expat.ErrorString(error.code), where=at(self._path, error.lineno)
            ) from error
        except (LookupError, ValueError) as error:  # an encoding that Python does not know
            raise DataError(wanted="XML in a known encoding", found=str(error), where=self._path) from error

    def taken(self, source_lang: str, target_lang: str) -> Iterator[NumberedPair]:
        """Yield the finished units that have both languages and forget all finished ones."""
        for line, variants in self._done:
            for source in in_language(variants, source_lang):
                for target in in_language(variants, target_lang):
                    yield NumberedPair(line, {"source": source, "target": target})
        self._done.clear()

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "tu":
            self._variants, self._line = [], self._parser.CurrentLineNumber
        elif name == "tuv":
            self._lang = attributes.get("xml:lang", attributes.get("lang", "")).lower().replace("_", "-")
            self.languages.add(self._lang)
        elif name == "seg":
            self._segment = []
        elif name in _CODES:
            self._n_codes_open += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._segment is not None:
            self._variants.append((self._lang, "".join(self._segment)))
            self._segment = None
        elif name == "tu":
            self._done.append((self._line, self._variants))
        elif name in _CODES:
            self._n_codes_open -= 1

    def _characters(self, text: str) -> None:
        if self._segment is not None and not self._n_codes_open:
            self._segment.append(text)

    def _refuse_entity(self, name: str, *declaration: object) -> None:
        raise DataError(
            wanted="a TMX file that declares no entities",
            found=f"the entity '{name}'",
            where=at(self._path, self._parser.CurrentLineNumber),
        )
