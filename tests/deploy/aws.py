"""AWS's own description of its services, as botocore carries it."""

from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator


@cache
def service_model(service: str) -> Any:
    """What botocore knows of a service."""
    return botocore.session.get_session().get_service_model(service)


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
