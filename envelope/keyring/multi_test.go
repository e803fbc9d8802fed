// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestMultiAnyMemberOpens(t *testing.T) {
	a, b := rawAES(t, "a", 32), rawRSA(t, keyring.RSAPaddingOAEPSHA384)
	c, _ := hierarchical(t, branchKey("tenant", versionOne, 1))
	multi, err := keyring.NewMulti(a, b, c)
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, multi, testContext)
	if len(edks) != 3 || edks[0].ProviderID != "tests" || string(edks[1].ProviderInfo) != "pair" ||
		edks[2].ProviderID != "aws-kms-hierarchy" {
		t.Fatalf("recipients not in the order of the members: %v", edks)
	}
	for _, k := range []materials.Keyring{a, b, c, multi} {
		mustOpen(t, k, testContext, key, edks)
	}
	readers, err := keyring.NewMulti(nil, rawAES(t, "x", 32), c)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, readers, testContext, key, edks)
	if err := readers.OnEncrypt(t.Context(), encryption(t, testContext)); !errors.Is(err, materials.ErrConfiguration) {
		t.Fatalf("encrypted without a generator: %v", err)
	}
}

func TestMultiNests(t *testing.T) {
	inner, err := keyring.NewMulti(rawAES(t, "a", 32), rawAES(t, "b", 32))
	if err != nil {
		t.Fatal(err)
	}
	outer, err := keyring.NewMulti(inner, rawAES(t, "c", 32))
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, outer, testContext)
	if len(edks) != 3 {
		t.Fatalf("%d recipients", len(edks))
	}
	mustOpen(t, inner, testContext, key, edks[1:2])
}

type failing struct{ err error }

func (f failing) OnEncrypt(context.Context, *materials.Encryption) error { return f.err }
func (f failing) OnDecrypt(context.Context, *materials.Decryption, []materials.EncryptedDataKey) error {
	return f.err
}

func TestMultiErrors(t *testing.T) {
	denied := &materials.KeyError{Provider: "aws-kms", KeyID: "arn", Code: "AccessDeniedException",
		Missing: "kms:Decrypt"}
	good, other := rawAES(t, "a", 32), rawAES(t, "a", 32) // same name, other key
	multi, err := keyring.NewMulti(other, failing{denied}, rawAES(t, "b", 32))
	if err != nil {
		t.Fatal(err)
	}
	_, edks := seal(t, good, testContext)
	got := mustFail(t, multi, testContext, edks, materials.ErrKeyDenied)
	var e *materials.KeyError
	if !errors.As(got, &e) || e.KeyID != "a" {
		t.Fatalf("the generator's error is missing: %v", got)
	}
	if err := multi.OnEncrypt(t.Context(), encryption(t, testContext)); !errors.Is(err, materials.ErrKeyDenied) {
		t.Fatalf("a failing child was ignored: %v", err)
	}
	silent, err := keyring.NewMulti(failing{nil}, good)
	if err != nil {
		t.Fatal(err)
	}
	if err := silent.OnEncrypt(t.Context(), encryption(t, testContext)); !errors.Is(err, materials.ErrMaterials) {
		t.Fatalf("a generator that adds nothing: %v", err)
	}
}

