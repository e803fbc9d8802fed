// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/access/sample"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const readItems = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["dynamodb:Scan","dynamodb:Describe*"],"Resource":"*"}}`

// world is a server with a table.
type world struct {
	*localawstest.Server
	t *testing.T
	n int
}

func newWorld(t *testing.T) *world {
	return &world{t: t, Server: localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Keys: []localawstest.Key{{Name: "item"}, {Name: "table"}},
		Users: []localawstest.User{{Name: "reader", Policies: map[string]any{"p": readItems}},
			{Name: "none", Policies: map[string]any{"p": strings.Replace(readItems, "Scan", "Query", 1)}}},
		Tables: []localawstest.Table{{Name: "Orders", PartitionKey: "id"}}}))}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put puts n items, sealed by a keyring unless it is nil.
func (w *world) put(n int, k materials.Keyring, suite envelope.AlgorithmSuite, more ...string) {
	w.t.Helper()
	for range n {
		w.n++
		item := envelope.Item{"id": &types.AttributeValueMemberS{Value: fmt.Sprint(w.n)},
			"name": &types.AttributeValueMemberS{Value: "Robin"}}
		for _, name := range more {
			item[name] = &types.AttributeValueMemberB{Value: []byte("x")}
		}
		if k != nil {
			e, err := envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "Orders", PartitionKey: "id",
				Keyring:        k,
				Actions:        map[string]envelope.Action{"id": envelope.SignOnly, "name": envelope.EncryptAndSign},
				AlgorithmSuite: suite})
			ok(w.t, err)
			item, err = e.EncryptItem(w.t.Context(), item)
			ok(w.t, err)
		}
		_, err := dynamodb.NewFromConfig(w.Root()).PutItem(w.t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("Orders"), Item: item})
		ok(w.t, err)
	}
}

func (w *world) kms() materials.Keyring {
	k, err := awskms.New(awskms.Config{Client: kms.NewFromConfig(w.Root()), KeyARN: w.Key("item")})
	ok(w.t, err)
	return k
}

// take takes a sample and analyzes the table.
func (w *world) take(n int, t access.Table) (*access.TableAnalysis, access.Table, string) {
	w.t.Helper()
	t.Name = "Orders"
	ok(w.t, sample.Take(w.t.Context(), w.Root(), &t, n))
	s, err := access.Load(w.t.Context(), w.Root(), t)
	ok(w.t, err)
	var b bytes.Buffer
	ok(w.t, s.Save(&b))
	s, err = access.Read(&b)
	ok(w.t, err)
	a, err := access.Analyze(s)
	ok(w.t, err)
	return &a.Tables[0], t, a.Text(access.TextOptions{Why: true})
}

// reads is the verdict of the principal that may scan the table and no key.
func reads(t *access.TableAnalysis) access.Verdict {
	i := slices.IndexFunc(t.Rows, func(r access.Row) bool { return strings.HasSuffix(r.Principal, "/reader") })
	return t.Rows[i].Cells.ReadClear.Verdict
}

// TestTake: the mode of a table is what its items show, whatever is said of it.
func TestTake(t *testing.T) {
	w := newWorld(t)
	configured := access.Table{ItemKeys: []access.ItemKey{{ARN: w.Key("item")}}}
	a, _, text := w.take(5, configured)
	if reads(a) != access.No || !strings.Contains(text, "Sampled: all of 0 items.") {
		t.Errorf("an empty table: %v\n%s", reads(a), text)
	}
	w.put(20, w.kms(), envelope.SuiteSymmetricSignature)
	a, got, text := w.take(5, access.Table{})
	if len(got.ItemKeys) != 1 || got.ItemKeys[0] != (access.ItemKey{ARN: w.Key("item"), Sampled: true}) ||
		!got.SymmetricSignature || a.Mode != access.ClientSide || reads(a) != access.No ||
		!strings.Contains(text, "Sampled: 5 of about 20 items: 5 under "+w.Key("item")) {
		t.Errorf("sealed: %+v, %v\n%s", got, reads(a), text)
	}
	// One plaintext item: who may scan reads it in clear.
	w.put(1, nil, 0)
	a, got, text = w.take(100, configured)
	if len(got.ItemKeys) != 1 || got.SymmetricSignature || reads(a) != access.Yes || !a.Sample.All ||
		!strings.Contains(text, "Sampled: all of 21 items: 1 in plaintext, 20 under ") || !strings.Contains(text,
		"sampled items of Orders in plaintext: 1 of 21") || !strings.Contains(a.Headlines[0],
		"Some items are not encrypted before they are sent") {
		t.Errorf("plaintext: %+v, %v\n%s", got, reads(a), text)
	}
}

