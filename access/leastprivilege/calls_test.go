// SPDX-License-Identifier: Apache-2.0

package leastprivilege_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

var theKey = store.Key{Partition: "1"}

func theOrder() order { return order{ID: "1", Ward: "north", Name: "Robin", Note: "n"} }

// read makes every reading call of package store.
func (w *world) read(ctx context.Context) error {
	table, client := w.orders(w.app)
	one := func(got []order, err error) error {
		if err == nil && (len(got) != 1 || got[0] != theOrder()) {
			err = fmt.Errorf("read %v", got)
		}
		return err
	}
	collect := func(seq func(func(order, error) bool)) error {
		var all []order
		for o, err := range seq {
			if err != nil {
				return err
			}
			all = append(all, o)
		}
		return one(all, nil)
	}
	scan := store.Scan{}
	if w.mode.beacons {
		scan.Filter = expression.Name("name").Equal(expression.Value("Robin"))
	}
	got, err := table.Get(ctx, theKey)
	if err := one([]order{got}, err); err != nil {
		return err
	}
	if _, err := table.BatchGet(ctx, []store.Key{theKey}); err != nil {
		return err
	}
	if err := store.TransactGet(ctx, client, table.GetOp(theKey)); err != nil {
		return err
	}
	if err := collect(table.Query(ctx, store.Query{Partition: "1"})); err != nil {
		return err
	}
	if err := collect(table.Scan(ctx, scan)); err != nil {
		return err
	}
	if err := collect(table.Query(ctx, store.Query{Partition: "north",
		Index: &store.Index{Name: "wards", Partition: "ward"}})); err != nil {
		return err
	}
	return collect(table.Scan(ctx, store.Scan{Index: "wards"}))
}

// write makes every writing call of package store that does not read.
func (w *world) write(ctx context.Context) error {
	table, client := w.orders(w.app)
	other := order{ID: "2", Ward: "south", Name: "Kim"}
	if err := table.Put(ctx, other); err != nil {
		return err
	}
	if err := table.UpdateAttributes(ctx, store.Key{Partition: "2"},
		expression.Set(expression.Name("note"), expression.Value("x"))); err != nil {
		return err
	}
	if err := table.Delete(ctx, store.Key{Partition: "2"}); err != nil {
		return err
	}
	if _, err := table.BatchPut(ctx, []order{other}); err != nil {
		return err
	}
	if _, err := table.BatchDelete(ctx, []store.Key{{Partition: "2"}}); err != nil {
		return err
	}
	return store.TransactWrite(ctx, client, table.PutOp(other),
		table.CheckOp(theKey, expression.Name("ward").Equal(expression.Value("north"))))
}

// racer is a client on which another writer comes first, once.
type racer struct {
	*dynamodb.Client
	once   sync.Once
	before func()
}

func (r *racer) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if *in.TableName == "Orders" {
		r.once.Do(r.before)
	}
	return r.Client.PutItem(ctx, in, o...)
}

// migrate seals the items of the table. One is sealed already, one is too wide for
// the condition of a put, and another writer comes in between.
func (w *world) migrate(ctx context.Context) error {
	admin := dynamodb.NewFromConfig(w.admin)
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	wide := envelope.Item{"id": text("wide"), "ward": text("w"), "name": text("n")}
	for i := range 60 {
		wide[fmt.Sprint("a", i)] = text("v")
	}
	all := []envelope.Item{wide}
	for i := range 3 {
		all = append(all, envelope.Item{"id": text(fmt.Sprint("plain-", i)), "ward": text("w"), "name": text("n")})
	}
	for _, item := range all {
		_, err := admin.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: item})
		ok(w.t, err)
	}
	c := w.config(w.app)
	c.AllowedUnsignedPrefix = "a"
	c.Actions = maps.Clone(actions)
	for i := range 100 { // names that a condition says are absent
		c.Actions[fmt.Sprint("b", i)] = envelope.SignOnly
	}
	if c.Search != nil {
		c.Search.AcceptMissing = true
	}
	c.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	to, err := envelope.NewItemEncryptor(c)
	ok(w.t, err)
	client := &racer{Client: dynamodb.NewFromConfig(w.app), before: func() {
		for i := range 3 {
			_, err := admin.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: envelope.Item{
				"id": text(fmt.Sprint("plain-", i)), "ward": text("w"), "name": text("another")}})
			ok(w.t, err)
		}
	}}
	if err := migrate.CreateCheckpointTable(ctx, client.Client, checkpoints); err != nil {
		return err
	}
	m, err := migrate.New(migrate.Config{Client: client, Table: "Orders", ID: "m", To: to,
		CheckpointTable: checkpoints})
	ok(w.t, err)
	if _, err := m.DryRun(ctx); err != nil {
		return err
	}
	report, err := m.Run(ctx)
	for _, f := range report.Failures {
		err = errors.Join(err, f)
	}
	if err == nil && len(report.Unchecked) > 0 {
		return fmt.Errorf("%w: %q", errUnchecked, report.Unchecked)
	}
	if err == nil && report.Counts.Migrated != 4 {
		return fmt.Errorf("migrated %+v", report.Counts)
	}
	return err
}

