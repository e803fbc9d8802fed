// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/logging"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
)

// secrets are marked texts, each for one place of a vault.
type secrets struct{ made []string }

func (s *secrets) text() string {
	text := fmt.Sprintf("marked-secret-%03d-hidden", len(s.made))
	s.made = append(s.made, text)
	return text
}

func (s *secrets) bytes() []byte { return []byte(s.text()) }

type compartment struct {
	Text  string
	Bytes []byte
	Next  *compartment
}

// Drawer is embedded.
type Drawer struct {
	Top   string
	Inner compartment
}

// vault has secrets in every shape of nesting.
type vault struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	N     int    `dynamodbav:"n" seal:"sort"`
	Ward  string `dynamodbav:"ward" seal:"sign"`
	Note  string `dynamodbav:"note" seal:"none"`
	Plain string
	Drawer
	*Pocket
	Struct   compartment
	Pointer  *compartment
	Slice    []compartment
	Pointers []*compartment
	Array    [2]compartment
	Map      map[string]compartment
	Names    map[string]string
	Deep     map[string][]map[string]*compartment
	Any      any
	Anys     []any
	Set      []string `dynamodbav:",stringset"`
	Bytes    [][]byte `dynamodbav:",binaryset"`
	Own      pound
}

// Pocket is embedded by a pointer.
type Pocket struct{ Coin string }

func (s *secrets) compartment() compartment {
	return compartment{s.text(), s.bytes(), &compartment{Text: s.text()}}
}

func (s *secrets) vault(id string, n int) vault {
	of := func() *compartment { c := s.compartment(); return &c }
	return vault{
		ID: id, N: n, Ward: "ward", Note: "note", Plain: s.text(), Drawer: Drawer{s.text(), s.compartment()},
		Pocket: &Pocket{s.text()},
		Struct: s.compartment(), Pointer: of(), Slice: []compartment{s.compartment()},
		Pointers: []*compartment{of(), nil}, Array: [2]compartment{s.compartment()},
		Map: map[string]compartment{s.text(): s.compartment()}, Names: map[string]string{s.text(): s.text()},
		Deep: map[string][]map[string]*compartment{s.text(): {{s.text(): of()}}},
		Any:  map[string]any{s.text(): of()}, Anys: []any{s.text(), s.compartment(), s.bytes()},
		Set: []string{s.text(), s.text()}, Bytes: [][]byte{s.bytes()}, Own: pound{0},
	}
}

// found returns the secrets whose bytes are in a text, as they are, in hex, or
// in base64 at any offset.
func (s *secrets) found(in []byte) []string {
	var out []string
	for _, secret := range s.made {
		forms := []string{secret, hex.EncodeToString([]byte(secret)),
			strings.ToUpper(hex.EncodeToString([]byte(secret)))}
		for offset := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, offset), secret...))
			forms = append(forms, text[4:len(text)-4]) // without what neighbours change
		}
		if slices.ContainsFunc(forms, func(form string) bool { return bytes.Contains(in, []byte(form)) }) {
			out = append(out, secret)
		}
	}
	return out
}

// wiretap records the bodies of requests and answers, and the SDK's log.
type wiretap struct {
	mu    sync.Mutex
	inner aws.HTTPClient
	wire  bytes.Buffer
	log   bytes.Buffer
}

func (w *wiretap) Do(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := w.inner.Do(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(got))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wire.Write(sent)
	w.wire.Write(got)
	return resp, err
}

func (w *wiretap) Logf(_ logging.Classification, format string, v ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(&w.log, format+"\n", v...)
}

