// SPDX-License-Identifier: Apache-2.0

package cache_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func exampleStore() materials.BranchKeySource {
	s, err := keyring.NewMemorySource(materials.NewBranchKey("shop", "2a9c4d1e-8f3b-4c5d-9e6f-7a8b9c0d1e2f",
		[32]byte{1}))
	if err != nil {
		log.Fatal(err)
	}
	return s
}

func use(s materials.BranchKeySource) {
	key, err := s.Active(context.Background(), "shop")
	if err != nil {
		log.Fatal(err)
	}
	key.Wipe() // the copy is the caller's
}

// One keyring in front of one key store.
func ExampleNewSource() {
	source, err := cache.NewSource(exampleStore(), 10*time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	defer source.Cache().Purge()
	for range 1000 {
		use(source)
	}
	s := source.Cache().Stats()
	fmt.Println("fetches:", s.Fetches, "hits:", s.Hits)
	// Output: fetches: 1 hits: 999
}

// Two keyrings share a cache's entries: same partition, same store.
func ExampleCache_Source() {
	shared, err := cache.New(cache.Config{MaxEntries: 5000})
	if err != nil {
		log.Fatal(err)
	}
	defer shared.Purge()
	store := exampleStore()
	for range 2 {
		source, err := shared.Source(cache.SourceConfig{
			Source: store, Lifetime: 10 * time.Minute, Partition: "web", StoreName: "branch-keys",
		})
		if err != nil {
			log.Fatal(err)
		}
		use(source)
	}
	fmt.Println("fetches:", shared.Stats().Fetches)
	// Output: fetches: 1
}
