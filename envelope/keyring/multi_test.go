package keyring_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
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
