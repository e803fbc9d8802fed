// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"strings"
)

// Sample says how some of a table's items are really encrypted. Package
// access/sample takes it. Nothing in it is verified: anyone who can write to
// the table can put the name of any key into an item.
type Sample struct {
	// Items is the number of items that were read.
	Items int `json:"items"`
	// Of is DynamoDB's count of the table's items. DynamoDB updates it about every
	// six hours.
	Of int64 `json:"of"`
	// All reports that every item of the table was read.
	All bool `json:"all,omitempty"`
	// Plaintext counts the items that are not encrypted before they are sent.
	Plaintext int `json:"plaintext,omitempty"`
	// Legacy counts the items of the older DynamoDB Encryption Client.
	Legacy int `json:"legacy,omitempty"`
	// Malformed counts the items whose header or footer cannot be read.
	Malformed int `json:"malformed,omitempty"`
	// Keys are the keys that items are encrypted under.
	Keys []SampledKey `json:"keys,omitempty"`
	// MoreKeys reports that items name more keys than MaxSampledKeys.
	MoreKeys bool `json:"moreKeys,omitempty"`
	// NotRead says why no item could be read. Empty: items could be read.
	NotRead string `json:"notRead,omitempty"`
}

// MaxSampledKeys is the maximum number of keys in a Sample.
const MaxSampledKeys = 32

// SampledKey is a key that items are encrypted under.
type SampledKey struct {
	// Provider is the kind of keyring: "aws-kms", "aws-kms-hierarchy" for a branch key,
	// "aws-kms-rsa"; or the namespace of a raw key.
	Provider string `json:"provider"`
	// Key is the ARN of a KMS key or the id of a branch key; empty for others.
	Key string `json:"key,omitempty"`
	// Items is the number of items that name the key.
	Items int `json:"items"`
}

// BranchKeyProvider is the Provider of a SampledKey that is a branch key.
const BranchKeyProvider = "aws-kms-hierarchy"

// String returns the sample as one line.
func (s *Sample) String() string {
	if s.NotRead != "" {
		return "no item could be sampled: " + s.NotRead
	}
	all := fmt.Sprintf("%d of about %d items", s.Items, max(s.Of, int64(s.Items)))
	if s.All {
		all = "all of " + count(s.Items, "item")
	}
	var parts []string
	part := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	part(s.Plaintext, "in plaintext")
	part(s.Legacy, "of the older client")
	part(s.Malformed, "with a header or footer that cannot be read")
	for _, k := range s.Keys {
		name := "under a key of " + k.Provider
		switch {
		case k.Provider == BranchKeyProvider:
			name = "under branch key " + k.Key
		case k.Key != "":
			name = "under " + k.Key
		}
		part(k.Items, name)
	}
	if s.MoreKeys {
		parts = append(parts, "and some under other keys")
	}
	if len(parts) == 0 {
		return all
	}
	return all + ": " + strings.Join(parts, ", ")
}

// check finds what an edit by hand can break.
func (s *Sample) check(table string) error {
	if s == nil {
		return nil
	}
	n := s.Plaintext + s.Legacy + s.Malformed
	bad := min(s.Items, s.Plaintext, s.Legacy, s.Malformed) < 0 || s.Of < 0 || n > s.Items ||
		len(s.Keys) > MaxSampledKeys
	for _, k := range s.Keys {
		bad = bad || k.Items < 0 || k.Items > s.Items
	}
	if bad {
		return snapshotError("the sample of %.256s contradicts itself", table)
	}
	return nil
}

// apply tells what a sample says about a table: the reason why a reader of
// ciphertext reads in clear, and keys of which it is not known who has them.
func (t *tableWorld) apply() {
	if t.RawKeys {
		t.closed = append(t.closed, "who holds the raw keys of the items")
	}
	s := t.Sample
	if s == nil {
		return
	}
	if s.Plaintext > 0 {
		t.plain = fmt.Sprintf("sampled items of %s in plaintext: %d of %d", t.Name, s.Plaintext, s.Items)
	}
	stores := false
	for i := range t.ItemKeys {
		stores = stores || t.ItemKeys[i].KeyStore != ""
	}
	for _, k := range s.Keys {
		switch {
		case k.Provider == BranchKeyProvider && !stores:
			t.closed = append(t.closed, "the key store of branch key "+k.Key+
				", which items do not name: give the configuration")
		case k.Provider != BranchKeyProvider && k.Key == "" && !t.RawKeys:
			t.closed = append(t.closed, "who holds the keys of "+k.Provider+", of which items do not say more")
		}
	}
	if s.Legacy > 0 {
		t.closed = append(t.closed, "who holds the keys of the items of the older client")
	}
	if s.MoreKeys {
		t.closed = append(t.closed, "who holds the other keys of the items")
	}
}

// sealed reports whether items are encrypted before they are sent.
func (t *tableWorld) sealed() bool { return len(t.items)+len(t.closed) > 0 }

// open reports whether items are in clear for a caller that may read the table.
func (t *tableWorld) open() bool { return !t.sealed() || t.plain != "" }
