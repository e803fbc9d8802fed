// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/migrate"
)

func TestConfiguration(t *testing.T) {
	w := newWorld(t)
	e := encryptor(t, aes(t, 1))
	good := w.config("t", nil, e)
	for name, change := range map[string]func(*migrate.Config){
		"no client":          func(c *migrate.Config) { c.Client = nil },
		"no table":           func(c *migrate.Config) { c.Table = "" },
		"no ID":              func(c *migrate.Config) { c.ID = "" },
		"no checkpoints":     func(c *migrate.Config) { c.CheckpointTable = "" },
		"checkpoints inside": func(c *migrate.Config) { c.CheckpointTable = c.Table },
		"nothing to do":      func(c *migrate.Config) { c.To = nil },
		"share":              func(c *migrate.Config) { c.Share = migrate.Share{Index: 2, Total: 2} },
		"segments":           func(c *migrate.Config) { c.Segments = -1 },
		"units":              func(c *migrate.Config) { c.WriteUnits = -1 },
		"other keys": func(c *migrate.Config) {
			c.From = encryptor(t, aes(t, 1), func(c *envelope.Config) { c.SortKey = "ward" })
		},
		"policy writes plaintext": func(c *migrate.Config) {
			c.To = encryptor(t, aes(t, 1),
				func(c *envelope.Config) { c.PlaintextPolicy = envelope.ForcePlaintextWriteAllowPlaintextRead })
		},
	} {
		c := good
		change(&c)
		if _, err := migrate.New(c); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
