"""A release on ECS, against AWS's own description of every request and answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.ecs.once import ReleaseError
from deploy.ecs.tasks import MIGRATE, ROLES
from tests.deploy.stubbed import Aws, stubbed


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stubbed() as made:
        yield made


def begin(aws: Aws) -> None:
    for role in ROLES:
        aws.has(role, f"{role}:1")
    for role in ROLES:
        aws.registers(role)
    aws.replaces(2)


def go_back(aws: Aws) -> None:
    aws.replaces(1)
    aws.settles()
    for role in ROLES:
        aws.has(role, f"{role}:1")


def test_the_schema_is_migrated_by_the_new_image(aws: Aws) -> None:
    aws.registers(MIGRATE)
    aws.runs(exitCode=0)
    aws.migrate()
    assert aws.said[-1] == "the schema is current"


@pytest.mark.parametrize(
    ("container", "told"),
    [
        ({"exitCode": 1, "stopped": "exited"}, "rolled out: exited"),
        ({"reason": "CannotPullContainerError"}, "CannotPullContainerError"),
        ({"exitCode": 1}, "see its log"),
    ],
)
def test_migrations_that_fail_end_the_release(
    aws: Aws, container: dict[str, Any], told: str
) -> None:
    aws.registers(MIGRATE)
    aws.runs(**container)
    with pytest.raises(ReleaseError, match=told):
        aws.migrate()


def test_migrations_that_are_not_started_are_told_of(aws: Aws) -> None:
    aws.registers(MIGRATE)
    answer = {"tasks": [], "failures": [{"reason": "Capacity is unavailable"}]}
    aws.stub.add_response("run_task", answer, None)
    with pytest.raises(ReleaseError, match="the migrations did not start: Capacity is unavailable"):
        aws.migrate()


def test_new_epochs_are_given_by_the_owner_when_nobody_serves(aws: Aws) -> None:
    for role in ROLES:
        aws.has(role, f"{role}:1", running=0)
    aws.registers(MIGRATE)
    aws.runs("new-epoch", exitCode=0)
    aws.new_epoch()
    assert aws.said[-1] == "all streams have a new epoch"


def test_no_epoch_changes_under_a_service_that_runs(aws: Aws) -> None:
    aws.has("api", "api:1", running=0)
    aws.has("realtime", "realtime:1", running=1)
    with pytest.raises(ReleaseError, match="picky-realtime runs: stop every service"):
        aws.new_epoch()


def test_every_role_is_replaced_and_waited_for(aws: Aws) -> None:
    begin(aws)
    aws.settles()
    for role in ROLES:
        aws.has(role, f"{role}:2")
    aws.roll()
    assert aws.said == [f"{role}: {role}:2" for role in ROLES]


def test_all_roles_go_back_when_ecs_gave_one_up(aws: Aws) -> None:
    begin(aws)
    aws.settles()
    aws.has("api", "api:2")
    aws.has("realtime", "realtime:1")
    go_back(aws)
    with pytest.raises(ReleaseError, match=r"realtime did not become healthy.*runs again"):
        aws.roll()


def test_all_roles_go_back_when_they_do_not_settle(aws: Aws) -> None:
    begin(aws)
    aws.settles(settled=False)
    go_back(aws)
    with pytest.raises(ReleaseError, match=r"have not settled.*version before runs again"):
        aws.roll()


def test_all_roles_go_back_when_aws_refuses_one(aws: Aws) -> None:
    for role in ROLES:
        aws.has(role, f"{role}:1")
    for role in ROLES:
        aws.registers(role)
    aws.refuses("update_service")
    go_back(aws)
    with pytest.raises(ReleaseError, match=r"AWS refused.*AccessDenied.*runs again"):
        aws.roll()


def test_it_is_told_when_going_back_fails_as_well(aws: Aws) -> None:
    begin(aws)
    aws.settles(settled=False)
    aws.replaces(1)
    aws.settles(settled=False)
    with pytest.raises(ReleaseError, match=r"Going back failed as well"):
        aws.roll()


def test_a_service_that_is_not_there_is_named_before_anything_changes(aws: Aws) -> None:
    aws.stub.add_response("describe_services", {"services": []}, None)
    with pytest.raises(ReleaseError, match="no service picky-api in picky"):
        aws.roll()


def test_what_aws_refuses_before_anything_runs_is_told_with_how_things_are(aws: Aws) -> None:
    aws.refuses("register_task_definition")
    with pytest.raises(ReleaseError, match=r"AWS refused.*nothing was rolled out.*You may not"):
        aws.migrate()
    aws.registers(MIGRATE)
    aws.refuses("run_task", "ClusterNotFoundException")
    with pytest.raises(ReleaseError, match=r"AWS refused.*nothing was rolled out.*ClusterNotFound"):
        aws.migrate()
    aws.refuses("describe_services")
    with pytest.raises(ReleaseError, match=r"AWS refused.*no epoch is new.*You may not"):
        aws.new_epoch()
    aws.refuses("describe_services")
    with pytest.raises(ReleaseError, match=r"AWS refused.*nothing was rolled out.*You may not"):
        aws.roll()
    for role in ROLES:
        aws.has(role, f"{role}:1")
    aws.refuses("register_task_definition")
    with pytest.raises(ReleaseError, match=r"AWS refused.*nothing was rolled out.*You may not"):
        aws.roll()
