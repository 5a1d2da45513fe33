"""What differs from one account to the next, read from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:")]
PinnedImage = Annotated[str, StringConstraints(pattern=r"^\S+@sha256:[0-9a-f]{64}$")]


class ParametersError(Exception):
    """The file does not say what is needed; the message names each line."""


class Secrets(BaseModel):
    """ARNs in Secrets Manager or the parameter store; no value of a secret is ever here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: Arn
    bus_url: Arn
    secret_key: Arn


class Parameters(BaseModel):
    """One account's names. ``image`` may be left out of the file, for the release says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str
    cluster: str
    site: str = Field(description="The market's public name, such as market.example.")
    bucket: str
    vpc: Annotated[str, StringConstraints(pattern=r"^vpc-")]
    subnets: Annotated[list[str], Field(min_length=2)]
    security_groups: Annotated[list[str], Field(min_length=1)]
    execution_role: Arn
    task_role: Arn
    listener: Arn
    api_target_group: Arn
    realtime_target_group: Arn
    secrets: Secrets
    image: PinnedImage

    @classmethod
    def load(cls, path: Path, image: str | None = None) -> Self:
        """Read the file; ``image`` counts more than its line. Raises :class:`ParametersError`."""
        try:
            told = tomllib.loads(path.read_text("utf-8"))
            return cls.model_validate(told | ({"image": image} if image else {}))
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            raise ParametersError(f"{path}: {'; '.join(problems)}") from error
        except (OSError, ValueError) as error:
            raise ParametersError(f"{path}: {error}") from error
