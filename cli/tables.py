"""A table as every summary draws it."""

from rich.table import Table


def table(title: str, *columns: tuple[str, str]) -> Table:
    """An empty table with these columns: name and side (`left`, `right`)."""
    drawn = Table(title=title, title_justify="left", title_style="message", box=None, pad_edge=False, header_style="dim")
    for name, side in columns:
        drawn.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    return drawn
