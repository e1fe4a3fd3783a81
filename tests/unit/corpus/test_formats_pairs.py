"""Files of sentence pairs: every format, and what each refuses."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.formats.bad_rows import SKIP
from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import DataError, SeedcornWarning

PAIRS = [
    SentencePair(source="wake me up", target="मुझे जगा दो", source_lang="en", target_lang="hi", origin="own", id="1"),
    SentencePair(source='say "hi"\u2028now', target="'नमस्ते' कहो", source_lang="en", target_lang="hi"),
]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def sides(pairs: PairCorpus) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in pairs.pairs()]


@pytest.mark.parametrize("name", ["p.tsv", "p.tsv.gz", "p.jsonl", "p.jsonl.zst", "p.parquet"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    assert write_pairs(PairCorpus.from_pairs(PAIRS), tmp_path / name) == 2
    again = read_pairs(tmp_path / name).pairs()
    assert again[0] == PAIRS[0]
    assert (again[1].source, again[1].target) == ('say "hi" now', "'नमस्ते' कहो")


def test_tsv_without_header_takes_languages_and_origin(tmp_path: Path) -> None:
    path = tmp_path / "p.tsv"
    path.write_bytes(
        b"\xef\xbb\xbfone\t\xe0\xa4\x8f\xe0\xa4\x95\ttatoeba\r\n\r\ntwo\t\xe0\xa4\xa6\xe0\xa5\x8b\town\r\n"
    )
    pairs = read_pairs(path, source_lang="en", target_lang="hi").pairs()
    assert [(p.source, p.target, p.origin, p.source_lang, p.target_lang) for p in pairs] == [
        ("one", "एक", "tatoeba", "en", "hi"),
        ("two", "दो", "own", "en", "hi"),
    ]


def test_a_tab_inside_a_text_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "p.tsv", "one\tएक\ntwo\tthree\tदो\n")
    with pytest.raises(DataError, match=r"p\.tsv:2: wanted 2 fields .*found 3.*must become a space"):
        read_pairs(path).pairs()


def test_an_empty_side_is_told_or_skipped_into_the_rejects(tmp_path: Path) -> None:
    path = written(tmp_path / "p.tsv", "one\tएक\ntwo\t \nthree\tतीन\n")
    with pytest.raises(DataError, match=r"p\.tsv:2: wanted text on both sides of a pair, found an empty target"):
        read_pairs(path).pairs()
    rejects = tmp_path / "rejects.jsonl"
    with pytest.warns(SeedcornWarning, match="1 bad rows skipped"):
        assert sides(read_pairs(path, on_error=SKIP, rejects=rejects)) == [("one", "एक"), ("three", "तीन")]
    assert json.loads(rejects.read_text("utf-8"))["found"] == "an empty target"


def test_moses_lines_correspond_and_line_separators_do_not_end_them(tmp_path: Path) -> None:
    source = written(tmp_path / "c.en", "one\u2028and a half\ntwo\n")
    target = written(tmp_path / "c.hi", "डेढ़\r\nदो")
    assert sides(read_pairs(source, target=target)) == [("one and a half", "डेढ़"), ("two", "दो")]


def test_moses_files_of_unequal_length_are_refused_with_both_counts(tmp_path: Path) -> None:
    source, target = written(tmp_path / "c.en", "a\nb\nc\n"), written(tmp_path / "c.hi", "अ\nब\n")
    with pytest.raises(
        DataError, match=r"c\.en: wanted two files of the same number of lines, found 3 lines, and 2 in"
    ):
        read_pairs(source, target=target)


def test_a_blank_line_on_one_side_does_not_shift_the_rest(tmp_path: Path) -> None:
    source, target = written(tmp_path / "c.en", "a\n\nc\n"), written(tmp_path / "c.hi", "अ\nब\nस\n")
    with pytest.raises(DataError, match=r"c\.en:2.*an empty source"):
        read_pairs(source, target=target).pairs()
    with pytest.warns(SeedcornWarning):
        assert sides(read_pairs(source, target=target, on_error=SKIP)) == [("a", "अ"), ("c", "स")]


def test_a_line_that_is_not_utf8_takes_its_partner_with_it(tmp_path: Path) -> None:
    source, target = tmp_path / "c.en", written(tmp_path / "c.hi", "अ\nब\nस\n")
    source.write_bytes(b"a\n\xff\nc\n")
    with pytest.warns(SeedcornWarning):
        assert sides(read_pairs(source, target=target, on_error=SKIP)) == [("a", "अ"), ("c", "स")]


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en"/><body>
<tu><tuv xml:lang="en-US"><seg>wake <bpt i="1">&lt;b&gt;</bpt>me<ept i="1">&lt;/b&gt;</ept> up</seg></tuv>
<tuv xml:lang="hi-IN"><seg>मुझे जगा दो</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>no &amp; yes</seg></tuv><tuv xml:lang="fr"><seg>non</seg></tuv></tu>
<tu><tuv xml:lang="hi"><seg>नहीं</seg></tuv><tuv lang="EN"><seg>no</seg></tuv></tu>
</body></tmx>"""


