"""The first stages of the language pipeline as a run executes them: data, pairs, translators, translations."""

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.files import digest_of_file, digest_of_folder
from seedcorn.pipelines.corpus_files import resolved_path
from seedcorn.pipelines.language_data import (
    LanguageDataSettings,
    PairFile,
    load_language_data,
    pair_files,
    read_pair_files,
    side_by_side,
    text_files,
)
from seedcorn.pipelines.language_nbest import translate_in_parts, without_slots
from seedcorn.pipelines.language_pairs import PairChoice, choose_pairs, teaching_pairs
from seedcorn.pipelines.language_systems import TranslatorName, estimated, set_name
from seedcorn.pipelines.language_translation import (
    EntityChoice,
    TranslationSettings,
    TranslatorSettings,
    TranslatorsSettings,
)
from seedcorn.pipelines.stage_files import Done, read_utterances, write_json, write_scores, write_utterances
from seedcorn.runs import Json, Run, StageFolder

SETS = ("transcripts", "source", "dev", "test", "dev_source", "true_target")
PAIRS, DICTIONARY = "pairs.parquet", "dictionary.parquet"
_N_HELD_OUT = 400
CANDIDATES = "candidates.parquet"


def data(run: Run, settings: LanguageDataSettings, *, relative_to: Path) -> Done:
    """Read the utterances of both languages, and keep a copy of each set in the run."""

    def work(folders: StageFolder) -> dict[str, int]:
        loaded = load_language_data(settings, relative_to=relative_to, random_seed=run.random_seed)
        sets = {name: getattr(loaded, name) for name in SETS}
        return {f"n_{name}": write_utterances(rows, folders.output / f"{name}.parquet") for name, rows in sets.items()}

    files = text_files(settings, relative_to=relative_to)
    chosen = settings.model_dump(mode="json", exclude={"pairs", "dictionary"})
    inputs = {name: digest_of_file(path) for name, path in files.items()}
    return Done(record=run.stage("data", work, settings=chosen, inputs=inputs), folder=run.folder / "data")


def clean(run: Run, settings: LanguageDataSettings, *, relative_to: Path) -> Done:
    """Read the general pairs and the dictionary, drop the bad ones, and write the rest as it is spoken."""

    def work(folders: StageFolder) -> dict[str, int]:
        pairs = _cleaned(settings.pairs, settings, relative_to, folders.output / PAIRS)
        dictionary = _cleaned(settings.dictionary, settings, relative_to, folders.output / DICTIONARY)
        return {**pairs, "n_dictionary": dictionary["n_kept"]}

    chosen = settings.model_dump(mode="json", include={"pairs", "dictionary", "source_lang", "target_lang"})
    inputs = {name: digest_of_file(path) for name, path in pair_files(settings, relative_to=relative_to).items()}
    return Done(
        record=run.stage("clean-pairs", work, settings=chosen, inputs=inputs), folder=run.folder / "clean-pairs"
    )


def _cleaned(
    files: Sequence[PairFile], settings: LanguageDataSettings, relative_to: Path, path: Path
) -> dict[str, int]:
    pairs = read_pair_files(files, settings, relative_to=relative_to)
    kept = clean_pairs(pairs, source_lang=settings.source_lang, target_lang=settings.target_lang)
    pq.write_table(spoken_form(take_pairs(pairs, kept.positions)).table(), path)
    by_reason = {
        f"n_{reason.replace(' ', '_')}": int((kept.reject_codes == code).sum())
        for code, reason in enumerate(kept.reject_reasons)
    }
    n_kept = len(kept.positions)
    return {"n_in": kept.n_rows, "n_kept": n_kept, "n_rejected": kept.n_rows - n_kept, **by_reason}


def choose(run: Run, data: Done, cleaned: Done, choice: PairChoice) -> Done:
    """Keep the pairs nearest to in-domain text: what teaches the translator, and the general text of the systems."""

    def work(folders: StageFolder) -> dict[str, int]:
        pairs = read_pair_table(cleaned)
        transcripts, source = (
            [u.text for u in read_utterances(data.folder / f"{name}.parquet")] for name in ("transcripts", "source")
        )
        found = choose_pairs(pairs, transcripts, source, choice=choice, random_seed=run.random_seed)
        pq.write_table(take_pairs(pairs, found.selection.positions).table(), folders.output / PAIRS)
        write_scores(found.scores, folders.output / "scores.npz")
        n_rows, n_kept = len(found.scores), len(found.selection.positions)
        return {"n_in": n_rows, "n_kept": n_kept, "n_rejected": n_rows - n_kept}

    settings = choice.model_dump(mode="json", exclude={"placeholder_fraction"})
    record = run.stage("choose-pairs", work, settings=settings, inputs=data.digest | cleaned.digest)
    return Done(record=record, folder=run.folder / "choose-pairs")


