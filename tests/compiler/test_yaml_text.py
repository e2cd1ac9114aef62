"""Settings as YAML: what is read again is what was written, by YAML 1.1, whose readers take the most words for something else."""

import math

import yaml
from hypothesis import given, settings
from hypothesis import strategies as some
from mixc.compiler.backends.lesson import Setting
from mixc.compiler.backends.yaml_text import yaml_text

TRAPS = ["no", "Yes", "on", "y", "null", "~", "1e-5", "0x1f", "1:30", "2024-01-01", ".inf", "a: b", "# x", "- a", "&a", "*a", "!!int 3", "%x", "@x", "'", '"', "\\", "é", "\u2028", "\x85", "\x7f", "\ufeff", "😀", "a\nb", " a ", "", "=", "<<", "1_000"]

scalars = some.none() | some.booleans() | some.integers(-(10**18), 10**18) | some.floats(allow_nan=False, allow_infinity=False) | some.text(max_size=20) | some.sampled_from(TRAPS)
mappings = some.dictionaries(some.text(min_size=1, max_size=8), scalars | some.lists(scalars, max_size=3), min_size=1, max_size=3)
values = scalars | some.lists(scalars, max_size=4) | mappings | some.lists(mappings, min_size=1, max_size=2) | some.dictionaries(some.text(min_size=1, max_size=8), mappings, max_size=2)


@settings(max_examples=150, deadline=None)
@given(some.dictionaries(some.text(min_size=1, max_size=12) | some.sampled_from(TRAPS[:-1]), values, min_size=1, max_size=3), some.text(max_size=30))
def test_what_is_read_is_what_was_written(data: dict[str, object], why: str) -> None:
    text = yaml_text(["a head", "", "* a note"], [Setting(key, value, " ".join(filter(str.isprintable, why.split()))) for key, value in data.items()])
    assert yaml.safe_load(text) == data


def test_a_small_number_is_a_number_to_yaml_too() -> None:
    text = yaml_text([], [Setting("learning_rate", 1e-5), Setting("other", 5e-324), Setting("big", 1e300)])
    assert text == "learning_rate: 1.0e-05\nother: 5.0e-324\nbig: 1.0e+300\n"
    assert all(math.isfinite(value) for value in yaml.safe_load(text).values())
