"""What differs from one account to the next, read from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from deploy.ecs.settings import ChosenSettings

_ARN = r"^arn:aws[a-z-]*:"
_BALANCER = _ARN + r"elasticloadbalancing:[a-z0-9-]+:\d+:"

Arn = Annotated[str, StringConstraints(pattern=_ARN + r"[a-z0-9-]+:")]
Listener = Annotated[str, StringConstraints(pattern=_BALANCER + r"listener/app/[^/]+/\w+/\w+$")]
TargetGroup = Annotated[str, StringConstraints(pattern=_BALANCER + r"targetgroup/[^/]+/\w+$")]
Topic = Annotated[str, StringConstraints(pattern=_ARN + r"sns:")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z](-?[a-z0-9])*$", max_length=23)]
"""A target group's has 32 characters at most, and a role's behind it."""
PinnedImage = Annotated[str, StringConstraints(pattern=r"^\S+@sha256:[0-9a-f]{64}$")]


class ParametersError(Exception):
    """The file does not say what is needed; the message names each line."""


class Secrets(BaseModel):
    """ARNs in Secrets Manager or the parameter store; no value of a secret is ever here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: Arn
    database_owner_url: Arn = Field(description="As who owns the tables; only migrations get it.")
    database_replica_url: Arn | None = None
    bus_url: Arn
    secret_key: Arn


class TaskRoles(BaseModel):
    """What the tasks of each role are to AWS; one that migrates is nobody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: Arn
    realtime: Arn
    worker: Arn


class MostTasks(BaseModel):
    """How many tasks of each role there may be: half as many again as 100,000 connected users need
    (docs/capacity.md, which has the figures for other sizes too).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: int = Field(default=14, gt=2)
    realtime: int = Field(default=35, gt=2)
    worker: int = Field(default=5, gt=2)


class Parameters(BaseModel):
    """One account's names. ``image`` may be left out of the file, for the release says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(
        default="picky",
        description="Begins the names of all that is made; each market of an account has its own.",
    )
    region: str
    cluster: str
    site: str = Field(description="The market's public name, such as market.example.")
    bucket: str
    vpc: Annotated[str, StringConstraints(pattern=r"^vpc-")]
    subnets: Annotated[list[str], Field(min_length=2)]
    security_groups: Annotated[list[str], Field(min_length=1)]
    execution_role: Arn
    task_roles: TaskRoles
    listener: Listener
    api_target_group: TargetGroup | None = None
    realtime_target_group: TargetGroup | None = None
    alarm_topic: Topic | None = Field(default=None, description="SNS's, which alarms tell.")
    secrets: Secrets
    settings: ChosenSettings = ChosenSettings()
    most_tasks: MostTasks = MostTasks()
    image: PinnedImage

    def group_of(self, role: str) -> str:
        """The ARN of a role's target group, which has one only when it has been made."""
        found = {"api": self.api_target_group, "realtime": self.realtime_target_group}[role]
        if found is None:
            raise ParametersError(f"{role}_target_group: make it first, and say its ARN")
        return found

    @property
    def balancer(self) -> str:
        """What CloudWatch calls the balancer of the listener."""
        return "/".join(self.listener.split("/")[1:4])

    @property
    def have_groups(self) -> bool:
        """Whether the target groups have been made, so that all else can be."""
        return None not in (self.api_target_group, self.realtime_target_group)

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