def read_pair_table(stage: Done, name: str = PAIRS) -> PairCorpus:
    """Return the pairs that a finished stage wrote."""
    return PairCorpus.from_table(pq.read_table(stage.folder / name))


def translators(
    run: Run,
    data: Done,
    cleaned: Done,
    pairs: Done,
    settings: TranslatorsSettings,
    *,
    wanted: Collection[TranslatorName],
    placeholder_fraction: float,
    lm_order: int,
    relative_to: Path,
) -> dict[TranslatorName, Done]:
    """Train the translators that the systems want, each from the pairs it is named after."""
    made: dict[TranslatorName, Done] = {}
    train = partial(translator, run, data, cleaned, placeholder_fraction=placeholder_fraction, relative_to=relative_to)
    if TranslatorName.ALL_PAIRS in wanted:
        made[TranslatorName.ALL_PAIRS] = train(
            cleaned, settings.all_pairs or settings.selected, name=TranslatorName.ALL_PAIRS
        )
    if {TranslatorName.SELECTED, TranslatorName.SELF_TRAINED} & set(wanted):
        made[TranslatorName.SELECTED] = train(pairs, settings.selected, name=TranslatorName.SELECTED)
    if TranslatorName.SELF_TRAINED in wanted:
        made[TranslatorName.SELF_TRAINED] = self_training(
            run,
            data,
            pairs,
            made[TranslatorName.SELECTED],
            settings,
            lm_order=lm_order,
            relative_to=relative_to,
        )
    return made


def translator(
    run: Run,
    data: Done,
    cleaned: Done,
    pairs: Done,
    settings: TranslatorSettings,
    *,
    name: TranslatorName,
    placeholder_fraction: float,
    relative_to: Path,
) -> Done:
    """Train the translator on ``pairs``, or take over the one that was trained before."""

    def work(folders: StageFolder) -> dict[str, int]:
        if settings.folder is not None:
            return _copy_translator(resolved_path(settings.folder, relative_to=relative_to), folders.output)
        from seedcorn.translation.training import train_translator

        chosen, dev = _held_out(read_pair_table(pairs), dev_pairs(data))
        trained = train_translator(
            teaching_pairs(
                chosen,
                read_pair_table(cleaned, DICTIONARY),
                placeholder_fraction=placeholder_fraction,
                random_seed=run.random_seed,
            ),
            dev,
            folders.output,
            settings=settings.training(),
            checkpoints=folders.checkpoints,
            random_seed=run.random_seed,
        )
        write_json(
            {
                "dev_chrf": trained.dev_chrf,
                "dev_chrf_by_step": {str(k): v for k, v in trained.dev_chrf_by_step.items()},
            },
            folders.output / "training.json",
        )
        return {"n_pairs": chosen.count(), "n_steps": trained.n_steps, "n_target_tokens": trained.n_target_tokens}

    chosen: dict[str, Json] = {**settings.model_dump(mode="json"), "placeholder_fraction": placeholder_fraction}
    inputs = data.digest | cleaned.digest | pairs.digest
    if settings.folder is not None:
        inputs = {"translator": digest_of_folder(resolved_path(settings.folder, relative_to=relative_to))}
    stage = f"translator-{name.value}"
    return Done(record=run.stage(stage, work, settings=chosen, inputs=inputs), folder=run.folder / stage)


def _copy_translator(folder: Path, output: Path) -> dict[str, int]:
    from seedcorn.translation.translator import load_translator

    shutil.copytree(folder, output, dirs_exist_ok=True)
    load_translator(output)
    return {"n_files": sum(1 for path in output.rglob("*") if path.is_file())}


def dev_pairs(data: Done) -> list[SentencePair]:
    """Return the folded dev pairs, where dev has a source side."""
    source, target = (read_utterances(data.folder / f"{name}.parquet") for name in ("dev_source", "dev"))
    return side_by_side(source, target)


