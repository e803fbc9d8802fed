package kms

import (
	"strings"
	"testing"
	"time"
)

func (w *world) rotations(arn string) []string {
	w.t.Helper()
	var got []string
	for _, r := range w.do(root(here), "ListKeyRotations", members{"KeyId": arn})["Rotations"].([]any) {
		m := r.(members)
		got = append(got, time.Unix(int64(m["RotationDate"].(float64)), 0).UTC().Format("2006-01-02")+" "+
			m["RotationType"].(string))
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
	if s := status(); s["KeyRotationEnabled"] != true || s["RotationPeriodInDays"] != 90.0 ||
		s["NextRotationDate"] != float64(w.clock().Add(90*day).Unix()) {
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
	w.fails(root(here), "RotateKeyOnDemand", members{"KeyId": arn}, "LimitExceededException", arn)
	all := w.do(root(here), "ListKeyRotations",
		members{"KeyId": arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Limit": 20})
	rest := w.do(root(here), "ListKeyRotations",
		members{"KeyId": arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Marker": all["NextMarker"]})
	if n := len(all["Rotations"].([]any)) + len(rest["Rotations"].([]any)); n != maxOnDemand+1 {
		t.Errorf("%d versions listed", n)
	}
	last := rest["Rotations"].([]any)
	if m := last[len(last)-1].(members); m["KeyMaterialState"] != "CURRENT" || m["RotationType"] != "ON_DEMAND" ||
		m["KeyMaterialId"] != w.describe(arn)["CurrentKeyMaterialId"] {
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
