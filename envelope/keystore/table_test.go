package keystore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
