// SPDX-License-Identifier: Apache-2.0

// Clientside stores a patient that is encrypted before it leaves the process:
// DynamoDB, its backups and clients without the key see ciphertext.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/examples/internal/account"
	"github.com/ddbseal/ddbseal/store"
)

type patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"` // readable, but a change is noticed
	Diagnosis string `dynamodbav:"diagnosis"`        // encrypted
}

func main() { account.Main(run) }

func run(ctx context.Context, a *account.Account) error {
	key, err := a.Key(ctx)
	if err != nil {
		return err
	}
	name, err := a.Table(ctx, "clientside", "")
	if err != nil {
		return err
	}
	keyring, err := awskms.New(awskms.Config{Client: a.KMS, KeyARN: key})
	if err != nil {
		return err
	}

	patients, err := store.New[patient](a.DynamoDB, name, store.ClientSide{Keyring: keyring})
	if err != nil {
		return err
	}
	if err := patients.Check(ctx); err != nil {
		return err
	}
	if err := patients.Put(ctx, patient{ID: "7", Ward: "north", Diagnosis: "hay fever"}); err != nil {
		return err
	}
	north := expression.Name("ward").Equal(expression.Value("north"))
	for p, err := range patients.Scan(ctx, store.Scan{Filter: north}) {
		if err != nil {
			return err
		}
		fmt.Printf("patient %s in ward %s: %s\n", p.ID, p.Ward, p.Diagnosis)
	}

	raw, err := patients.Raw(ctx, store.Key{Partition: "7"})
	if err != nil {
		return err
	}
	fmt.Println("every other client sees", account.Value(raw["diagnosis"]))

	ill := expression.Name("diagnosis").Equal(expression.Value("hay fever"))
	err = patients.Delete(ctx, store.Key{Partition: "7"}, ill)
	fmt.Println("a condition on ciphertext is refused:", errors.Is(err, store.ErrEncryptedAttribute))
	return nil
}
