// Package interop_test lets the official libraries read what envelope writes
// and the reverse. It runs where interop/run has built their programs and is
// skipped elsewhere.
package interop_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/itemconfig"
	"github.com/ddbseal/ddbseal/interop/peer"
)

func equalNumbers(a, b string) bool {
	return peer.Equal(&types.AttributeValueMemberN{Value: a}, &types.AttributeValueMemberN{Value: b})
}

// start skips when the program is not built, except when interop/run names it
// among those that must be (DDBSEAL_INTEROP_REQUIRED).
func start(t *testing.T, name string, env ...string) *peer.Peer {
	t.Helper()
	starter := map[string]func(...string) (*peer.Peer, error){"java": peer.StartJava, "rust": peer.StartRust}[name]
	p, err := starter(env...)
	required := slices.Contains(strings.Fields(os.Getenv("DDBSEAL_INTEROP_REQUIRED")), name)
	if errors.Is(err, peer.ErrNotBuilt) && !required {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return p
}

// eachPeer runs the test against each official library.
func eachPeer(t *testing.T, test func(*testing.T, *peer.Peer)) {
	for _, name := range []string{"java", "rust"} {
		t.Run(name, func(t *testing.T) { test(t, start(t, name)) })
	}
}

func encryptor(t *rapid.T, c *itemconfig.Config) *envelope.ItemEncryptor {
	t.Helper()
	e, err := c.Encryptor(t.Context(), itemconfig.Providers{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheyOpenOurs(t *testing.T) {
	eachPeer(t, func(t *testing.T, they *peer.Peer) {
		rapid.Check(t, func(t *rapid.T) {
			c, item := drawCase(t)
			sealed, err := encryptor(t, c).EncryptItem(t.Context(), item)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := they.Decrypt(c, sealed)
			if err != nil {
				t.Fatal(err)
			}
			if !peer.EqualItems(item, opened) {
				t.Fatal("they decrypted another item than was encrypted here")
			}
		})
	})
}

func TestWeOpenTheirs(t *testing.T) {
	eachPeer(t, func(t *testing.T, they *peer.Peer) {
		rapid.Check(t, func(t *rapid.T) {
			c, item := drawCase(t)
			sealed, err := they.Encrypt(c, item)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := encryptor(t, c).DecryptItem(t.Context(), sealed)
			if err != nil {
				t.Fatal(err)
			}
			if !peer.EqualItems(item, opened) {
				t.Fatal("decrypted another item here than they encrypted")
			}
		})
	})
}

// TestBothRefuseTampering changes one bit of a signed attribute, the header or
// the footer. A recipient's tag that is not the reader's own is covered by
// nothing, so items here have one recipient.
func TestBothRefuseTampering(t *testing.T) {
	eachPeer(t, func(t *testing.T, they *peer.Peer) {
		rapid.Check(t, func(t *rapid.T) {
			c, item := drawCase(t)
			if c.Keyring.Type == "multi" {
				c.Keyring = *c.Keyring.Generator
			}
			sealed, err := encryptor(t, c).EncryptItem(t.Context(), item)
			if err != nil {
				t.Fatal(err)
			}
			var binaries []string
			for _, name := range slices.Sorted(maps.Keys(sealed)) {
				v, isBinary := sealed[name].(*types.AttributeValueMemberB)
				if isBinary && len(v.Value) > 0 && c.AttributeActions[name] != envelope.DoNothing {
					binaries = append(binaries, name)
				}
			}
			name := rapid.SampledFrom(binaries).Draw(t, "attribute")
			value := slices.Clone(sealed[name].(*types.AttributeValueMemberB).Value)
			value[rapid.IntRange(0, len(value)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			broken := maps.Clone(sealed)
			broken[name] = &types.AttributeValueMemberB{Value: value}
			if _, err := encryptor(t, c).DecryptItem(t.Context(), broken); err == nil {
				t.Fatalf("a flip in %q went unnoticed here", name)
			}
			var refusal *peer.Refusal
			if _, err := they.Decrypt(c, broken); !errors.As(err, &refusal) {
				t.Fatalf("a flip in %q went unnoticed there: %v", name, err)
			}
		})
	})
}
