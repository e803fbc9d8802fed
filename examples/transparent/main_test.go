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
	// this client sees 2 attributes, the diagnosis as "hay fever"
	// a plain client sees 4 attributes, the diagnosis as 27 bytes of ciphertext
}