// TestOthers: branch keys, raw keys, the older client and garbage, of which it is
// not known who can open them.
func TestOthers(t *testing.T) {
	source, err := keyring.NewMemorySource(materials.NewBranchKey("clinic", "0f5b2f5e-6d4f-4d9c-8a53-6f0a3b1f7c11",
		[32]byte{1}))
	ok(t, err)
	branch, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: "clinic"})
	ok(t, err)
	raw, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "house", Name: "key", Key: make([]byte, 32)})
	ok(t, err)
	for name, c := range map[string]struct {
		put  func(w *world)
		says string
	}{
		"branch key": {func(w *world) { w.put(2, branch, envelope.SuiteSymmetricSignature) },
			"the key store of branch key clinic, which items do not name"},
		"raw key": {func(w *world) { w.put(2, raw, 0) }, "who holds the keys of house"},
		"legacy": {func(w *world) { w.put(2, nil, 0, envelope.LegacyDescriptionAttribute) },
			"who holds the keys of the items of the older client"},
	} {
		w := newWorld(t)
		c.put(w)
		a, _, text := w.take(10, access.Table{})
		if reads(a) != access.Unknown || a.Mode != access.ClientSide || !strings.Contains(text, "not known: "+c.says) {
			t.Errorf("%s: %v\n%s", name, reads(a), text)
		}
	}
	w := newWorld(t)
	w.put(1, w.kms(), 0)
	w.put(1, nil, 0, envelope.HeaderAttribute, envelope.FooterAttribute)
	if a, _, text := w.take(10, access.Table{}); a.Sample.Malformed != 1 || reads(a) != access.No {
		t.Errorf("garbage: %v\n%s", reads(a), text)
	}
}

// TestDenied: a caller that may not scan learns that, and the answer says so.
func TestDenied(t *testing.T) {
	w := newWorld(t)
	table := access.Table{Name: "Orders"}
	ok(t, sample.Take(t.Context(), w.User("none"), &table, 3))
	s, err := access.Load(t.Context(), w.Root(), table)
	ok(t, err)
	a, err := access.Analyze(s)
	ok(t, err)
	if text := a.Text(access.TextOptions{}); !strings.Contains(text, "Not read: dynamodb:Scan of ") ||
		!strings.Contains(text, "no item could be sampled: permission denied") {
		t.Error(text)
	}
	for _, n := range []int{0, -1, sample.MaxItems + 1} {
		if err := sample.Take(t.Context(), w.Root(), &table, n); !errors.Is(err, sample.ErrItems) {
			t.Errorf("%d items: %v", n, err)
		}
	}
	missing := access.Table{Name: "missing"}
	var notFound *types.ResourceNotFoundException
	if err := sample.Take(t.Context(), w.Root(), &missing, 1); !errors.As(err, &notFound) {
		t.Error(err)
	}
}

// TestBounded: as many items as asked for are read, however the table is divided,
// and hostile items add a bounded number of keys.
func TestBounded(t *testing.T) {
	w := newWorld(t)
	w.put(25, nil, 0)
	for _, n := range []int{1, 7, 24, 25, 26} {
		table := access.Table{Name: "Orders"}
		ok(t, sample.Take(t.Context(), w.Root(), &table, n))
		if want := min(n, 25); table.Sample.Items != want || table.Sample.Plaintext != want {
			t.Errorf("%d: %+v", n, table.Sample)
		}
	}
	w = newWorld(t)
	for i := range access.MaxSampledKeys + 3 {
		k, err := keyring.NewRawAES(keyring.RawAESConfig{Name: "key", Key: make([]byte, 32),
			Namespace: strings.Repeat(fmt.Sprintf("%02d", i), 300)})
		ok(t, err)
		w.put(1, k, envelope.SuiteSymmetricSignature)
	}
	a, _, text := w.take(100, access.Table{})
	if len(a.Sample.Keys) != access.MaxSampledKeys || !a.Sample.MoreKeys || len(a.Sample.Keys[0].Provider) > 256 ||
		!strings.Contains(text, "and some under other keys") {
		t.Errorf("%+v", a.Sample)
	}
}
