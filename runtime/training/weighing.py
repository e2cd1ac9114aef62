"""The weights of the rows as factors of their losses. It knows no trainer."""

import math
from collections.abc import Sequence

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Train
from ..examples import Example


def shares(stage: Train, examples: Sequence[Example]) -> tuple[float, ...] | None:
    """For each example the factor of the loss of each of its tokens: its weight over the mean weight of a token that carries loss.

    The loss of a step is then `sum_i f_i sum_t l_it / sum_i n_i` over the examples i of the batch, with `n_i` their tokens that carry loss,
    `l_it` the negative log-likelihood of one, and `f_i = w_i (sum_j n_j) / (sum_j w_j n_j)` over all examples j of the training. Only what
    the weights are to one another counts, and the mean of the factors over all tokens is 1. The sum in the denominator of the step is not over
    weights: that would take the weights out again where a batch holds one example, or examples of like weight. None where all weights
    are equal: the training is then the one without weights, to the bit.

    MIX0502 for a weight that is null, negative or no finite number, MIX0510 where all are 0.
    """
    for example in examples:
        if example.weight is None or not (math.isfinite(example.weight) and example.weight >= 0):
            raise Fault(_unusable(stage, example))
    weights = [float(e.weight or 0) for e in examples]
    most = max(weights)
    if most == 0:
        raise Fault(Diagnostic(
            "MIX0510", "there is nothing to train on: the weight of every row is 0", Label(stage.span, "no loss would be left"),
            help="leave out `weight`, or select rows of another weight",
        ))  # fmt: skip
    if min(weights) == most:
        return None
    relative = [weight / most for weight in weights]
    sizes = [len(e.tokens) - e.start for e in examples]
    mean = math.fsum(w * n for w, n in zip(relative, sizes, strict=True)) / sum(sizes)
    return tuple(weight / mean for weight in relative)


def _unusable(stage: Train, example: Example) -> Diagnostic:
    said = "no weight" if example.weight is None else f"the weight {example.weight:g}"
    return Diagnostic(
        "MIX0502",
        f"row {example.row_id} has {said}: a weight is a number, 0 or more",
        Label(stage.span, "its loss cannot be multiplied by that"),
        help="leave such rows out with a `where`, or weigh by another score",
    )
