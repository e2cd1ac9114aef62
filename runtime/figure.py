"""A number and how far it can be trusted."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`value`, counted (`exact`) or estimated. `most`: an upper bound, whatever a run finds. `error`: the standard error of an estimate, where it is from a sample."""

    value: float
    exact: bool = True
    most: bool = False
    error: float | None = None

    def times(self, factor: float) -> "Figure":
        """So many times as much."""
        return replace(self, value=self.value * factor, error=None if self.error is None else self.error * abs(factor))

    def plus(self, other: "Figure") -> "Figure":
        """The sum: as sure as the less sure of the two."""
        errors = [f.error for f in (self, other) if f.error is not None]
        error = sum(e * e for e in errors) ** 0.5 if errors else None
        return Figure(value=self.value + other.value, exact=self.exact and other.exact, most=self.most or other.most, error=error)

    def at_most(self) -> "Figure":
        """The same number as no more than a bound."""
        return replace(self, most=True)

    def to_data(self) -> dict[str, object]:
        """`value` and `exact`; `bound` and `standard_error` where they say more."""
        whole = int(self.value) if float(self.value).is_integer() else round(self.value, 3)
        data: dict[str, object] = {"value": whole, "exact": self.exact and not self.most}
        if self.most:
            data["bound"] = "upper"
        if self.error is not None:
            data["standard_error"] = round(self.error, 3)
        return data
