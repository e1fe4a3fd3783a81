"""TMX translation memories, streamed. Entities declared by the file are refused: they can expand without bound."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.parsers import expat

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import open_bytes
from seedcorn.corpus.formats.pairs_rows import NumberedPair, PairChunk, chunks_of
from seedcorn.errors import DataError, at

_BYTES_PER_FEED = 1 << 20
# Inside a segment these hold codes of the document format, not text.
_CODES = ("bpt", "ept", "ph", "it", "ut")


def read_tmx(path: Path, bad_rows: BadRows, *, source_lang: str, target_lang: str) -> Iterator[PairChunk]:
    """Yield the units of ``path`` that have both languages; "hi" also takes the variants of "hi-IN" and the reverse.

    Raises DataError for XML that is broken or declares entities, and when a language is not named.
    """
    if not source_lang or not target_lang:
        raise DataError(wanted="the two languages to take from a TMX file", found="not both", where=path)
    yield from chunks_of(_pairs(path, source_lang, target_lang))


def _pairs(path: Path, source_lang: str, target_lang: str) -> Iterator[NumberedPair]:
    units = _Units(path)
    with open_bytes(path) as stream:
        while block := stream.read(_BYTES_PER_FEED):
            units.feed(block, is_last=False)
            yield from units.taken(source_lang, target_lang)
        units.feed(b"", is_last=True)
        yield from units.taken(source_lang, target_lang)


class _Units:
    """The translation units that have been parsed so far and not taken yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: list[tuple[int, dict[str, str]]] = []
        self._variants: dict[str, str] = {}
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

    def taken(self, source_lang: str, target_lang: str) -> Iterator[NumberedPair]:
        """Yield the finished units that have both languages and forget all finished ones."""
        for line, variants in self._done:
            source, target = _variant(variants, source_lang), _variant(variants, target_lang)
            if source is not None and target is not None:
                yield NumberedPair(line, {"source": source, "target": target})
        self._done.clear()

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "tu":
            self._variants, self._line = {}, self._parser.CurrentLineNumber
        elif name == "tuv":
            self._lang = attributes.get("xml:lang", attributes.get("lang", "")).lower()
        elif name == "seg":
            self._segment = []
        elif name in _CODES:
            self._n_codes_open += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._segment is not None:
            self._variants[self._lang] = "".join(self._segment)
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


def _variant(variants: Mapping[str, str], lang: str) -> str | None:
    wanted = lang.lower().replace("_", "-")
    if wanted in variants:
        return variants[wanted]
    near = [text for found, text in variants.items() if found.split("-")[0] == wanted.split("-")[0]]
    return near[0] if near else None
