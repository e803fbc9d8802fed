// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"testing"
	"time"
)

func TestEpoch(t *testing.T) {
	for ms, want := range map[int64]string{0: "0", 1772366400000: "1772366400", 1772366401000: "1772366401",
		1772366400123: "1772366400.123", 1772366400120: "1772366400.120", 1772366400001: "1772366400.001",
		1001: "1.001"} {
		got, err := json.Marshal(Epoch(time.UnixMilli(ms)))
		if err != nil || string(got) != want {
			t.Errorf("%d ms: %s, %v, want %s", ms, got, err, want)
		}
	}
}
