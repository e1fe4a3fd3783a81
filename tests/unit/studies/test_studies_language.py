"""A language study on posteriors that spell the test: cells, results, and going on where it stopped."""

from dataclasses import replace

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.text import normalise
from seedcorn.language import models
from seedcorn.report.page import Table
from seedcorn.speech.alphabet import alphabet_of
from seedcorn.speech.posteriors import Posteriors
from seedcorn.studies.language import LanguageStudyConfig, cells_of, run_cells
from seedcorn.studies.language_page import study_page
from seedcorn.studies.language_results import language_results

N_ROWS = 60


def spelt(texts, ids, rng):
    """Posteriors that spell the texts, with some doubt about every symbol."""
    alphabet = alphabet_of(text.split() for text in texts)
    logps = []
    for text in texts:
        columns = [c for letter in f"{text} " for c in (alphabet.index_of[letter], alphabet.blank)]
        steps = rng.dirichlet(np.full(len(alphabet), 0.3), size=len(columns)) * 0.6 + 1e-4
        steps[np.arange(len(columns)), columns] += 0.3
        logps.append(np.log(steps / steps.sum(axis=1, keepdims=True)).astype(np.float16))
    return Posteriors(ids=ids, logps=tuple(logps), alphabet=alphabet, seconds_per_step=0.03)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("posteriors")
    rows = builtin_requests(N_ROWS, lang="hi", random_seed=1).utterances()
    spelt([normalise(u.text) for u in rows], tuple(u.id for u in rows), np.random.default_rng(0)).save(
        folder / "all.npz"
    )

    def requests(lang, partition):
        return {"path": "builtin:requests", "lang": lang, "n_rows": N_ROWS, "where": {"partition": partition}}

    return LanguageStudyConfig.model_validate(
        {
            "study": "language",
            "name": "tiny",
            "random_seeds": [1, 2],
            "sizes": [10, 20],
            "data": {
                "source_lang": "en",
                "target_lang": "hi",
                "transcripts": requests("hi", "train"),
                "source": [requests("en", "train")],
                "pairs": [{"path": "builtin:pairs", "n_rows": 150}],
                "dev": requests("hi", "dev"),
                "test": requests("hi", "test"),
                "oracle_target": requests("hi", "train"),
            },
            "pair_selection": {"n_dimensions": 2},
            "recogniser": {
                "files": {"dev": "all.npz", "test": "all.npz"},
                "decoder": {"beam_size": 10, "tuning": "none"},
            },
            "baseline": "transcripts",
            "general": "general text",
            "reported": "general text",
            "translations": "truth",
            "oracle": "truth",
            "systems": {
                "transcripts": ["transcripts"],
                "general text": ["transcripts", "general"],
                "truth": ["transcripts", "general", "oracle_target"],
            },
        },
        context={"relative_to": folder},
    )


@pytest.fixture(scope="module")
def studied(config, tmp_path_factory):
    """The folder of the study, and its cells."""
    folder = tmp_path_factory.mktemp("study")
    return folder, run_cells(config, folder=folder)


def test_every_size_comes_once_before_the_next_random_seed(config) -> None:
    assert cells_of(config) == [(10, 1), (20, 1), (10, 2), (20, 2)]


def test_a_role_must_name_a_system(config) -> None:
    for role in ("reported", "general", "translations"):
        with pytest.raises(ValueError, match="'best' is not one of the systems"):
            LanguageStudyConfig.model_validate({**dict(config), role: "best"})


def test_a_study_measures_every_system_and_goes_on_where_it_stopped(config, studied, monkeypatch) -> None:
    folder, cells = studied
    found = language_results(config, cells, command="seedcorn study x.yaml")
    monkeypatch.setattr(models, "estimate_texts", None)  # would fail if a cell were made again
    again = run_cells(config, folder=folder)
    assert [outcome.records for outcome in again.values()] == [outcome.records for outcome in cells.values()]
    # What does not depend on the transcripts of a cell is made once for all.
    made = [path.name.rpartition("-")[0] for path in (folder / "store").iterdir() if path.is_dir()]
    shared = ("clean-pairs", "posteriors", "text-oracle_target", "lm-own-text-oracle_target")
    assert {name: made.count(name) for name in shared} == dict.fromkeys(shared, 1)
    assert made.count("model-own-truth") == 4

    assert {"wer_reduction_10", "wer_reduction_over_general_text_20", "oracle_wer_reduction_10"} <= set(found.summary)
    assert found.summary["translations_alone_10_low"] <= found.summary["translations_alone_10"]
    assert found.summary["translations_alone_10"] > 0
    by_system = found.summary["wer_by_system"]
    assert by_system["10"]["truth"] < by_system["10"]["transcripts"]
    assert by_system["20"]["transcripts"] < by_system["10"]["transcripts"]
    assert found.summary["oracle_wer_reduction_10"] > 0
    # Bars of reductions with two tables; perplexity and vocabulary over the number of transcripts, with a table.
    page = study_page(config, replace(found, summary={**found.summary, "chrf": 43.27}))
    assert [len(section.contents) for section in page.sections] == [4, 3]
    assert dict(page.summary)["chrF of the best translator"] == "43.3"
    assert {name.partition(", ")[2] for name, _ in page.summary[:-1]} >= {"10 transcripts"}
    assert not [name for name, _ in page.summary if "20 transcripts" in name]
    by_size = page.sections[0].contents[0]
    assert isinstance(by_size, Table)
    assert [row[0] for row in by_size.rows] == [10, 20]


def test_cells_made_by_several_workers_say_the_same(config, studied, tmp_path) -> None:
    _, alone = studied
    together = run_cells(config, folder=tmp_path / "together", n_workers=2)
    assert list(together) == list(alone)
    digests = [[r.output_digest for o in cells.values() for r in o.records] for cells in (alone, together)]
    assert digests[0] == digests[1]


def test_without_a_recogniser_systems_are_compared_by_perplexity(config, tmp_path) -> None:
    silent = config.model_copy(update={"recogniser": None})
    found = language_results(silent, run_cells(silent, folder=tmp_path), command="seedcorn study x.yaml")
    by_system = found.summary["perplexity_by_system"]
    assert by_system["10"]["truth"] < by_system["10"]["transcripts"]
    reduction = 1 - by_system["10"]["truth"] / by_system["10"]["transcripts"]
    assert found.summary["oracle_perplexity_reduction_10"] == pytest.approx(reduction, abs=0.05)
    assert {"perplexity_reduction_10", "perplexity_reduction_over_general_text_20"} <= set(found.summary)
    assert not [key for key in found.summary if "wer" in key or "over_general_1" in key]
    page = study_page(silent, found)
    assert [len(section.contents) for section in page.sections] == [3, 3]
    assert page.sections[0].title == "Relative reduction of perplexity"
    assert "perplexity" in page.lead
    assert "lower perplexity, 10 transcripts" in dict(page.summary)


def test_a_size_that_is_everything_is_made_once(config) -> None:
    seeds = config.model_copy(update={"random_seeds": (1, 2), "sizes": (10, 20), "largest_once": True})
    assert cells_of(seeds) == [(10, 1), (20, 1), (10, 2)]
    assert len(cells_of(seeds.model_copy(update={"largest_once": False}))) == 4
