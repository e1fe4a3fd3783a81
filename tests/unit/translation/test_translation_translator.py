"""What a folder that should hold a translator can be instead, and what its texts always are."""

import shutil
from pathlib import Path

import pytest

from seedcorn.errors import DataError

pytest.importorskip("ctranslate2")

from seedcorn.translation import translator as translator_module
from seedcorn.translation.translator import CONVERTED, load_translator


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def test_damaged_weights_are_refused(trained, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "model", ignore=shutil.ignore_patterns(CONVERTED))
    cut(folder / "model.safetensors")
    with pytest.raises(DataError, match="a translator that ctranslate2 can run"):
        load_translator(folder)
    assert not (folder / CONVERTED).exists()


def test_a_damaged_conversion_is_refused_and_can_be_made_anew(trained, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "model")
    cut(folder / CONVERTED / "model.bin")
    with pytest.raises(DataError, match=r"ctranslate2: wanted a converted translator.*Remove that folder"):
        load_translator(folder)
    shutil.rmtree(folder / CONVERTED)
    assert load_translator(folder, n_threads=1).best(["a red house"]) == ["एक लाल घर"]


def test_translations_are_in_nfc(translator, monkeypatch) -> None:
    monkeypatch.setattr(translator_module, "texts_of", lambda _, sequences: ["cafe\u0301"] * len(sequences))
    assert translator.best(["a red house"]) == ["caf\u00e9"]
