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
	// server-side encryption: this program reads "hay fever", other clients read
	//   diagnosis    "hay fever"
	//   id           "7"
	//   ward         "north"
	// client-side encryption: this program reads "hay fever", other clients read
	//   aws_dbe_foot (ciphertext, keys and signatures: bytes)
	//   aws_dbe_head (ciphertext, keys and signatures: bytes)
	//   diagnosis    (ciphertext, keys and signatures: bytes)
	//   id           "7"
	//   ward         "north"
}
