"""Loading checkpoints: what is told when one cannot be had."""

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from seedcorn.errors import DataError
from seedcorn.pretrained import loading


def test_a_name_without_network_and_without_a_stored_copy_says_so() -> None:
    def unreachable() -> None:
        raise OSError("We couldn't connect to the hub.\nCheck your connection.") from LocalEntryNotFoundError("none")

    with (
        pytest.raises(DataError, match=r"some/name: .*couldn't connect to the hub.*Connect to the network once"),
        loading("some/name", wanted="a CTC checkpoint", fix="Save the processor."),
    ):
        unreachable()


def test_another_error_keeps_its_own_advice() -> None:
    with (
        pytest.raises(DataError, match=r"a CTC checkpoint.*Save the processor"),
        loading("folder", wanted="a CTC checkpoint", fix="Save the processor."),
    ):
        raise OSError("no processor_config.json")
