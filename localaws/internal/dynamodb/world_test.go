// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

const (
	testAccount = "111122223333"
	testRegion  = "us-east-1"
)

type members = map[string]any

// world is a Service with a KMS, an identity room and a clock of the test's.
type world struct {
	t    testing.TB
	s    *Service
	keys *fakeKeys
	cfg  Config

	mu     sync.Mutex
	now    time.Time
	checks []request.Check               // what was asked since the last reset
	deny   func(action, who string) bool // nil: nothing
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, keys: newFakeKeys(), now: time.Unix(1_700_000_000, 0).UTC()}
	w.cfg = Config{Clock: w.clock, Authorizer: w, Keys: w.keys, Principals: w}
	for _, f := range change {
		f(&w.cfg)
	}
	w.restart()
	return w
}

func (w *world) restart() {
	w.t.Helper()
	s, err := New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s = s
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.checks) < 1000 {
		w.checks = append(w.checks, k)
	}
	if w.deny != nil && w.deny(k.Action, c.Caller.UserName) {
		return policy.Decision{Outcome: policy.ImplicitDeny, Cause: policy.LayerIdentity}
	}
	return policy.Decision{Allowed: true, Outcome: policy.Allowed}
}

// UniqueID knows every user of the test's account.
func (w *world) UniqueID(arn string) (string, bool) {
	name, ok := strings.CutPrefix(arn, "arn:aws:iam::"+testAccount+":user/")
	if arn == "arn:aws:iam::"+testAccount+":root" {
		return testAccount, true
	}
	return "AIDA" + name, ok && name != "missing"
}

func (w *world) ARN(id string) (string, bool) {
	name, ok := strings.CutPrefix(id, "AIDA")
	return "arn:aws:iam::" + testAccount + ":user/" + name, ok && name != "deleted"
}

func userCall(user, operation string, body []byte) *request.Call {
	return &request.Call{ID: "c0ffee00-0000-4000-8000-000000000001", Service: "dynamodb", Operation: operation,
		Region: testRegion, AccountID: testAccount,
		Body: body, Caller: request.Caller{UserName: user, AccessKeyID: "AKIA" + user,
			Principal: policy.Principal{Type: policy.User, AccountID: testAccount,
				ARN: "arn:aws:iam::" + testAccount + ":user/" + user, UniqueID: "AIDA" + user}}}
}

// try serves one call of a user; in is marshalled unless it is text.
func (w *world) try(user, operation string, in any) (members, error) {
	w.t.Helper()
	body, ok := in.(string)
	if !ok {
		b, err := json.Marshal(in)
		if err != nil {
			w.t.Fatal(err)
		}
		body = string(b)
	}
	var service request.Service = w.s
	if _, ok := w.s.Streams().Describe(operation); ok {
		service = w.s.Streams()
	}
	out, err := service.Serve(context.Background(), userCall(user, operation, []byte(body)))
	if err != nil {
		return nil, err
	}
	var m members
	if len(out) > 0 {
		if err := json.Unmarshal(out, &m); err != nil {
			w.t.Fatalf("%s answered %s: %v", operation, out, err)
		}
	}
	return m, nil
}

// do is try as the user "admin", which must succeed.
func (w *world) do(operation string, in any) members {
	w.t.Helper()
	m, err := w.try("admin", operation, in)
	if err != nil {
		w.t.Fatalf("%s: %v", operation, err)
	}
	return m
}

// fails is try as "admin", which must fail with this code and message; an
// empty message is not compared, a trailing … compares the beginning.
func (w *world) fails(operation string, in any, code, message string) *request.Error {
	w.t.Helper()
	_, err := w.try("admin", operation, in)
	return checkError(w.t, operation, err, code, message)
}

func checkError(t testing.TB, what string, err error, code, message string) *request.Error {
	t.Helper()
	var e *request.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: %v, want %s", what, err, code)
	}
	begin, open := strings.CutSuffix(message, "…")
	if e.Code != code || message != "" && e.Message != message && !(open && strings.HasPrefix(e.Message, begin)) {
		t.Fatalf("%s:\n got %s: %s\nwant %s: %s", what, e.Code, e.Message, code, message)
	}
	return e
}

func str(v string) members { return members{"S": v} }
func num(v any) members    { return members{"N": fmt.Sprint(v)} }

// table makes a table with partition key pk (S) and, with a sort type, sort
// key sk, changed by the given members.
func (w *world) table(name, sort string, more members) {
	w.t.Helper()
	in := members{"TableName": name, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}},
		"KeySchema":            []members{{"AttributeName": "pk", "KeyType": "HASH"}}}
	if sort != "" {
		in["AttributeDefinitions"] = append(in["AttributeDefinitions"].([]members),
			members{"AttributeName": "sk", "AttributeType": sort})
		in["KeySchema"] = append(in["KeySchema"].([]members), members{"AttributeName": "sk", "KeyType": "RANGE"})
	}
	if extra, ok := more["AttributeDefinitions"]; ok {
		in["AttributeDefinitions"] = append(in["AttributeDefinitions"].([]members), extra.([]members)...)
		more = maps.Clone(more)
		delete(more, "AttributeDefinitions")
	}
	maps.Copy(in, more)
	w.do("CreateTable", in)
}

