// SPDX-License-Identifier: Apache-2.0

package input

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

const maxTransaction = 100 // items

// MaxTransactionBytes is how many bytes one transaction returns or takes.
const MaxTransactionBytes = 4 << 20

// readTransactItems reads TransactItems, the items of a transaction. read reads
// the member of an item that is named like an operation.
func readTransactItems[T any](d *wire.Decoder, set *bool, items *[]*T,
	read func(item *T, operation string) error) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*set = true
	return d.Elements(func() error {
		item := new(T)
		*items = append(*items, item)
		return d.Members(func(operation []byte) error { return read(item, string(operation)) })
	})
}

// checkTransactItems checks how many items a transaction has.
func checkTransactItems(c *wire.Checks, set bool, items int) {
	if c.Required(!set, "transactItems") {
		c.Count(items, "TransactItem", "transactItems", 1, maxTransaction)
	}
}
