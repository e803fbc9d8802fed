"""Calls the embedded AWS over HTTP with boto3 and checks every outcome.

Usage: check.py SERVER [--puts N]

SERVER is the binary built from interop/boto3/server. With --puts, N items of
1 KB are put into a table under a KMS key and the rate is printed.
"""

import json
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

checks = 0


def check(name, ok, detail=""):
    global checks
    checks += 1
    if not ok:
        sys.exit(f"FAILED: {name}: {detail}")
    print(f"ok   {name}")


def refused(name, code, text, call):
    """Checks that call is refused with an error code and a part of its message."""
    try:
        call()
    except ClientError as e:
        error = e.response["Error"]
        check(name, error["Code"] == code and text in error["Message"], error)
        return
    check(name, False, f"allowed, want {code}")


class Account:
    def __init__(self, server, access_key_id, secret, token=None):
        self.session = boto3.session.Session(
            aws_access_key_id=access_key_id, aws_secret_access_key=secret, aws_session_token=token, region_name=server["region"]
        )
        self.endpoint = server["endpoint"]

    def client(self, service):
        return self.session.client(service, endpoint_url=self.endpoint, config=Config(retries={"total_max_attempts": 1}))


def key_policy(account, *statements):
    root = {"Sid": "root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [root, *statements]})


def asymmetric(kms):
    """Creates, describes and uses each kind of asymmetric key."""
    for bits, limits in ((2048, (214, 190)), (3072, (342, 318)), (4096, (470, 446))):
        spec, algorithms = f"RSA_{bits}", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
        key = kms.create_key(KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
        described = kms.describe_key(KeyId=key)["KeyMetadata"]
        check(f"{spec} described", (described["KeySpec"], described["KeyUsage"], described["EncryptionAlgorithms"]) == (spec, "ENCRYPT_DECRYPT", algorithms), described)
        public = kms.get_public_key(KeyId=key)
        check(f"{spec} public key", public["KeyId"] == key and public["EncryptionAlgorithms"] == algorithms and len(public["PublicKey"]) > bits // 8, public)
        for algorithm, limit in zip(algorithms, limits):
            sealed = kms.encrypt(KeyId=key, Plaintext=b"x" * limit, EncryptionAlgorithm=algorithm)
            check(f"{spec} {algorithm} encrypts", sealed["EncryptionAlgorithm"] == algorithm and len(sealed["CiphertextBlob"]) == bits // 8, sealed)
            opened = kms.decrypt(KeyId=key, CiphertextBlob=sealed["CiphertextBlob"], EncryptionAlgorithm=algorithm)
            check(f"{spec} {algorithm} decrypts", (opened["Plaintext"], opened["KeyId"]) == (b"x" * limit, key), opened)
            refused(f"{spec} {algorithm} of more", "ValidationException", f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {limit} bytes.",
                    lambda: kms.encrypt(KeyId=key, Plaintext=b"x" * (limit + 1), EncryptionAlgorithm=algorithm))
        refused(f"{spec} without algorithm", "InvalidKeyUsageException", f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {spec}.", lambda: kms.encrypt(KeyId=key, Plaintext=b"x"))
    for curve, length in (("P256", 32), ("P384", 48), ("P521", 66)):
        spec = f"ECC_NIST_{curve}"
        one, two = (kms.create_key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["Arn"] for _ in range(2))
        described = kms.describe_key(KeyId=one)["KeyMetadata"]
        check(f"{spec} described", (described["KeySpec"], described["KeyUsage"], described["KeyAgreementAlgorithms"]) == (spec, "KEY_AGREEMENT", ["ECDH"]), described)
        public = {key: kms.get_public_key(KeyId=key)["PublicKey"] for key in (one, two)}
        secrets = [kms.derive_shared_secret(KeyId=a, KeyAgreementAlgorithm="ECDH", PublicKey=public[b]) for a, b in ((one, two), (two, one))]
        check(f"{spec} agrees", secrets[0]["SharedSecret"] == secrets[1]["SharedSecret"] and len(secrets[0]["SharedSecret"]) == length, secrets)
        check(f"{spec} answers", (secrets[0]["KeyId"], secrets[0]["KeyAgreementAlgorithm"], secrets[0]["KeyOrigin"]) == (one, "ECDH", "AWS_KMS"), secrets[0])
        refused(f"{spec} of a broken public key", "ValidationException", "public key", lambda: kms.derive_shared_secret(KeyId=one, KeyAgreementAlgorithm="ECDH", PublicKey=b"x"))
    refused("a signing key", "UnsupportedOperationException", "no signing keys", lambda: kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"))


def run(server, puts):
    account = server["account"]
    root = Account(server, server["accessKeyId"], server["secretAccessKey"])
    identity = root.client("sts").get_caller_identity()
    check("root is root", identity["Arn"] == f"arn:aws:iam::{account}:root", identity)

    # Signatures.
    wrong = Account(server, server["accessKeyId"], server["secretAccessKey"] + "x")
    stranger = Account(server, "AKIAIOSFODNN7EXAMPLE", "x" * 40)
    refused("wrong secret, KMS", "InvalidSignatureException", "does not match", lambda: wrong.client("kms").list_keys())
    refused("wrong secret, DynamoDB", "InvalidSignatureException", "does not match", lambda: wrong.client("dynamodb").list_tables())
    refused("wrong secret, IAM", "SignatureDoesNotMatch", "does not match", lambda: wrong.client("iam").list_users())
    refused("wrong secret, STS", "SignatureDoesNotMatch", "does not match", lambda: wrong.client("sts").get_caller_identity())
    refused("wrong secret, CloudTrail", "InvalidSignatureException", "does not match", lambda: wrong.client("cloudtrail").lookup_events())
    refused("unknown access key, KMS", "UnrecognizedClientException", "security token", lambda: stranger.client("kms").list_keys())
    refused("unknown access key, IAM", "InvalidClientTokenId", "security token", lambda: stranger.client("iam").list_users())

    # A user, a key, and the way from denied to allowed.
    iam, kms = root.client("iam"), root.client("kms")
    user = iam.create_user(UserName="alice")["User"]
    iam.attach_user_policy(UserName="alice", PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    access = iam.create_access_key(UserName="alice")["AccessKey"]
    alice = Account(server, access["AccessKeyId"], access["SecretAccessKey"])
    check("alice is alice", alice.client("sts").get_caller_identity()["Arn"] == user["Arn"])
    key = kms.create_key(Description="from boto3")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/boto3", TargetKeyId=key)
    check("the alias names the key", kms.describe_key(KeyId="alias/boto3")["KeyMetadata"]["Arn"] == key)
    context = {"purpose": "interop"}
    sealed = kms.encrypt(KeyId=key, Plaintext=b"attack at dawn", EncryptionContext=context)["CiphertextBlob"]
    check("root decrypts", kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == b"attack at dawn")
    refused("another encryption context", "InvalidCiphertextException", "", lambda: kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"purpose": "x"}))

    def decrypt():
        return alice.client("kms").decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"]

    denial = f"User: {user['Arn']} is not authorized to perform: kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt action"
    refused("Decrypt denied", "AccessDeniedException", denial, decrypt)
    kms.put_key_policy(
        KeyId=key, Policy=key_policy(account, {"Effect": "Allow", "Principal": {"AWS": user["Arn"]}, "Action": "kms:Decrypt", "Resource": "*"})
    )
    check("Decrypt allowed by key policy", decrypt() == b"attack at dawn")
    check("the key policy reads back", json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"][1]["Principal"]["AWS"] == user["Arn"])
    kms.put_key_policy(KeyId=key, Policy=key_policy(account))
    refused("Decrypt denied after removal", "AccessDeniedException", denial, decrypt)
    refused("a policy that locks out", "MalformedPolicyDocumentException", "", lambda: kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": user["Arn"]}, "Action": "kms:Decrypt", "Resource": "*"}]})))
    grant = kms.create_grant(KeyId=key, GranteePrincipal=user["Arn"], Operations=["Decrypt"], Constraints={"EncryptionContextSubset": context})
    check("Decrypt allowed by grant", decrypt() == b"attack at dawn")
    check("the grant is listed", [g["GrantId"] for g in kms.list_grants(KeyId=key)["Grants"]] == [grant["GrantId"]])
    kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    refused("Decrypt denied without the grant", "AccessDeniedException", denial, decrypt)

    asymmetric(kms)

    # The same key under a table.
    tables = root.client("dynamodb")
    tables.create_table(
        TableName="Notes",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    tables.get_waiter("table_exists").wait(TableName="Notes")
    item = {"id": {"S": "1"}, "text": {"S": "a note"}, "n": {"N": "12345678901234567890.5"}, "b": {"B": b"\x00\xff"}, "l": {"L": [{"NULL": True}, {"BOOL": False}]}}
    tables.put_item(TableName="Notes", Item=item)
    check("the item reads back", tables.get_item(TableName="Notes", Key={"id": {"S": "1"}})["Item"] == item)
    hers = alice.client("dynamodb")
    refused("alice reads the encrypted table", "AccessDeniedException", denial, lambda: hers.get_item(TableName="Notes", Key={"id": {"S": "1"}}))
    refused("alice scans it", "AccessDeniedException", denial, lambda: hers.scan(TableName="Notes"))
    refused("alice writes to it", "AccessDeniedException", denial, lambda: hers.put_item(TableName="Notes", Item=item))
    check("alice describes it", hers.describe_table(TableName="Notes")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == key)
    kms.create_grant(KeyId=key, GranteePrincipal=user["Arn"], Operations=["Decrypt"])
    check("alice reads it by grant", hers.get_item(TableName="Notes", Key={"id": {"S": "1"}})["Item"] == item)
    refused("condition failed", "ConditionalCheckFailedException", "", lambda: tables.put_item(TableName="Notes", Item=item, ConditionExpression="attribute_not_exists(id)"))

    # A role's session.
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": user["Arn"]}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    session = alice.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night")["Credentials"]
    job = Account(server, session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    check("the session is the role's", job.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{account}:assumed-role/job/night")
    refused("the session may nothing", "AccessDeniedException", "assumed-role/job/night", lambda: job.client("dynamodb").list_tables())
    forged = Account(server, session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"][:-8] + "AAAAAAA=")
    refused("a forged session token", "InvalidClientTokenId", "", lambda: forged.client("sts").get_caller_identity())

    # The audit.
    trail = root.client("cloudtrail")
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    events = []
    for page in trail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "alice"}], StartTime=since, PaginationConfig={"PageSize": 3}
    ):
        events += page["Events"]
    decrypts = [json.loads(e["CloudTrailEvent"]) for e in events if e["EventName"] == "Decrypt"]
    denied = [e for e in decrypts if e.get("errorCode") == "AccessDenied"]
    through = [e for e in decrypts if e["userIdentity"].get("invokedBy") == "dynamodb.amazonaws.com"]
    check("nine Decrypts of alice, six of them denied, four through DynamoDB", (len(decrypts), len(denied), len(through)) == (9, 6, 4), (len(decrypts), len(denied), len(through)))
    check("denials name the caller", all(e["userIdentity"]["arn"] == user["Arn"] for e in denied))
    check("no item calls among the events", not any(e["EventName"] in ("GetItem", "PutItem", "Scan") for e in events))
    refused("alice reads the audit", "AccessDeniedException", "cloudtrail:LookupEvents", lambda: alice.client("cloudtrail").lookup_events())

    policies(server, tables, job, item)
    backups(tables, hers, kms, key, item, denial)
    streams(root, alice, key, denial)

    # What this server does not have.
    refused("an operation that is not there", "UnknownOperationException", "", lambda: tables.execute_statement(Statement='SELECT * FROM "Notes"'))

    if puts:
        body = {"v": {"B": bytes(1024)}}
        began = time.perf_counter()
        for i in range(puts):
            tables.put_item(TableName="Notes", Item={"id": {"S": f"bench-{i}"}, **body})
        took = time.perf_counter() - began
        print(f"     {puts} puts of 1 KB: {puts / took:.0f}/s")


def policies(server, tables, job, item):
    """Shares the table with a role of its account and with another account."""
    key = {"id": {"S": "1"}}
    arn = tables.create_table(
        TableName="Shared",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    tables.put_item(TableName="Shared", Item=item)
    session = job.client("dynamodb")
    other = Account(server, server["otherAccessKeyId"], server["otherSecretAccessKey"]).client("dynamodb")
    refused("the session reads without a policy", "AccessDeniedException", "no identity-based policy allows the dynamodb:GetItem action", lambda: session.get_item(TableName="Shared", Key=key))
    refused("another account reads without a policy", "AccessDeniedException", "no resource-based policy allows the dynamodb:GetItem action", lambda: other.get_item(TableName=arn, Key=key))
    refused("no policy yet", "PolicyNotFoundException", "Resource-based policy not found", lambda: tables.get_resource_policy(ResourceArn=arn))

    def document(effect, action):
        principals = [f"arn:aws:iam::{server['account']}:role/job", server["otherAccount"]]
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": {"AWS": principals}, "Action": [action], "Resource": arn}]})

    revision = tables.put_resource_policy(ResourceArn=arn, Policy=document("Allow", "dynamodb:GetItem"), ExpectedRevisionId="NO_POLICY")["RevisionId"]
    shown = tables.get_resource_policy(ResourceArn=arn)
    check("the policy reads back", shown["RevisionId"] == revision and json.loads(shown["Policy"])["Statement"][0]["Action"] == "dynamodb:GetItem", shown)
    check("the session reads by the policy", session.get_item(TableName="Shared", Key=key)["Item"] == item)
    check("another account reads by the policy", other.get_item(TableName=arn, Key=key)["Item"] == item)
    refused("another account writes", "AccessDeniedException", "no resource-based policy allows the dynamodb:PutItem action", lambda: other.put_item(TableName=arn, Item=item))
    check("the same policy keeps its revision", tables.put_resource_policy(ResourceArn=arn, Policy=" " + document("Allow", "dynamodb:GetItem"))["RevisionId"] == revision)
    refused("another revision is expected", "PolicyNotFoundException", "has revision id " + revision, lambda: tables.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId="1"))
    refused("an action of streams", "ValidationException", "The following action names are invalid", lambda: tables.put_resource_policy(ResourceArn=arn, Policy=document("Allow", "dynamodb:GetRecords")))
    tables.put_resource_policy(ResourceArn=arn, Policy=document("Deny", "dynamodb:*"))
    refused("an explicit deny", "AccessDeniedException", "with an explicit deny in a resource-based policy", lambda: other.get_item(TableName=arn, Key=key))
    tables.delete_resource_policy(ResourceArn=arn)
    refused("after the deletion", "AccessDeniedException", "no resource-based policy", lambda: other.get_item(TableName=arn, Key=key))


def backups(tables, hers, kms, key, item, denial):
    """Backs the encrypted table up and restores it, as root and as alice, who may not use the key."""
    for grant in kms.list_grants(KeyId=key)["Grants"]:
        if "user/" in grant["GranteePrincipal"]:
            kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    refused("alice backs the table up", "AccessDeniedException", denial, lambda: hers.create_backup(TableName="Notes", BackupName="hers"))
    details = tables.create_backup(TableName="Notes", BackupName="nightly")["BackupDetails"]
    arn = details["BackupArn"]
    check("the backup is made", details["BackupName"] == "nightly" and details["BackupType"] == "USER", details)
    described = tables.describe_backup(BackupArn=arn)["BackupDescription"]
    check("the backup is described", described["BackupDetails"]["BackupStatus"] == "AVAILABLE" and described["SourceTableDetails"]["ItemCount"] == 1
          and described["SourceTableFeatureDetails"]["SSEDescription"]["KMSMasterKeyArn"] == key, described)
    tables.delete_item(TableName="Notes", Key={"id": {"S": "1"}})
    refused("alice restores it without its key", "AccessDeniedException", denial, lambda: hers.restore_table_from_backup(
        TargetTableName="Restored", BackupArn=arn, SSESpecificationOverride={"Enabled": False}))
    restored = tables.restore_table_from_backup(TargetTableName="Restored", BackupArn=arn)["TableDescription"]
    check("the restore is under way", restored["RestoreSummary"]["RestoreInProgress"] and restored["RestoreSummary"]["SourceBackupArn"] == arn, restored)
    tables.get_waiter("table_exists").wait(TableName="Restored")
    check("the item is restored", tables.get_item(TableName="Restored", Key={"id": {"S": "1"}})["Item"] == item)
    check("the key is kept", tables.describe_table(TableName="Restored")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == key)
    refused("the target exists", "TableAlreadyExistsException", "Table already exists: Restored", lambda: tables.restore_table_from_backup(TargetTableName="Restored", BackupArn=arn))
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    pages = tables.get_paginator("list_backups").paginate(TableName="Notes", TimeRangeLowerBound=since, PaginationConfig={"PageSize": 1})
    check("the backup is listed", [b["BackupArn"] for page in pages for b in page["BackupSummaries"]] == [arn])
    check("the backup is deleted", tables.delete_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "DELETED")
    refused("the deleted backup", "BackupNotFoundException", "Backup not found: " + arn, lambda: tables.describe_backup(BackupArn=arn))
    refused("point-in-time restore", "UnknownOperationException", "point-in-time recovery", lambda: tables.restore_table_to_point_in_time(SourceTableName="Notes", TargetTableName="Past"))


def read_stream(client, arn, **start):
    """Reads a stream from the horizon, parents first."""
    records, start = [], start or {"ShardIteratorType": "TRIM_HORIZON"}
    for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **start)["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator, Limit=2)
            records += page["Records"]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return records


def streams(root, alice, key, denial):
    """Reads the stream of an encrypted table, as root and as alice, who may not use the key."""
    tables, reader = root.client("dynamodb"), root.client("dynamodbstreams")
    arn = tables.create_table(
        TableName="Flow",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]["LatestStreamArn"]
    check("the stream is listed", [s["StreamArn"] for s in reader.list_streams(TableName="Flow")["Streams"]] == [arn])
    one, two = {"id": {"S": "1"}, "v": {"B": b"old"}}, {"id": {"S": "1"}, "v": {"B": b"new"}}
    tables.put_item(TableName="Flow", Item=one)
    tables.put_item(TableName="Flow", Item=one)
    tables.transact_write_items(TransactItems=[{"Put": {"TableName": "Flow", "Item": two}}])
    tables.batch_write_item(RequestItems={"Flow": [{"DeleteRequest": {"Key": {"id": {"S": "1"}}}}]})
    records = read_stream(reader, arn)
    changes = [(r["eventName"], r["dynamodb"].get("OldImage"), r["dynamodb"].get("NewImage")) for r in records]
    check("the stream has the changes", changes == [("INSERT", None, one), ("MODIFY", one, two), ("REMOVE", two, None)], changes)
    numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
    check("sequence numbers grow", numbers == sorted(set(numbers), key=int), numbers)
    check("times are those of the writes", all(abs(r["dynamodb"]["ApproximateCreationDateTime"] - datetime.now(timezone.utc)) < timedelta(minutes=1) for r in records), records)
    after = read_stream(reader, arn, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[0])
    check("an iterator starts after a record", [r["dynamodb"]["SequenceNumber"] for r in after] == numbers[1:], after)
    check("nothing is newer than the latest", read_stream(reader, arn, ShardIteratorType="LATEST") == [])
    refused("alice reads the stream", "AccessDeniedException", denial, lambda: read_stream(alice.client("dynamodbstreams"), arn))
    shard = reader.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    refused("an iterator without a number", "ValidationException", "SequenceNumber is required", lambda: reader.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER"))
    refused("an unknown stream", "ResourceNotFoundException", "not found", lambda: reader.describe_stream(StreamArn=arn[:-1] + ("1" if arn[-1] != "1" else "2")))
    tables.update_table(TableName="Flow", StreamSpecification={"StreamEnabled": False})
    status = reader.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"]
    check("a disabled stream can be read", status == "DISABLED" and len(read_stream(reader, arn)) == 3, status)


def main():
    binary, puts = sys.argv[1], 0
    if "--puts" in sys.argv:
        puts = int(sys.argv[sys.argv.index("--puts") + 1])
    process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        run(json.loads(process.stdout.readline()), puts)
    finally:
        process.stdin.close()
        code = process.wait(timeout=20)
    check("the server ended in good health", code == 0, f"exit code {code}")
    print(f"{checks} checks passed")


if __name__ == "__main__":
    main()
