"""A bug of ours never reaches the editor: it is told on stderr, with what was being done, and the answer is empty."""

import functools
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from pygls.exceptions import JsonRpcException

from ... import __version__

Answer = TypeVar("Answer", bound=Callable[..., Any])


def guarded(stage: str) -> Callable[[Answer], Answer]:
    """Wrap what answers `stage`; what it says to the editor on purpose (a `JsonRpcException`) passes."""

    def wrap(answer: Answer) -> Answer:
        @functools.wraps(answer)
        def guard(*arguments: Any) -> Any:
            try:
                return answer(*arguments)
            except JsonRpcException:
                raise
            except (OSError, UnicodeDecodeError) as error:  # a text that is not there, or none
                print(f"mixc lsp: {stage}: {error}", file=sys.stderr, flush=True)
                return None
            except Exception:
                tell(stage)
                return None

        return guard  # type: ignore[return-value]

    return wrap


def tell(stage: str) -> None:
    """Report the exception under way as a bug of ours."""
    print(f"this is a bug in mixc {__version__}, in `mixc lsp`, stage {stage}:", file=sys.stderr)
    traceback.print_exc()
    print("please report it on the project's issue tracker, with all of the above", file=sys.stderr, flush=True)