func customKey(arn string) members {
	return members{"SSESpecification": members{"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": arn}}
}

// fakeKeys is a KMS without policies: it refuses the users it was told to and
// keys in another state than Enabled.
type fakeKeys struct {
	mu      sync.Mutex
	states  map[string]string // by ARN
	secrets map[string]fakeSecret
	grants  map[string]atrest.TableGrant
	denied  map[string]bool // by user name
	made    int             // grants
	calls   []string        // operation, caller, ARN
	fail    error           // answers everything when set
}

// onlySymmetric is KMS's refusal of the grant of a table for an HMAC key.
const onlySymmetric = "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."

type fakeSecret struct {
	key     []byte
	arn     string
	context map[string]string
}

func newFakeKeys() *fakeKeys {
	return &fakeKeys{states: map[string]string{}, secrets: map[string]fakeSecret{},
		grants: map[string]atrest.TableGrant{}, denied: map[string]bool{}}
}

func (k *fakeKeys) newKey(id string) string {
	arn := "arn:aws:kms:" + testRegion + ":" + testAccount + ":key/" + id
	k.mu.Lock()
	defer k.mu.Unlock()
	k.states[arn] = "Enabled"
	return arn
}

func (k *fakeKeys) set(arn, state string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if state == "" {
		delete(k.states, arn)
		return
	}
	k.states[arn] = state
}

func (k *fakeKeys) use(operation string, c *request.Call, arn string) error {
	if len(k.calls) < 1000 {
		k.calls = append(k.calls, operation+" "+c.Caller.Principal.ARN+" via "+c.ViaService+" "+arn)
	}
	if k.fail != nil {
		return k.fail
	}
	if k.denied[c.Caller.UserName] && c.Caller.UserName != "" {
		return request.Errorf("AccessDeniedException", "User: %s is not authorized to perform: kms:%s",
			c.Caller.Principal.ARN, operation)
	}
	switch k.states[arn] {
	case "Enabled":
		return nil
	case "Disabled":
		return request.Errorf("DisabledException", "%s is disabled.", arn)
	case "":
		return request.Errorf("NotFoundException", "Key '%s' does not exist", arn)
	}
	return request.Errorf("KMSInvalidStateException", "%s is pending deletion.", arn)
}

func (k *fakeKeys) Decrypt(_ context.Context, c *request.Call, arn string, blob []byte,
	bound map[string]string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.use("Decrypt", c, arn); err != nil {
		return nil, err
	}
	s, ok := k.secrets[string(blob)]
	if !ok || s.arn != arn || !maps.Equal(s.context, bound) {
		return nil, request.Errorf("InvalidCiphertextException", "")
	}
	return append([]byte(nil), s.key...), nil
}

func (k *fakeKeys) GenerateDataKey(_ context.Context, c *request.Call, arn string,
	bound map[string]string) ([]byte, []byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.use("GenerateDataKey", c, arn); err != nil {
		return nil, nil, err
	}
	key, blob := make([]byte, 32), make([]byte, 40)
	rand.Read(key)
	rand.Read(blob)
	k.secrets[string(blob)] = fakeSecret{append([]byte(nil), key...), arn, maps.Clone(bound)}
	return key, blob, nil
}

func (k *fakeKeys) DescribeKey(_ context.Context, c *request.Call, id string) (atrest.KeyInfo, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.states[id] == "" {
		return atrest.KeyInfo{}, request.Errorf("NotFoundException", "Key '%s' does not exist", id)
	}
	return atrest.KeyInfo{ARN: id, AWSManaged: strings.HasSuffix(id, "managed")}, nil
}

func (k *fakeKeys) CreateGrant(_ context.Context, c *request.Call, arn string, g atrest.TableGrant) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.use("CreateGrant", c, arn); err != nil {
		return "", err
	}
	if strings.HasSuffix(arn, "hmac") {
		return "", request.Errorf("ValidationException", "%s", onlySymmetric)
	}
	k.made++
	id := fmt.Sprintf("grant-%d", k.made)
	k.grants[id] = g
	return id, nil
}

func (k *fakeKeys) RetireGrant(_ context.Context, c *request.Call, arn, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.use("RetireGrant", c, arn); err != nil {
		return err
	}
	delete(k.grants, id)
	return nil
}

func (k *fakeKeys) RetireAbandoned(func(keyARN, grantID string) bool) error { return nil }

func (k *fakeKeys) EnsureAWSManagedKey(context.Context, *request.Call) (string, error) {
	return k.newKey("aws-managed"), nil
}
