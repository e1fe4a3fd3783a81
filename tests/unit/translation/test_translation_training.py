"""Training, resuming, fine-tuning and running a tiny translator."""

from pathlib import Path

import pytest

from seedcorn.corpus.pairs import PairCorpus
from seedcorn.errors import ConfigError, DataError, SeedcornError
from seedcorn.pretrained import Checkpoint
from seedcorn.translation.nbest import TRANSLATION_LOGP

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from seedcorn.translation import training as training_module  # noqa: E402
from seedcorn.translation.network import pretrained  # noqa: E402
from seedcorn.translation.regularisation import average_checkpoints, drop_words  # noqa: E402
from seedcorn.translation.settings import Schedule  # noqa: E402
from seedcorn.translation.trainer import ShowProgress  # noqa: E402
from seedcorn.translation.training import train_translator  # noqa: E402
from seedcorn.translation.translator import dev_chrf, load_translator  # noqa: E402


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_what_was_learnt_by_heart_is_translated(trained, translator) -> None:
    assert trained.dev_chrf > 80
    assert trained.n_steps >= max(trained.dev_chrf_by_step)
    assert translator.best(["a red house", "a blue door"]) == ["एक लाल घर", "एक नीला दरवाज़ा"]


def test_placeholders_survive_as_words(translator) -> None:
    assert translator.best(["a green <slot1>"]) == ["एक हरा <slot1>"]


def test_nbest_lists_are_distinct_and_best_first(translator) -> None:
    (found,) = translator.nbest(["a red car"], n_best=5)
    assert found.source == "a red car"
    assert found.best.text == "एक लाल गाड़ी"
    texts = [hypothesis.text for hypothesis in found.hypotheses]
    assert len(texts) == 5
    assert len(set(texts)) >= 4
    assert all(hypothesis.features[TRANSLATION_LOGP] < 0 for hypothesis in found.hypotheses)


def logp_of(folder: Path, source: str, target: str) -> tuple[float, int]:
    """Return the log-probability that the network gives to ``target``, and its number of subwords."""
    model, tokenizer = pretrained(str(folder))
    inputs = tokenizer([source], return_tensors="pt")
    labels = tokenizer(text_target=[target], return_tensors="pt").input_ids
    with torch.inference_mode():
        logits = model.eval()(**{k: inputs[k] for k in ("input_ids", "attention_mask")}, labels=labels).logits
    logps = torch.log_softmax(logits.float(), dim=-1).gather(-1, labels.unsqueeze(-1))
    return float(logps.sum()), labels.shape[1]


# What 8-bit weights and the arithmetic of a processor change in the log-probability of a subword.
MOST_OF_A_SUBWORD = 0.1


@pytest.mark.parametrize("source", ["a black book", "house of a red"])
def test_the_score_is_the_log_probability_of_the_network(trained, translator, source: str) -> None:
    (found,) = translator.nbest([source], n_best=1)
    logp, n_subwords = logp_of(trained.folder, source, found.best.text)
    assert found.best.features[TRANSLATION_LOGP] == pytest.approx(logp, abs=MOST_OF_A_SUBWORD * n_subwords)


def test_order_and_number_of_results_do_not_depend_on_batches(translator) -> None:
    texts = ["a red house", "book", "a white car", "door"]
    one_by_one = [translator.best([text])[0] for text in texts]
    assert translator.best(texts) == one_by_one
    assert list(translator.nbest([])) == []


def test_an_empty_sentence_is_refused_with_its_row(translator) -> None:
    with pytest.raises(DataError, match="row 1"):
        translator.best(["a red house", "  "])


def test_a_killed_training_goes_on_and_ends_with_the_same_network(
    trained, pairs, settings, tmp_path: Path, monkeypatch
) -> None:
    class Killed(Exception):
        pass

    def killed_late(self, args, state, control, **rest) -> None:
        if state.global_step > trained.n_steps * 0.7:
            raise Killed

    arguments = {"settings": settings, "checkpoints": tmp_path / "checkpoints", "random_seed": 1}
    monkeypatch.setattr(ShowProgress, "on_step_end", killed_late)
    with pytest.raises(Killed):
        train_translator(pairs, pairs.pairs(), tmp_path / "model", **arguments)
    assert not (tmp_path / "model").exists()
    monkeypatch.undo()
    resumed = train_translator(pairs, pairs.pairs(), tmp_path / "model", **arguments)
    assert resumed.dev_chrf_by_step == trained.dev_chrf_by_step
    assert weights_of(resumed.folder) == weights_of(trained.folder)