// That a member owns no key of the item is not an error to join: it is said once, and
// not at all beside a real one.
func TestMultiOwnsNone(t *testing.T) {
	_, edks := seal(t, rawAES(t, "foreign", 32), testContext)
	const none = "belongs to this keyring"
	multi, err := keyring.NewMulti(rawAES(t, "a", 32), rawAES(t, "b", 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := mustFail(t, multi, testContext, edks, materials.ErrMaterials); strings.Count(err.Error(), none) != 1 {
		t.Errorf("%v", err)
	}
	denied := &materials.KeyError{Provider: "aws-kms", KeyID: "arn", Code: "AccessDeniedException"}
	if multi, err = keyring.NewMulti(rawAES(t, "a", 32), failing{denied}); err != nil {
		t.Fatal(err)
	}
	if err := mustFail(t, multi, testContext, edks, materials.ErrMaterials); strings.Contains(err.Error(), none) {
		t.Errorf("%v", err)
	}
}

// Two slow keyrings are asked side by side: each waits for the other.
func TestMultiPreparesInParallel(t *testing.T) {
	meet := make(chan struct{})
	multi, err := keyring.NewMulti(meetingKeyring(t, meet, true), meetingKeyring(t, meet, false))
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, multi, testContext)
	plain, _ := hierarchical(t, branchKey("tenant", versionOne, 1))
	mustOpen(t, plain, testContext, key, edks)
}

func meetingKeyring(t *testing.T, meet chan struct{}, send bool) materials.Keyring {
	source, err := keyring.NewMemorySource(branchKey("tenant", versionOne, 1))
	if err != nil {
		t.Fatal(err)
	}
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: &meetingSource{source, meet, send},
		BranchKeyID: "tenant"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type meetingSource struct {
	*keyring.MemorySource
	meet chan struct{}
	send bool
}

func (s *meetingSource) Active(ctx context.Context, id string) (*materials.BranchKey, error) {
	if s.send {
		select {
		case s.meet <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	} else {
		select {
		case <-s.meet:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.MemorySource.Active(ctx, id)
}

// A member that panics while it works ahead does so in the caller.
func TestMultiPanicsInItsCaller(t *testing.T) {
	own := errors.New("supplier is broken")
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{
		Source:   &keyring.MemorySource{},
		Supplier: func(context.Context, map[string]types.AttributeValue) (string, error) { panic(own) },
	})
	if err != nil {
		t.Fatal(err)
	}
	multi, err := keyring.NewMulti(rawAES(t, "a", 32), k)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, own) {
			t.Errorf("recovered %v", err)
		}
	}()
	t.Errorf("no panic, but %v", multi.OnEncrypt(t.Context(), encryption(t, testContext)))
}

// preparer is a keyring whose intermediate keys the test keeps.
type preparer struct {
	failing
	key     []byte
	started chan struct{} // closed by Prepare
	wait    chan struct{} // Prepare waits for it, if it is not nil
}

func newPreparer(err error) *preparer {
	return &preparer{failing: failing{err}, key: bytes.Repeat([]byte{0xA7}, 32), started: make(chan struct{})}
}

func (p *preparer) Prepare(ctx context.Context, _ *materials.Encryption) (materials.Recipient, error) {
	close(p.started)
	if p.wait != nil {
		<-p.wait
		<-ctx.Done() // the failure cancels what goes on
	}
	return materials.Recipient{ProviderID: "p", IntermediateKey: p.key, WrappedIntermediateKey: []byte("w")}, p.err
}

// Intermediate keys of all members are wiped, those too that were prepared for
// an item that another member then refused.
func TestMultiWipesWhatItPrepared(t *testing.T) {
	own := errors.New("no key today")
	for name, c := range map[string]struct {
		first  error
		max    int
		middle materials.Keyring
		want   error
	}{
		"all added":                {nil, 0, rawAES(t, "a", 32), nil},
		"the first failed":         {own, 0, rawAES(t, "a", 32), own},
		"a member failed":          {nil, 0, failing{own}, own},
		"more than the limit":      {nil, 1, rawAES(t, "a", 32), materials.ErrMaterials},
		"the generator is refused": {materials.ErrConfiguration, 0, failing{nil}, materials.ErrConfiguration},
	} {
		first, late, last := newPreparer(c.first), newPreparer(nil), newPreparer(own)
		late.wait = first.started
		if c.want == nil {
			late, last = newPreparer(nil), newPreparer(nil)
		}
		multi, err := keyring.NewMulti(first, c.middle, late, last)
		if err != nil {
			t.Fatal(err)
		}
		m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, testContext, nil, nil, c.max)
		if err != nil {
			t.Fatal(err)
		}
		if err := multi.OnEncrypt(t.Context(), m); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		for i, p := range []*preparer{first, late, last} {
			if !bytes.Equal(p.key, make([]byte, 32)) {
				t.Errorf("%s: the key of preparer %d is left: %x", name, i, p.key)
			}
		}
	}
}

// A single member that could work ahead is asked in turn: a goroutine would gain
// nothing.
func TestMultiDoesNotPrepareForOne(t *testing.T) {
	order := make(chan string, 2)
	p := newPreparer(nil)
	multi, err := keyring.NewMulti(noting{rawAES(t, "a", 32), order}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := multi.OnEncrypt(t.Context(), encryption(t, testContext)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.started:
		t.Error("the only member that can work ahead did")
	default:
	}
	if len(order) != 1 {
		t.Errorf("%d members were asked", len(order))
	}
}

// noting is a keyring that cannot work ahead and notes its calls.
type noting struct {
	materials.Keyring
	order chan string
}

func (n noting) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	n.order <- "noting"
	return n.Keyring.OnEncrypt(ctx, m)
}

// The other members wipe their keys although one panics.
func TestMultiWipesWhenAMemberPanics(t *testing.T) {
	p := newPreparer(nil)
	broken, err := keyring.NewHierarchical(keyring.HierarchicalConfig{
		Source:   &keyring.MemorySource{},
		Supplier: func(context.Context, map[string]types.AttributeValue) (string, error) { panic("broken") },
	})
	if err != nil {
		t.Fatal(err)
	}
	multi, err := keyring.NewMulti(broken, p)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
		if !bytes.Equal(p.key, make([]byte, 32)) {
			t.Errorf("%x is left", p.key)
		}
	}()
	_ = multi.OnEncrypt(t.Context(), encryption(t, testContext))
}

