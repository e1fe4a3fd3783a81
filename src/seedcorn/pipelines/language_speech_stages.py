"""The recogniser of the language pipeline as a run executes it: posteriors, decoder weights, decoding, measures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.utterances import Utterance
from seedcorn.lm.model_file import read_model
from seedcorn.pipelines.language_measures import CHANGED_SCHEMA, changed, rates, reduction_row, slice_rows
from seedcorn.pipelines.language_model_stages import FIXED, OWN
from seedcorn.pipelines.language_recogniser import (
    DecoderChoice,
    RecogniserSettings,
    TestBedChoice,
    Tuning,
    lexicon_of,
    read_speech,
    recognised,
    speech_digests,
    speech_of,
    tuned_decoder,
)
from seedcorn.pipelines.language_stages import read_pair_table
from seedcorn.pipelines.language_systems import own_words
from seedcorn.pipelines.stage_files import Done, read_json, read_utterances, write_json
from seedcorn.runs import Json, Run, StageFolder
from seedcorn.speech.decoding import DecoderSettings
from seedcorn.speech.posteriors import read_posteriors

PARTITIONS = ("dev", "test")


def posteriors(run: Run, data: Done, cleaned: Done, settings: RecogniserSettings, *, relative_to: Path) -> Done:
    """Listen to dev and test once: what the acoustic model heard is what every language model starts from."""

    def work(folders: StageFolder) -> dict[str, int]:
        sets = {name: read_utterances(data.folder / f"{name}.parquet") for name in PARTITIONS}
        if settings.test_bed is not None:
            _speak_and_listen(sets, cleaned, settings.test_bed, folders, run.random_seed)
        elif settings.files is not None:
            for name, utterances in sets.items():
                heard = read_speech(settings.files, name, relative_to=relative_to)
                speech_of(heard, utterances).save(folders.output / f"{name}.npz")
        return {f"n_{name}": len(utterances) for name, utterances in sets.items()}

    inputs = data.digest | cleaned.digest
    if settings.files is not None:
        inputs = data.digest | speech_digests(settings.files, relative_to=relative_to)
    chosen = settings.model_dump(mode="json", exclude={"decoder"})
    record = run.stage("posteriors", work, settings=chosen, inputs=inputs)
    return Done(record=record, folder=run.folder / "posteriors")


def _speak_and_listen(
    sets: Mapping[str, Sequence[Utterance]],
    cleaned: Done,
    choice: TestBedChoice,
    folders: StageFolder,
    random_seed: int,
) -> None:
    from dataclasses import replace

    from seedcorn.speech.test_bed import SMALL_TEST_BED, TINY_TEST_BED, speak_and_emit, train_test_bed

    bed = {"tiny": TINY_TEST_BED, "small": SMALL_TEST_BED}[choice.size.value]
    training = replace(bed.training, n_epochs=choice.n_epochs or bed.training.n_epochs)
    targets = [text for b in read_pair_table(cleaned).batches() for text in b.column("target").to_pylist()]
    model = train_test_bed(
        targets,
        lang=choice.voice,
        settings=replace(bed, n_sentences=choice.n_sentences or bed.n_sentences, training=training),
        word_boundary=choice.word_boundary,
        random_seed=random_seed,
        checkpoints=folders.checkpoints,
    )
    model.save(folders.output / "acoustic.safetensors")
    for number, (name, utterances) in enumerate(sets.items(), start=1):
        speak_and_emit(
            model,
            [u.text for u in utterances],
            ids=[u.id for u in utterances],
            lang=choice.voice,
            snr_range_db=choice.snr_db,
            random_seed=random_seed + number,
        ).save(folders.output / f"{name}.npz")


def decode_systems(
    run: Run, data: Done, models: Done, heard: Done, systems: Sequence[str], choice: DecoderChoice
) -> dict[str, Done]:
    """Decode test with every system; decoder weights are tuned for the first, or for each, as ``choice`` says."""
    decoded = {}
    for number, name in enumerate(systems):
        tuned_for = number if choice.tuning is Tuning.EACH else 0
        weights = decoder_weights(run, data, models, heard, choice, number=tuned_for)
        decoded[name] = decoding(run, data, models, heard, weights, choice, number=number)
    return decoded


def decoder_weights(run: Run, data: Done, models: Done, heard: Done, choice: DecoderChoice, *, number: int) -> Done:
    """Find the decoder's weights on dev for the system ``number``, or take those given."""

    def work(folders: StageFolder) -> dict[str, int]:
        found = choice.settings()
        if choice.tuning is not Tuning.NONE:
            dev = read_utterances(data.folder / "dev.parquet")
            speech = speech_of(read_posteriors(heard.folder / "dev.npz"), dev)
            found = tuned_decoder(speech, dev, read_model(models.folder / f"{number}.{OWN}.lm"), choice=choice)
        write_json({"lm_weight": found.lm_weight, "word_bonus": found.word_bonus}, folders.output / "weights.json")
        return {}

    chosen = choice.model_dump(mode="json", exclude={"n_threads", "fixed_lexicon"})
    inputs = data.digest | models.digest | heard.digest
    stage = f"decoder-weights-{number}"
    record = run.stage(stage, work, settings={**chosen, "system": number}, inputs=inputs)
    return Done(record=record, folder=run.folder / stage)


