"""MIX054x: what an export or an import meets in the files of other trainers."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0541": Code(
        "a configuration that cannot be read",
        "`mixc import` reads the file of another trainer as plain values: JSON where its name ends in `.json`, else YAML as `safe_load` has it. It is not there, not UTF-8, broken "
        "at the place shown, larger or deeper than a configuration is, unfolds to a great many values by its aliases, names a key twice (which of the two is meant?), or holds a tag "
        "that asks for an object to be made (`!!python/object`): a configuration that runs code is not read. Mend the file at that place.",
        "learning_rate: 1e-5\nlearning_rate: 2e-5", "learning_rate: 2e-5",
    ),
    "MIX0542": Code(
        "a configuration that means nothing here",
        "The file can be read, and what it says cannot be a starting point: it lists no dataset, or a dataset that is described nowhere; its datasets are of a format that has no question and "
        "answer (preferences, pre-training, rows already in tokens); no row has exactly one of both under the columns and roles that it names; it is the training of another kind (`stage: dpo`); or a "
        "value is of the wrong kind. Single keys without a counterpart are no error: they are listed in the spec as comments.",
        "dataset: maths_sft, which the `dataset_info.json` calls `math_sft`", "dataset: math_sft",
    ),
    "MIX0543": Code(
        "an export would overwrite something",
        "`mixc export` found another file at a place that it writes to: a configuration that says something else, a `dataset_info.json` that describes another dataset under the same name, or one that is no "
        "JSON object, so that no entry can be added. Nothing was written. `--out` names another place, `--force` overwrites; the other entries of a `dataset_info.json` stay either way.",
        "mixc export axolotl build/recipe, where recipe.axolotl.yaml was edited since", "mixc export axolotl build/recipe --out again/",
    ),
}  # fmt: skip
