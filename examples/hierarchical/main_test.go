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
	// patient 7 in ward north: hay fever
	// every other client sees 27 bytes of ciphertext
	// KMS calls for 100 items: 1
}
