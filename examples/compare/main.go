// Compare stores one patient in two tables, encrypted by DynamoDB and
// encrypted here, and shows what a client without our keyring reads.
package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
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
	keyring, err := awskms.New(awskms.Config{Client: a.KMS, KeyARN: key})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		mode  store.Mode
		atKey string
	}{
		{store.ServerSide{KMSKeyARN: key}, key},
		{store.ClientSide{Keyring: keyring}, ""},
	} {
		name, err := a.Table(ctx, "compare-"+c.mode.String(), c.atKey)
		if err != nil {
			return err
		}
		// From here on the code is the same for both.
		patients, err := store.New[patient](a.DynamoDB, name, c.mode)
		if err != nil {
			return err
		}
		if err := patients.Put(ctx, patient{ID: "7", Ward: "north", Diagnosis: "hay fever"}); err != nil {
			return err
		}
		p, err := patients.Get(ctx, store.Key{Partition: "7"})
		if err != nil {
			return err
		}
		raw, err := patients.Raw(ctx, store.Key{Partition: "7"})
		if err != nil {
			return err
		}
		fmt.Printf("%s-side encryption: this program reads %q, other clients read\n", c.mode, p.Diagnosis)
		show(raw)
	}
	return nil
}

func show(item envelope.Item) {
	for _, name := range slices.Sorted(maps.Keys(item)) {
		switch v := item[name].(type) {
		case *types.AttributeValueMemberS:
			fmt.Printf("  %-12s %q\n", name, v.Value)
		case *types.AttributeValueMemberB:
			fmt.Printf("  %-12s %s\n", name, "(ciphertext, keys and signatures: bytes)")
		}
	}
}
