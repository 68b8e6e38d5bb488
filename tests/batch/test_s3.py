"""Buckets: a real S3 endpoint on this machine, by moto (not in dev: it brings fifty packages)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.batch.conftest import job, rows_in

from boxless.batch import remote
from boxless.batch.run import run
from boxless.errors import DatasetError, ResultsError

pytest.importorskip("s3fs", reason="needs the extra cloud")
pytest.importorskip("moto.server", reason="needs moto: pip install 'moto[server]'")

pytestmark = pytest.mark.filterwarnings("ignore")  # s3fs leaves sessions open; moto, datetimes without zones


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty store, whose administrator we are."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    become(monkeypatch, "administrator", "secret")
    yield address
    post(f"{address}/moto-api/reset-auth", "1000000")
    post(f"{address}/moto-api/reset")
    server.stop()
    forget()


def post(url: str, body: str = "") -> None:
    headers = {"Content-Type": "text/plain"}  # else moto takes the number for a form
    urlopen(Request(url, body.encode(), headers, method="POST")).read()


def forget() -> None:
    """Of file systems that are kept for the process: they know who they were made for."""
    import s3fs

    remote.filesystem.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()


def become(monkeypatch: pytest.MonkeyPatch, key: str, secret: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    forget()


def someone(endpoint: str, *allowed: str) -> tuple[str, str]:
    """The keys of a user who may do that and nothing else; from now on the store asks who it is."""
    import boto3

    iam = boto3.client("iam", endpoint_url=endpoint)
    iam.create_user(UserName="someone")
    statement = {"Effect": "Allow", "Action": list(allowed) or ["sqs:ListQueues"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="someone", PolicyName="little", PolicyDocument=policy)
    keys = iam.create_access_key(UserName="someone")["AccessKey"]
    post(f"{endpoint}/moto-api/reset-auth", "0")
    return keys["AccessKeyId"], keys["SecretAccessKey"]


@pytest.fixture
def bucket(endpoint: str, album: Path) -> Any:  # noqa: ANN401
    """A file system with two buckets, one with the album."""
    system = remote.filesystem("s3")
    system.mkdir("s3://pictures")
    system.mkdir("s3://results")
    system.put(str(album), "s3://pictures/album", recursive=True)
    return system


def test_from_bucket_to_bucket(bucket: Any, album: Path, tmp_path: Path) -> None:  # noqa: ANN401
    there = replace(job("s3://pictures/album", tmp_path), out="s3://results/run")
    done = run(there)
    assert (done.images, done.failed, done.before) == (7, 1, 0)
    run(job(album, tmp_path / "here"))
    bucket.get("s3://results/run", str(tmp_path / "there"), recursive=True)
    for ours, theirs in zip(rows_in(tmp_path / "here"), rows_in(tmp_path / "there"), strict=True):
        assert theirs["image"].removeprefix("s3://pictures/album") == ours["image"].removeprefix(str(album))
        assert theirs.get("predictions") == ours.get("predictions")
    bucket.rm("s3://results/run/part-00001.jsonl")
    again = run(there)
    assert (again.images, again.before) == (7, 4)
    other = run(replace(job("s3://pictures/album/b/*.jpg", tmp_path), out="s3://results/other"))
    assert (other.images, other.failed) == (3, 0)


def test_a_bucket_that_is_not_there(bucket: Any, tmp_path: Path) -> None:  # noqa: ANN401
    with pytest.raises(DatasetError, match="s3://nobody/album: no such file or folder there"):
        run(job("s3://nobody/album", tmp_path / "out"))


def test_a_bucket_without_permission(
    bucket: Any,  # noqa: ANN401
    endpoint: str,
    album: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become(monkeypatch, *someone(endpoint))
    with pytest.raises(DatasetError, match=r"s3://pictures/album: permission denied \(expected credentials"):
        run(job("s3://pictures/album", tmp_path / "out"))
    with pytest.raises(ResultsError, match=r"s3://results/run/lock\.json: permission denied"):
        run(replace(job(album, tmp_path), out="s3://results/run"))
    assert not list((tmp_path / "out").glob("part-*"))


def test_images_that_may_be_listed_and_not_read(
    bucket: Any,  # noqa: ANN401
    endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become(monkeypatch, *someone(endpoint, "s3:ListBucket"))
    done = run(job("s3://pictures/album/b", tmp_path / "out"))
    assert (done.images, done.failed) == (3, 3)
    assert all(
        "denied" in row["error"].lower() or "forbidden" in row["error"].lower() for row in rows_in(tmp_path / "out")
    )
