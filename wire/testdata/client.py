"""Calls the edge as any user of boto3 would and prints, as one JSON object, what each call came to."""
import datetime
import json
import sys

import botocore.config
import botocore.exceptions
import botocore.session

session = botocore.session.get_session()
config = botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False)
results = {}


def client(name):
    return session.create_client(name, config=config)


def call(label, fn, **kwargs):
    try:
        out = fn(**kwargs)
        meta = out.pop("ResponseMetadata")
        assert meta["RequestId"] == meta["HTTPHeaders"]["x-amzn-requestid"], meta
        results[label] = json.dumps(out, sort_keys=True, default=str, ensure_ascii=False)
    except botocore.exceptions.ClientError as e:
        error = e.response["Error"]
        results[label] = "%d %s %s: %s%s" % (e.response["ResponseMetadata"]["HTTPStatusCode"], type(e).__name__, error["Code"], error["Message"],
                                           " " + str(e.response["resourceIds"]) if "resourceIds" in e.response else "")


everything = dict(
    Text="wéb \u65e5\u672c \U0001f6a2 <&\"'> %20+=", Name="abc", Colour="DEEP_BLUE", Count=-2147483648, Percent=100, Size=9007199254740993, Ratio=0.5,
    Exact=0.1, Flag=False, At=datetime.datetime(2026, 11, 21, 8, 36, 40, 123000, tzinfo=datetime.timezone.utc), Data=bytes(range(256)),
    Words=["a", "", "c"], Parts=[{"Name": "a", "Parts": [{"Name": "b", "Size": 1}]}, {"Name": "c"}],
    Labels={"a.b": "1", "ключ": "=&"}, Shelf={"x": {"Name": "y"}},
)
for toy in ("toyjson", "toyquery"):
    c = client(toy)
    call(toy + " everything", c.echo, **everything)
    call(toy + " nothing", c.echo)
    call(toy + " empty", c.echo, Text="", Words=[], Data=b"")
    call(toy + " wrong enum, two errors", c.echo, Colour="GREEN", Percent=101)
    call(toy + " missing member", c.echo, Parts=[{}])
    call(toy + " secret", c.echo, Secret="hush", Name="NOT A NAME")
    call(toy + " conflict", c.fail, Code="ConflictException")
    call(toy + " invalid", c.fail, Code="invalid")
    call(toy + " panic", c.fail, Code="panic")
    call(toy + " internal", c.fail, Code="other")
call("toyjson empty collections", client("toyjson").echo, Parts=[], Labels={}, Shelf={})

ecs = client("ecs")
call("ecs cluster", ecs.create_cluster, clusterName="c", tags=[{"key": "k", "value": "ü \u65e5"}], settings=[])
call("ecs task definition", ecs.register_task_definition, family="f", containerDefinitions=[{"name": "a", "cpu": 1, "essential": True, "environment": []}])
call("ecs conflict", ecs.run_task, taskDefinition="t")
call("ecs not found", ecs.describe_clusters)
call("ecs internal", ecs.list_clusters)
call("ecs not implemented", ecs.stop_task, task="t")
call("ecs missing", ecs.describe_tasks)
call("ecs wrong type", ecs.register_task_definition, family="f", containerDefinitions=[{"name": "a", "cpu": "many"}])
call("ecs code of RegisterTaskDefinition", ecs.register_task_definition, family="f", containerDefinitions=[], networkMode="moon")

call("sts", client("sts").get_caller_identity)
call("sts not implemented", client("sts").get_session_token)
other = session.create_client("sts", config=config, aws_access_key_id="AKIANOBODY", aws_secret_access_key="x")
call("sts unknown key", other.get_caller_identity)
wrong = session.create_client("ecs", config=config, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x")
call("ecs wrong secret", wrong.list_clusters)
call("ecs wrong region", session.create_client("ecs", config=config, region_name="ap-south-1").list_clusters)
call("s3 not here", client("sqs").list_queues)

json.dump(results, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
print()