def _held_out(pairs: PairCorpus, dev: list[SentencePair]) -> tuple[PairCorpus, list[SentencePair]]:
    """Return the training pairs and the dev pairs; without given ones, some of the training pairs are held out."""
    if dev:
        return pairs, dev
    table = pairs.table()
    rows = np.linspace(0, table.num_rows - 1, min(_N_HELD_OUT, max(table.num_rows // 10, 1))).astype(np.int64)
    others = np.setdiff1d(np.arange(table.num_rows), rows)
    return PairCorpus.from_table(table.take(pa.array(others))), PairCorpus.from_table(
        table.take(pa.array(rows))
    ).pairs()


def self_training(
    run: Run,
    data: Done,
    pairs: Done,
    trained: Done,
    settings: TranslatorsSettings,
    *,
    lm_order: int,
    relative_to: Path,
) -> Done:
    """Go on training the translator on its own translations of in-domain text, while dev chrF rises."""
    choice = settings.self_training
    given = choice.folder and resolved_path(choice.folder, relative_to=relative_to)

    def work(folders: StageFolder) -> dict[str, int]:
        if given:
            return _copy_translator(given, folders.output)
        from seedcorn.translation.self_training import self_train

        source = read_utterances(data.folder / "source.parquet")
        transcripts = spoken([u.text for u in read_utterances(data.folder / "transcripts.parquet")])
        chosen, dev = _held_out(read_pair_table(pairs), dev_pairs(data))
        found = self_train(
            trained.folder,
            spoken([u.text for u in source]),
            chosen,
            dev,
            folders.checkpoints,
            settings=choice.settings(settings.selected.training()),
            random_seed=run.random_seed,
            lm=estimated(transcripts, order=lm_order, vocabulary=None) if choice.lm_weight else None,
        )
        shutil.copytree(found.folder, folders.output, dirs_exist_ok=True, ignore=shutil.ignore_patterns("record.json"))
        write_json({"dev_chrf_by_round": list(found.dev_chrf_by_round)}, folders.output / "training.json")
        return {"n_rounds": len(found.dev_chrf_by_round) - 1}

    chosen: dict[str, Json] = {"self_training": choice.model_dump(mode="json"), "lm_order": lm_order}
    inputs = data.digest | pairs.digest | trained.digest
    if given:
        inputs = {"translator": digest_of_folder(given)}
    stage = f"translator-{TranslatorName.SELF_TRAINED.value}"
    return Done(record=run.stage(stage, work, settings=chosen, inputs=inputs), folder=run.folder / stage)


def spoken(texts: Sequence[str]) -> list[str]:
    """Return texts as they are spoken and as translators are trained: folded, empty ones left out."""
    from seedcorn.corpus.folding import fold_all

    return [text for text in fold_all(texts) if text]


def translations(
    run: Run,
    data: Done,
    translators: Mapping[TranslatorName, Done],
    settings: TranslationSettings,
    *,
    wanted: Iterable[tuple[TranslatorName, bool]],
    relative_to: Path,
) -> dict[str, Done]:
    """Translate the source text once for each set that the systems want: by which translator, and how slot values."""
    return {
        set_name(name, with_entities): translate(
            run, data, translators[name], settings, name=name, with_entities=with_entities, relative_to=relative_to
        )
        for name, with_entities in wanted
    }


def translate(
    run: Run,
    data: Done,
    trained: Done,
    settings: TranslationSettings,
    *,
    name: TranslatorName,
    with_entities: bool,
    relative_to: Path,
) -> Done:
    """Translate all in-domain source text into n-best lists."""

    def work(folders: StageFolder) -> dict[str, int]:
        from seedcorn.translation.entities import EntitySettings, catalogue_of
        from seedcorn.translation.translator import load_translator

        source = read_utterances(data.folder / "source.parquet")
        catalogue = catalogue_of(read_utterances(data.folder / "transcripts.parquet"))
        own, lexicon = EntitySettings(), dict[str, str]()
        if with_entities:
            own = settings.entities.settings(catalogue, {s.type for u in source for s in u.slots})
            lexicon = entity_lexicon(settings.entities, relative_to)
        candidates, rejects = translate_in_parts(
            source if with_entities else without_slots(source),
            load_translator(trained.folder),
            entities=own,
            catalogue=catalogue,
            lexicon=lexicon,
            n_best=settings.n_best,
            random_seed=run.random_seed,
            checkpoints=folders.checkpoints,
        )
        for table, file in ((candidates, CANDIDATES), (rejects, "rejects.parquet")):
            pq.write_table(table, folders.output / file)
        return {"n_in": len(source), "n_kept": candidates.num_rows, "n_rejected": rejects.num_rows}

    chosen = settings.model_dump(mode="json", include={"n_best", "entities"} if with_entities else {"n_best"})
    stage = f"translations-{set_name(name, with_entities)}"
    record = run.stage(stage, work, settings=chosen, inputs=data.digest | trained.digest)
    return Done(record=record, folder=run.folder / stage)


def entity_lexicon(choice: EntityChoice, relative_to: Path) -> dict[str, str]:
    """Return the user's spellings of words in the target script, none without a file of them."""
    from seedcorn.translation.transliteration import read_lexicon

    return {} if choice.lexicon is None else read_lexicon(resolved_path(choice.lexicon, relative_to=relative_to))
