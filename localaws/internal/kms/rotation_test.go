// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"maps"
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
	if got, want := status()["NextRotationDate"], float64(w.clock().Add(85*day).Unix()); got != want {
		t.Errorf("the next rotation is at %v, want %v", got, want)
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
	w.advance(90*day - time.Second) // the next period begins with the jump
	w.describe(arn)
	if n := len(k.family.load().versions); n != maxMissedPeriods+1 {
		t.Errorf("%d versions before the next rotation is due", n)
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

// TestRotationSettings: enabling rotation again begins a period only if the
// period is another one.
func TestRotationSettings(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for _, c := range []struct {
		in   members
		next time.Duration // from the start
		days float64
	}{
		{nil, 365 * day, 365}, {nil, 365 * day, 365}, {members{"RotationPeriodInDays": 365}, 365 * day, 365},
		{members{"RotationPeriodInDays": 200}, 203 * day, 200}, {nil, 203 * day, 200},
	} {
		in := members{"KeyId": arn}
		maps.Copy(in, c.in)
		w.do(root(here), "EnableKeyRotation", in)
		w.advance(day)
		for range 2 {
			s := w.do(root(here), "GetKeyRotationStatus", members{"KeyId": arn})
			if next := float64(beginning.Add(c.next).Unix()); s["KeyId"] != keyIDOf(arn) ||
				s["KeyRotationEnabled"] != true || s["NextRotationDate"] != next ||
				s["RotationPeriodInDays"] != c.days {
				t.Errorf("after %v: %v, want the next rotation at %v", c.in, s, next)
			}
			w.restart()
		}
	}
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn})
	if s := w.do(root(here), "GetKeyRotationStatus", members{"KeyId": arn}); s["KeyRotationEnabled"] != false ||
		s["NextRotationDate"] != nil {
		t.Errorf("pending deletion: %v", s)
	}
	w.fails(root(here), "DisableKeyRotation", members{"KeyId": arn}, "KMSInvalidStateException", "pending deletion")
	w.do(root(here), "CancelKeyDeletion", members{"KeyId": arn})
	w.fails(root(here), "DisableKeyRotation", members{"KeyId": arn}, "DisabledException", arn+" is disabled.")
	w.do(root(here), "EnableKey", members{"KeyId": arn})
	if s := w.do(root(here), "GetKeyRotationStatus", members{"KeyId": arn}); s["KeyRotationEnabled"] != true {
		t.Errorf("after refusals of DisableKeyRotation: %v", s)
	}
}

// TestEnablingRotatesNothingElse: only a primary that has missed a rotation
// rotates when it is enabled.
func TestEnablingRotatesNothingElse(t *testing.T) {
	const there = "us-east-1"
	w := newWorld(t)
	plain, rotating, multi := w.key(nil), w.key(nil), w.key(members{"MultiRegion": true})
	for _, arn := range []string{rotating, multi} {
		w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
	}
	w.do(root(here), "ReplicateKey", members{"KeyId": multi, "ReplicaRegion": there})
	for _, arn := range []string{plain, rotating, multi} {
		w.do(root(here), "DisableKey", members{"KeyId": arn})
	}
	w.advance(89 * day)
	for _, arn := range []string{plain, rotating} {
		w.do(root(here), "EnableKey", members{"KeyId": arn})
		if got := w.rotations(arn); len(got) != 0 {
			t.Errorf("%s has rotated: %v", arn, got)
		}
	}
	w.advance(day)
	id := members{"KeyId": keyIDOf(multi)}
	w.doIn(there, root(here), "DisableKey", id)
	w.doIn(there, root(here), "EnableKey", id)
	if got := w.rotations(multi); len(got) != 0 {
		t.Errorf("an enabled replica has rotated for its disabled primary: %v", got)
	}
	w.do(root(here), "EnableKey", id)
	if got := w.rotations(multi); len(got) != 1 {
		t.Errorf("rotations of the primary: %v", got)
	}
}

// TestListedRotations: the list of all material has the first, which no rotation
// made, and tells the one in use.
func TestListedRotations(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
	w.advance(101 * 90 * day)
	page := w.do(root(here), "ListKeyRotations", members{"KeyId": arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"})
	list := page["Rotations"].([]any)
	if len(list) != 100 || page["Truncated"] != true {
		t.Fatalf("a page of %d, truncated %v", len(list), page["Truncated"])
	}
	first := list[0].(members)
	if first["RotationDate"] != nil || first["RotationType"] != nil || first["KeyMaterialState"] != "NON_CURRENT" ||
		first["KeyId"] != keyIDOf(arn) {
		t.Errorf("the first material: %v", first)
	}
	if m := list[1].(members); m["RotationDate"] != float64(beginning.Add(90*day).Unix()) ||
		m["RotationType"] != "AUTOMATIC" || m["KeyMaterialState"] != "NON_CURRENT" {
		t.Errorf("the first rotation: %v", m)
	}
	page = w.do(root(here), "ListKeyRotations", members{"KeyId": arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL",
		"Marker": page["NextMarker"]})
	if list := page["Rotations"].([]any); len(list) != 2 || page["Truncated"] != false || page["NextMarker"] != nil ||
		list[1].(members)["KeyMaterialState"] != "CURRENT" || list[0].(members)["KeyMaterialState"] != "NON_CURRENT" {
		t.Errorf("the last page: %v", page)
	}
}

// TestOnDemandLimitIsKept: rotations on demand are counted across restarts.
func TestOnDemandLimitIsKept(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for range maxOnDemand {
		w.do(root(here), "RotateKeyOnDemand", members{"KeyId": arn})
	}
	w.restart()
	w.fails(root(here), "RotateKeyOnDemand", members{"KeyId": arn}, "LimitExceededException", arn)
}