def _decoder(weights: Done, choice: DecoderChoice) -> DecoderSettings:
    from dataclasses import replace

    found = read_json(weights.folder / "weights.json")
    return replace(choice.settings(), **found) if isinstance(found, dict) else choice.settings()


def decoding(
    run: Run, data: Done, models: Done, heard: Done, weights: Done, choice: DecoderChoice, *, number: int
) -> Done:
    """Decode test with the model of the system ``number``: with its own words, and with those of all systems.

    Words that the recogniser cannot spell are left out of the lexicon, and counted.
    """

    def work(folders: StageFolder) -> dict[str, int]:
        test = read_utterances(data.folder / "test.parquet")
        speech = speech_of(read_posteriors(heard.folder / "test.npz"), test)
        columns = {"id": [u.id for u in test]}
        for lexicon in (OWN, FIXED) if choice.fixed_lexicon else (OWN,):
            model = read_model(models.folder / f"{number}.{lexicon}.lm")
            columns[lexicon] = recognised(speech, model, settings=_decoder(weights, choice), n_threads=choice.n_threads)
        pq.write_table(pa.table(columns), folders.output / "hypotheses.parquet")
        own = own_words(read_model(models.folder / f"{number}.{OWN}.lm"))
        return {"n_test": len(test), "n_words_not_spelt": len(lexicon_of(own, speech.alphabet).left_out)}

    chosen = choice.model_dump(mode="json", include={"beam_size", "fixed_lexicon"})
    inputs = data.digest | models.digest | heard.digest | weights.digest
    stage = f"decoding-{number}"
    record = run.stage(stage, work, settings={**chosen, "system": number}, inputs=inputs)
    return Done(record=record, folder=run.folder / stage)


def hypotheses(decoded: Done) -> dict[str, list[str]]:
    """Return what was understood of each test utterance, by lexicon."""
    table = pq.read_table(decoded.folder / "hypotheses.parquet")
    return {name: table.column(name).to_pylist() for name in table.column_names if name != "id"}


def measures(run: Run, data: Done, decoded: Mapping[str, Done], *, baseline: str, reported: str) -> Done:
    """Measure every system on test, with the paired bootstrap against ``baseline``, slices and changed utterances."""

    def work(folders: StageFolder) -> dict[str, int]:
        test, transcripts = (read_utterances(data.folder / f"{name}.parquet") for name in ("test", "transcripts"))
        said = {name: hypotheses(stage) for name, stage in decoded.items()}
        rng = np.random.default_rng(run.random_seed)
        rows, slices = [], []
        for name, by_lexicon in said.items():
            for lexicon, found in by_lexicon.items():
                before = said[baseline][lexicon]
                row = {"system": name, "lexicon": lexicon, **rates(test, found)}
                rows.append(row | ({} if name == baseline else reduction_row(test, before, found, rng=rng)))
            slices += [{"system": name, **row} for row in slice_rows(test, by_lexicon[OWN], transcripts)]
        write_json({"systems": rows, "slices": slices}, folders.output / "measures.json")
        examples = changed(test, said[baseline][OWN], said[reported][OWN])
        pq.write_table(pa.Table.from_pylist(examples, schema=CHANGED_SCHEMA), folders.output / "changed.parquet")
        return {"n_test": len(test), "n_changed": len(examples)}

    chosen: dict[str, Json] = {"baseline": baseline, "reported": reported}
    inputs = data.digest | {name: digest for stage in decoded.values() for name, digest in stage.digest.items()}
    record = run.stage("measures", work, settings=chosen, inputs=inputs)
    return Done(record=record, folder=run.folder / "measures")
