"""Words in Markdown as they are meant: nothing in them is markup but code spans."""

_MARKUP = str.maketrans({**{char: f"\\{char}" for char in "\\|*_[]#"}, **{char: f"&#{ord(char)};" for char in "<>@"}})


def escaped(text: str) -> str:
    """Words on one line in which only a backtick means something, in a table too."""
    return " ".join(text.split()).translate(_MARKUP)
