package kms

import (
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

func (w *world) encrypt(arn string) any {
	w.t.Helper()
	return w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("old")})["CiphertextBlob"]
}

func (w *world) opens(arn string, blobs ...any) {
	w.t.Helper()
	for _, b := range blobs {
		out := w.do(root(here), "Decrypt", members{"CiphertextBlob": b, "KeyId": arn})
		if string(decoded(w.t, out["Plaintext"])) != "old" {
			w.t.Errorf("Decrypt answered %v", out)
		}
	}
}

func (w *world) rotations(arn string) []string {
	w.t.Helper()
	var got []string
	for _, r := range w.do(root(here), "ListKeyRotations", members{"KeyId": arn})["Rotations"].([]any) {
		m := r.(members)
		got = append(got, time.Unix(int64(m["RotationDate"].(float64)), 0).UTC().Format("2006-01-02")+" "+m["RotationType"].(string))
	}
	return got
}

func TestAutomaticRotation(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	status := func() members { return w.do(root(here), "GetKeyRotationStatus", members{"KeyId": arn}) }
	if s := status(); s["KeyRotationEnabled"] != false || s["NextRotationDate"] != nil {
		t.Errorf("status %v", s)
	}
	w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
	if s := status(); s["KeyRotationEnabled"] != true || s["RotationPeriodInDays"] != 90.0 || s["NextRotationDate"] != float64(w.clock().Add(90*day).Unix()) {
		t.Errorf("status %v", s)
	}
	first := w.encrypt(arn)
	material := w.describe(arn)["CurrentKeyMaterialId"]
	w.advance(90*day - time.Second)
	if got := w.rotations(arn); len(got) != 0 {
		t.Errorf("rotations %v before the first is due", got)
	}
	w.advance(time.Second)
	second := w.encrypt(arn)
	if got := w.describe(arn)["CurrentKeyMaterialId"]; got == material {
		t.Error("the material is the same after the rotation")
	}
	w.opens(arn, first, second)
	w.advance(185 * day) // two more
	third := w.encrypt(arn)
	w.opens(arn, first, second, third)
	want := "2026-05-30 AUTOMATIC, 2026-08-28 AUTOMATIC, 2026-11-26 AUTOMATIC"
	if got := strings.Join(w.rotations(arn), ", "); got != want {
		t.Errorf("rotations %s, want %s", got, want)
	}
	// A disabled key waits, and rotates once when it comes back.
	w.do(root(here), "DisableKey", members{"KeyId": arn})
	w.advance(300 * day)
	if got := w.rotations(arn); len(got) != 3 {
		t.Errorf("a disabled key has rotated: %v", got)
	}
	w.do(root(here), "EnableKey", members{"KeyId": arn})
	if got := w.rotations(arn); len(got) != 4 {
		t.Errorf("after enabling: %v", got)
	}
	w.do(root(here), "DisableKeyRotation", members{"KeyId": arn})
	w.advance(1000 * day)
	if got := w.rotations(arn); len(got) != 4 || status()["KeyRotationEnabled"] != false {
		t.Errorf("rotation goes on when disabled: %v", got)
	}
	w.restart()
	w.opens(arn, first, second, third)
}

func TestRotationOnDemand(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	var blobs []any
	for range maxOnDemand {
		blobs = append(blobs, w.encrypt(arn))
		w.do(root(here), "RotateKeyOnDemand", members{"KeyId": arn})
	}
	w.opens(arn, blobs...)
	w.fails(root(here), "RotateKeyOnDemand", members{"KeyId": arn}, "LimitExceededException", "25")
	all := w.do(root(here), "ListKeyRotations", members{"KeyId": arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Limit": 20})
	rest := w.do(root(here), "ListKeyRotations", members{"KeyId": arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Marker": all["NextMarker"]})
	if n := len(all["Rotations"].([]any)) + len(rest["Rotations"].([]any)); n != maxOnDemand+1 {
		t.Errorf("%d versions listed", n)
	}
	last := rest["Rotations"].([]any)
	if m := last[len(last)-1].(members); m["KeyMaterialState"] != "CURRENT" || m["RotationType"] != "ON_DEMAND" || m["KeyMaterialId"] != w.describe(arn)["CurrentKeyMaterialId"] {
		t.Errorf("last version %v", m)
	}
	for name, c := range map[string]struct {
		operation     string
		in            members
		code, message string
	}{
		"alias":      {"RotateKeyOnDemand", members{"KeyId": "alias/x"}, "InvalidArnException", "Key Aliases are not supported for this operation."},
		"HMAC":       {"RotateKeyOnDemand", members{"KeyId": w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})}, "UnsupportedOperationException", ""},
		"HMAC, auto": {"EnableKeyRotation", members{"KeyId": w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})}, "UnsupportedOperationException", ""},
		"89 days":    {"EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 89}, "ValidationException", "at 'rotationPeriodInDays'"},
		"2561 days":  {"EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 2561}, "ValidationException", "at 'rotationPeriodInDays'"},
	} {
		t.Run(name, func(t *testing.T) { w.fails(root(here), c.operation, c.in, c.code, c.message) })
	}
}

// TestClockJump: a clock set far ahead must not keep the service busy.
func TestClockJump(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
	blob := w.encrypt(arn)
	w.mu.Lock()
	w.now = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	w.mu.Unlock()
	w.opens(arn, blob)
	k, _ := w.kms.findByARN(arn)
	if n := len(k.family.load().versions); n != maxMissedPeriods+1 {
		t.Errorf("%d versions", n)
	}
}

func TestDeletion(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(nil), w.key(nil)
	user := w.user(here, "user")
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/gone", "TargetKeyId": arn})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/stays", "TargetKeyId": other})
	w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}})
	w.fails(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 6}, "ValidationException", "Value '6' at 'pendingWindowInDays'")
	w.fails(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 31}, "ValidationException", "Value '31' at 'pendingWindowInDays'")
	out := w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": keyIDOf(arn)})
	if out["KeyId"] != arn || out["KeyState"] != "PendingDeletion" || out["PendingWindowInDays"] != 30.0 || out["DeletionDate"] != float64(w.clock().Add(30*day).Unix()) {
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
		n := 0
		if err := w.store.Range(bucket, func(_, _ []byte) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Errorf("%d records in %s, want %d", n, bucket.Name, want)
		}
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/gone", "TargetKeyId": other})
}

