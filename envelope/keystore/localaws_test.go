// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// meter counts the calls of kms:Decrypt and how many run at once.
type meter struct {
	*kms.Client
	running, most, calls atomic.Int32
}

func (m *meter) Decrypt(ctx context.Context, in *kms.DecryptInput,
	o ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	m.calls.Add(1)
	n := m.running.Add(1)
	defer m.running.Add(-1)
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
	return m.Client.Decrypt(ctx, in, o...)
}

// embedded is a key store in the embedded AWS, used by an IAM user.
type embedded struct {
	*localawstest.Server
	t   *testing.T
	kms *meter
}

// keyPolicy lets root administer the key and the user do these actions.
func keyPolicy(user string, actions ...string) any {
	statements := []map[string]any{{"Effect": "Allow",
		"Principal": map[string]string{"AWS": "arn:aws:iam::{{account}}:root"}, "Action": "kms:*", "Resource": "*"}}
	if len(actions) > 0 {
		statements = append(statements,
			map[string]any{"Effect": "Allow",
				"Principal": map[string]string{"AWS": "arn:aws:iam::{{account}}:user/" + user}, "Action": actions,
				"Resource": "*"})
	}
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

var (
	writerActions = []string{"kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
		"kms:ReEncryptTo"}
	tableActions = map[string]any{"tables": map[string]any{"Version": "2012-10-17",
		"Statement": map[string]any{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}}
)

func newEmbedded(t *testing.T) *embedded {
	return &embedded{t: t, Server: localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Users: []localawstest.User{{Name: "app", Policies: tableActions}},
		Keys:  []localawstest.Key{{Name: "branch", Policy: keyPolicy("app", writerActions...)}},
	}))}
}

// store makes the key store of a new process, with clients of its own.
func (e *embedded) store() *keystore.KeyStore {
	e.t.Helper()
	cfg := e.User("app")
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	e.kms = &meter{Client: kms.NewFromConfig(cfg)}
	s, err := keystore.New(keystore.Config{
		LogicalName: "branch-keys", KMS: keystore.KMSKey(e.Key("branch")), KMSClient: e.kms,
		DynamoDB: dynamodb.NewFromConfig(cfg), TableName: "branch-keys-table",
	})
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := s.CreateTable(e.t.Context()); err != nil {
		e.t.Fatal(err)
	}
	return s
}

func (e *embedded) create(s *keystore.KeyStore, id string) {
	e.t.Helper()
	if _, err := s.CreateKey(e.t.Context(),
		keystore.CreateKeyInput{BranchKeyID: id, EncryptionContext: map[string]string{"tenant": id}}); err != nil {
		e.t.Fatal(err)
	}
}

