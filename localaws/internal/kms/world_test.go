// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

const (
	here   = "111122223333"
	abroad = "444455556666"
	region = "eu-central-1"
)

// world is a service with a directory of principals, a clock and a record of
// its events.
type world struct {
	t     testing.TB
	kms   *Service
	store storage.Store

	mu     sync.Mutex
	now    time.Time
	people map[string]*person // by ARN
	serial int
	events []event
	filed  int                                // changes that the store got
	asked  func(*request.Call, request.Check) // of every authorization; may be nil
}

type person struct {
	policy.Principal
	identity *policy.Document
	deleted  bool
}

type event struct {
	call request.Call
	o    request.Operation
	err  error
}

// beginning is the time at which a world starts.
var beginning = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: beginning, people: map[string]*person{}}
	w.store = counter{storagetest.NewRecorder(), &w.filed}
	w.restart()
	return w
}

// counter is a store that counts the changes it gets.
type counter struct {
	storage.Store
	n *int
}

// Submit is called with the lock of the service held.
func (c counter) Submit(tx *storage.Tx) storage.Pending {
	*c.n++
	return c.Store.Submit(tx)
}

// restart creates a new service from what the store has.
func (w *world) restart() {
	w.t.Helper()
	s, err := New(Config{Clock: w.clock, Store: w.store, Authorizer: w, Audit: w, Principals: w})
	if err != nil {
		w.t.Fatal(err)
	}
	w.kms = s
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) Authorize(_ context.Context, c *request.Call, k request.Check) policy.Decision {
	if w.asked != nil {
		w.asked(c, k)
	}
	k.Context.Set("kms:CallerAccount", c.Caller.Principal.AccountID)
	if c.ViaService != "" {
		k.Context.Set("kms:ViaService", c.ViaService)
	}
	p := policy.Policies{Resource: k.ResourcePolicy, ResourceMode: k.Mode, Grants: k.Grants}
	w.mu.Lock()
	if who := w.people[c.Caller.Principal.ARN]; who != nil && who.identity != nil {
		p.Identity = []policy.Attached{{Name: "inline", Source: policy.SourceInline, Document: who.identity}}
	}
	w.mu.Unlock()
	return policy.Evaluate(policy.Request{Principal: c.Caller.Principal, Action: k.Action, Resource: k.Resource,
		ResourceAccountID: k.ResourceAccountID, Context: k.Context, EncryptionContext: k.EncryptionContext}, p)
}

func (w *world) Record(c *request.Call, o request.Operation, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, event{*c, o, err})
}

func (w *world) UniqueID(arn string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.people[arn]
	if p == nil || p.deleted {
		return "", false
	}
	return p.Principal.UniqueID, true
}

func (w *world) ARN(id string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.people {
		if p.Principal.UniqueID == id && !p.deleted {
			return p.Principal.ARN, true
		}
	}
	return "", false
}

func (w *world) AccountExists(account string) bool { return account == here || account == abroad }

// user makes, or makes again, an IAM user with an identity policy of the given
// actions on everything.
func (w *world) user(account, name string, actions ...string) policy.Principal {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	p := policy.Principal{Type: policy.User, AccountID: account, ARN: "arn:aws:iam::" + account + ":user/" + name,
		UniqueID: fmt.Sprintf("AIDA%016d", w.serial)}
	who := &person{Principal: p}
	if len(actions) > 0 {
		text, _ := json.Marshal(map[string]any{"Version": "2012-10-17",
			"Statement": map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}})
		d, err := policy.Parse(text, policy.Identity)
		if err != nil {
			w.t.Fatal(err)
		}
		who.identity = d
	}
	w.people[p.ARN] = who
	return p
}

// allow gives a principal an identity policy of the given statements.
func (w *world) allow(p policy.Principal, statements ...members) {
	w.t.Helper()
	d, err := policy.Parse([]byte(policyText(statements...)), policy.Identity)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.people[p.ARN].identity = d
}

func (w *world) deleteUser(p policy.Principal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.people[p.ARN].deleted = true
}

func root(account string) policy.Principal {
	return policy.Principal{Type: policy.Root, AccountID: account, ARN: "arn:aws:iam::" + account + ":root",
		UniqueID: account}
}

func (w *world) newCall(p policy.Principal, operation string) *request.Call {
	return &request.Call{ID: "request", Time: w.clock(), Service: "kms", Operation: operation, Region: region,
		AccountID: p.AccountID, Caller: request.Caller{Principal: p}}
}

// members is a JSON object.
type members = map[string]any

// try serves one request in the usual Region.
func (w *world) try(p policy.Principal, operation string, in members) (members, error) {
	return w.tryIn(region, p, operation, in)
}

func (w *world) tryIn(region string, p policy.Principal, operation string, in members) (members, error) {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	c := w.newCall(p, operation)
	c.Region, c.Body = region, body
	out, err := w.kms.Serve(w.t.Context(), c)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, nil
	}
	var m members
	if err := json.Unmarshal(out, &m); err != nil {
		w.t.Fatalf("%s answered %q: %v", operation, out, err)
	}
	return m, nil
}

// do is try for what must succeed.
func (w *world) do(p policy.Principal, operation string, in members) members {
	w.t.Helper()
	return w.doIn(region, p, operation, in)
}

func (w *world) doIn(region string, p policy.Principal, operation string, in members) members {
	w.t.Helper()
	out, err := w.tryIn(region, p, operation, in)
	if err != nil {
		w.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

// fails checks that a request is refused with a code and a message that
// contains a text.
func (w *world) fails(p policy.Principal, operation string, in members, code, message string) {
	w.t.Helper()
	w.failsIn(region, p, operation, in, code, message)
}

func (w *world) failsIn(region string, p policy.Principal, operation string, in members, code, message string) {
	w.t.Helper()
	out, err := w.tryIn(region, p, operation, in)
	if err == nil {
		w.t.Fatalf("%s answered %v, want %s", operation, out, code)
	}
	checkError(w.t, err, code, message)
}

func checkError(t testing.TB, err error, code, message string) {
	t.Helper()
	var e *request.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
		t.Fatalf("error %v, want %s with %q", err, code, message)
	}
}

// key makes a key as root and returns its ARN.
func (w *world) key(in members) string {
	w.t.Helper()
	return w.do(root(here), "CreateKey", in)["KeyMetadata"].(members)["Arn"].(string)
}

func (w *world) describe(arn string) members {
	w.t.Helper()
	return w.do(root(here), "DescribeKey", members{"KeyId": arn})["KeyMetadata"].(members)
}

// records returns how many records the store has in a bucket.
func (w *world) records(b storage.Bucket) (n int) {
	w.t.Helper()
	if err := w.store.Range(b, func(_, _ []byte) error { n++; return nil }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func keyIDOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// statement is one statement of a key policy.
func statement(effect, principal string, actions ...string) members {
	return members{"Effect": effect, "Principal": members{"AWS": principal}, "Action": actions, "Resource": "*"}
}

func policyText(statements ...members) string {
	b, err := json.Marshal(members{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// rootStatement is the one that hands decisions to identity policies.
func rootStatement() members { return statement("Allow", root(here).ARN, "kms:*") }

func (w *world) encrypt(arn string) any {
	w.t.Helper()
	return w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("old")})["CiphertextBlob"]
}

func (w *world) opens(arn string, blobs ...any) {
	w.t.Helper()
	for _, b := range blobs {
		out := w.do(root(here), "Decrypt", members{"CiphertextBlob": b, "KeyId": arn})
		if string(decoded(w.t, out["Plaintext"])) != "old" {
			w.t.Errorf("Decrypt answered %v", out)
		}
	}
}
