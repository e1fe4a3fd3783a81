"""Bulk translation through ctranslate2 (int8) against ``generate`` of transformers: one network, one run.

    python benchmarks/translate.py [--model FOLDER] [--sentences 200] [--threads 1]

Without --model a small translator is trained on the built-in pairs first (its quality does not matter here). The peer
runs at its best reasonable settings: sentences sorted by length, batches of 64, cache on, bfloat16 if that is faster.
Training: target tokens a CPU second of train_translator, from the difference of two budgets, so that reading, dev and
saving do not count, against a plain torch loop of the same network over the same batches, in float32 or bfloat16.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.corpus.builtin import builtin_pairs, builtin_requests
from seedcorn.evaluation.translation import chrf
from seedcorn.files import Json
from seedcorn.input_files import digest_of_folder
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results
from seedcorn.translation.batching import IGNORED_LABEL, EncoderDecoderBatches, pack, tokenise
from seedcorn.translation.network import load_tokenizer, new_network, pretrained
from seedcorn.translation.presets import PRESETS
from seedcorn.translation.settings import TrainingSettings
from seedcorn.translation.smoothed_loss import LABEL_SMOOTHING
from seedcorn.translation.training import train_translator
from seedcorn.translation.translator import Translator, load_translator

RESULTS = Path(__file__).parent / "results"
RANDOM_SEED = 0
N_REPEATS = 3
SENTENCES_PER_BATCH = 64
MAX_LENGTH = 64
N_TRAINING_PAIRS, N_TRAINING_TOKENS = 3_000, 40_000
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


def training_settings(n_target_tokens: int) -> TrainingSettings:
    return TrainingSettings(
        n_target_tokens=n_target_tokens, n_subwords=3_000, tokens_per_batch=2_000, n_evaluations=1, n_dev_pairs=1
    )


def trained(folder: Path, n_target_tokens: int) -> tuple[int, float]:
    """Return the target tokens that a training saw, and its CPU seconds."""
    started = time.process_time()
    found = train_translator(
        builtin_pairs(N_TRAINING_PAIRS, random_seed=0),
        builtin_pairs(1, random_seed=1).pairs(),
        folder / f"{n_target_tokens}",
        settings=training_settings(n_target_tokens),
        checkpoints=folder / f"checkpoints-{n_target_tokens}",
        random_seed=RANDOM_SEED,
    )
    return found.n_target_tokens, time.process_time() - started


def plain_loop(folder: Path, n_target_tokens: int, *, in_bfloat16: bool) -> tuple[int, float]:
    """Return the same of a loop over the same batches that is as one would write it with torch."""
    settings = training_settings(n_target_tokens)
    tokenizer = load_tokenizer(str(folder / f"{n_target_tokens}"))
    pairs = tokenise(builtin_pairs(N_TRAINING_PAIRS, random_seed=0), tokenizer, max_length=settings.max_length)
    packed = pack(pairs, tokens_per_batch=settings.tokens_per_batch, rng=np.random.default_rng(RANDOM_SEED))
    model = new_network(tokenizer, settings.shape, random_seed=RANDOM_SEED).train()
    start = int(model.config.decoder_start_token_id)
    batches = EncoderDecoderBatches(pairs, packed, padding_id=int(tokenizer.pad_token_id), decoder_start_id=start)
    order = np.random.default_rng(RANDOM_SEED).permutation(len(batches))
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98))
    n_tokens, step, started = 0, 0, time.process_time()
    while n_tokens < n_target_tokens:
        batch = batches[int(order[step % len(order)])]
        labels = batch.pop("labels")
        with torch.autocast("cpu", torch.bfloat16, enabled=in_bfloat16):
            logits = model(**batch).logits
            loss = torch.nn.functional.cross_entropy(
                logits.view(-1, logits.shape[-1]), labels.view(-1), label_smoothing=LABEL_SMOOTHING
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        n_tokens, step = n_tokens + int((labels != IGNORED_LABEL).sum()), step + 1
    return n_tokens, time.process_time() - started


def training_rows(folder: Path) -> list[dict[str, Json]]:
    """Return the target tokens a CPU second of every way to train."""
    (few, seconds_of_few), (many, seconds_of_many) = (trained(folder, n * N_TRAINING_TOKENS) for n in (1, 4))
    rates = {"train_translator": (many - few) / (seconds_of_many - seconds_of_few)}
    for name, in_bfloat16 in (("float32", False), ("bfloat16", True)):
        n_tokens, seconds = plain_loop(folder, N_TRAINING_TOKENS, in_bfloat16=in_bfloat16)
        rates[f"plain loop {name}"] = n_tokens / seconds
    return [{"system": name, "target_tokens_per_cpu_second": round(rate, 1)} for name, rate in rates.items()]


def training_ratio(rows: list[dict[str, Json]]) -> float:
    """Our tokens a second over those of the faster plain loop."""
    own, *peers = [float(str(r["target_tokens_per_cpu_second"])) for r in rows]
    return round(own / max(peers), 2)


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
        of_training = training_rows(Path(temporary) / "training")
        model_digest = digest_of_folder(folder)
    results = Results(
        name="bench-translate",
        command=f"python benchmarks/translate.py --sentences {arguments.sentences} --threads {arguments.threads}"
        + (" --model FOLDER" if arguments.model else ""),
        config_digest=digest_of_json({"sentences": arguments.sentences, "threads": arguments.threads}),
        data_digests={"model": model_digest[:16], "texts": digest_of_json(texts)[:16]},
        random_seeds=[RANDOM_SEED],
        rows=[*rows, *of_training],
        summary={
            "speed_vs_generate": speed_ratio(rows, 10),
            "speed_vs_generate_1_best": speed_ratio(rows, 1),
            "training_vs_plain_loop": training_ratio(of_training),
        },
    )
    write_results(results, RESULTS)
    print(json.dumps(results.summary))


if __name__ == "__main__":
    main()
