"""AWS's own description of its services, as botocore carries it."""

import tomllib
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

from deploy.ecs.parameters import Parameters
from deploy.ecs.tasks import task_definition
from tests.deploy.composed import DEPLOY

BY_ITSELF = {("ecr", "get-login-password")}
"""What AWS's client has and its description has not."""
EXAMPLE = DEPLOY / "ecs" / "parameters.example.toml"


def filled_in() -> str:
    """The example's text when the target groups have been made."""
    text = EXAMPLE.read_text()
    for role in ("api", "realtime"):
        assert f"# {role}_target_group = " in text
        text = text.replace(f"# {role}_target_group = ", f"{role}_target_group = ")
    return text


def example() -> Parameters:
    """What it says then."""
    return Parameters.model_validate(tomllib.loads(filled_in()))


def market(parameters: Parameters, name: str) -> dict[str, Any]:
    """The container of a task that is the market itself."""
    found: dict[str, Any] = task_definition(parameters, name)["containerDefinitions"][0]
    return found


@cache
def service_model(service: str) -> Any:
    """What botocore knows of a service."""
    return botocore.session.get_session().get_service_model(service)


def options_of(service: str, command: str, thing: str = "") -> set[str]:
    """The options that a command of AWS's client has, which may wait for something."""
    model = service_model(service)
    if command == "wait":
        waiters = botocore.session.get_session().get_waiter_model(service)
        names = {xform_name(name, "-"): waiters.get_waiter(name) for name in waiters.waiter_names}
        operation = names[thing].operation
    else:
        operation = {xform_name(name, "-"): name for name in model.operation_names}[command]
    return {xform_name(name, "-") for name in model.operation_model(operation).input_shape.members}


def problems_of(service: str, operation: str, request: dict[str, Any]) -> list[str]:
    """What is wrong with a request: members, types, bounds and, unlike botocore, closed lists."""
    shape = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return [*report.generate_report().splitlines(), *_outside_lists(shape, request, operation)]


def _outside_lists(shape: Any, value: Any, where: str) -> list[str]:
    if shape.type_name == "structure":
        return [
            problem
            for name, member in value.items()
            if name in shape.members
            for problem in _outside_lists(shape.members[name], member, f"{where}.{name}")
        ]
    if shape.type_name == "list":
        return [problem for item in value for problem in _outside_lists(shape.member, item, where)]
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        return [f"{where}: {value} is not one of {', '.join(shape.enum)}"]
    return []
