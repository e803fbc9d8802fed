// SPDX-License-Identifier: Apache-2.0

package plaintextescrow

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// archive has the form of one with so many versions under ids of this length.
func archive(versions, idLength int) *Archive {
	a := &Archive{
		Format: "ddbseal branch key escrow 1", LogicalName: "keys",
		Recipients: []Recipient{{ProviderID: "p"}},
		Sealed:     make([]byte, 32*versions+16),
	}
	for range versions {
		a.Entries = append(a.Entries, Entry{
			BranchKeyID: strings.Repeat("k", idLength), Version: "11111111-1111-4111-8111-111111111111",
		})
	}
	return a
}

// An export that cannot be read back must be noticed while the keys are there.
func TestWhatCannotBeReadIsNotWritten(t *testing.T) {
	for name, a := range map[string]*Archive{
		"too large":      archive(2, 2048),
		"id not UTF-8":   archive(1, 1),
		"name not UTF-8": archive(1, 1),
		"no recipient":   archive(1, 1),
		"nothing in it":  archive(0, 1),
	} {
		switch name {
		case "id not UTF-8":
			a.Entries[0].BranchKeyID = "\xff"
		case "name not UTF-8":
			a.LogicalName = "\xff"
		case "no recipient":
			a.Recipients = nil
		}
		var file bytes.Buffer
		if err := a.write(&file, 4096); !errors.Is(err, ErrArchive) || file.Len() != 0 {
			t.Errorf("%s: %v after %d bytes", name, err, file.Len())
		}
	}
	var file bytes.Buffer
	if err := archive(3, 2048).Write(&file); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(&file); err != nil {
		t.Error(err)
	}
}
