"""A trimmed vocabulary splits the texts that it was trimmed for as before, and the network says the same of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.errors import ConfigError

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from seedcorn.translation.subwords import train_subwords
from seedcorn.translation.vocabulary import trim_vocabulary

LETTERS = st.text(alphabet="abcdeé ", min_size=1, max_size=12)


def network(n_subwords: int, *, tied: bool):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=n_subwords,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            tie_word_embeddings=tied,
        )
    ).eval()


@settings(max_examples=25, deadline=None)
@given(st.lists(LETTERS, min_size=3, max_size=20), st.booleans())
def test_kept_texts_are_split_and_scored_as_before(texts: list[str], tied: bool) -> None:
    known = [text for text in texts if text.strip()] or ["a b"]
    tokenizer = train_subwords([*known, "abc abd dec é ea bad"] * 3, n_subwords=90)
    model, kept = network(len(tokenizer), tied=tied), known[: len(known) // 2 + 1]
    before = {text: tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids) for text in kept}
    with torch.no_grad():
        logits = {text: model(torch.tensor([tokenizer(text).input_ids])).logits for text in kept}
    used = [i for text in kept for i in tokenizer(text).input_ids]
    trimmed = trim_vocabulary(model, tokenizer, used, n_commonest=0)
    columns = tokenizer.convert_tokens_to_ids(trimmed.convert_ids_to_tokens(list(range(len(trimmed)))))
    assert len(trimmed) <= len(tokenizer)
    assert model.config.vocab_size == len(trimmed) == model.get_output_embeddings().weight.shape[0]
    assert (trimmed.eos_token, trimmed.pad_token, trimmed.unk_token) == ("</s>", "<pad>", "<unk>")
    for text in kept:
        ids = trimmed(text).input_ids
        assert trimmed.convert_ids_to_tokens(ids) == before[text]
        with torch.no_grad():
            assert torch.allclose(model(torch.tensor([ids])).logits, logits[text][..., columns], atol=1e-6)


def test_other_kinds_of_tokenizers_and_encoder_decoders_are_refused() -> None:
    from seedcorn.translation.network import new_network
    from seedcorn.translation.settings import NetworkShape

    tokenizer = train_subwords(["a b c"] * 3, n_subwords=40)
    shape = NetworkShape(width=16, n_encoder_layers=1, n_decoder_layers=1, n_heads=2)
    with pytest.raises(ConfigError, match="encoder-decoder"):
        trim_vocabulary(new_network(tokenizer, shape, random_seed=0), tokenizer, [0])
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
    with pytest.raises(ConfigError, match="byte pairs"):
        trim_vocabulary(network(1, tied=True), words, [0])
