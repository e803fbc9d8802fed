// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log"

	"github.com/ddbseal/ddbseal/store"
)

// Two readers of one version save it: the second one meets the first. An
// expvar.Func publishes the counts as JSON.
func ExampleTable_Stats() {
	pages, done := exampleCounters()
	defer done()
	ctx := context.Background()
	first, err := pages.Get(ctx, store.Key{Partition: "page"})
	if err != nil {
		log.Fatal(err)
	}
	second := first
	first.Title, second.Title = "One title", "Another title"
	fmt.Println(pages.Save(ctx, &first))
	fmt.Println(errors.Is(pages.Save(ctx, &second), store.ErrStaleVersion))
	fmt.Println(pages.Stats().Conflicts)

	published := expvar.Func(func() any { return pages.Stats() })
	fmt.Println(published)
	// Output:
	// <nil>
	// true
	// 1
	// {"Conflicts":1,"TransactionConflicts":0,"Repeated":0,"Unreadable":0}
}
