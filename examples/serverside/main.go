// SPDX-License-Identifier: Apache-2.0

// Serverside stores a patient in a table that DynamoDB encrypts under a KMS
// key: anyone who may read the table and use the key sees plaintext.
package main

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/examples/internal/account"
	"github.com/ddbseal/ddbseal/store"
)

type patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"`
	Diagnosis string `dynamodbav:"diagnosis"`
}

func main() { account.Main(run) }

func run(ctx context.Context, a *account.Account) error {
	key, err := a.Key(ctx)
	if err != nil {
		return err
	}
	name, err := a.Table(ctx, "serverside", key)
	if err != nil {
		return err
	}

	patients, err := store.New[patient](a.DynamoDB, name, store.ServerSide{KMSKeyARN: key})
	if err != nil {
		return err
	}
	if err := patients.Check(ctx); err != nil { // is the table under that key?
		return err
	}
	if err := patients.Put(ctx, patient{ID: "7", Ward: "north", Diagnosis: "hay fever"}); err != nil {
		return err
	}
	p, err := patients.Update(ctx, store.Key{Partition: "7"}, func(p *patient) error {
		p.Ward = "south"
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("patient %s in ward %s: %s\n", p.ID, p.Ward, p.Diagnosis)

	raw, err := patients.Raw(ctx, store.Key{Partition: "7"})
	if err != nil {
		return err
	}
	fmt.Println("every other client with a right to the key sees", account.Value(raw["diagnosis"]))
	return nil
}
