"""Any bytes in, diagnostics out, through what `mixc check` does: never a traceback, never long."""

import gc
import io
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from mixc.cli.console import THEME
from mixc.cli.inputs import compile_file, compile_source
from mixc.cli.render import render_json, render_text
from mixc.compiler.diagnostics import Diagnostic, Diagnostics, Fault
from mixc.compiler.driver import MOST, Outcome
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.compiler.syntax.parse import LARGEST, LONGEST, parse
from mixc.compiler.syntax.parsed import _parsed
from mixc.tests.compiler.generate import Derivation, scrawl
from mixc.tests.compiler.specs import CHILD, OTHERS, RESELECT, TRAINED
from rich.console import Console

HERE = Path(__file__).parent
FOLDER = HERE / "specs" / "distill"
SPEC = (FOLDER / "spec.mix").read_text(encoding="utf-8")
REAL = (SPEC, TRAINED, RESELECT, CHILD, OTHERS)
SECONDS = 2.0
FULL = LARGEST - 1024
PART = 3
"""Most shapes are a third as large as they may be: what is quadratic shows all the same, and the suite stays quick."""


@pytest.fixture(autouse=True)
def beside_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


def in_time(text: str, work: Callable[[], Any]) -> Any:
    """What the work gives, in at most `SECONDS` of processor time; the better of two runs counts, as the machine may do other things."""
    took = 0.0
    gc.freeze()  # what other tests left in memory is not looked through
    for _ in range(2):
        began = time.process_time()
        given = work()
        took = time.process_time() - began
        if took < SECONDS:
            gc.unfreeze()
            return given
        _parsed.cache_clear()
    gc.unfreeze()
    raise AssertionError(f"{took:.1f} s for {text[:60]!r}… ({len(text):,} characters)")


def survive(text: str) -> list[Diagnostic]:
    """What is found in a text, drawn and written as JSON; then its canonical form is tried."""
    source = Source("spec.mix", text)

    def check() -> tuple[Outcome, list[Diagnostic]]:
        outcome = compile_source(source)
        draw(list(outcome.notes), {s.path: s for s in outcome.sources})
        return outcome, list(outcome.notes)

    outcome, found = in_time(text, check)
    in_time(text, lambda: arrange(source, Diagnostics()))
    assert outcome.plan is not None or found
    return found


def draw(found, sources) -> None:
    console = Console(file=io.StringIO(), width=100, theme=THEME, color_system=None, highlight=False, markup=False, emoji=False)
    render_text(found, sources, console)
    render_json(found, sources)