def test_tmx_takes_the_units_that_have_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "p.tmx.gz"
    path.write_bytes(gzip.compress(TMX.encode()))
    pairs = read_pairs(path, source_lang="en", target_lang="hi")
    assert sides(pairs) == [("wake me up", "मुझे जगा दो"), ("no", "नहीं")]
    assert sides(pairs) == sides(read_pairs(path, source_lang="en-GB", target_lang="hi-IN"))


def test_tmx_that_declares_entities_is_refused(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><tmx><body/></tmx>'
    with pytest.raises(DataError, match="declares no entities, found the entity 'a'"):
        read_pairs(written(tmp_path / "p.tmx", bomb), source_lang="en", target_lang="hi")


def test_tmx_needs_languages_and_well_formed_xml(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two languages"):
        read_pairs(written(tmp_path / "p.tmx", TMX))
    with pytest.raises(DataError, match=r"p\.tmx:3: wanted well-formed XML"):
        read_pairs(written(tmp_path / "p.tmx", "<tmx>\n<body>\n</tmx>"), source_lang="en", target_lang="hi")


def test_parquet_without_a_side_and_json_without_one_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"source": ["a"]}), tmp_path / "p.parquet")
    with pytest.raises(DataError, match="a column 'target'"):
        read_pairs(tmp_path / "p.parquet")
    with pytest.raises(DataError, match=r"p\.jsonl:2: .*'source' and 'target'"):
        read_pairs(written(tmp_path / "p.jsonl", '{"source":"a","target":"b"}\n{"source":"a"}\n')).pairs()


def test_missing_empty_and_unknown_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found nothing"):
        read_pairs(tmp_path / "none.tsv")
    with pytest.raises(DataError, match="at least one sentence pair"):
        read_pairs(written(tmp_path / "p.tsv", "\n"))
    with pytest.raises(DataError, match="target side too"):
        read_pairs(written(tmp_path / "corpus.en", "a\n"))


def test_a_tab_cannot_be_written_as_tsv_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 0"):
        write_pairs(PairCorpus.from_pairs([SentencePair(source="a\tb", target="c")]), tmp_path / "p.tsv")
    assert not list(tmp_path.iterdir())


def test_tmx_gives_every_variant_and_reads_any_form_of_a_locale(tmp_path: Path) -> None:
    def unit(*variants: tuple[str, str]) -> str:
        return "<tu>" + "".join(f'<tuv xml:lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in variants) + "</tu>"

    path = tmp_path / "a.tmx"
    body = unit(("en-US", "color"), ("en-GB", "colour"), ("fr_FR", "couleur"))
    path.write_text(f'<tmx version="1.4"><header/><body>{body}</body></tmx>', encoding="utf-8")
    pairs = read_pairs(path, source_lang="en", target_lang="fr").pairs()
    assert [(p.source, p.target) for p in pairs] == [("color", "couleur"), ("colour", "couleur")]
    with pytest.raises(DataError, match="found the languages en-gb, en-us, fr-fr"):
        read_pairs(path, source_lang="en", target_lang="de")
    path.write_bytes(b'<?xml version="1.0" encoding="nonsense-8"?><tmx/>')
    with pytest.raises(DataError):
        read_pairs(path, source_lang="en", target_lang="de")


TRANSLATIONS = [
    {"id": "1", "translation": {"en": "one", "hi": "एक", "fr": "un"}},
    {"id": "2", "translation": {"en": "two", "hi": "दो", "fr": "deux"}},
]


def written_translations(folder: Path, kind: str) -> Path:
    table = pa.Table.from_pylist(TRANSLATIONS)
    path = folder / f"t.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in TRANSLATIONS), "utf-8")
    elif kind == "parquet":
        pq.write_table(table, path)
    else:
        arrow = path if kind == "arrow" else path / "data-00000-of-00001.arrow"
        arrow.parent.mkdir(exist_ok=True)
        with pa.OSFile(str(arrow), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        if kind == "folder":
            (path / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}', "utf-8")
    return path


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "arrow", "folder"])
def test_translation_columns_give_the_languages_asked_for(tmp_path: Path, kind: str) -> None:
    path = written_translations(tmp_path, kind)
    pairs = read_pairs(path, source_lang="hi-IN", target_lang="fr").pairs()
    assert [(p.source, p.target, p.id) for p in pairs] == [("एक", "un", "1"), ("दो", "deux", "2")]
    with pytest.raises(DataError, match="from 'en' to 'de', found the languages en, hi, fr|fr, hi"):
        read_pairs(path, source_lang="en", target_lang="de")


@pytest.mark.parametrize("header", ["Source\tTarget", " src\tTGT ", "en\thi", "EN\tHI", "id\tsource\ttarget"])
def test_headers_name_the_sides_in_any_case_or_by_their_languages(tmp_path: Path, header: str) -> None:
    row = "wake me up\tमुझे जगा दो"
    path = written(tmp_path / "p.tsv", f"{header}\n{'7' + chr(9) if 'id' in header else ''}{row}\n")
    assert sides(read_pairs(path, source_lang="en", target_lang="hi")) == [("wake me up", "मुझे जगा दो")]


def test_two_languages_that_nobody_asked_for_are_a_pair(tmp_path: Path) -> None:
    assert sides(read_pairs(written(tmp_path / "p.tsv", "en\thi\n"))) == [("en", "hi")]
