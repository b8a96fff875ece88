"""What every section of a scenario file is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A table of the scenario file: unknown keys are faults, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(Section):
    """A price or a physical default with where it comes from and how far it may be off.

    A bare number in the scenario file is taken as the scenario's own figure.
    """

    value: float = Field(ge=0, description="in the unit that the key's name gives")
    band: float = Field(0.2, ge=0, le=1, description="relative uncertainty, 0.2 = ±20%")
    source: str = Field("assumption", description='document, or "assumption"')

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, given: Any) -> Any:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return {"value": given, "source": "scenario"}
        return given