def test_a_pretrained_checkpoint_is_fine_tuned_by_name(trained, pairs, settings, tmp_path: Path) -> None:
    fine_tuned = train_translator(
        pairs,
        pairs.pairs(),
        tmp_path / "model",
        settings=settings.model_copy(
            update={"checkpoint": Checkpoint.at(trained.folder), "n_target_tokens": 500, "learning_rate": 1e-4}
        ),
        checkpoints=tmp_path / "checkpoints",
        random_seed=0,
    )
    assert fine_tuned.dev_chrf >= trained.dev_chrf - 5
    assert load_translator(fine_tuned.folder).best(["a red house"]) == ["एक लाल घर"]


def test_a_checkpoint_without_tokenizer_is_refused(trained, pairs, settings, tmp_path: Path) -> None:
    model, _ = pretrained(str(trained.folder))
    model.save_pretrained(tmp_path / "bare")
    for call in (
        lambda: load_translator(tmp_path / "bare"),
        lambda: train_translator(
            pairs,
            pairs.pairs(),
            tmp_path / "model",
            settings=settings.model_copy(update={"checkpoint": Checkpoint.at(tmp_path / "bare")}),
            checkpoints=tmp_path / "checkpoints",
            random_seed=0,
        ),
    ):
        with pytest.raises(DataError, match="no tokenizer.*save_pretrained"):
            call()


def test_a_folder_without_translator_and_a_checkpoint_that_does_not_translate_are_refused(
    trained, translator, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="config.json"):
        load_translator(tmp_path)
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=len(translator.tokenizer),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    translator.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(DataError, match="encoder-decoder"):
        pretrained(str(tmp_path))


def test_training_needs_pairs_and_dev_pairs(pairs, settings, tmp_path: Path) -> None:
    arguments = {"settings": settings, "checkpoints": tmp_path / "c", "random_seed": 0}
    with pytest.raises(DataError, match="dev pairs"):
        train_translator(pairs, [], tmp_path / "m", **arguments)
    with pytest.raises(DataError, match="learn subwords"):
        train_translator(PairCorpus.from_pairs([]), pairs.pairs(), tmp_path / "m", **arguments)


