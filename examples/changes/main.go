// SPDX-License-Identifier: Apache-2.0

// Changes keeps an audit log of an encrypted table: it follows the table's
// stream, decrypts each change, and writes which attributes changed, without
// their values, to a second encrypted table.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/examples/internal/account"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

// Patient is what the application stores.
type Patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"`
	Diagnosis string `dynamodbav:"diagnosis"`
}

// Entry is a line of the audit log. Its key is the sequence number of the
// change: a change that is delivered twice is logged once.
type Entry struct {
	Sequence string    `dynamodbav:"id" seal:"partition"`
	At       time.Time `dynamodbav:"at" seal:"sign"`
	Patient  string    `dynamodbav:"patient"`
	What     string    `dynamodbav:"what"`
}

func main() { account.Main(run) }

func run(ctx context.Context, a *account.Account) error {
	patients, log, err := tables(ctx, a)
	if err != nil {
		return err
	}
	if _, err := a.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(patients.Name()),
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages}}); err != nil {
		return err
	}
	waiter := dynamodb.NewTableExistsWaiter(a.DynamoDB)
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(patients.Name())},
		time.Minute); err != nil {
		return err
	}

	// The application writes.
	p := Patient{ID: "7", Ward: "north", Diagnosis: "hay fever"}
	for _, edit := range []func(){
		func() {}, func() { p.Diagnosis = "none" }, func() {}, func() { p.Ward = "south" },
	} {
		edit()
		if err := patients.Put(ctx, p); err != nil {
			return err
		}
	}
	if err := patients.Delete(ctx, store.Key{Partition: p.ID}); err != nil {
		return err
	}

	// The auditor follows, here until the patient is gone. In production it runs
	// on, with a checkpoint in a table.
	following, stop := context.WithCancel(ctx)
	defer stop()
	err = change.Follow(following, dynamodbstreams.NewFromConfig(a.Config), patients,
		func(ctx context.Context, c change.Change[Patient]) error {
			if err := record(ctx, log, c); err != nil {
				return err
			}
			if c.Kind == change.Remove {
				stop()
			}
			return nil
		})
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return show(ctx, log)
}

// record writes an entry of the log.
func record(ctx context.Context, log *store.Table[Entry], c change.Change[Patient]) error {
	e := Entry{Sequence: c.Sequence, At: c.At, What: c.Kind.String()}
	for _, p := range []*Patient{c.Old, c.New} {
		if p != nil {
			e.Patient = p.ID
		}
	}
	names, _ := c.Changed()
	switch {
	case c.ByTTL:
		e.What += " because it expired"
	case c.Kind == change.Modify && len(names) == 0:
		e.What += " of nothing: it was encrypted again"
	case c.Kind == change.Modify:
		e.What += " of " + strings.Join(names, ", ")
	}
	return log.Put(ctx, e)
}

// show prints the log in the order of the changes.
func show(ctx context.Context, log *store.Table[Entry]) error {
	var entries []Entry
	for e, err := range log.Scan(ctx, store.Scan{}) {
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		if n := len(a.Sequence) - len(b.Sequence); n != 0 {
			return n
		}
		return strings.Compare(a.Sequence, b.Sequence)
	})
	for _, e := range entries {
		fmt.Printf("patient %s: %s\n", e.Patient, e.What)
	}
	return nil
}

// tables makes both tables, under one key.
func tables(ctx context.Context, a *account.Account) (*store.Table[Patient], *store.Table[Entry], error) {
	key, err := a.Key(ctx)
	if err != nil {
		return nil, nil, err
	}
	k, err := awskms.New(awskms.Config{Client: a.KMS, KeyARN: key})
	if err != nil {
		return nil, nil, err
	}
	var names [2]string
	for i, name := range []string{"changes", "changes-log"} {
		if names[i], err = a.Table(ctx, name, ""); err != nil {
			return nil, nil, err
		}
	}
	patients, err := store.New[Patient](a.DynamoDB, names[0], store.ClientSide{Keyring: k})
	if err != nil {
		return nil, nil, err
	}
	log, err := store.New[Entry](a.DynamoDB, names[1], store.ClientSide{Keyring: k})
	return patients, log, err
}
