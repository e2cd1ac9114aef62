"""What is known of the terms of a row that passed some conditions. A layer over others is a supposition: dropped, or written down."""

from dataclasses import dataclass, field
from typing import Union

from ..expressions import Expression
from .domain import ANY, Domain, is_empty, join, meet


@dataclass(slots=True)
class Facts:
    """`domains`: what a term's value can be; `known`: terms that are not null; `alias`: columns under another name."""

    above: Union["Facts", None] = None
    domains: dict[Expression, Domain] = field(default_factory=dict)
    known: set[Expression] = field(default_factory=set)
    alias: dict[Expression, Expression] = field(default_factory=dict)

    def domain(self, term: Expression) -> Domain | None:
        layer: Facts | None = self
        while layer is not None:
            if term in layer.domains:
                return layer.domains[term]
            layer = layer.above
        return None

    def is_known(self, term: Expression) -> bool:
        layer: Facts | None = self
        while layer is not None:
            if term in layer.known:
                return True
            layer = layer.above
        return False

    def restrict(self, term: Expression, domain: Domain) -> bool:
        """Take down that a term's value is in a domain; False where no value is left."""
        old = self.domain(term)
        new = domain if old is None else meet(old, domain)
        self.domains[term] = new
        return new.kind == "any" or not is_empty(new)

    def layer(self) -> "Facts":
        """A supposition on top of this."""
        return Facts(above=self, alias=self.alias)

    def write_down(self, layer: "Facts") -> None:
        """Take over what a layer on this one holds."""
        self.domains.update(layer.domains)
        self.known.update(layer.known)

    def write_down_either(self, a: "Facts", b: "Facts") -> None:
        """Take over what both of two layers on this one allow."""
        self.known.update(a.known & b.known)
        for term in a.domains.keys() & b.domains.keys():
            joined = join(a.domains[term], b.domains[term])
            self.domains[term] = joined if joined.kind == "any" or self.domain(term) is None else meet(joined, self.domain(term) or ANY)