def test_out_of_memory_says_what_to_lower(pairs, settings, tmp_path: Path, monkeypatch) -> None:
    def too_large(*args: object, **rest: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(training_module, "smoothed_loss", too_large)
    with pytest.raises(Exception, match="Lower tokens_per_batch"):
        train_translator(
            pairs, pairs.pairs(), tmp_path / "m", settings=settings, checkpoints=tmp_path / "c", random_seed=0
        )


def test_the_converted_network_translates_like_the_network_itself(trained, translator) -> None:
    model, tokenizer = pretrained(str(trained.folder))
    texts = ["a red house", "a blue door", "a white car", "house of a red", "door book", "book of a blue door"]
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    outputs = model.eval().generate(
        input_ids=inputs.input_ids,
        attention_mask=inputs.attention_mask,
        num_beams=1,
        do_sample=False,
        max_length=100,
        return_dict_in_generate=True,
        output_scores=True,
    )
    wanted = [text.strip() for text in tokenizer.batch_decode(outputs.sequences, skip_special_tokens=True)]
    best_two = torch.stack(outputs.scores, dim=1).log_softmax(-1).topk(2, dim=-1).values  # (texts, steps, 2)
    is_text = outputs.sequences[:, 1:] != tokenizer.pad_token_id
    leads = (best_two[..., 0] - best_two[..., 1]).masked_fill(~is_text, torch.inf).amin(dim=1)
    # In 8 bits, on any processor, the best subword stays the best where it leads by more than both can change.
    is_clear = (leads > 2 * MOST_OF_A_SUBWORD).tolist()
    assert sum(is_clear) >= 3
    found = translator.best(texts, beam_size=1)
    assert [f for f, clear in zip(found, is_clear, strict=True) if clear] == [
        w for w, clear in zip(wanted, is_clear, strict=True) if clear
    ]


def test_the_padding_of_a_marian_checkpoint_stays_zero() -> None:
    from transformers import MarianConfig, MarianMTModel

    from seedcorn.translation.network import hold_padding_at_zero

    config = MarianConfig(vocab_size=12, d_model=8, pad_token_id=11, decoder_start_token_id=11, eos_token_id=0)
    for side in ("encoder", "decoder"):
        config.update({f"{side}_layers": 1, f"{side}_attention_heads": 2, f"{side}_ffn_dim": 8})
    model = MarianMTModel(config)
    hold_padding_at_zero(model)
    ids = torch.tensor([[3, 4, 0]])
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    model(input_ids=ids, labels=ids).loss.backward()
    optimiser.step()
    weight = model.get_input_embeddings().weight
    assert not weight[11].any()
    assert weight[3].any()


def test_full_memory_on_a_cpu_is_told_too_and_other_failures_are_not_hidden(
    pairs, settings, tmp_path: Path, monkeypatch
) -> None:
    def failing(message: str):
        def fail(*args: object, **rest: object) -> None:
            raise RuntimeError(message)

        return fail

    for message, expected in (
        ("DefaultCPUAllocator: can't allocate memory", "Lower tokens_per_batch"),
        ("the shapes differ", "the shapes differ"),
    ):
        monkeypatch.setattr(training_module, "smoothed_loss", failing(message))
        with pytest.raises(Exception, match=expected):
            train_translator(
                pairs, pairs.pairs(), tmp_path / "m", settings=settings, checkpoints=tmp_path / "c", random_seed=0
            )


def test_a_larger_budget_goes_on_from_the_checkpoints_of_a_schedule_without_end(
    pairs, settings, tmp_path: Path
) -> None:
    arguments = {"checkpoints": tmp_path / "checkpoints", "random_seed": 1}
    endless = settings.model_copy(update={"schedule": Schedule.INVERSE_SQRT, "n_warmup_steps": 5})
    small, larger = (endless.model_copy(update={"n_target_tokens": n}) for n in (600, 1_200))
    first = train_translator(pairs, pairs.pairs(), tmp_path / "model", settings=small, **arguments)
    again = train_translator(pairs, pairs.pairs(), tmp_path / "again", settings=small, **arguments)
    assert weights_of(again.folder) == weights_of(first.folder)
    further = train_translator(pairs, pairs.pairs(), tmp_path / "model", settings=larger, **arguments)
    assert further.n_steps == pytest.approx(2 * first.n_steps, abs=2)
    assert set(first.dev_chrf_by_step) < set(further.dev_chrf_by_step)


def test_a_learning_rate_that_fell_to_zero_is_not_raised_again(pairs, settings, tmp_path: Path) -> None:
    arguments = {"checkpoints": tmp_path / "checkpoints", "random_seed": 1}
    small, larger = (settings.model_copy(update={"n_target_tokens": n}) for n in (600, 1_200))
    train_translator(pairs, pairs.pairs(), tmp_path / "model", settings=small, **arguments)
    with pytest.raises(ConfigError, match=r"learning rate would jump.*inverse_sqrt"):
        train_translator(pairs, pairs.pairs(), tmp_path / "model", settings=larger, **arguments)


def test_words_are_dropped_in_training_only_and_never_ends_or_placeholders(translator) -> None:
    class Reads(torch.nn.Module):
        def forward(self, *, input_ids, decoder_input_ids):
            return input_ids, decoder_input_ids

    tokenizer, network = translator.tokenizer, Reads()
    ids = tokenizer(["a red <slot1> of a house"], return_tensors="pt").input_ids.repeat(50, 1)
    drop_words(network, tokenizer, probability=0.5)
    torch.manual_seed(0)
    read, _ = network.train()(input_ids=ids, decoder_input_ids=ids)
    dropped = (read == tokenizer.unk_token_id).float().mean(dim=0)
    always_read = torch.isin(ids[0], torch.tensor([tokenizer.eos_token_id, tokenizer.vocab["<slot1>"]]))
    assert (dropped[always_read] == 0).all()
    assert dropped[~always_read].mean() == pytest.approx(0.5, abs=0.1)
    kept, _ = network.eval()(input_ids=ids, decoder_input_ids=ids)
    assert torch.equal(kept, ids)


def test_the_mean_of_checkpoints_is_kept_where_dev_likes_it_better(pairs, settings, tmp_path: Path) -> None:
    averaged = settings.model_copy(
        update={"n_target_tokens": 6_000, "n_evaluations": 3, "n_averaged": 2, "word_dropout": 0.1}
    )
    trained = train_translator(
        pairs, pairs.pairs(), tmp_path / "m", settings=averaged, checkpoints=tmp_path / "c", random_seed=1
    )
    assert trained.dev_chrf >= max(trained.dev_chrf_by_step.values())
    found = dev_chrf(load_translator(trained.folder, n_threads=1), pairs.pairs())
    assert found == pytest.approx(trained.dev_chrf, abs=1e-6)
    folders = sorted((tmp_path / "c").glob("checkpoint-*"), key=lambda f: int(f.name.split("-")[1]))[-2:]
    name, mean = next(iter(average_checkpoints(folders).items()))
    parts = [load_file(folder / "model.safetensors")[name] for folder in folders]
    assert torch.allclose(mean, (parts[0] + parts[1]) / 2)


def test_a_training_whose_loss_is_no_number_stops_and_says_so(pairs, settings, tmp_path: Path) -> None:
    astray = settings.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(
        SeedcornError, match=r"a loss that is a number, at step \d+, found (nan|inf)\. Lower learning_rate"
    ):
        train_translator(
            pairs, pairs.pairs(), tmp_path / "m", settings=astray, checkpoints=tmp_path / "c", random_seed=0
        )
