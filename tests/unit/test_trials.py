"""Small files from public bug reports, kept beside the project: every one is read right, or refused in one line."""

import os
import warnings
from pathlib import Path

import pytest

from seedcorn.corpus.formats import SKIP, read_corpus
from seedcorn.errors import DataError, SeedcornWarning

TRIALS = Path(os.environ.get("SEEDCORN_DATA", "../shared/data")).parent / "trials"
pytestmark = pytest.mark.skipif(not TRIALS.is_dir(), reason="no trials beside the project")
RIGHT = {
    "csv-header-other-names/othernames.csv": [("Weck mich um sieben", "alarm_set"), ("Spiel Jazz", "play_music")],
    "csv-semicolon/semi2.csv": [("Weck mich um sieben", "alarm_set"), ("Spiel Jazz, bitte", "play_music")],
    "csv-semicolon/e11.csv": [("play", "music")],
    "hf-classlabel/hf_label.parquet": [("wake me at five", "alarm"), ("play jazz", "music")],
    "hf-tokens-ner/hf_tokens.parquet": [("wake me at five", "")],
    "json-array-of-records/labelstudio.json": [("wake me at five", "alarm_set")],
    "jsonl-mixed-list/doccano.jsonl": [("wake me at five", "alarm")],
    "massive-parquet/massive_hf.parquet": [("wake me at five", "3")],
    "conll-docstart/conll2003.conll": [("wake me at five am", ""), ("play jazz", "")],
    "conllu-read-as-text/conllu.conllu": [("play jazz", "")],
    "rasa-md-and-json/nlu.md": [("hey", "greet"), ("see Rome", "greet")],
    "rasa-md-and-json/rasa.json": [("see Rome", "go")],
    "rasa-entity-colon-value/nlu.yml": [("call Bob", "a")],
    "snips-official-dataset/s2.json": [("go to Rome", "go")],
    "zero-width-only-text/zw.jsonl": [("play jazz", "")] * 1
    + [("playjazz", ""), ("play jazz", ""), ("playjazz", "")]
    + [("play jazz", "")],
}
REFUSED = ("rasa-nested/nlu.yml", "rasa-quoted-entity/nlu.yml", "slot-with-white-space-or-wrong-value/s.jsonl")


@pytest.mark.parametrize("name", RIGHT)
def test_read_right(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeedcornWarning)
        found = [(u.text, u.intent) for u in read_corpus(TRIALS / name, on_error=SKIP).utterances()]
    assert found == RIGHT[name]


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(DataError):
        read_corpus(TRIALS / name).count()
