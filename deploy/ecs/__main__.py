"""``python -m deploy.ecs``: writes the requests that make a market on ECS, and releases to it."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from deploy.ecs import release, scaling, services
from deploy.ecs.parameters import Parameters, ParametersError
from deploy.ecs.tasks import MIGRATE, ROLES, task_definition

File = Annotated[Path, typer.Argument(help="The TOML file of parameters.")]
Image = Annotated[
    str | None, typer.Option(help="The image by its digest; else the file's.", show_default=False)
]
Into = Annotated[Path, typer.Option("--into", help="The folder to write to.")]

app = typer.Typer(
    help="Writes the requests that make a market on ECS, and releases to it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def requests(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """Every request, by `name.operation`: the operation is a command of AWS's client."""
    made: dict[str, dict[str, Any]] = {}
    for name in (MIGRATE, *ROLES):
        made[f"{name}.register-task-definition"] = task_definition(parameters, name)
    for role in services.BALANCED:
        made[f"{role}.create-target-group"] = services.target_group(parameters, role)
        made[f"{role}.modify-target-group-attributes"] = services.target_group_attributes(
            parameters, role
        )
    for name, rule in services.rules(parameters).items():
        made[f"{name}.create-rule"] = rule
    for role in ROLES:
        made[f"{role}.create-service"] = services.service(parameters, role)
        made[f"{role}.register-scalable-target"] = scaling.scalable_target(parameters, role)
        made[f"{role}.put-scaling-policy"] = scaling.scaling_policy(parameters, role)
    return made


@app.command()
def render(file: File, into: Into, image: Image = None) -> None:
    """Write each request as JSON, as `aws … --cli-input-json file://…` takes it."""
    into.mkdir(parents=True, exist_ok=True)
    for name, request in requests(_parameters(file, image)).items():
        (into / f"{name}.json").write_text(json.dumps(request, indent=2) + "\n", "utf-8")
        print(into / f"{name}.json")


@app.command()
def migrate(file: File, image: Image = None) -> None:
    """Run the migrations of an image, beside the running version; exits with 1 if they fail."""
    _release(release.migrate, _parameters(file, image))


@app.command()
def roll(file: File, image: Image = None) -> None:
    """Replace every role by an image and wait; goes back, and exits with 1, if one fails."""
    _release(release.roll, _parameters(file, image))


def _parameters(file: Path, image: str | None) -> Parameters:
    try:
        return Parameters.load(file, image)
    except ParametersError as error:
        _refuse(str(error), 2)


def _release(step: Any, parameters: Parameters) -> None:
    import boto3

    try:
        step(boto3.client("ecs", region_name=parameters.region), parameters, say=print)
    except release.ReleaseError as error:
        _refuse(str(error), 1)


def _refuse(text: str, code: int) -> NoReturn:
    print(f"deploy.ecs: {text}", file=sys.stderr)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
