"""Causal language models as translators: batches, training, and the probabilities of what they write."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.pretrained import Checkpoint

pytest.importorskip("torch")
pytest.importorskip("ctranslate2")

import torch

from seedcorn.translation.batching import IGNORED_LABEL, CausalBatches, tokenise
from seedcorn.translation.causal_on_gpu import CausalOnGpu
from seedcorn.translation.engines import Causal, Search
from seedcorn.translation.network import load_tokenizer
from seedcorn.translation.prompts import answer_ids, prompt_ids
from seedcorn.translation.subwords import train_subwords
from seedcorn.translation.training import train_translator
from seedcorn.translation.translator import load_translator


@pytest.fixture(scope="module")
def checkpoint(pairs, tmp_path_factory) -> Path:
    """An untrained causal language model of the kind of Gemma 3, with subwords that begin with <bos>."""
    from tokenizers import AddedToken, processors
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    sides = [text for pair in pairs.pairs() for text in (pair.source, pair.target)]
    tokenizer = train_subwords(sides, n_subwords=150)
    tokenizer.add_special_tokens({"bos_token": "<bos>"})
    tokenizer.add_tokens([AddedToken("\n", normalized=False)])
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", tokenizer.bos_token_id)]
    )
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        query_pre_attn_scalar=16,  # as the converter takes for granted
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    folder: Path = tmp_path_factory.mktemp("causal")
    torch.manual_seed(1)
    Gemma3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def causal(checkpoint, pairs, settings, tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("causal-translator")
    trained = train_translator(
        pairs,
        pairs.pairs(),
        folder / "model",
        settings=settings.model_copy(update={"checkpoint": Checkpoint.at(checkpoint), "learning_rate": 1e-2}),
        checkpoints=folder / "checkpoints",
        random_seed=1,
    )
    return trained.folder


def test_prompts_end_where_answers_begin_and_only_answers_are_labels(checkpoint, pairs) -> None:
    tokenizer = load_tokenizer(str(checkpoint))
    tokenised = tokenise(pairs, tokenizer, max_length=64, causal=True)
    batch = CausalBatches(tokenised, [np.arange(len(tokenised))], padding_id=0)[0]
    n_labels = batch["labels"].shape[1]
    assert batch["logits_to_keep"].tolist() == list(range(batch["input_ids"].shape[1]))[-n_labels:]
    for row, pair in enumerate(pairs.pairs()):
        (prompt,), (answer,) = (
            f(tokenizer, [t], 64) for f, t in ((prompt_ids, pair.source), (answer_ids, pair.target))
        )
        read = batch["input_ids"][row][batch["attention_mask"][row].bool()].tolist()
        labels = batch["labels"][row]
        assert read in (prompt + answer, prompt + answer[:-1])
        assert labels[labels != IGNORED_LABEL].tolist() == answer
        assert batch["position_ids"][row][batch["attention_mask"][row].bool()].tolist() == list(range(len(read)))
        first_label_column = int(batch["logits_to_keep"][0])
        assert batch["input_ids"][row][first_label_column] == prompt[-1]


def test_a_causal_language_model_learns_to_translate(causal: Path) -> None:
    translator = load_translator(causal, n_threads=1)
    assert translator.best(["a red house", "a black car"]) == ["एक लाल घर", "एक काला गाड़ी"]
    assert (
        list(translator.sampled(["a red house"], n_samples=2, n_likeliest=1, random_seed=1))[0].best.text == "एक लाल घर"
    )


def test_the_score_of_a_hypothesis_is_its_log_probability_whatever_its_batch(causal: Path, tmp_path: Path) -> None:
    import ctranslate2
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(causal, dtype=torch.float32)
    ctranslate2.converters.TransformersConverter(str(causal)).convert(str(tmp_path / "exact"))
    exact = ctranslate2.Generator(str(tmp_path / "exact"), compute_type="float32")
    engine = Causal(tmp_path, load_tokenizer(str(causal)), exact)
    texts = ["a red house", "car", "a white door", "book"]
    for text, hypotheses in zip(texts, engine.search(texts, Search(beam_size=3, n_best=3)), strict=True):
        (prompt,) = prompt_ids(engine.tokenizer, [text], 64)
        for found in hypotheses:
            ids = [*engine.tokenizer.convert_tokens_to_ids(found.tokens), engine.tokenizer.eos_token_id]
            with torch.no_grad():
                logits = network(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
            logits[0, engine.tokenizer.eos_token_id] = -torch.inf  # no answer is empty
            expected = logits.log_softmax(dim=-1).gather(1, torch.tensor(ids)[:, None]).sum().item()
            assert found.tokens
            assert found.logp == pytest.approx(expected, abs=1e-3)


def test_transformers_finds_what_ctranslate2_finds(causal: Path) -> None:
    tokenizer = load_tokenizer(str(causal))
    texts, search = ["a red house", "car", "a white door", "book"], Search(beam_size=3, n_best=2, tokens_per_batch=20)
    found = CausalOnGpu.load(causal, tokenizer, device="cpu").search(texts, search)
    expected = load_translator(causal, n_threads=1).engine.search(texts, search)
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == len(theirs) == 2
        assert ours[0].tokens == theirs[0].tokens
        assert ours[0].logp == pytest.approx(theirs[0].logp, abs=0.5)  # bfloat16 against int8


def test_a_given_translation_has_the_score_that_the_search_gives_it(causal: Path) -> None:
    engines = (
        load_translator(causal, n_threads=1).engine,
        CausalOnGpu.load(causal, load_tokenizer(str(causal)), device="cpu"),
    )
    sources, targets = ["a red house", "car"], ["एक लाल घर", "गाड़ी"]
    for engine in engines:
        found = engine.search(sources, Search(beam_size=1, n_best=1))
        scored = engine.mean_logps(sources, targets)
        for (best,), score, target in zip(found, scored, targets, strict=True):
            (ids,) = answer_ids(engine.tokenizer, [target], 64)
            assert engine.tokenizer.convert_tokens_to_ids(best.tokens) == ids[:-1]
            assert score == pytest.approx(best.logp / len(ids), abs=0.1)  # bfloat16, int8
