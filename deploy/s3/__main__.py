"""``python -m deploy.s3``: shows the bucket's documents, or gives them to the bucket."""

import json
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import ClientError

from deploy.s3.documents import bucket_policy, cors, lifecycle, private

Bucket = Annotated[str, typer.Argument(help="The bucket's name.")]
RoleArns = Annotated[
    list[str],
    typer.Option("--role", help="The ARN of a task role that uses the bucket; may be repeated."),
]
Origins = Annotated[
    list[str] | None,
    typer.Option("--origin", help="A page's origin, as in PICKY_ALLOWED_ORIGINS; may be repeated."),
]
Endpoint = Annotated[
    str | None, typer.Option(help="The store's URL, where it is not AWS.", show_default=False)
]

app = typer.Typer(
    help="What the market's bucket is told: a policy, pages, and what is thrown away.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def requests(bucket: str, roles: list[str], origins: list[str]) -> dict[str, dict[str, Any]]:
    """What the bucket is asked, by the name of boto3's method."""
    policy = json.dumps(bucket_policy(bucket, roles), indent=2)
    asked: dict[str, dict[str, Any]] = {
        "put_public_access_block": {"PublicAccessBlockConfiguration": private()},
        "put_bucket_policy": {"Policy": policy},
        "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": lifecycle()},
    }
    if origins:
        asked["put_bucket_cors"] = {"CORSConfiguration": cors(origins)}
    return {method: {"Bucket": bucket, **members} for method, members in asked.items()}


@app.command()
def show(bucket: Bucket, role: RoleArns, origin: Origins = None) -> None:
    """Print them."""
    print(json.dumps(requests(bucket, role, origin or []), indent=2))


@app.command()
def apply(
    bucket: Bucket, role: RoleArns, origin: Origins = None, endpoint: Endpoint = None
) -> None:
    """Give them to the bucket; exits with 1 when the store does not take all of them."""
    client = boto3.client("s3", endpoint_url=endpoint)
    taken = [give(client, *one) for one in requests(bucket, role, origin or []).items()]
    raise typer.Exit(0 if all(taken) else 1)


def give(client: Any, method: str, members: dict[str, Any]) -> bool:
    """Ask the store for one of them; whether it took it. Stores that are not AWS lack some."""
    try:
        getattr(client, method)(**members)
    except ClientError as error:
        print(f"  FAIL  {method}: the store refused: {error.response['Error']['Code']}")
        return False
    print(f"  ok    {method}")
    return True


if __name__ == "__main__":
    app()