def lines(form: str, count: int = LONGEST // PART) -> str:
    """Lines of one form, `{i}` counted, as many as a spec may hold."""
    return "\n".join(form.format(i=i) for i in range(min(count, FULL // (len(form) + 4)))) + "\n"


def inside(head: str, form: str, count: int = LONGEST // PART) -> str:
    """The real spec with lines of one form at the start of one of its blocks, or after one of its lines."""
    assert head in SPEC
    return SPEC.replace(head, head + lines(form, min(count, (FULL - len(SPEC)) // (len(form) + 4))), 1)


ALPHABET = "([{}])\"'\\#;,.:=<>!&|+-*/%$@^~`_?aA1é数🙂\0\t\r \x1b\u00a0\u200b\u2028\ufeff\ud800"
SELECT, DECLARE = "select {\n", "param window = 4\n"
SHAPES = {
    **{f"{ord(c):04x}": c * (FULL // PART // len(c.encode("utf-8", "surrogatepass"))) for c in ALPHABET},
    "a whole file of brackets": "(" * FULL,
    "a whole file of one score": lines("score s = column(a{i})", LONGEST - 200),
    "a whole file of unknown names": inside(SELECT, "  where correc{i}", LONGEST - 200),
    "newlines": "\n" * (LONGEST - 2),
    "numbers with commas": "1,000," * (FULL // 6),
    "dots": "1." * (FULL // 2),
    "not": f"select {{\n  where {'not ' * (FULL // 4)}a\n}}\n",
    "minus": f"select {{\n  where {'- ' * (FULL // 2)}a\n}}\n",
    "and": f"select {{\n  where {'a and ' * (FULL // 6)}a\n}}\n",
    "parentheses": f"select {{\n  where {'(' * 60_000}a{')' * 60_000}\n}}\n",
    "nested lists": f"param a = {'[' * 60_000}{']' * 60_000}\n",
    "nested calls": f"score x = {'f(' * 50_000}{')' * 50_000}\n",
    "alternating brackets": "([{" * (FULL // 3),
    "one long list": f"param a = [{'1, ' * (FULL // 3)}]\n",
    "a list on many lines": f"param a = [\n{lines('1,', LONGEST - 200)}]\n",
    "many arguments": f"score x = f({'a: b, ' * (FULL // 6)})\n",
    "a huge number": f"param a = {'9' * FULL}\n",
    "a huge exponent": "param a = 1e999999999\nparam b = 1e-999999999\n",
    "a long name": f"param {'a' * FULL} = 1\n",
    "words on one line": "x " * (FULL // 2),
    "faults on one line": f"select {{\n  where a {'b c d ' * (FULL // 7)}\n}}\n",
    "no declarations": lines("selct {{"),
    "no clauses": lines("x y z {i}"),
    "open blocks": lines("select {{"),
    "open strings": lines('param a = "abc'),
    "bad numbers": lines("param a = 1.2.3.4"),
    "chained comparisons": lines("select {{ where a < b < c }}"),
    "one param often": lines("param a = {i}"),
    "one score often": lines("score s = column(a{i})"),
    "one block often": lines('mix "m" {{ seed {i} }}'),
    "many scores": lines("score s{i} = column(a{i})"),
    "unknown scorers": lines("score s{i} = colum{i}(a)"),
    "scores of scores": lines("score s{i} = column(s{i})"),
    "unknown corpora": inside(DECLARE, 'teacher t{i} from tracs where model == "{i}"'),
    "many teachers": inside(DECLARE, 'teacher t{i} from traces where model == "{i}"'),
    "many students": lines('student s{i} {{ model "m" }}'),
    "many corpora": lines('corpus c{i} {{ scan "x{i}.jsonl" }}', 2000),
    "params of params": lines("param a{i} = $a{i}"),
    "unknown params": "param wndow = 1\n" + lines("score s{i} = f($window{i})"),
    "unknown names": inside(SELECT, "  where correc{i}"),
    "unknown names among many": inside(DECLARE, "score correct{i} = column(a)", 4000).replace(SELECT, SELECT + lines("  where correc{i}", 3000)),
    "unknown columns": inside(SELECT, "  where colum{i} == 3"),
    "unknown teachers": inside(SELECT, "  quota teacher strng{i} <= 3%"),
    "unknown skills": inside(SELECT, '  quota skill "A{i}" >= 1 examples'),
    "one quota often": inside(SELECT, '  quota skill "Geometry" >= 15%'),
    "one where often": inside(SELECT, "  where correct"),
    "wrong units": inside(SELECT, "  where length >= {i} nats"),
    "a long membership": SPEC.replace(SELECT, f"{SELECT}  where split in [{', '.join(map(repr, range(20_000)))}]\n"),
    "a bad regex": SPEC.replace(SELECT, f'{SELECT}  where split matches "{"(a+)+" * 20_000}"\n'),
    "settings": "train s {\n" + lines("  epochs {i}") + "}\n",
    "benchmarks": "evaluate {\n" + lines('  benchmark b{i} "f{i}.jsonl"', 2000) + "}\n",
    "extends": lines('extends "p{i}.mix"'),
    "extends itself": lines('extends "spec.mix"'),
    "removals": lines("remove score s{i}"),
    "replacements": 'extends "../distill/spec.mix"\nselect {\n' + lines("  replace keep best {i} per prompt by fluency") + "}\n",
    "additions": 'extends "../distill/spec.mix"\nselect {\n' + lines("  add where fluency > {i} nats") + "}\n",
    "removed patterns": 'extends "../distill/spec.mix"\nselect {\n' + lines("  remove where fluency > {i} nats") + "}\n",
    "sweeps": lines("sweep a in [{i}]"),
    "a long sweep": f"{SPEC}sweep window in [{', '.join(map(str, range(20_000)))}]\n",
    "ablations of one clause": SPEC + lines("ablate where correct", 3000),
    "given files": SPEC + lines('test "t{i}" {{ given "x.jsonl" }}', 1000),
    "ablations": lines("ablate where a{i}"),
    "tests": lines('test "t{i}" {{ given "x.jsonl" }}'),
    "decontaminations": lines('decontaminate against "b{i}.jsonl" by 8-grams of prompt', 2000),
    "comments": lines("# comment {i}"),
    "allowances": lines('# mixc: allow MIX0601 because "x{i}"\nparam b{i} = 1', 4000),
    "carriage returns": SPEC.replace("\n", "\r"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_made_to_be_slow_is_not(shape: str) -> None:
    assert len(survive(SHAPES[shape])) <= MOST + 1


def test_a_file_over_the_stated_size_is_one_diagnostic() -> None:
    for text in ("a" * (LARGEST + 1), "é" * (LARGEST // 2 + 1), "\n" * (LONGEST + 1), "selct {\n" * (LONGEST + 1), "\0" * 10**7):
        found = survive(text)
        assert [d.code for d in found if d.code.startswith("MIX01")] == ["MIX0117"]


@pytest.mark.parametrize("which", range(len(REAL)))
def test_a_spec_cut_off_anywhere(which: int) -> None:
    text = REAL[which]
    for end in range(len(text)):
        notes = Diagnostics()
        parse(Source("spec.mix", text[:end]), notes)
        if end % 23 == which:
            survive(text[:end])


def mutated(text: str, random: Random) -> str:
    """A spec to which what happens in editors has happened, a few times."""
    for _ in range(random.randint(1, 6)):
        a, b = sorted(random.choices(range(len(text) + 1), k=2))
        b = min(b, a + random.choice((1, 3, 30, 300)))
        rows = text.split("\n")
        match random.randrange(7):
            case 0:
                text = text[:a] + text[b:]
            case 1:
                text = text[:b] + text[a:b] * random.choice((1, 2, 20)) + text[b:]
            case 2:
                random.shuffle(rows)
                text = "\n".join(rows)
            case 3:
                i, j = random.choices(range(len(rows)), k=2)
                rows[i], rows[j] = rows[j], rows[i]
                text = "\n".join(rows)
            case 4:
                text = text[:a] + "".join(random.choices(ALPHABET, k=random.randint(1, 5))) + text[a:]
            case 5:
                text = text[:a] + text[b:] + text[a:b]
            case _:
                text = text[:a] + random.choice(("extends ", " where ", "{", "}", "(", '"', "1e400", "$", "#", "\n", " = ", "p20", "none")) + text[a:]
    return text[:FULL]


@pytest.mark.parametrize("first", range(0, 450, 150))
def test_specs_that_were_mangled(first: int) -> None:
    derivation = Derivation(Random(first))
    for seed in range(first, first + 150):
        random = derivation.random = Random(seed)
        text = scrawl(derivation.declarations(5), random) if seed % 3 == 0 else random.choice(REAL)
        survive(mutated(text, random))


def test_any_bytes_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "any.mix"
    real = [text.encode() for text in REAL]
    for seed in range(300):
        random = Random(seed)
        data = random.randbytes(random.choice((0, 1, 10, 100, 5000)))
        if seed % 2:
            whole = random.choice(real)
            at = random.randrange(len(whole))
            data = whole[:at] + data[:10] + whole[at + random.choice((0, 1, 10)) :]
        path.write_bytes(data)
        try:
            outcome = compile_file(str(path))
            draw(list(outcome.notes), {s.path: s for s in outcome.sources})
        except Fault as fault:
            assert fault.diagnostics[0].code == "MIX0208"
            draw(fault.diagnostics, {})
