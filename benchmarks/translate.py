"""Bulk translation through ctranslate2 (int8) against ``generate`` of transformers: one network, one run.

    python benchmarks/translate.py [--model FOLDER] [--sentences 200] [--threads 1]

Without --model a small translator is trained on the built-in pairs first (its quality does not matter here). The peer
runs at its best reasonable settings: sentences sorted by length, batches of 64, cache on, bfloat16 if that is faster.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.corpus.builtin import builtin_pairs, builtin_requests
from seedcorn.evaluation.translation import chrf
from seedcorn.files import Json
from seedcorn.input_files import digest_of_folder
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.network import pretrained
from seedcorn.translation.presets import PRESETS
from seedcorn.translation.settings import TrainingSettings
from seedcorn.translation.training import train_translator
from seedcorn.translation.translator import Translator, load_translator

RESULTS = Path(__file__).parent / "results"
RANDOM_SEED = 0
N_REPEATS = 3
SENTENCES_PER_BATCH = 64
MAX_LENGTH = 64
Translate = Callable[[list[str]], list[str]]


def built_in_translator(folder: Path) -> Path:
    tiny = PRESETS["tiny"]
    settings = TrainingSettings(
        n_target_tokens=300_000,
        tokens_per_batch=tiny.tokens_per_batch,
        learning_rate=tiny.learning_rate,
        n_warmup_steps=tiny.n_warmup_steps,
        n_evaluations=1,
    )
    dev = builtin_pairs(50, random_seed=1).pairs()
    pairs = builtin_pairs(3_000, random_seed=0)
    train_translator(pairs, dev, folder / "model", settings=settings, checkpoints=folder / "c", random_seed=0)
    return folder / "model"


def ours(translator: Translator, n_best: int) -> Translate:
    return lambda texts: [found.best.text for found in translator.nbest(texts, n_best=n_best)]


def generate(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, n_best: int) -> Translate:
    def translated(texts: list[str]) -> list[str]:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found = [""] * len(texts)
        for start in range(0, len(order), SENTENCES_PER_BATCH):
            positions = order[start : start + SENTENCES_PER_BATCH]
            inputs = tokenizer([texts[i] for i in positions], padding=True, return_tensors="pt")
            with torch.inference_mode():
                outputs = model.generate(
                    input_ids=inputs.input_ids,
                    attention_mask=inputs.attention_mask,
                    num_beams=n_best,
                    num_return_sequences=n_best,
                    max_length=MAX_LENGTH,
                    do_sample=False,
                )
            decoded = tokenizer.batch_decode(outputs[::n_best], skip_special_tokens=True)
            for i, text in zip(positions, decoded, strict=True):
                found[i] = text
        return found

    return translated


def seconds_of(translate: Translate, texts: list[str]) -> float:
    """Processor time, all threads together: what other programs on the machine do does not count."""
    started = time.process_time()
    translate(texts)
    return time.process_time() - started


def measured(folder: Path, texts: list[str], n_threads: int) -> list[dict[str, Json]]:
    torch.set_num_threads(n_threads)
    model, tokenizer = pretrained(str(folder))
    translator = load_translator(folder, n_threads=n_threads)
    rows: list[dict[str, Json]] = []
    for n_best in (1, 10):
        systems = {
            "ctranslate2 int8": ours(translator, n_best),
            "generate float32": generate(model.eval().float(), tokenizer, n_best),
            "generate bfloat16": generate(pretrained(str(folder))[0].eval().bfloat16(), tokenizer, n_best),
        }
        outputs = {name: translate(texts[:64]) for name, translate in systems.items()}  # warms up too
        seconds: dict[str, list[float]] = {name: [] for name in systems}
        for _ in range(N_REPEATS):
            for name, translate in systems.items():
                seconds[name].append(seconds_of(translate, texts))
        agreement = chrf(outputs["ctranslate2 int8"], outputs["generate float32"]).score
        for name, times in seconds.items():
            median = statistics.median(times)
            rows.append(
                {
                    "system": name,
                    "n_best": n_best,
                    "sentences_per_cpu_second": round(len(texts) / median, 1),
                    "cpu_seconds_median": round(median, 3),
                    "chrf_between_systems": round(agreement, 1),
                }
            )
    return rows


def speed_ratio(rows: list[dict[str, Json]], n_best: int) -> float:
    """Our speed over that of the faster of the two ways to run the peer."""
    own = [
        float(str(r["sentences_per_cpu_second"])) for r in rows if r["n_best"] == n_best and "int8" in str(r["system"])
    ]
    peer = [
        float(str(r["sentences_per_cpu_second"]))
        for r in rows
        if r["n_best"] == n_best and "generate" in str(r["system"])
    ]
    return round(own[0] / max(peer), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.model or built_in_translator(Path(temporary))
        requests = builtin_requests(arguments.sentences, lang="en", random_seed=RANDOM_SEED)
        texts = [utterance.text for utterance in requests.utterances()]
        rows = measured(folder, texts, arguments.threads)
        model_digest = digest_of_folder(folder)
    results = Results(
        name="bench-translate",
        command=f"python benchmarks/translate.py --sentences {arguments.sentences} --threads {arguments.threads}"
        + (" --model FOLDER" if arguments.model else ""),
        config_digest=digest_of_json({"sentences": arguments.sentences, "threads": arguments.threads}),
        data_digests={"model": model_digest[:16], "texts": digest_of_json(texts)[:16]},
        random_seeds=[RANDOM_SEED],
        rows=rows,
        summary={"speed_vs_generate": speed_ratio(rows, 10), "speed_vs_generate_1_best": speed_ratio(rows, 1)},
    )
    write_results(results, RESULTS)
    print(json.dumps(results.summary))


if __name__ == "__main__":
    main()
