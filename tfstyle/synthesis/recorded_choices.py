"""What a run has chosen by the machine and the moment, so that one that goes on chooses the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tfstyle.synthesis.objective import EVALUATIONS
from tfstyle.synthesis.plan import Plan

_PRECISIONS = ("float32", "bfloat16")


def chosen_in(plan: Plan) -> dict[str, Any]:
    """Returns as JSON types what a plan computes in, and how it evaluates each size."""
    ways = [[*size, dtype, way] for (size, dtype), way in plan.evaluations.items()]
    return {"precision": plan.precision, "evaluations": ways}


def precision_of(choices: Mapping[str, Any]) -> str | None:
    """Returns the precision chosen; None where none is known."""
    precision = choices.get("precision")
    return precision if precision in _PRECISIONS else None


def with_evaluations(plan: Plan, choices: Mapping[str, Any]) -> Plan:
    """Returns the plan with the evaluations chosen, if they are of its sizes; otherwise as it is."""
    try:
        known = {((height, width), dtype): way for height, width, dtype, way in choices["evaluations"]}
    except (KeyError, TypeError, ValueError):
        return plan
    if known.keys() != plan.evaluations.keys() or not all(way in EVALUATIONS for way in known.values()):
        return plan
    return dataclasses.replace(plan, evaluations=known)
