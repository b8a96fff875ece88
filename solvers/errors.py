"""Failures that this room reports to a person."""

from __future__ import annotations


class SolverError(Exception):
    """Base of every failure of this room that a user can cause.

    what : one line, what is wrong
    where: file, row, column or key
    mend : what the reader can do about it
    """

    def __init__(self, what: str, where: str, mend: str) -> None:
        super().__init__(what, where, mend)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  mend:  {self.mend}"


class ProblemFaults(SolverError):
    """The arrays of a problem do not fit together."""


class CoveringFaults(SolverError):
    """The table, weights, costs or budget of a covering problem cannot be used as they are."""


class NoFeasiblePlan(SolverError):
    """What must be built or cleared cannot be."""


class LockedExceedBudget(NoFeasiblePlan):
    """The locked-in options alone cost more than the budget."""


class TargetImpossible(NoFeasiblePlan):
    """Hamlets that must be cleared cannot be, by any choice that the budget and the rules allow."""


class NoPlanInTime(SolverError):
    """The limits ran out before any plan was found; whether there is one is not known."""