func TestReplicas(t *testing.T) {
	w := newWorld(t)
	const there = "us-east-1"
	single := w.key(nil)
	w.fails(root(here), "ReplicateKey", members{"KeyId": single, "ReplicaRegion": there}, "UnsupportedOperationException", single)
	arn := w.key(members{"MultiRegion": true, "Description": "primary"})
	id := keyIDOf(arn)
	if !strings.HasPrefix(id, "mrk-") || len(id) != 36 {
		t.Fatalf("id %s", id)
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/p", "TargetKeyId": arn})
	blob := w.encrypt(arn)
	out := w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": there, "Tags": []members{{"TagKey": "a", "TagValue": "b"}}})
	replica := strings.Replace(arn, region, there, 1)
	m := out["ReplicaKeyMetadata"].(members)
	c := m["MultiRegionConfiguration"].(members)
	if m["Arn"] != replica || m["KeyId"] != id || c["MultiRegionKeyType"] != "REPLICA" || c["PrimaryKey"].(members)["Arn"] != arn || c["ReplicaKeys"].([]any)[0].(members)["Arn"] != replica || m["Description"] != "" {
		t.Errorf("replica %v", m)
	}
	w.fails(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": there}, "AlreadyExistsException", "")
	w.fails(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "nowhere"}, "ValidationException", "replicaRegion")
	w.failsIn(there, root(here), "ReplicateKey", members{"KeyId": id, "ReplicaRegion": "us-west-2"}, "UnsupportedOperationException", "")
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
	w.fails(root(here), "UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": there}, "UnsupportedOperationException", "")
	w.failsIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": there}, "ValidationException", "already")
	w.failsIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": "us-west-2"}, "NotFoundException", "us-west-2")
	w.doIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": region})

	// The primary outlives its replica.
	pending := w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 10})
	if pending["KeyState"] != "PendingReplicaDeletion" || pending["DeletionDate"] != nil {
		t.Errorf("ScheduleKeyDeletion answered %v", pending)
	}
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob}, "KMSInvalidStateException", "pending replica deletion")
	w.advance(100 * day)
	w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": blob})
	w.doIn(there, root(here), "ScheduleKeyDeletion", members{"KeyId": id, "PendingWindowInDays": 7})
	w.advance(8 * day)
	if m := w.describe(arn); m["KeyState"] != "PendingDeletion" || m["DeletionDate"] != float64(w.clock().Add(9*day).Unix()) {
		t.Errorf("primary after its replica: %v", m)
	}
	w.advance(9 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "")
	if n := len(w.kms.families); n != 1 {
		t.Errorf("%d families left", n)
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
	if len(w.kms.families) != 0 || len(w.kms.keys) != 0 {
		t.Errorf("%d families and %d keys left", len(w.kms.families), len(w.kms.keys))
	}
}

// A rotation and the end of a replica that are due at the same time both
// happen.
func TestRotationBesideDeletion(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true})
	w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
	w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-east-1"})
	w.doIn("us-east-1", root(here), "ScheduleKeyDeletion", members{"KeyId": keyIDOf(arn), "PendingWindowInDays": 7})
	w.advance(100 * day)
	if list := w.do(root(here), "ListKeyRotations", members{"KeyId": arn})["Rotations"].([]any); len(list) != 1 {
		t.Errorf("%d rotations", len(list))
	}
	w.failsIn("us-east-1", root(here), "DescribeKey", members{"KeyId": keyIDOf(arn)}, "NotFoundException", "")
}
