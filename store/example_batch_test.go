package store_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/store"
)

// The batch has 200 items, so eight calls of 25. Up to four are under way at the
// same time.
func ExampleBatchConcurrency() {
	_, client, done := exampleTable()
	defer done()
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		log.Fatal(err)
	}
	visits, err := store.New[Visit](client, "visits", store.ClientSide{Keyring: key}, store.BatchConcurrency(4))
	if err != nil {
		log.Fatal(err)
	}
	many := make([]Visit, 200)
	for day := range many {
		many[day] = Visit{Patient: "bob", Day: day}
	}
	rest, err := visits.BatchPut(context.Background(), many)
	fmt.Println(len(rest), err)
	// Output:
	// 0 <nil>
}
