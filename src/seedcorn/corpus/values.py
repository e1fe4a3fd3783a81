"""Values in files of others, read strictly: JSON, and numbers written as text."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TypeAlias

from seedcorn.errors import DataError

Value: TypeAlias = "None | bool | int | float | str | Sequence[Value] | Mapping[str, Value]"

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MOST_DIGITS = 18
_MOST_DIGITS_OF_INT = sys.int_info.default_max_str_digits
_LONG_NUMBER = re.compile(rf"[0-9]{{{_MOST_DIGITS_OF_INT}}}")


def json_value(
    text: str, *, wanted: str = "JSON", where: str = "", whole_characters: bool = True, nan_is_null: bool = False
) -> Value:
    """Return the JSON value in ``text``; raises DataError when there is none.

    Half of a character is refused too unless ``whole_characters`` is off, for whoever checks row by row. With
    ``nan_is_null`` NaN and Infinity are null: tables saved with empty cells hold them where nothing was. Whole numbers
    of more digits than Python reads are text.
    """
    decoder = _NAN_IS_NULL if nan_is_null else _DECODER
    if len(text) > _MOST_DIGITS_OF_INT and _LONG_NUMBER.search(text):
        decoder = json.JSONDecoder(parse_constant=decoder.parse_constant, parse_int=_int_or_text)
    try:
        value: Value = decoder.decode(text)
        if whole_characters and "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(wanted="whole characters", found="half of a surrogate pair", where=where) from error
    except RecursionError as error:
        raise DataError(wanted=wanted, found=f"brackets nested too deep in '{text[:60]}'", where=where) from error
    except ValueError as error:
        raise DataError(wanted=wanted, found=f"{error} in '{text[:60]}'", where=where) from error
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name}, which is not JSON,")


def _int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS_OF_INT else digits


# Made once: json.loads with a setting makes a decoder a call.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_NAN_IS_NULL = json.JSONDecoder(parse_constant=lambda name: None)


def json_object(
    text: str, *, wanted: str = "a JSON object", where: str = "", nan_is_null: bool = False
) -> dict[str, Value]:
    """Return the JSON object in ``text``; raises DataError when there is none or it holds half of a character."""
    value = json_value(text, wanted=wanted, where=where, nan_is_null=nan_is_null)
    if not isinstance(value, dict):
        raise DataError(wanted=wanted, found=f"'{text[:60]}'", where=where)
    return value


def finite_number(value: object, *, wanted: str = "a finite number", where: str = "") -> float:
    """Return a number, or what is written as one in plain decimal notation; raises DataError for anything else.

    Python reads more as a number than people mean by it: "1_0", "inf", "nan", Arabic digits.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < float("inf") and abs(value) <= 1e308 else float("inf")
    else:
        number = float("nan")
    if not isfinite(number):
        raise DataError(wanted=wanted, found=f"'{str(value)[:40]}'", where=where)
    return number


def whole_number(text: str, *, wanted: str, where: str = "") -> int:
    """Return what is written in at most 18 digits; raises DataError for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise DataError(wanted=wanted, found=f"'{text[:40]}'", where=where)
    return int(text)
