package kms

import (
	"strings"
	"testing"
)

func TestReplicas(t *testing.T) {
	w := newWorld(t)
	const there = "us-east-1"
	single := w.key(nil)
	w.fails(root(here), "ReplicateKey", members{"KeyId": single, "ReplicaRegion": there},
		"UnsupportedOperationException", single)
	arn := w.key(members{"MultiRegion": true, "Description": "primary"})
	id := keyIDOf(arn)
	if !strings.HasPrefix(id, "mrk-") || len(id) != 36 {
		t.Fatalf("id %s", id)
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/p", "TargetKeyId": arn})
	blob := w.encrypt(arn)
	out := w.do(root(here), "ReplicateKey",
		members{"KeyId": arn, "ReplicaRegion": there, "Tags": []members{{"TagKey": "a", "TagValue": "b"}}})
	replica := strings.Replace(arn, region, there, 1)
	m := out["ReplicaKeyMetadata"].(members)
	c := m["MultiRegionConfiguration"].(members)
	if m["Arn"] != replica || m["KeyId"] != id || c["MultiRegionKeyType"] != "REPLICA" ||
		c["PrimaryKey"].(members)["Arn"] != arn || c["ReplicaKeys"].([]any)[0].(members)["Arn"] != replica ||
		m["Description"] != "" {
		t.Errorf("replica %v", m)
	}
	w.fails(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": there}, "AlreadyExistsException", "")
	w.fails(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "nowhere"}, "ValidationException",
		"replicaRegion")
	w.failsIn(there, root(here), "ReplicateKey", members{"KeyId": id, "ReplicaRegion": "us-west-2"},
		"UnsupportedOperationException", "")
	w.failsIn(there, root(here), "DescribeKey", members{"KeyId": "alias/p"}, "NotFoundException", "")
	// Each opens what the other sealed.
	opened := w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": blob})
	if string(decoded(t, opened["Plaintext"])) != "old" || opened["KeyId"] != replica {
		t.Errorf("the replica answered %v", opened)
	}
	back := w.doIn(there, root(here), "Encrypt", members{"KeyId": id, "Plaintext": []byte("old")})["CiphertextBlob"]
	w.opens(arn, back)
	// Rotation is the primary's, and reaches the replica.
	w.failsIn(there, root(here), "RotateKeyOnDemand", members{"KeyId": id}, "UnsupportedOperationException", "replica")
	w.do(root(here), "RotateKeyOnDemand", members{"KeyId": id})
	w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": w.encrypt(arn)})
	// Roles change.
	w.do(root(here), "UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": there})
	w.restart()
	if got := w.describe(arn)["MultiRegionConfiguration"].(members)["MultiRegionKeyType"]; got != "REPLICA" {
		t.Errorf("the old primary is %v", got)
	}
	w.doIn(there, root(here), "RotateKeyOnDemand", members{"KeyId": id})
	w.fails(root(here), "UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": there},
		"UnsupportedOperationException", "")
	w.failsIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": there},
		"ValidationException", "already")
	w.failsIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": "us-west-2"},
		"NotFoundException", "us-west-2")
	w.doIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": region})

	// The primary outlives its replica.
	pending := w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 10})
	if pending["KeyState"] != "PendingReplicaDeletion" || pending["DeletionDate"] != nil {
		t.Errorf("ScheduleKeyDeletion answered %v", pending)
	}
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob}, "KMSInvalidStateException",
		"pending replica deletion")
	w.advance(100 * day)
	w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": blob})
	w.doIn(there, root(here), "ScheduleKeyDeletion", members{"KeyId": id, "PendingWindowInDays": 7})
	w.advance(8 * day)
	if m := w.describe(arn); m["KeyState"] != "PendingDeletion" ||
		m["DeletionDate"] != float64(w.clock().Add(9*day).Unix()) {
		t.Errorf("primary after its replica: %v", m)
	}
	w.advance(9 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "")
	if n := w.records(familyBucket); n != 1 {
		t.Errorf("material of %d keys is left", n)
	}
}

// TestReplicaDeletionAtOnce: both deadlines have passed when the service looks.
func TestReplicaDeletionAtOnce(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true})
	for _, r := range []string{"us-east-1", "us-west-2"} {
		w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": r})
		w.doIn(r, root(here), "ScheduleKeyDeletion", members{"KeyId": keyIDOf(arn), "PendingWindowInDays": 7})
	}
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	w.restart()
	w.advance(14 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "")
	if w.records(familyBucket) != 0 || w.records(keyBucket) != 0 || len(w.kms.keys) != 0 {
		t.Errorf("%d keys are left, %d of them in the store with material of %d", len(w.kms.keys),
			w.records(keyBucket), w.records(familyBucket))
	}
}
