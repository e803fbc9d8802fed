// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
)

func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// patient 1 in ward north: hay fever
	// in DynamoDB, the diagnosis is a *types.AttributeValueMemberB
}
