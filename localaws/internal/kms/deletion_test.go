// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

func TestDeletion(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(nil), w.key(nil)
	user := w.user(here, "user")
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/gone", "TargetKeyId": arn})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/stays", "TargetKeyId": other})
	w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}})
	w.fails(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 6}, "ValidationException",
		"Value '6' at 'pendingWindowInDays'")
	w.fails(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 31}, "ValidationException",
		"Value '31' at 'pendingWindowInDays'")
	out := w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": keyIDOf(arn)})
	if out["KeyId"] != arn || out["KeyState"] != "PendingDeletion" || out["PendingWindowInDays"] != 30.0 ||
		out["DeletionDate"] != float64(w.clock().Add(30*day).Unix()) {
		t.Errorf("ScheduleKeyDeletion answered %v", out)
	}
	if out := w.do(root(here), "CancelKeyDeletion", members{"KeyId": arn}); out["KeyId"] != arn {
		t.Errorf("CancelKeyDeletion answered %v", out)
	}
	if m := w.describe(arn); m["KeyState"] != "Disabled" || m["DeletionDate"] != nil || m["Enabled"] != false {
		t.Errorf("after cancelling: %v", m)
	}
	w.advance(31 * day)
	w.do(root(here), "EnableKey", members{"KeyId": arn})
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	w.restart()
	w.advance(7 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "Key '"+arn+"' does not exist")
	w.fails(root(here), "DescribeKey", members{"KeyId": "alias/gone"}, "NotFoundException", "is not found.")
	w.describe("alias/stays")
	if n := len(w.do(root(here), "ListKeys", nil)["Keys"].([]any)); n != 1 {
		t.Errorf("%d keys left", n)
	}
	if _, ok := w.kms.KeyState(arn); ok {
		t.Error("KeyState still knows the key")
	}
	// Nothing of it is left in the store.
	for bucket, want := range map[storage.Bucket]int{keyBucket: 1, familyBucket: 1, aliasBucket: 1, grantBucket: 0} {
		if n := w.records(bucket); n != want {
			t.Errorf("%d records in %s, want %d", n, bucket.Name, want)
		}
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/gone", "TargetKeyId": other})
}

// TestPrimaryAfterTheLastReplica: the waiting period of a primary begins with the
// end of its last replica, even if the service looks at all ends at once.
func TestPrimaryAfterTheLastReplica(t *testing.T) {
	w := newWorld(t)
	var arns []string
	for i := range 10 {
		arn := w.key(members{"MultiRegion": true})
		arns = append(arns, arn)
		windows := map[string]int{"us-east-1": 8 + i, "us-west-2": 20, "ap-south-1": 8}
		for there, window := range windows {
			w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": there})
			w.doIn(there, root(here), "ScheduleKeyDeletion",
				members{"KeyId": keyIDOf(arn), "PendingWindowInDays": window})
		}
		w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	}
	w.restart()
	for _, arn := range arns {
		if m := w.describe(arn); m["KeyState"] != "PendingReplicaDeletion" || m["PendingDeletionWindowInDays"] != 7.0 {
			t.Errorf("before the end of its replicas: %v", m)
		}
	}
	w.advance(26 * day)
	for _, arn := range arns {
		if m := w.describe(arn); m["KeyState"] != "PendingDeletion" ||
			m["DeletionDate"] != float64(beginning.Add(27*day).Unix()) {
			t.Errorf("after the end of its replicas: %v", m)
		}
	}
}

// TestDeadlinesCloseTogether: a deadline a millisecond before another one is kept.
func TestDeadlinesCloseTogether(t *testing.T) {
	w := newWorld(t)
	later, sooner := w.key(nil), w.key(nil)
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": later, "PendingWindowInDays": 8})
	w.advance(day - time.Millisecond)
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": sooner, "PendingWindowInDays": 7})
	w.advance(7 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": sooner}, "NotFoundException", "")
	w.describe(later)
	w.advance(time.Millisecond)
	w.fails(root(here), "DescribeKey", members{"KeyId": later}, "NotFoundException", "")
}
