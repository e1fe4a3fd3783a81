"""The study command: what it would make is listed, by the kind of study that its file names."""

import json
from pathlib import Path

import pytest
import yaml

from seedcorn.cli import run

ROWS = {"path": "builtin:requests", "n_rows": 100}
PARTS = {part: ROWS | {"where": {"partition": part}} for part in ("train", "dev", "test")}
STUDIES = {
    "intent": {
        "functionalities": {"alarm": ["alarm_set"], "music": ["music_play"]},
        "corpora": {"en": {"data": {"annotated": PARTS, "pool": [ROWS]}}},
    },
    "language": {
        "sizes": [20, 50],
        "data": {
            "source_lang": "en",
            "target_lang": "hi",
            "transcripts": ROWS | {"lang": "hi"},
            "source": [ROWS],
            "pairs": [{"path": "builtin:pairs", "n_rows": 100}],
            "dev": ROWS | {"lang": "hi"},
            "test": ROWS | {"lang": "hi"},
        },
    },
    "growth": {
        "intents": ["alarm_set", "music_play"],
        **dict.fromkeys(("train", "test", "pool"), ROWS),
        "systems": {name: {} for name in ("seed_only", "random", "chosen", "grown", "oracle")},
    },
}
CELLS = {
    "intent": {f"cells/en-{name}-50-{seed}" for name in ("alarm", "music") for seed in (1, 2)},
    "language": {f"{size}-{seed}" for size in (20, 50) for seed in (1, 2)},
    "growth": {
        f"random-seed-{s}/{name}" for s in (1, 2) for name in ("seed_only", "random", "chosen", "grown", "oracle")
    },
}


@pytest.mark.parametrize("kind", STUDIES)
def test_a_dry_run_lists_the_cells_and_makes_nothing(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = tmp_path / "study.yaml", tmp_path / "run"
    content = {"study": kind, "name": "mine", "random_seeds": [1, 2], **STUDIES[kind]}
    config.write_text(yaml.safe_dump(content), "utf-8")
    command = ["study", str(config), "--run-dir", str(folder), "--dry-run", "--json"]
    assert run(command) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned == {"run": str(folder), **dict.fromkeys(CELLS[kind], "to be run")}
    assert not folder.exists()
    (folder / min(CELLS[kind])).mkdir(parents=True)
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)[min(CELLS[kind])] == "begun before"


def test_a_mistake_in_a_study_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "study.yaml"
    config.write_text(
        yaml.safe_dump({"study": "growth", "name": "mine", **STUDIES["growth"], "baseline": "none"}), "utf-8"
    )
    assert run(["study", str(config), "--dry-run"]) == 2
    assert capsys.readouterr().err == (
        f"seedcorn: {config}: wanted settings that fit together, found some that do not. "
        "'none' is not one of the systems chosen, grown, oracle, random, seed_only.\n"
    )
