"""What a user named to the folders of builds: a spec's build, a build folder, a folder of several (variants in their own order), and short names for all."""

from collections.abc import Sequence
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault
from .variant_index import read_index


def named_builds(names: Sequence[str]) -> list[tuple[str, Path]]:
    """A short name and the folder of every build, each folder once, in the order named. A folder that holds no build is given back as it is.

    Fault MIX0524 where a folder holds variants of which none was built.
    """
    folders: dict[Path, Path] = {}
    for name in names:
        for folder in _builds(Path(name)):
            folders.setdefault(folder.resolve(), folder)
    return list(zip(_short([*folders]), folders.values(), strict=True))


def _builds(named: Path) -> list[Path]:
    folder = Path("build") / named.stem if named.suffix == ".mix" and not named.is_dir() else named
    if (folder / "manifest.json").is_file():
        return [folder]
    index = read_index(folder)
    inside = [folder / name for name in index] or _inside(folder)
    built = [each for each in inside if (each / "manifest.json").is_file()]
    if index and not built:
        message = f"`{folder}` holds the {len(index)} variants of one spec, and none of them was built to its end"
        raise Fault(Diagnostic("MIX0524", message, help="`mixc build SPEC` says why"))
    return built or [folder]


def _inside(folder: Path) -> list[Path]:
    """The builds in a folder, else those in its folders."""
    found = (sorted(path.parent for path in folder.glob(f"{depth}/manifest.json")) for depth in ("*", "*/*"))
    return next((each for each in found if each), [])


def _short(folders: Sequence[Path]) -> list[str]:
    """The fewest last parts of each path that tell it from the others."""
    names = []
    for folder in folders:
        parts = [part for part in folder.parts if part != folder.anchor] or [str(folder)]
        others = [other.parts for other in folders if other != folder]
        take = next((n for n in range(1, len(parts) + 1) if not any(other[-n:] == tuple(parts[-n:]) for other in others)), len(parts))
        names.append("/".join(parts[-take:]))
    return names
