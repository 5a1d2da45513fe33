"""What a bucket is told: valid for S3, no more than is needed, and as the code uses it."""

import json
import re
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from deploy.s3 import documents
from deploy.s3.__main__ import app, give, requests
from server.accounts.archive_job import KEPT
from server.media.keys import all_keys
from shared_models.market import Rules
from tests.deploy.aws import problems_of
from tests.deploy.composed import ROOT
from tests.servers.s3 import S3Bucket

ROLES = [f"arn:aws:iam::123456789012:role/picky-{role}" for role in ("api", "worker")]
ASKED = [word for role in ROLES for word in ("--role", role)]
ORIGINS = ["https://market.example"]
ARN = "arn:aws:s3:::photos"
EXPORT_KEY = "exports/token/picky.zip"


def statements(effect: str) -> list[dict[str, Any]]:
    policy = documents.bucket_policy("photos", ROLES)
    return [one for one in policy["Statement"] if one["Effect"] == effect]


def matches(patterns: str | list[str], text: str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(text, pattern) for pattern in listed)


def may(action: str, key: str, *, presigned: bool = False, tls: bool = True) -> bool:
    """What S3 would answer, for the conditions that the policy has."""
    resource = f"{ARN}/{key}" if key else ARN
    for deny in statements("Deny"):
        [(_, condition)] = deny["Condition"].items()
        applies = presigned if "s3:authType" in condition else not tls
        within = (
            not matches(deny["NotResource"], resource)
            if "NotResource" in deny
            else matches(deny["Resource"], resource)
        )
        if applies and within and matches(deny["Action"], action):
            return False
    return any(
        matches(allow["Action"], action) and matches(allow["Resource"], resource)
        for allow in statements("Allow")
    )


@pytest.mark.parametrize("method", list(requests("photos", ROLES, ORIGINS)))
def test_every_request_is_one_that_s3_takes(method: str) -> None:
    operation = "".join(part.title() for part in method.split("_"))
    assert problems_of("s3", operation, requests("photos", ROLES, ORIGINS)[method]) == []


@pytest.mark.parametrize("key", [*all_keys(UUID(int=1)), EXPORT_KEY])
def test_the_market_may_do_what_it_does_with_its_keys(key: str) -> None:
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert may(action, key)
        assert not may(action, key, tls=False)
    assert may("s3:ListBucket", "")


def test_the_keys_are_still_made_as_the_policy_has_them() -> None:
    made = (ROOT / "server" / "accounts" / "archive_job.py").read_text()
    assert re.search(r'f"exports/\{new_token\(\)\}/picky\.zip"', made)


def test_clients_write_uploads_only_and_read_the_rest() -> None:
    original, thumb, full = all_keys(UUID(int=1))
    assert may("s3:PutObject", original, presigned=True)
    for key in (thumb, full, EXPORT_KEY):
        assert may("s3:GetObject", key, presigned=True)
        assert not may("s3:PutObject", key, presigned=True)
        assert not may("s3:DeleteObject", key, presigned=True)


@pytest.mark.parametrize("action", ["s3:PutBucketPolicy", "s3:PutObjectAcl", "s3:DeleteBucket"])
def test_the_market_may_do_no_more(action: str) -> None:
    assert not may(action, "")
    assert not may(action, "originals/one")
    assert not may("s3:GetObject", "backups/one")


def test_only_the_market_is_allowed_anything_and_nothing_is_public() -> None:
    assert all(one["Principal"] == {"AWS": ROLES} for one in statements("Allow"))
    assert set(documents.private().values()) == {True}


def test_pages_may_send_what_a_signed_upload_binds() -> None:
    [rule] = documents.cors(ORIGINS)["CORSRules"]
    assert rule["AllowedOrigins"] == ORIGINS
    assert set(rule["AllowedHeaders"]) == {"content-type", "x-amz-checksum-sha256"}
    assert "put_bucket_cors" not in requests("photos", ROLES, [])


def test_nothing_goes_before_the_market_is_done_with_it() -> None:
    kept = {
        rule["Filter"]["Prefix"]: timedelta(days=rule["Expiration"]["Days"])
        for rule in documents.lifecycle()["Rules"]
        if "Days" in rule.get("Expiration", {})
    }
    assert set(kept) == {"originals/", "exports/"}
    assert kept["originals/"] >= timedelta(seconds=Rules().upload_expires_s) + timedelta(days=1)
    assert kept["exports/"] > KEPT


def test_what_was_deleted_is_kept_as_long_as_the_database_can_go_back_and_no_longer() -> None:
    [days] = [
        rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in documents.lifecycle()["Rules"]
        if "NoncurrentVersionExpiration" in rule
    ]
    most_that_rds_takes = 35
    assert days == most_that_rds_takes
    page = (ROOT / "deploy" / "README.md").read_text()
    assert f"--backup-retention-period {days} " in page


def test_a_store_that_does_not_take_them_is_told_of(
    s3_bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (s3_bucket.environment | {"AWS_REGION": "us-east-1"}).items():
        monkeypatch.setenv(name, value)
    arguments = ["apply", s3_bucket.name, *ASKED, "--endpoint", s3_bucket.endpoint]
    run = CliRunner().invoke(app, [*arguments, "--origin", ORIGINS[0]])
    asked = list(requests(s3_bucket.name, ROLES, ORIGINS))
    assert [line.split()[:2] for line in run.output.splitlines()] == [
        ["FAIL", f"{method}:"] for method in asked
    ]
    assert run.exit_code == 1


def test_a_store_that_takes_them_is_given_all(capsys: pytest.CaptureFixture[str]) -> None:
    client = boto3.client("s3", aws_access_key_id="x", aws_secret_access_key="y")
    asked = requests("photos", ROLES, ORIGINS)
    with Stubber(client) as stub:
        for method, members in asked.items():
            stub.add_response(method, {}, members)
        assert all(give(client, method, members) for method, members in asked.items())
        stub.assert_no_pending_responses()
    assert capsys.readouterr().out.split() == [word for name in asked for word in ("ok", name)]


def test_the_documents_can_be_looked_at() -> None:
    run = CliRunner().invoke(app, ["show", "photos", *ASKED, "--origin", ORIGINS[0]])
    assert run.exit_code == 0
    assert json.loads(run.output) == requests("photos", ROLES, ORIGINS)