// TestSecrets writes secrets by every method of a table, and looks for them in
// the table, on the wire, in the SDK's log and in the errors on the way.
func TestSecrets(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "all forms of values")
		ctx := t.Context()
		tap := &wiretap{inner: w.config.HTTPClient}
		client := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
			o.HTTPClient, o.Logger = tap, tap
			o.ClientLogMode = aws.LogRequestWithBody | aws.LogResponseWithBody | aws.LogRetries | aws.LogSigning
		})
		name := w.table(t, "id:S,n:N")
		vaults := open[vault](t, client, name, m)
		var s secrets
		var errs []error
		fails := func(err error) {
			t.Helper()
			if err == nil {
				t.Error("no error")
			}
			errs = append(errs, err)
		}
		key := func(n int) store.Key { return store.Key{Partition: "a", Sort: n} }
		never := expression.Name("ward").Equal(expression.Value("another"))
		change := func(v *vault) error { n := v.N; *v = s.vault("a", n); return nil }
		write := func(ops ...store.WriteOp) error { return store.TransactWrite(ctx, client, ops...) }

		// By name, so that a method that comes later is not forgotten.
		writes := map[string]func(){
			"Put": func() {
				ok(t, vaults.Put(ctx, s.vault("a", 1)))
				fails(vaults.Put(ctx, s.vault("a", 1), never))
				big := s.vault("a", 1)
				big.Plain += strings.Repeat(s.text(), 20_000)
				fails(vaults.Put(ctx, big))
				cyclic := s.vault("a", 1)
				cyclic.Pointer.Next = cyclic.Pointer
				fails(vaults.Put(ctx, cyclic))
				lost := s.vault("a", 1)
				lost.Any = struct{ hidden, Channel any }{s.text(), make(chan string)}
				fails(vaults.Put(ctx, lost))
				duplicates := s.vault("a", 1)
				duplicates.Set = []string{duplicates.Plain, duplicates.Plain}
				fails(vaults.Put(ctx, duplicates))
				empty := s.vault("a", 1)
				empty.Names[""] = s.text()
				fails(vaults.Put(ctx, empty))
				invalid := s.vault("a", 1)
				invalid.Plain += "\xff"
				fails(vaults.Put(ctx, invalid))
				number := s.vault("a", 1)
				number.Any = expression.Value // a function
				fails(vaults.Put(ctx, number))
			},
			"Insert": func() { fails(vaults.Insert(ctx, s.vault("a", 1))) },
			"Save": func() {
				v := s.vault("a", 1)
				ok(t, vaults.Save(ctx, &v))
				fails(vaults.Save(ctx, &v, never))
			},
			"PutOld":         func() { ok(t, ignore(vaults.PutOld(ctx, s.vault("a", 1)))) },
			"Update":         func() { ok(t, ignore(vaults.Update(ctx, key(1), change))) },
			"UpdateOrCreate": func() { ok(t, ignore(vaults.UpdateOrCreate(ctx, key(2), change))) },
			"UpdateAttributes": func() {
				ok(t, vaults.UpdateAttributes(ctx, key(1),
					expression.Set(expression.Name("note"), expression.Value("other"))))
				// A secret is refused on the client, or fails: the item has no such path.
				fails(vaults.UpdateAttributes(ctx, key(1),
					expression.Set(expression.Name("Plain.x.y"), expression.Value(s.text()))))
			},
			"UpdateAttributesNew": func() {
				ok(t, ignore(vaults.UpdateAttributesNew(ctx, key(1),
					expression.Set(expression.Name("note"), expression.Value("new")))))
				fails(ignore(vaults.UpdateAttributesNew(ctx, key(1),
					expression.Set(expression.Name("Plain.x.y"), expression.Value(s.text())))))
			},
			"UpdateAttributesOld": func() {
				ok(t, ignore(vaults.UpdateAttributesOld(ctx, key(1),
					expression.Set(expression.Name("note"), expression.Value("old")))))
			},
			"BatchPut": func() {
				ok(t, ignore(vaults.BatchPut(ctx, []vault{s.vault("a", 3), s.vault("a", 4)})))
				v := s.vault("a", 5)
				fails(ignore(vaults.BatchPut(ctx, []vault{v, v})))
			},
			"PutOp": func() {
				ok(t, write(vaults.PutOp(s.vault("a", 6))))
				fails(write(vaults.PutOp(s.vault("a", 6), never)))
			},
			"UpdateOp":        func() { ok(t, write(vaults.UpdateOp(key(6), change))) },
			"CheckOp":         func() { fails(write(vaults.CheckOp(key(6), never))) },
			"DeleteOp":        func() { ok(t, write(vaults.DeleteOp(key(4)))) },
			"Delete":          func() { fails(vaults.Delete(ctx, key(1), never)); ok(t, vaults.Delete(ctx, key(2))) },
			"DeleteOld":       func() { ok(t, ignore(vaults.DeleteOld(ctx, key(3)))) },
			"DeleteVersion":   func() { fails(vaults.DeleteVersion(ctx, s.vault("a", 1))) },
			"DeleteVersionOp": func() { fails(write(vaults.DeleteVersionOp(s.vault("a", 1)))) },
			"BatchDelete":     func() { ok(t, ignore(vaults.BatchDelete(ctx, []store.Key{key(3)}))) },
		}
		reads := []string{"BatchGet", "Check", "CheckReport", "DecodeItem", "Encryptor", "Entity", "Get",
			"GetAttributes", "GetOp", "IndexKey", "Key", "KeyOf", "Mode", "Name", "Query", "QueryCount", "QueryPage",
			"Raw", "Scan", "ScanCount", "ScanPage", "SortPrefix", "Stats", "Value", "With"}
		order := []string{"Put", "PutOld", "Update", "UpdateOrCreate", "UpdateAttributes",
			"UpdateAttributesNew", "UpdateAttributesOld", "Insert", "Save", "BatchPut", "PutOp", "UpdateOp",
			"CheckOp", "DeleteOp", "Delete", "DeleteOld", "DeleteVersion", "DeleteVersionOp", "BatchDelete"}
		of := reflect.TypeOf(vaults)
		for i := range of.NumMethod() {
			if n := of.Method(i).Name; !slices.Contains(order, n) && !slices.Contains(reads, n) {
				t.Errorf("the test does not call method %s", n)
			}
		}
		if len(order) != len(writes) {
			t.Errorf("%d methods of %d", len(order), len(slices.Collect(maps.Keys(writes))))
		}
		for _, n := range order {
			writes[n]()
		}
		_, err := open[misfit](t, client, name, m).Get(ctx, key(1))
		fails(err)

		places := map[string][]byte{"wire": tap.wire.Bytes(), "log": tap.log.Bytes(),
			"table": rawTable(t, w.client, name)}
		if found := s.found([]byte(text(errs))); found != nil {
			t.Errorf("errors show %q: %s", found, text(errs))
		}
		for place, content := range places {
			found := s.found(content)
			if client := m.String() == "client"; client && found != nil {
				t.Errorf("%s shows %q", place, found)
			} else if !client && len(found) < 40 {
				t.Errorf("the search finds only %d secrets in the %s of a server-side table", len(found), place)
			}
		}
	})
}

// misfit reads a vault into fields of other types.
type misfit struct {
	ID     string `dynamodbav:"id" seal:"partition"`
	N      int    `dynamodbav:"n" seal:"sort"`
	Plain  int
	Struct map[string]bool
}

// text is what a log would show of errors, and of all that they wrap and name.
func text(errs []error) string {
	var b strings.Builder
	for _, err := range errs {
		fmt.Fprintln(&b, err)
		var item *store.ItemError
		if errors.As(err, &item) {
			fmt.Fprintln(&b, item.Table, item.Err)
		}
	}
	return b.String()
}

// rawTable is the content of a table as a client without the key reads it.
func rawTable(t *testing.T, c *dynamodb.Client, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	for p := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &name}); p.HasMorePages(); {
		page, err := p.NextPage(context.WithoutCancel(t.Context()))
		ok(t, err)
		for _, item := range page.Items {
			b.Write(must(ddbjson.Marshal(item))(t))
			for _, av := range item {
				if bin, is := av.(*types.AttributeValueMemberB); is {
					b.Write(bin.Value)
				}
			}
		}
	}
	return b.Bytes()
}
