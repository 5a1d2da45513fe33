"""``python -m deploy.ecs``: writes the requests that make a market on ECS, and releases to it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from deploy.ecs import alarms, once, release, scaling, services
from deploy.ecs.parameters import Parameters, ParametersError
from deploy.ecs.tasks import MIGRATE, ROLES, task_definition

File = Annotated[Path, typer.Argument(help="The TOML file of parameters.")]
Image = Annotated[
    str | None, typer.Option(help="The image by its digest; else the file's.", show_default=False)
]
Into = Annotated[Path, typer.Option("--into", help="The folder to write to.")]

_OF_THE_ROLE = f"of-the-role-that-runs@sha256:{64 * '0'}"
"""`run` takes the definition of a service as it is, and needs no image from the file."""

app = typer.Typer(
    help="Writes the requests that make a market on ECS, and releases to it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def requests(parameters: Parameters) -> dict[str, dict[str, Any]]:
    """Every request, by `name.operation`: the operation is a command of AWS's client.

    Until the parameters say the ARNs of the target groups, these are all that can be made.
    """
    made: dict[str, dict[str, Any]] = {}
    for role in services.BALANCED:
        made[f"{role}.create-target-group"] = services.target_group(parameters, role)
    if not parameters.have_groups:
        return made
    for name in (MIGRATE, *ROLES):
        made[f"{name}.register-task-definition"] = task_definition(parameters, name)
    for role in services.BALANCED:
        made[f"{role}.modify-target-group-attributes"] = services.target_group_attributes(
            parameters, role
        )
    for name, rule in services.rules(parameters).items():
        made[f"{name}.create-rule"] = rule
    for role in ROLES:
        made[f"{role}.create-service"] = services.service(parameters, role)
        made[f"{role}.register-scalable-target"] = scaling.scalable_target(parameters, role)
        made[f"{role}.put-scaling-policy"] = scaling.scaling_policy(parameters, role)
    for name, alarm in alarms.alarms(parameters).items():
        made[f"{name}.put-metric-alarm"] = alarm
    return made


@app.command()
def render(file: File, into: Into, image: Image = None) -> None:
    """Write each request as JSON, as `aws … --cli-input-json file://…` takes it."""
    parameters = _parameters(file, image)
    into.mkdir(parents=True, exist_ok=True)
    for name, request in requests(parameters).items():
        (into / f"{name}.json").write_text(json.dumps(request, indent=2) + "\n", "utf-8")
        print(into / f"{name}.json")
    if not parameters.have_groups:
        print(f"make these, say their ARNs in {file}, and render again", file=sys.stderr)


@app.command()
def migrate(file: File, image: Image = None) -> None:
    """Run the migrations of an image, beside the running version; exits with 1 if they fail."""
    _release(release.migrate, _parameters(file, image))


@app.command("new-epoch")
def new_epoch(file: File, image: Image = None) -> None:
    """Have all clients start anew, after the database went back in time; no service may run."""
    _release(release.new_epoch, _parameters(file, image))


@app.command()
def roll(file: File, image: Image = None) -> None:
    """Replace every role by an image and wait; goes back, and exits with 1, if one fails."""
    _release(release.roll, _parameters(file, image))


@app.command()
def run(
    file: File,
    role: Annotated[Literal["api", "realtime", "worker"], typer.Argument(help="As which role.")],
    command: Annotated[
        list[str],
        typer.Argument(help="What the server's program does, after --.", metavar="COMMAND..."),
    ],
) -> None:
    """Do a command of picky-server with the image and settings of a role that runs.

    Prints its log, and exits with its code: ``run parameters.toml worker -- jobs --dead``.
    """

    def in_a_task(ecs: Any, parameters: Parameters, say: once.Say) -> int:
        logs = _client("logs", parameters)
        return once.run(ecs, logs, parameters, role, command, say=_note, tell=say)

    raise typer.Exit(_release(in_a_task, _parameters(file, _OF_THE_ROLE)))


def _parameters(file: Path, image: str | None) -> Parameters:
    try:
        return Parameters.load(file, image)
    except ParametersError as error:
        _refuse(str(error), 2)


def _release(step: Callable[..., Any], parameters: Parameters) -> Any:
    try:
        return step(_client("ecs", parameters), parameters, say=print)
    except once.ReleaseError as error:
        _refuse(str(error), 1)


def _client(service: str, parameters: Parameters) -> Any:
    import boto3

    with once.asking("and nothing was asked of it"):
        return boto3.client(service, region_name=parameters.region)


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def _refuse(text: str, code: int) -> NoReturn:
    print(f"deploy.ecs: {text}", file=sys.stderr)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