// administer makes every call of package keystore that writes, and lists.
func (w *world) administer(ctx context.Context) error {
	s := w.keyStore(w.app)
	id, err := s.CreateKey(ctx, keystore.CreateKeyInput{})
	if err != nil {
		return err
	}
	if _, err := s.VersionKey(ctx, id); err != nil {
		return err
	}
	if _, err := s.Versions(ctx, id); err != nil {
		return err
	}
	client := dynamodb.NewFromConfig(w.app)
	if _, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Keys")}); err != nil {
		return err
	}
	if err := s.Shred(ctx, id); err != nil {
		return err
	}
	_, err = dynamodb.NewFromConfig(w.admin).DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("Keys")})
	ok(w.t, err)
	_, err = s.CreateTable(ctx)
	return err
}

// errUnchecked is a migration that could not compare everything.
var errUnchecked = errors.New("not permitted to compare")

// denied reports whether a call was refused for want of permission.
func denied(err error) bool {
	var api smithy.APIError
	return errors.Is(err, errUnchecked) || errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied")
}

// exercise makes the calls of a purpose on fresh tables.
func (w *world) exercise(p leastprivilege.Purpose) error {
	w.t.Helper()
	ctx := w.t.Context()
	w.tables()
	table, _ := w.orders(w.admin)
	ok(w.t, table.Put(ctx, theOrder()))
	switch p {
	case leastprivilege.Reader:
		return w.read(ctx)
	case leastprivilege.Writer:
		return w.write(ctx)
	case leastprivilege.Migrator:
		return w.migrate(ctx)
	default:
		return w.administer(ctx)
	}
}

// TestEveryMode makes the calls of each purpose in each mode with just the
// policies that For writes, and again without each statement and action: then a
// call is denied.
func TestEveryMode(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			w := newWorld(t, &m)
			for _, p := range leastprivilege.Purposes() {
				sealed := len(m.keys) > 0 || m.store
				if p == leastprivilege.KeyStoreAdmin && !m.store || p == leastprivilege.Migrator && !sealed {
					continue
				}
				for _, principal := range []string{role, ""} {
					policies, err := leastprivilege.For(w.table, leastprivilege.Options{Principal: principal,
						Checkpoints: checkpoints}, p)
					ok(t, err)
					w.allow(policies)
					if err := w.exercise(p); err != nil {
						t.Fatalf("%s, principal %q: %v\n%s", p, principal, err, text(t, policies))
					}
					if principal == "" || m.alike {
						continue
					}
					for what, less := range lessThan(policies) {
						w.allow(less)
						if err := w.exercise(p); !denied(err) {
							t.Errorf("%s without %s: %v", p, what, err)
						}
					}
				}
			}
		})
	}
}

// TestPartitionKeys: a reader and writer of one partition is denied the others.
func TestPartitionKeys(t *testing.T) {
	w := newWorld(t, &mode{name: "both", key: "table", keys: []string{"item"}, kind: leastprivilege.DataKeys})
	policies, err := leastprivilege.For(w.table, leastprivilege.Options{Principal: role,
		PartitionKeys: []string{"1", "3"}}, leastprivilege.Reader, leastprivilege.Writer)
	ok(t, err)
	w.allow(policies)
	ctx := t.Context()
	table, _ := w.orders(w.app)
	for id, allowed := range map[string]bool{"1": true, "2": false, "3": true} {
		o, key := theOrder(), store.Key{Partition: id}
		o.ID = id
		put := table.Put(ctx, o)
		_, rest := table.BatchGet(ctx, []store.Key{key})
		_, query := table.QueryPage(ctx, store.Query{Partition: id}, "")
		_, update := table.Update(ctx, key, func(o *order) error { o.Name = "Kim"; return nil })
		for what, err := range map[string]error{"Put": put, "BatchGet": rest, "QueryPage": query, "Update": update} {
			if allowed && err != nil || !allowed && !denied(err) {
				t.Errorf("%s of %s: %v", what, id, err)
			}
		}
	}
	if _, err := table.BatchGet(ctx, []store.Key{{Partition: "1"}, {Partition: "2"}}); !denied(err) {
		t.Errorf("a batch with another partition: %v", err)
	}
	for _, err := range table.Scan(ctx, store.Scan{}) {
		if !denied(err) {
			t.Errorf("scan: %v", err)
		}
	}
}

// lessThan yields the policies without each of their actions.
func lessThan(p *leastprivilege.Policies) map[string]*leastprivilege.Policies {
	all := map[string]*leastprivilege.Policies{}
	less := func(from []leastprivilege.Statement, put func(*leastprivilege.Policies, []leastprivilege.Statement)) {
		for i := range from {
			for j, a := range from[i].Action {
				c := *p
				c.Keys = slices.Clone(p.Keys)
				s := from[i]
				s.Action = slices.Concat(s.Action[:j], s.Action[j+1:])
				left := slices.Clone(from)
				if left[i] = s; len(s.Action) == 0 {
					left = slices.Delete(left, i, i+1)
				}
				put(&c, left)
				all[a+" in "+s.Sid] = &c
			}
		}
	}
	less(p.Identity.Statements, func(c *leastprivilege.Policies, left []leastprivilege.Statement) {
		c.Identity.Statements = left
	})
	for i := range p.Keys {
		less(p.Keys[i].Statements, func(c *leastprivilege.Policies, left []leastprivilege.Statement) {
			c.Keys[i].Statements = left
		})
	}
	return all
}
