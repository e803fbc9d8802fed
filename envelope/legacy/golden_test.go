// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// TestGoldenItems opens what the older Java client wrote: testdata/README.md.
func TestGoldenItems(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "java", "*.json"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var g struct {
				Config               *itemconfig.Config
				Plaintext, Encrypted json.RawMessage
			}
			readJSON(t, file, &g)
			e := must(g.Config.Encryptor(t.Context(), itemconfig.Providers{}))
			stored, want := mustItem(t, g.Encrypted), mustItem(t, g.Plaintext)
			opened, err := e.OpenItem(t.Context(), stored)
			if err != nil {
				t.Fatal(err)
			}
			sameItem(t, opened.Item, want)
			if !opened.Legacy || opened.Actions["s"] == 0 {
				t.Errorf("opened as %v, %v", opened.Legacy, opened.Actions)
			}
			sealed, err := e.EncryptItemAs(t.Context(), opened.Item, opened.Actions)
			if err != nil && !errors.Is(err, envelope.ErrInvalidItem) { // a map with an empty key has no place there
				t.Fatal(err)
			}
			if err == nil && envelope.IsLegacy(sealed) {
				t.Error("written in the old format")
			}
			for name := range stored {
				altered := maps.Clone(stored)
				if altered[name] = s("changed"); name == "nothing" {
					continue
				}
				if _, err := e.DecryptItem(t.Context(), altered); !errors.Is(err, envelope.ErrTampered) {
					t.Errorf("%s changed: %v", name, err)
				}
				if delete(altered, name); name == envelope.LegacyDescriptionAttribute {
					continue
				}
				if _, err := e.DecryptItem(t.Context(), altered); !errors.Is(err, envelope.ErrTampered) {
					t.Errorf("%s removed: %v", name, err)
				}
			}
			stored["nothing"] = &types.AttributeValueMemberBOOL{Value: true}
			if _, err := e.DecryptItem(t.Context(), stored); err != nil {
				t.Errorf("an unsigned attribute changed: %v", err)
			}
		})
	}
}
