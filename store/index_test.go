// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// TestIndexTags: a tag that declares no possible index is an error of New.
func TestIndexTags(t *testing.T) {
	type base struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		SK string `dynamodbav:"sk" seal:"sort"`
	}
	client := dynamodb.New(dynamodb.Options{})
	refused := func(err error, want string) {
		t.Helper()
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused(tryNew[struct {
		base
		A string `dynamodbav:"a" index:"xy,hash"`
	}](client), `field A of`)
	refused(tryNew[struct {
		base
		A string `dynamodbav:"a" index:"by A,hash"`
	}](client), `"by A" is not the name of an index`)
	refused(tryNew[struct {
		base
		A string `dynamodbav:"a" index:"byA"`
	}](client), `the role in index byA is ""`)
	refused(tryNew[struct {
		base
		A string `dynamodbav:"a" index:"byA,range"`
	}](client), `tag its field index:"byA,hash"`)
	refused(tryNew[struct {
		base
		A string `dynamodbav:"a" localIndex:"byA,hash"`
	}](client), "the partition key of local index byA is the table's")
	refused(tryNew[struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		A  string `dynamodbav:"a" localIndex:"byA,range"`
	}](client), "the table has no sort key")
	refused(tryNew[struct {
		base
		A string `dynamodbav:"a" index:"byA,hash" localIndex:"byA,range"`
	}](client), "global in one tag and local in another")
	refused(tryNew[struct {
		base
		A []string `dynamodbav:"a" index:"byA,hash"`
	}](client), "a string, a number or bytes, not []string")
	refused(tryNew[struct {
		base
		A time.Time `dynamodbav:"a" index:"byA,hash"`
	}](client), "a time stored as text")
	refused(tryNew[base](client, store.IndexProjection("byA")), "no field of")
	// What is encrypted cannot be a key.
	type secret struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		A  string `dynamodbav:"a" index:"byA,hash"`
	}
	_, err := store.New[secret](client, "table", clientSide(t))
	if refused(err, "index byA of store_test.secret"); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Error(err)
	}
	if err := tryNew[secret](client); err != nil {
		t.Errorf("in server-side mode: %v", err)
	}
}

func tryNew[T any](c store.Client, opts ...store.Option) error {
	_, err := store.New[T](c, "table", store.ServerSide{}, opts...)
	return err
}

// TestIndexOfQuery: a query names an index by its name, or as it is declared.
func TestIndexOfQuery(t *testing.T) {
	client := dynamodb.New(dynamodb.Options{})
	stays := open[wardStay](t, client, "wards", store.ServerSide{})
	for _, c := range []struct {
		index store.Index
		want  string
	}{
		{store.Index{}, "needs a name"},
		{store.Index{Name: "byOther"}, `no field of store_test.wardStay declares index "byOther"`},
		{store.Index{Name: "byWard", Partition: "ward"}, "names other keys than store_test.wardStay declares"},
		{store.Index{Name: "byOther", Partition: "nothing"}, `no field for index key "nothing"`},
	} {
		_, err := stays.QueryPage(t.Context(), store.Query{Partition: "north", Index: &c.index}, "")
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.index, err, c.want)
		}
	}
}
