// SPDX-License-Identifier: Apache-2.0

// Compare stores one patient in two tables, encrypted by DynamoDB and
// encrypted here, and shows what different people read in each, and what lies
// on disk.
package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
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
	without, err := a.User(ctx, "without-key", "dynamodb:*")
	if err != nil {
		return err
	}
	with, err := a.User(ctx, "with-key", "dynamodb:*", "kms:Decrypt")
	if err != nil {
		return err
	}
	for _, c := range []struct {
		atRest string // the KMS key under which DynamoDB encrypts; empty: its own
		mode   func(aws.Config) (store.Mode, error)
	}{
		{key, func(aws.Config) (store.Mode, error) { return store.ServerSide{KMSKeyARN: key}, nil }},
		{"", func(cfg aws.Config) (store.Mode, error) {
			keyring, err := awskms.New(awskms.Config{Client: kms.NewFromConfig(cfg), KeyARN: key})
			return store.ClientSide{Keyring: keyring}, err
		}},
	} {
		mode, err := c.mode(a.Config)
		if err != nil {
			return err
		}
		name, err := a.Table(ctx, "compare-"+mode.String(), c.atRest)
		if err != nil {
			return err
		}
		// From here on the code is the same for both.
		patients, err := store.New[patient](a.DynamoDB, name, mode)
		if err != nil {
			return err
		}
		if err := patients.Put(ctx, patient{ID: "7", Ward: "north", Diagnosis: "hay fever"}); err != nil {
			return err
		}
		fmt.Printf("%s-side encryption\n", mode)
		for _, reader := range []struct {
			who string
			cfg aws.Config
		}{{"administrator", a.Config}, {"user without the key", without}, {"user with the key", with}} {
			if mode, err = c.mode(reader.cfg); err != nil {
				return err
			}
			patients, err := store.New[patient](dynamodb.NewFromConfig(reader.cfg), name, mode)
			if err != nil {
				return err
			}
			fmt.Printf("  %-21s %s\n", reader.who, sees(ctx, patients))
		}
		fmt.Printf("  %-21s %s\n", "on disk", a.OnDisk(ctx, name, "7", "hay fever"))
	}
	return nil
}

// sees says what a reader gets of the diagnosis.
func sees(ctx context.Context, patients *store.Table[patient]) string {
	p, err := patients.Get(ctx, store.Key{Partition: "7"})
	if err == nil {
		return strconv.Quote(p.Diagnosis)
	}
	// What any other client would get, which does not try to decrypt.
	raw, _ := patients.Raw(ctx, store.Key{Partition: "7"})
	if raw != nil {
		return account.Value(raw["diagnosis"]) + "; decrypting: " + account.Refusal(err)
	}
	return account.Refusal(err)
}