// Create, use, rotate: old items open, new items use the new version, and the
// audit log has the calls with their context.
func TestEmbeddedLifecycle(t *testing.T) {
	e := newEmbedded(t)
	s := e.store()
	e.create(s, "acme")
	if _, err := s.CreateKey(t.Context(),
		keystore.CreateKeyInput{BranchKeyID: "acme",
			EncryptionContext: map[string]string{"tenant": "acme"}}); !errors.Is(err, keystore.ErrExists) {
		t.Fatalf("created twice: %v", err)
	}
	c := localawstest.NewClock(testTime)
	items := encryptor(t, view(t, s, c))
	old, err := items.EncryptItem(t.Context(), order("acme", 1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.VersionKey(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	renewed, err := items.EncryptItem(t.Context(), order("acme", 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []envelope.Item{old, renewed} {
		if _, err := encryptor(t, view(t, e.store(), c)).DecryptItem(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	versions, err := s.Versions(t.Context(), "acme")
	if err != nil || len(versions) != 2 {
		t.Fatal(versions, err)
	}
	if first := branchKeyVersion(t, old); first == second || first != versions[0].Version {
		t.Fatalf("the old item is under %s", first)
	}
	if got := branchKeyVersion(t, renewed); got != second {
		t.Fatalf("the new item is under %s, not %s", got, second)
	}
	// two in each CreateKey, the refused one too, one to rotate
	if n := len(e.Events("GenerateDataKeyWithoutPlaintext")); n != 5 {
		t.Errorf("%d events of GenerateDataKeyWithoutPlaintext", n)
	}
	if err := s.Shred(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if _, err := encryptor(t, view(t, s, c)).DecryptItem(t.Context(), old); !errors.Is(err, keystore.ErrNotFound) {
		t.Fatalf("shredded: %v", err)
	}
}

// branchKeyVersion reads the version that an item names: behind the wrapped
// data key, salt and iv.
func branchKeyVersion(t *testing.T, i envelope.Item) string {
	t.Helper()
	m, err := envelope.Inspect(i)
	if err != nil {
		t.Fatal(err)
	}
	b := m.EncryptedDataKeys[0].Ciphertext[48+16+12:][:16]
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// The key policy is withdrawn: new processes are denied at once, running ones
// stop when their cache's lifetime ends; given back, both go on.
func TestEmbeddedPolicyWithdrawn(t *testing.T) {
	e := newEmbedded(t)
	s := e.store()
	e.create(s, "acme")
	c := localawstest.NewClock(testTime)
	running := encryptor(t, view(t, s, c))
	sealed, err := running.EncryptItem(t.Context(), order("acme", 1))
	if err != nil {
		t.Fatal(err)
	}
	e.SetKeyPolicy("branch", keyPolicy("app"))
	_, err = encryptor(t, view(t, e.store(), c)).DecryptItem(t.Context(), sealed)
	var k *materials.KeyError
	if !errors.Is(err, envelope.ErrKeyDenied) || !errors.As(err, &k) || k.KeyID != "acme" ||
		k.Missing != "kms:Decrypt" {
		t.Fatalf("a new process: %v", err)
	}
	c.Advance(59 * time.Second)
	if _, err := running.DecryptItem(t.Context(), sealed); err != nil {
		t.Fatalf("a running process within its lifetime: %v", err)
	}
	c.Advance(time.Second)
	if _, err := running.DecryptItem(t.Context(), sealed); !errors.Is(err, envelope.ErrKeyDenied) {
		t.Fatalf("a running process after its lifetime: %v", err)
	}
	for operation, f := range map[string]func() error{
		"create": func() error { _, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{}); return err },
		"rotate": func() error { _, err := s.VersionKey(t.Context(), "acme"); return err },
	} {
		if err := f(); !errors.Is(err, materials.ErrKeyDenied) {
			t.Errorf("%s: %v", operation, err)
		}
	}
	e.SetKeyPolicy("branch", keyPolicy("app", writerActions...))
	if _, err := running.DecryptItem(t.Context(), sealed); err != nil {
		t.Fatalf("given back: %v", err)
	}
}

func TestEmbeddedKeyDisabledAndDeleted(t *testing.T) {
	e := newEmbedded(t)
	s := e.store()
	e.create(s, "acme")
	admin := kms.NewFromConfig(e.Root())
	arn := aws.String(e.Key("branch"))
	if _, err := admin.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: arn}); err != nil {
		t.Fatal(err)
	}
	code := func(want string) {
		t.Helper()
		_, err := s.Active(t.Context(), "acme")
		var k *materials.KeyError
		if !errors.Is(err, keystore.ErrKMSKeyUnusable) || !errors.As(err, &k) || k.Code != want || k.KeyID != "acme" {
			t.Fatalf("%v", err)
		}
	}
	code("DisabledException")
	if _, err := admin.ScheduleKeyDeletion(t.Context(),
		&kms.ScheduleKeyDeletionInput{KeyId: arn, PendingWindowInDays: aws.Int32(7)}); err != nil {
		t.Fatal(err)
	}
	code("KMSInvalidStateException")
	e.Clock.Advance(8 * 24 * time.Hour)
	code("NotFoundException")
}

// KMS throttles: of many callers one asks at a time, and all get the key once
// it answers.
func TestEmbeddedThrottling(t *testing.T) {
	e := newEmbedded(t)
	s := e.store()
	e.create(s, "acme")
	c := localawstest.NewClock(testTime)
	v := view(t, s, c)
	const refusals = 3
	if err := e.SetFaults(localaws.Faults{Rules: []localaws.Fault{
		{Kind: localaws.FaultLatency, Service: "kms", Operation: "Decrypt", Latency: 20 * time.Millisecond},
		{Kind: localaws.FaultThrottle, Service: "kms", Operation: "Decrypt", Count: refusals},
	}}); err != nil {
		t.Fatal(err)
	}
	var failed atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for {
				key, err := v.Active(t.Context(), "acme")
				if err == nil {
					key.Wipe()
					return
				}
				failed.Add(1)
				if !errors.Is(err, keystore.ErrUnavailable) || errors.Is(err, materials.ErrKeyDenied) {
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if e.kms.most.Load() != 1 || e.kms.calls.Load() != refusals+1 || failed.Load() == 0 {
		t.Fatalf("%d calls at once, %d in all, %d failures", e.kms.most.Load(), e.kms.calls.Load(), failed.Load())
	}
}

// The table's answers come late or not at all; two rotators meet for real.
func TestEmbeddedTableFaults(t *testing.T) {
	e := newEmbedded(t)
	s := e.store()
	e.create(s, "acme")
	for _, f := range []localaws.Fault{
		{Kind: localaws.FaultThrottle, Service: "dynamodb", Operation: "GetItem"},
		{Kind: localaws.FaultInternal, Service: "dynamodb", Operation: "GetItem"},
		{Kind: localaws.FaultUnavailable, Service: "kms", Operation: "Decrypt"},
	} {
		if err := e.SetFaults(localaws.Faults{Rules: []localaws.Fault{f}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Active(t.Context(), "acme"); !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("%v: %v", f.Kind, err)
		}
	}
	if err := e.SetFaults(localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultTransactionConflict,
		Service: "dynamodb", Count: 1}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VersionKey(t.Context(), "acme"); !errors.Is(err, keystore.ErrConflict) {
		t.Errorf("conflict: %v", err)
	}
	if err := e.SetFaults(localaws.Faults{}); err != nil {
		t.Fatal(err)
	}
	const rotators = 8
	errs := make([]error, rotators)
	var wg sync.WaitGroup
	for i := range rotators {
		wg.Go(func() { _, errs[i] = s.VersionKey(t.Context(), "acme") })
	}
	wg.Wait()
	var won int
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, keystore.ErrConflict) {
			t.Error(err)
		}
	}
	versions, err := s.Versions(t.Context(), "acme")
	if err != nil || won == 0 || len(versions) != won+1 {
		t.Fatalf("%d won, %d versions, %v", won, len(versions), err)
	}
}
