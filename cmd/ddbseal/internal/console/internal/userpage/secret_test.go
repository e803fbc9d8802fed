// SPDX-License-Identifier: Apache-2.0

package userpage

import (
	"strconv"
	"testing"
	"time"
)

// TestSecretIsShownOnce: a page shows a secret once; the file is there until its
// time is over; a session does not collect them.
func TestSecretIsShownOnce(t *testing.T) {
	var k Kept
	now := time.Unix(1e9, 0)
	id := k.hold("a", &secret{User: "kim"}, now)
	if x := k.reveal(id, now); x == nil || x.User != "kim" {
		t.Fatal("the secret is not shown")
	}
	if k.reveal(id, now) != nil {
		t.Error("the secret is shown again")
	}
	if _, ok := k.secretFile(id, now.Add(secretLimit-1)); !ok {
		t.Error("the file is gone too early")
	}
	if _, ok := k.secretFile(id, now.Add(secretLimit)); ok {
		t.Error("the file is still there")
	}
	for i := range 3 * maxSecrets {
		k.hold(strconv.Itoa(i), &secret{}, now)
		if len(k.secrets) > maxSecrets {
			t.Fatalf("a session keeps %d secrets", len(k.secrets))
		}
	}
}
