// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// script is a client with prepared answers to DescribeTable, the last of which
// it repeats.
type script struct {
	tables []*types.TableDescription // nil: no such table
	create error
	ttl    []string // answers of DescribeTimeToLive, the last repeated; "": off
	enable error
	calls  []string
}

func (s *script) CreateTable(context.Context, *dynamodb.CreateTableInput,
	...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	s.calls = append(s.calls, "create")
	return &dynamodb.CreateTableOutput{}, s.create
}

func next[T any](list *[]T) T {
	v := (*list)[0]
	if len(*list) > 1 {
		*list = (*list)[1:]
	}
	return v
}

func (s *script) DescribeTable(context.Context, *dynamodb.DescribeTableInput,
	...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	s.calls = append(s.calls, "describe")
	t := next(&s.tables)
	if t == nil {
		return nil, &types.ResourceNotFoundException{}
	}
	return &dynamodb.DescribeTableOutput{Table: t}, nil
}

func (s *script) UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput,
	...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	s.calls = append(s.calls, "enable")
	return &dynamodb.UpdateTimeToLiveOutput{}, s.enable
}

func (s *script) DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput,
	...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	s.calls = append(s.calls, "ttl")
	d := &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}
	if name := next(&s.ttl); name != "" {
		d = &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusEnabling, AttributeName: &name}
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: d}, nil
}

func table(status types.TableStatus, indexes ...types.IndexStatus) *types.TableDescription {
	t := &types.TableDescription{TableStatus: status,
		BillingModeSummary:   &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}}}
	for _, s := range indexes {
		t.GlobalSecondaryIndexes = append(t.GlobalSecondaryIndexes, types.GlobalSecondaryIndexDescription{
			IndexName: aws.String("byWard"), IndexStatus: s})
	}
	return t
}

// TestEnsure: what is called and waited for in each state of a table.
func TestEnsure(t *testing.T) {
	active := table(types.TableStatusActive)
	refused := errors.New("refused")
	for _, c := range []struct {
		name   string
		client script
		ttl    string
		want   string // the calls
		differ string
		err    error
		waits  time.Duration // at least
	}{
		{name: "absent", client: script{tables: []*types.TableDescription{nil, nil, table(types.TableStatusCreating), active}},
			want: "describe create describe describe describe", waits: 350 * time.Millisecond},
		{name: "there", client: script{tables: []*types.TableDescription{active}}, want: "describe"},
		{name: "index in the making", client: script{tables: []*types.TableDescription{
			table(types.TableStatusActive, types.IndexStatusCreating), active}}, want: "describe describe"},
		{name: "being deleted", client: script{tables: []*types.TableDescription{table(types.TableStatusDeleting), nil, active}},
			want: "describe describe create describe"},
		{name: "another program is faster", client: script{tables: []*types.TableDescription{nil, active},
			create: &types.ResourceInUseException{}}, want: "describe create describe"},
		{name: "refused", client: script{tables: []*types.TableDescription{nil}, create: refused}, want: "describe create",
			err: refused},
		{name: "expiry", client: script{tables: []*types.TableDescription{nil, active}, ttl: []string{""}}, ttl: "until",
			want: "describe create describe ttl enable"},
		{name: "expiry is on", client: script{tables: []*types.TableDescription{active}, ttl: []string{"until"}}, ttl: "until",
			want: "describe ttl"},
		{name: "another expiry", client: script{tables: []*types.TableDescription{active}, ttl: []string{"end"}}, ttl: "until",
			want: "describe ttl", differ: `items expire by "end", declared "until"`},
		{name: "expiry by another program", client: script{tables: []*types.TableDescription{active},
			ttl: []string{"", "until"}, enable: refused}, ttl: "until", want: "describe ttl enable ttl"},
		{name: "expiry refused", client: script{tables: []*types.TableDescription{active}, ttl: []string{""},
			enable: refused}, ttl: "until", want: "describe ttl enable ttl", err: refused},
		{name: "different, so untouched", client: script{tables: []*types.TableDescription{{
			TableStatus: types.TableStatusActive}}}, ttl: "until", want: "describe", differ: "the key is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := provision.Definition{Name: "wards", Key: provision.Key{Partition: "id"},
					Types: map[string]string{"id": "S"}, TTL: c.ttl}
				began := time.Now()
				differences, err := d.Ensure(t.Context(), &c.client)
				if !errors.Is(err, c.err) || err != nil && c.err == nil {
					t.Errorf("error %v, want %v", err, c.err)
				}
				if got := strings.Join(c.client.calls, " "); got != c.want {
					t.Errorf("calls %s, want %s", got, c.want)
				}
				got := strings.Join(differences, "; ")
				if !strings.HasPrefix(got, c.differ) || c.differ == "" && got != "" {
					t.Errorf("differences %q, want %q", got, c.differ)
				}
				if waited := time.Since(began); waited < c.waits {
					t.Errorf("waited %v, want %v", waited, c.waits)
				}
			})
		})
	}
}

// TestEnsureGivesUp: the error says what was waited for.
func TestEnsureGivesUp(t *testing.T) {
	for _, c := range []struct {
		tables []*types.TableDescription
		want   string
	}{
		{[]*types.TableDescription{table(types.TableStatusCreating)}, "the table, whose status is CREATING"},
		{[]*types.TableDescription{table(types.TableStatusDeleting)}, "the deletion of the table of that name"},
		{[]*types.TableDescription{nil}, "the table to appear"},
		{[]*types.TableDescription{table(types.TableStatusActive, types.IndexStatusCreating)}, "the indexes byWard"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			client := &script{tables: c.tables}
			d := provision.Definition{Name: "wards", Key: provision.Key{Partition: "id"}}
			_, err := d.Ensure(ctx, client)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if n := len(client.calls); n > 25 {
				t.Errorf("%d calls in a minute", n)
			}
		})
	}
}
