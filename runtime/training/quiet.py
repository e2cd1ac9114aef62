"""Keeps what the libraries of a training say off the terminal, whose state is given back afterwards."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no log lines."""
    import datasets
    from transformers.utils import logging as transformers_logging

    before = logging.root.manager.disable
    bars = datasets.are_progress_bars_disabled(), transformers_logging.is_progress_bar_enabled()
    logging.disable(max(before, logging.WARNING))
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        if not bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            transformers_logging.enable_progress_bar()
