"""A project whose names and texts hold what breaks careless writers: quotes, pipes, newlines, markup, scripts of all kinds, nulls, lists."""

import json
from pathlib import Path

NAME = 'Maß "of" all | things: <b>ひ</b> `#1`'
DESCRIPTION = 'Sums: of "three" teachers\\back | # not a heading'
TEACHERS = ('says "hi" | ok', "line\nbreak", "ひらがな 🧮", "`tick` <b> *x*")
TOPICS = (["sums", 'dif"fer|ence'], [], ["ひらがな"], ["two\nlines", "sums"], ["a, b"])
TEXTS = ('He said: "2 + 2" | 4\n\n```\nx\n```', "tab\there,\r\nback\\slash, \u2028 and \u00a0", "עברית 🧮 \U0001f469\u200d\U0001f4bb", "---\nname: no\n---", "{{ braces }} %s ${x}")

SPEC = """\
mix "NAME" {
  seed 3
  description "DESCRIPTION"
  license "LICENCE"
}

corpus rows {
  scan      "data/*.jsonl"
  prompt    question
  response  answer
  reference gold
  teacher   model
}

skills topics { tag by column topic }

score good   = column(good)
score ease   = column(ease)
score length = column(count, unit: tokens)

decontaminate none because "nothing is \\"trained\\" | here"

select {
  budget   12 examples
  maximize random
}
"""


def quoted(text: str) -> str:
    """What stands between the quotes of a spec."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def awkward_rows(count: int = 40) -> list[dict[str, object]]:
    """Rows of which every third has no reference, every fourth no `ease`, every fifth no `good`."""
    return [
        {
            "question": f"{TEXTS[i % 5]} {i}", "answer": f"{i}: {TEXTS[(i + 2) % 5]}", "gold": None if i % 3 == 0 else f"\\boxed{{{i}}}",
            "model": TEACHERS[i % 4], "topic": TOPICS[(i // 4) % 5], "good": None if i % 5 == 0 else i % 2 == 0, "ease": None if i % 4 == 0 else i / 7,
            "count": i + 1,
        }
        for i in range(count)
    ]  # fmt: skip


def make_awkward(folder: Path, licence: str = "House rules: | no. 4", more: str = "") -> Path:
    """`awkward.mix` with its data."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) for row in awkward_rows())
    (folder / "data" / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    spec = SPEC.replace("NAME", quoted(NAME)).replace("DESCRIPTION", quoted(DESCRIPTION)).replace("LICENCE", quoted(licence))
    (folder / "awkward.mix").write_text(spec + more, encoding="utf-8")
    return folder


def build_in(folder: Path, name: str = "awkward.mix", *words: str) -> Path:
    """The folder of the build of a spec, in this process."""
    import os

    from mixc.cli.main import main

    before, home = Path.cwd(), os.environ.get("MIXC_HOME")
    os.chdir(folder)
    os.environ["MIXC_HOME"] = str(folder / ".mixc")
    try:
        assert main(("build", name, "--quiet", *words)) == 0
    finally:
        os.chdir(before)
        os.environ.pop("MIXC_HOME") if home is None else os.environ.update(MIXC_HOME=home)
    return folder / "build" / Path(name).stem
