// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

type Item = search.Item

func s(v string) types.AttributeValue                  { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue                  { return &types.AttributeValueMemberN{Value: v} }
func b(v string) types.AttributeValue                  { return &types.AttributeValueMemberB{Value: []byte(v)} }
func ss(v ...string) types.AttributeValue              { return &types.AttributeValueMemberSS{Value: v} }
func ns(v ...string) types.AttributeValue              { return &types.AttributeValueMemberNS{Value: v} }
func boolean(v bool) types.AttributeValue              { return &types.AttributeValueMemberBOOL{Value: v} }
func m(v Item) types.AttributeValue                    { return &types.AttributeValueMemberM{Value: v} }
func l(v ...types.AttributeValue) types.AttributeValue { return &types.AttributeValueMemberL{Value: v} }

// anyKey has a beacon key for every branch key.
type anyKey struct{}

func (anyKey) BeaconKey(_ context.Context, id string) (*materials.BeaconKey, error) {
	return materials.NewBeaconKey(id, sha256.Sum256([]byte(id))), nil
}

// table is a table with beacons.
type table struct {
	search     *beacon.Search
	rewriter   *search.Rewriter
	protection map[string]beacon.Protection
}

// newTable returns a table whose keys are those of the branch key "key".
func newTable(t testing.TB, protection map[string]beacon.Protection, c beacon.Config) *table {
	t.Helper()
	if c.Keys.Source == nil {
		c.Keys = beacon.KeySource{Source: anyKey{}, BranchKeyID: "key", Lifetime: time.Hour}
	}
	compiled, err := beacon.New(c, beacon.Schema{Table: "table",
		Protection: func(name string) beacon.Protection { return protection[name] }})
	if err != nil {
		t.Fatal(err)
	}
	var signed []string
	for name, p := range protection {
		if p == beacon.Signed || p == beacon.Encrypted {
			signed = append(signed, name)
		}
	}
	return &table{compiled, search.New(compiled, signed), protection}
}

// stored returns what DynamoDB has of an item: signed and unsigned attributes,
// ciphertext, header and footer, and the beacons of a partition.
func (tb *table) stored(t testing.TB, branchKeyID string, partition int, plain Item) Item {
	t.Helper()
	out, err := tb.tryStored(t.Context(), branchKeyID, partition, plain)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (tb *table) tryStored(ctx context.Context, branchKeyID string, partition int, plain Item) (Item, error) {
	signed, err := tb.search.AddSigned(plain)
	if err != nil {
		return nil, err
	}
	k, err := tb.search.Keys(ctx, branchKeyID)
	if err != nil {
		return nil, err
	}
	defer k.Release()
	beacons, err := tb.search.Beacons(k, partition, signed)
	if err != nil {
		return nil, err
	}
	out := Item{"aws_dbe_head": b("head"), "aws_dbe_foot": b("foot")}
	for name, v := range signed {
		if out[name] = v; tb.protection[name] == beacon.Encrypted {
			out[name] = b("\x00\x00ciphertext")
		}
	}
	for _, a := range beacons {
		out[a.Name] = a.Value
	}
	return out, nil
}

// text returns a pointer to an expression, nil for "".
func text(expression string) *string {
	if expression == "" {
		return nil
	}
	return &expression
}

// rewrite plans and rewrites a request for one partition.
func (tb *table) rewrite(t testing.TB, r search.Request, partition int) (*search.Plan, search.Rewritten, error) {
	t.Helper()
	plan, err := tb.rewriter.Plan(r)
	if err != nil {
		return nil, search.Rewritten{}, err
	}
	out, err := plan.Request(t.Context(), partition)
	return plan, out, err
}

// parsed is a request as DynamoDB reads it.
type parsed struct {
	key    *ddbexpr.KeyCondition
	filter *ddbexpr.Condition
	reads  *ddbexpr.Projection
}

// parse reads a rewritten request by DynamoDB's rules: every limit, and no
// placeholder that is not used.
func parse(t interface{ Fatalf(string, ...any) }, r search.Rewritten) (out parsed) {
	scope, err := ddbexpr.NewScope(r.Names, r.Values)
	if err == nil && r.KeyCondition != nil {
		out.key, err = scope.KeyCondition(*r.KeyCondition)
	}
	if err == nil && r.Filter != nil {
		out.filter, err = scope.Condition(ddbexpr.KindFilter, *r.Filter)
	}
	if err == nil && r.Projection != nil {
		out.reads, err = scope.Projection(*r.Projection)
	}
	if err == nil {
		err = scope.Unused()
	}
	if err != nil {
		t.Fatalf("DynamoDB refuses %+v: %v", r, err)
	}
	return out
}

// accepts reports whether DynamoDB returns the stored item.
func (p parsed) accepts(stored Item) bool {
	return (p.key == nil || p.key.Root().Evaluate(stored)) && (p.filter == nil || p.filter.Root().Evaluate(stored))
}

// tree parses an expression, for comparison.
func tree(t testing.TB, expression string, names map[string]string, values Item) ddbexpr.Node {
	t.Helper()
	scope, err := ddbexpr.NewScope(names, values)
	if err != nil {
		t.Fatal(err)
	}
	c, err := scope.Condition(ddbexpr.KindFilter, expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return c.Root()
}

// refused checks that an error is one of the package and has the class.
func refused(t testing.TB, what string, err, class error) {
	t.Helper()
	var e *search.Error
	if !errors.As(err, &e) || !errors.Is(err, class) || e.Parameter == "" {
		t.Errorf("%s: %v, want a *search.Error that matches %q", what, err, class)
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	out, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
