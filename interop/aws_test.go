// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/internal/peer"
)

// exchange has each side open what the other writes under the keyring, in both
// suites and header versions, and refuse it when it was changed. Under a multi
// keyring each member alone opens it, too, and so do the other keyrings.
func (c *cloud) exchange(t *testing.T, k itemconfig.Keyring, others ...itemconfig.Keyring) {
	t.Helper()
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteDigitalSignature, envelope.SuiteSymmetricSignature} {
		for _, keyAction := range []envelope.Action{envelope.SignOnly, envelope.SignAndIncludeInEncryptionContext} {
			config := &itemconfig.Config{Table: "t", PartitionKey: "pk", AlgorithmSuite: suite.String(), Keyring: k,
				AttributeActions: map[string]envelope.Action{"pk": keyAction, "secret": envelope.EncryptAndSign,
					"signed": keyAction}}
			item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"},
				"secret": &types.AttributeValueMemberN{Value: "12.5"},
				"signed": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}}
			ours, theirs := c.seal(t, config, item), c.theySeal(t, config, item)
			readers := append([]itemconfig.Keyring{k}, others...)
			if k.Type == "multi" {
				readers = append(append(readers, *k.Generator), k.Children...)
			}
			for _, r := range readers {
				read := *config
				read.Keyring = r
				c.theyMustOpen(t, &read, ours, item)
				c.mustOpen(t, &read, theirs, item)
				for _, sealed := range []envelope.Item{ours, theirs} {
					c.refuseChanges(t, &read, sealed, k.Type == "multi")
				}
			}
		}
	}
}

// refuseChanges flips a bit at the start, in the middle and at the end of the
// header, of a sealed value and of the footer, and replaces a signed value.
// One of many recipients has its own tag in the footer and no eye for others'.
func (c *cloud) refuseChanges(t *testing.T, config *itemconfig.Config, sealed envelope.Item, manyRecipients bool) {
	t.Helper()
	for _, name := range []string{envelope.HeaderAttribute, "secret", envelope.FooterAttribute} {
		if manyRecipients && name == envelope.FooterAttribute {
			continue
		}
		value := sealed[name].(*types.AttributeValueMemberB).Value
		for _, at := range []int{0, len(value) / 2, len(value) - 1} {
			flipped := bytes.Clone(value)
			flipped[at] ^= 1
			broken := maps.Clone(sealed)
			broken[name] = &types.AttributeValueMemberB{Value: flipped}
			c.bothMustRefuse(t, config, broken,
				fmt.Sprintf("%s: a flip in %q at %d of %d", config.Keyring.Type, name, at, len(value)))
		}
	}
	broken := maps.Clone(sealed)
	broken["signed"] = &types.AttributeValueMemberSS{Value: []string{"b", "c"}}
	c.bothMustRefuse(t, config, broken, config.Keyring.Type+": a signed value replaced")
}

func TestKMSKeyring(t *testing.T) {
	eachPeer(t, kmsKeyring, func(t *testing.T, c *cloud) {
		single := itemconfig.Keyring{Type: "aws-kms", KeyID: c.keyARN}
		c.exchange(t, single, c.resources.readers(single)...)
		// The right item under another key is refused, and nothing else is.
		config := &itemconfig.Config{Table: "t", PartitionKey: "pk",
			AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly},
			Keyring:          itemconfig.Keyring{Type: "aws-kms", KeyID: c.resources.kmsKeys[1]}}
		item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"}}
		sealed := c.seal(t, config, item)
		c.theyMustOpen(t, config, sealed, item)
		other := *config
		other.Keyring.KeyID = c.resources.kmsKeys[2]
		c.bothMustRefuse(t, &other, sealed, "another KMS key")
		other.Keyring = itemconfig.Keyring{Type: "aws-kms-discovery", Region: c.cfg.Region,
			Accounts: []string{"444455556666"}}
		c.bothMustRefuse(t, &other, sealed, "discovery of another account's keys")
		other.Keyring = itemconfig.Keyring{Type: "aws-kms-mrk-discovery", Region: otherRegion}
		c.bothMustRefuse(t, &other, sealed, "a single-Region key looked for in another Region")
	})
}

// TestMultiRegionKeyring has either Region's key wrap, and both Regions' open.
func TestMultiRegionKeyring(t *testing.T) {
	eachPeer(t, mrkKeyring, func(t *testing.T, c *cloud) {
		for i, id := range c.resources.mrks {
			k := itemconfig.Keyring{Type: "aws-kms-mrk", KeyID: id}
			c.exchange(t, k, c.resources.readers(k)...)
			// A keyring for one key does not look for replicas.
			config := &itemconfig.Config{Table: "t", PartitionKey: "pk",
				AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly}, Keyring: k}
			item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"}}
			ours, theirs := c.seal(t, config, item), c.theySeal(t, config, item)
			config.Keyring = itemconfig.Keyring{Type: "aws-kms", KeyID: c.resources.mrks[1-i]}
			c.bothMustRefuse(t, config, ours, "the other Region's key alone")
			c.bothMustRefuse(t, config, theirs, "the other Region's key alone")
		}
	})
}

