// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestCreateTable(t *testing.T) {
	w := newWorld(t)
	w.table.description = nil
	w.table.calls = nil
	for range 2 { // idempotent
		arn, err := w.CreateTable(t.Context())
		if err != nil || !strings.HasSuffix(arn, ":table/keys") {
			t.Fatal(arn, err)
		}
	}
	if w.table.count("CreateTable") != 1 {
		t.Fatal("created twice")
	}
	good := *w.table.description
	for name, f := range map[string]func(*types.TableDescription){
		"no sort key": func(d *types.TableDescription) { d.KeySchema = d.KeySchema[:1] },
		"other name": func(d *types.TableDescription) {
			d.KeySchema = []types.KeySchemaElement{d.KeySchema[0],
				{AttributeName: aws.String("kind"), KeyType: types.KeyTypeRange}}
		},
		"swapped": func(d *types.TableDescription) {
			d.KeySchema = []types.KeySchemaElement{{AttributeName: aws.String("type"), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String("branch-key-id"), KeyType: types.KeyTypeRange}}
		},
		"number": func(d *types.TableDescription) {
			d.AttributeDefinitions = []types.AttributeDefinition{d.AttributeDefinitions[0],
				{AttributeName: aws.String("type"), AttributeType: "N"}}
		},
	} {
		d := good
		f(&d)
		w.table.description = &d
		if _, err := w.CreateTable(t.Context()); !errors.Is(err, keystore.ErrWrongTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.table.description = nil
	w.table.fault = func(operation string) error {
		if operation == "CreateTable" {
			return &types.ResourceInUseException{} // another process is faster
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.CreateTable(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	w.table.fault = func(string) error { return &smithy.GenericAPIError{Code: "AccessDeniedException"} }
	var e *materials.KeyError
	if _, err := w.CreateTable(t.Context()); !errors.As(err, &e) || e.Missing != "dynamodb:DescribeTable" {
		t.Errorf("%v", err)
	}
	other := w.store(t, keystore.Config{Storage: &memoryStorage{}})
	if _, err := other.CreateTable(t.Context()); !errors.Is(err, materials.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

// statusTable is a table that takes its time.
type statusTable struct {
	*table
	statuses []types.TableStatus
	looks    int
	empty    bool // the answer has no table
}

func (s *statusTable) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput,
	o ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	out, err := s.table.DescribeTable(ctx, in, o...)
	if err == nil {
		out.Table.TableStatus = s.statuses[min(s.looks, len(s.statuses)-1)]
		if s.empty {
			out.Table = nil
		}
		s.looks++
	}
	return out, err
}

// A table is ready when it is active or being updated, and not before.
func TestCreateTableWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			statuses []types.TableStatus
			looks    int
		}{
			{[]types.TableStatus{types.TableStatusActive}, 1}, {[]types.TableStatus{types.TableStatusUpdating}, 1},
			{[]types.TableStatus{types.TableStatusCreating, types.TableStatusCreating, types.TableStatusActive}, 3},
			{[]types.TableStatus{types.TableStatusDeleting, types.TableStatusUpdating}, 2},
		} {
			client := &statusTable{table: newTable(), statuses: c.statuses}
			if arn, err := newStorage(t, client).CreateTable(t.Context()); err != nil || arn == "" ||
				client.looks != c.looks {
				t.Errorf("%v: %q after %d looks, %v", c.statuses, arn, client.looks, err)
			}
		}
	})
}

func TestCreateTableFails(t *testing.T) {
	failed := errors.New("no network")
	for operation, missing := range map[string]bool{"DescribeTable": false, "CreateTable": true} {
		client := newTable()
		if missing {
			client.description = nil
		}
		client.fault = func(o string) error {
			if o == operation {
				return failed
			}
			return nil
		}
		if arn, err := newStorage(t, client).CreateTable(t.Context()); !errors.Is(err, failed) || arn != "" ||
			client.count(operation) != 1 {
			t.Errorf("%s: %q, %v after %d calls", operation, arn, err, client.count(operation))
		}
	}
	empty := &statusTable{table: newTable(), statuses: []types.TableStatus{types.TableStatusActive}, empty: true}
	if _, err := newStorage(t, empty).CreateTable(t.Context()); !errors.Is(err, keystore.ErrWrongTable) {
		t.Errorf("an answer without a table: %v", err)
	}
	for name, change := range map[string]func(*types.TableDescription){
		"a third key": func(d *types.TableDescription) {
			d.KeySchema = append(slices.Clone(d.KeySchema),
				types.KeySchemaElement{AttributeName: aws.String("third"), KeyType: types.KeyTypeRange})
		},
		"another partition key": func(d *types.TableDescription) {
			d.KeySchema = []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash},
				d.KeySchema[1]}
		},
		"partition key a number": func(d *types.TableDescription) {
			d.AttributeDefinitions = []types.AttributeDefinition{{AttributeName: aws.String("branch-key-id"),
				AttributeType: "N"}, d.AttributeDefinitions[1]}
		},
	} {
		client := newTable()
		change(client.description)
		if _, err := newStorage(t, client).CreateTable(t.Context()); !errors.Is(err, keystore.ErrWrongTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
