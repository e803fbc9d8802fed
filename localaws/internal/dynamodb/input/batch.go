package input

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

const (
	maxBatchGet   = 100 // keys
	maxBatchWrite = 25  // writes
)

// MaxBatchBytes is how many bytes one batch returns or takes.
const MaxBatchBytes = 16 << 20

// readRequestItems reads RequestItems, the parts of a batch by table, in the
// order of the text. read reads the part of one table.
func readRequestItems[T any](d *wire.Decoder, set *bool, parts *[]*T, read func(part *T, table string) error) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*set = true
	return d.Members(func(table []byte) error {
		part := new(T)
		*parts = append(*parts, part)
		return read(part, string(table))
	})
}

// checkRequestItems checks that a batch has parts.
func checkRequestItems(c *wire.Checks, set bool, parts int) {
	if c.Required(!set, "requestItems") && parts == 0 {
		c.Violate("'{}'", "requestItems", wire.MinLength(1))
	}
}
