// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/examples/internal/account"
)

func Example() {
	if err := account.Run(context.Background(), false, run); err != nil {
		fmt.Println(err)
	}
	// Output:
	// running on the embedded AWS
	// POST /acme/customers: 201 Created {"id":"7","name":"Kim Example","email":"kim@example.com"}
	// POST /globex/customers: 201 Created {"id":"7","name":"Ola Sample","email":""}
	// PUT /acme/customers/7: 200 OK {"id":"7","name":"Kim E. Example","email":""}
	// PUT /acme/customers/7: 412 Precondition Failed it was changed since you read it: read it again
	// POST /acme/customers/7/orders: 201 Created {"number":1,"cents":100,"card":"4111 1111 1111 1111"}
	// POST /acme/customers/7/orders: 201 Created {"number":2,"cents":200,"card":"4111 1111 1111 1111"}
	// POST /acme/customers/7/orders: 201 Created {"number":3,"cents":300,"card":"4111 1111 1111 1111"}
	// GET /acme/customers/7/orders?limit=2: 200 OK {"orders":[{"number":3,"cents":300,"card":"4111 1111 1111 1111"},{"number":2,"cents":200,"card":"4111 1111 1111 1111"}]
	// DynamoDB sees: pk "acme#7", name 32 bytes of ciphertext
	// acme leaves
	// GET /acme/customers/7: 410 Gone the tenant was removed
	// GET /globex/customers/7: 200 OK {"id":"7","name":"Ola Sample","email":""}
}
