"""What every declared fact has in common."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

ID_PATTERN = r"^[a-z0-9-]{1,32}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]


class Fact(BaseModel):
    """Base of all declared facts: frozen, and unknown fields are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_by_accident(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `true` where a number or a text is meant; pydantic would take it for 1."""
        field = cls.model_fields[str(info.field_name)]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError(f"{str(value).lower()} is no value for it")
        return value
