"""Who answers in a clause's name: this machine, or a server."""

from ..compiler.clauses import Endpoint, Model
from .context import Context
from .endpoint import EndpointModel
from .responses import LocalModel, Respondent


def respondent(model: Model, endpoint: Endpoint | None, context: Context) -> Respondent:
    """The model as one who can be asked: behind `endpoint`, or run here where there is none."""
    return LocalModel(model, context) if endpoint is None else EndpointModel(model, endpoint)
