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
	// patient 7: INSERT
	// patient 7: MODIFY of diagnosis
	// patient 7: MODIFY of nothing: it was encrypted again
	// patient 7: MODIFY of ward
	// patient 7: REMOVE
}
