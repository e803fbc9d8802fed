// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// TestSearchBesidePlaintext: a policy that allows plaintext needs an explicit
// setting, and what is written in plaintext has no beacons.
func TestSearchBesidePlaintext(t *testing.T) {
	for _, policy := range []envelope.PlaintextPolicy{envelope.ForbidPlaintextWriteAllowPlaintextRead,
		envelope.ForcePlaintextWriteAllowPlaintextRead} {
		keys := newBeaconKeys(t, "branch")
		config := searchConfig(t, keys)
		config.PlaintextPolicy = policy
		if _, err := envelope.NewItemEncryptor(config); !errors.Is(err, envelope.ErrConfiguration) ||
			!strings.Contains(err.Error(), "AcceptMissing") {
			t.Errorf("%v: %v", policy, err)
		}
		config.Search.AcceptMissing = true
		e := mustEncryptor(t, config)
		written := mustEncrypt(t, e, patient())
		if policy == envelope.ForcePlaintextWriteAllowPlaintextRead {
			sameItem(t, written, patient())
			if keys.calls != 0 {
				t.Error("a plaintext item needs a beacon key")
			}
		} else if len(beaconNames(written)) != 5 {
			t.Errorf("%v: beacons %q", policy, beaconNames(written))
		}
		read, err := e.DecryptItem(t.Context(), patient())
		if err != nil {
			t.Fatal(err)
		}
		sameItem(t, read, patient())
	}
}

// TestSearchBesideLegacy: reading items of the older format needs the explicit
// setting too, and forbidding it does not.
func TestSearchBesideLegacy(t *testing.T) {
	config := legacyConfig(t)
	config.Search = &beacon.Config{Standard: []beacon.Standard{{Name: "x", Length: 8}},
		Keys: beacon.KeySource{Source: newBeaconKeys(t, "branch"), BranchKeyID: "branch", Lifetime: time.Hour}}
	if _, err := envelope.NewItemEncryptor(config); !errors.Is(err, envelope.ErrConfiguration) ||
		!strings.Contains(err.Error(), "AcceptMissing") {
		t.Errorf("old items can be read: %v", err)
	}
	config.Search.AcceptMissing = true
	opened, err := mustEncryptor(t, config).OpenItem(t.Context(), oldItem())
	if err != nil || !opened.Legacy || len(opened.Beacons) != 0 {
		t.Errorf("an old item: %+v, %v", opened, err)
	}
	config.Search.AcceptMissing = false
	config.Legacy.Policy = envelope.ForbidLegacyEncryptForbidLegacyDecrypt
	mustEncryptor(t, config)
}
