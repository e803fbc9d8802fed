package kms

import (
	"testing"

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