// TestDiscoveryBesideOthers: the official libraries' discovery keyring reads
// the names of all recipients as key ARNs, and refuses an item, their own
// included, that has a recipient other than AWS KMS. The one for multi-Region
// keys passes over such a recipient, as both do here.
func TestDiscoveryBesideOthers(t *testing.T) {
	eachPeer(t, kmsKeyring, func(t *testing.T, c *cloud) {
		aes := rawAES("aes", bytes.Repeat([]byte{7}, 32))
		config := &itemconfig.Config{Table: "t", PartitionKey: "pk",
			AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly},
			Keyring: itemconfig.Keyring{Type: "multi",
				Generator: &itemconfig.Keyring{Type: "aws-kms", KeyID: c.keyARN}, Children: []itemconfig.Keyring{aes}}}
		item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"}}
		ours, theirs := c.seal(t, config, item), c.theySeal(t, config, item)
		config.Keyring = itemconfig.Keyring{Type: "aws-kms-mrk-discovery", Region: c.cfg.Region}
		c.mustOpen(t, config, theirs, item)
		c.theyMustOpen(t, config, ours, item)
		config.Keyring.Type = "aws-kms-discovery"
		c.mustOpen(t, config, theirs, item)
		c.mustOpen(t, config, ours, item)
		for _, sealed := range []envelope.Item{ours, theirs} {
			var refusal *peer.Refusal
			if _, err := c.peer.Decrypt(config, sealed); !errors.As(err, &refusal) {
				t.Errorf("%s no longer refuses this, so random items may have it: %v", c.peer.Name, err)
			}
		}
	})
}

// TestKeyStore makes and rotates branch keys on either side.
func TestKeyStore(t *testing.T) {
	eachPeer(t, keyStore, func(t *testing.T, c *cloud) {
		ours, err := c.store.CreateKey(t.Context(),
			keystore.CreateKeyInput{BranchKeyID: "made-here", EncryptionContext: map[string]string{"tenant": "é"}})
		if err != nil {
			t.Fatal(err)
		}
		c.exchange(t, c.hierarchical(ours))
		const theirs = "made-by-them"
		c.theirStore(t, "create-key", theirs)
		c.exchange(t, c.hierarchical(theirs))

		// Each rotates the other's key; both go on reading, what was written
		// before included, and writing.
		config := &itemconfig.Config{Table: "t", PartitionKey: "pk",
			AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly, "secret": envelope.EncryptAndSign}}
		item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"},
			"secret": &types.AttributeValueMemberN{Value: "12.5"}}
		type written struct {
			config     itemconfig.Config
			ours, they envelope.Item
		}
		var before []written
		for _, id := range []string{ours, theirs} {
			w := written{config: *config}
			w.config.Keyring = c.hierarchical(id)
			w.ours, w.they = c.seal(t, &w.config, item), c.theySeal(t, &w.config, item)
			before = append(before, w)
		}
		old, err := c.store.Active(t.Context(), theirs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.store.VersionKey(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		c.theirStore(t, "version-key", ours)
		for _, id := range []string{ours, theirs} {
			versions, err := c.store.Versions(t.Context(), id)
			if err != nil || len(versions) != 2 {
				t.Fatalf("versions of %s after rotation: %v %v", id, versions, err)
			}
			c.exchange(t, c.hierarchical(id))
		}
		for _, w := range before {
			c.theyMustOpen(t, &w.config, w.ours, item)
			c.mustOpen(t, &w.config, w.they, item)
		}
		if _, err := c.store.Version(t.Context(), theirs, old.Version); err != nil {
			t.Fatalf("the version before rotation: %v", err)
		}
		// An item under one branch key is nothing to a reader with another.
		other := before[0].config
		other.Keyring = c.hierarchical(theirs)
		c.bothMustRefuse(t, &other, before[0].they, "another branch key")
	})
}

// TestMixedMultiKeyring has members of four kinds wrap one data key, with each
// of them but RSA as the generator in turn.
func TestMixedMultiKeyring(t *testing.T) {
	eachPeer(t, mixedMulti, func(t *testing.T, c *cloud) {
		c.createBranchKeys(t)
		public, private := rsaKey()
		members := []itemconfig.Keyring{
			{Type: "aws-kms", KeyID: c.resources.kmsKeys[1]},
			c.resources.branchKeys[0],
			rawAES("aes", bytes.Repeat([]byte{7}, 32)),
			{Type: "raw-rsa", Namespace: "rsa", Name: "r", Padding: "OAEP_SHA256_MGF1", PublicKey: public, PrivateKey: private},
		}
		for i := range members[:3] {
			children := slices.Delete(slices.Clone(members), i, i+1)
			c.exchange(t, itemconfig.Keyring{Type: "multi", Generator: &members[i], Children: children})
		}
	})
}
