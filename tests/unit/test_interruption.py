"""Commands told to end, in processes of their own: a test may run in another thread than the one signals come to."""

import signal
import subprocess
import sys

import pytest

_TOLD_WHILE_IT_LOADS = """
import signal, sys

class Telling:
    def find_spec(self, name, path=None, target=None):
        if name == "seedcorn.cli.options":
            exec("signal.raise_signal({number})", dict(signal=signal))

signal.signal(signal.SIGINT, signal.default_int_handler)  # commands in the background are started without
sys.meta_path.insert(0, Telling())
sys.argv = ["seedcorn", "--help"]
from seedcorn.__main__ import main
main()
"""
_TOLD_IN_A_CLASS = _TOLD_WHILE_IT_LOADS.replace(
    'exec("signal.raise_signal({number})", dict(signal=signal))', "type('Made', (), dict(attribute=Named()))"
).replace(
    "class Telling",
    "class Named:\n    def __set_name__(self, *_):\n        signal.raise_signal({number})\n\nclass Telling",
)
_TOLD_WHEN_IT_IS_DONE = """
import signal, sys

class Told:
    def __del__(self):
        signal.raise_signal({number})

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["seedcorn", "--help"]
sys.modules["seedcorn.told"] = Told()
from seedcorn.__main__ import main
main()
"""
_TOLD_BEFORE_IT_LISTENS = _TOLD_WHILE_IT_LOADS.replace("seedcorn.cli.options", "seedcorn.interruption").replace(
    'exec("signal.raise_signal({number})", dict(signal=signal))', "signal.raise_signal({number})"
)
_LOADED_BEFORE_IT_LISTENS = """
import sys
before = set(sys.modules)
import seedcorn.__main__
sys.stderr.write(" ".join(sorted(set(sys.modules) - before)))
"""
_IGNORED = _TOLD_WHILE_IT_LOADS.replace("signal.default_int_handler", "signal.SIG_IGN")


def _ended(script: str, number: signal.Signals) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", script.replace("{number}", str(int(number)))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("script", [_TOLD_WHILE_IT_LOADS, _TOLD_IN_A_CLASS])
def test_a_command_told_to_end_while_it_is_loaded_says_so_in_one_line(script: str, number: signal.Signals) -> None:
    assert _ended(script, number) == (
        130,
        "seedcorn: interrupted; the same command goes on where it stopped\n",
    )


def test_a_command_interrupted_before_it_listens_to_signals_says_so_in_one_line() -> None:
    assert _ended(_TOLD_BEFORE_IT_LISTENS, signal.SIGINT) == (
        130,
        "seedcorn: interrupted; the same command goes on where it stopped\n",
    )


def test_nothing_is_loaded_before_an_interruption_can_be_answered() -> None:
    assert _ended(_LOADED_BEFORE_IT_LISTENS, signal.SIGINT) == (0, "seedcorn seedcorn.__main__ seedcorn.ending")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_told_to_end_when_it_is_done_has_its_exit_code(number: signal.Signals) -> None:
    assert _ended(_TOLD_WHEN_IT_IS_DONE, number) == (0, "")


def test_what_the_process_was_started_to_ignore_is_ignored() -> None:
    assert _ended(_IGNORED, signal.SIGINT) == (0, "")