// A multi-keyring without a generator adds its recipients to materials that have
// a data key: as a child of another one.
func TestMultiWithoutGeneratorAsChild(t *testing.T) {
	inner, err := keyring.NewMulti(nil, rawAES(t, "a", 32), rawAES(t, "b", 32))
	if err != nil {
		t.Fatal(err)
	}
	outer, err := keyring.NewMulti(rawAES(t, "c", 32), inner)
	if err != nil {
		t.Fatal(err)
	}
	key, edks := seal(t, outer, testContext)
	if len(edks) != 3 {
		t.Fatalf("%d recipients", len(edks))
	}
	mustOpen(t, inner, testContext, key, edks)
}

// counting is a keyring that counts what reaches it, and may cancel.
type counting struct {
	failing
	asked  int
	cancel context.CancelFunc
}

func (c *counting) OnDecrypt(context.Context, *materials.Decryption, []materials.EncryptedDataKey) error {
	c.asked++
	if c.cancel != nil {
		c.cancel()
	}
	return c.err
}

// Reading asks no further than it must: not when there is a data key, not after
// one opened, not when the caller has given up.
func TestMultiAsksNoFurther(t *testing.T) {
	own := errors.New("no key today")
	good := rawAES(t, "a", 32)
	key, edks := seal(t, good, testContext)
	last := &counting{}
	multi := func(members ...materials.Keyring) *keyring.Multi {
		m, err := keyring.NewMulti(nil, append(members, last)...)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := decryption(t, testContext)
	if err := m.SetDataKey(key, key); err != nil {
		t.Fatal(err)
	}
	if err := multi().OnDecrypt(t.Context(), m, edks); err != nil || last.asked != 0 {
		t.Errorf("with a data key: asked %d times, %v", last.asked, err)
	}
	mustOpen(t, multi(failing{own}, good), testContext, key, edks)
	if last.asked != 0 {
		t.Errorf("after a key opened: asked %d times", last.asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := &counting{failing: failing{own}, cancel: cancel}
	err := multi(first).OnDecrypt(ctx, decryption(t, testContext), edks)
	if !errors.Is(err, own) || !errors.Is(err, materials.ErrMaterials) || first.asked != 1 || last.asked != 0 {
		t.Errorf("after the caller gave up: asked %d times, %v", last.asked, err)
	}
	// Members that say nothing, or that none of the keys is theirs, leave one
	// answer: none.
	err = mustFail(t, multi(failing{nil}, rawAES(t, "b", 32)), testContext, edks, materials.ErrMaterials)
	var none *recipient.NoneError
	if !errors.As(err, &none) || last.asked != 1 {
		t.Errorf("asked %d times, %v", last.asked, err)
	}
}

// slow is a preparer that goes on for a while after the caller has given up.
type slow struct{ *preparer }

func (s slow) Prepare(ctx context.Context, m *materials.Encryption) (materials.Recipient, error) {
	<-ctx.Done()
	time.Sleep(time.Hour)
	return s.preparer.Prepare(ctx, m)
}

func TestMultiWaitsToWipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := errors.New("no key today")
		late := slow{newPreparer(nil)}
		multi, err := keyring.NewMulti(newPreparer(own), late)
		if err != nil {
			t.Fatal(err)
		}
		if err := multi.OnEncrypt(t.Context(), encryption(t, testContext)); !errors.Is(err, own) {
			t.Errorf("got %v", err)
		}
		if !bytes.Equal(late.key, make([]byte, 32)) {
			t.Errorf("%x is left", late.key)
		}
		synctest.Wait()
	})
}

// unsigned is a keyring that does not write signed items.
type unsigned struct{ materials.Keyring }

func (unsigned) CheckSuite(s materials.AlgorithmSuite) error {
	if s.Signed() {
		return materials.ErrConfiguration
	}
	return nil
}

// A multi-keyring writes the suites that every member writes.
func TestMultiChecksSuites(t *testing.T) {
	one, two := rawAES(t, "one", 32), unsigned{rawAES(t, "two", 32)}
	for name, members := range map[string][]materials.Keyring{
		"all": {one, one}, "generator": {two, one}, "child": {one, one, two}, "no generator": {nil, one, two},
	} {
		multi, err := keyring.NewMulti(members[0], members[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		for _, suite := range []materials.AlgorithmSuite{materials.SuiteSymmetricSignature,
			materials.SuiteDigitalSignature} {
			err := multi.CheckSuite(suite)
			if fails := suite.Signed() && name != "all"; errors.Is(err, materials.ErrConfiguration) != fails {
				t.Errorf("%s, %v: %v", name, suite, err)
			}
		}
	}
}
