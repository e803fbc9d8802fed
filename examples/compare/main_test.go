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
	// server-side encryption
	//   administrator         "hay fever"
	//   user without the key  denied kms:Decrypt
	//   user with the key     "hay fever"
	//   on disk               95 bytes of ciphertext
	// client-side encryption
	//   administrator         "hay fever"
	//   user without the key  27 bytes of ciphertext; decrypting: denied kms:Decrypt
	//   user with the key     "hay fever"
	//   on disk               898 bytes of ciphertext
}
