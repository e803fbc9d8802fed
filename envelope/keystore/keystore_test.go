// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Settings are checked one by one, and kept as they were at construction.
func TestSettings(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*keystore.Config)
		takes  bool
	}{
		"ten tokens":             {func(c *keystore.Config) { c.GrantTokens = slices.Repeat([]string{"t"}, 10) }, true},
		"eleven tokens":          {func(c *keystore.Config) { c.GrantTokens = slices.Repeat([]string{"t"}, 11) }, false},
		"an empty token":         {func(c *keystore.Config) { c.GrantTokens = []string{"t", ""} }, false},
		"storage and client":     {func(c *keystore.Config) { c.Storage, c.TableName = &memoryStorage{}, "" }, false},
		"storage and table name": {func(c *keystore.Config) { c.Storage, c.DynamoDB = &memoryStorage{}, nil }, false},
		"storage alone":          {func(c *keystore.Config) { c.Storage, c.DynamoDB, c.TableName = &memoryStorage{}, nil, "" }, true},
	} {
		config := keystore.Config{LogicalName: "l", KMS: keystore.KMSKey(kmsKey), KMSClient: w.kms.Client(west),
			DynamoDB: w.table, TableName: "keys"}
		c.change(&config)
		if s, err := keystore.New(config); (err == nil) != c.takes || err != nil &&
			(!errors.Is(err, materials.ErrConfiguration) || s != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tokens := []string{"t"}
	s := w.store(t, keystore.Config{ID: "mine", GrantTokens: tokens})
	tokens[0] = "changed"
	info := s.Info()
	if info.ID != "mine" || info.GrantTokens[0] != "t" {
		t.Errorf("%+v", info)
	}
	info.GrantTokens[0] = "changed"
	if s.Info().GrantTokens[0] != "t" {
		t.Error("a copy of the configuration is not a copy")
	}
}

// Each operation counts its calls.
func TestCallsAreCounted(t *testing.T) {
	w := newWorld(t)
	s := w.store(t, keystore.Config{Storage: &memoryStorage{}})
	var id, version string
	for _, c := range []struct {
		name         string
		do           func() error
		kms, storage uint64
	}{
		{"CreateKey", func() (err error) { id, err = s.CreateKey(t.Context(), keystore.CreateKeyInput{}); return err }, 3, 1},
		{"VersionKey", func() (err error) { version, err = s.VersionKey(t.Context(), id); return err }, 3, 2},
		{"Active", func() error { return errOf(s.Active(t.Context(), id)) }, 1, 1},
		{"Version", func() error { return errOf(s.Version(t.Context(), id, version)) }, 1, 1},
		{"BeaconKey", func() error { return errOf(s.BeaconKey(t.Context(), id)) }, 1, 1},
		{"Versions", func() error { return errOf(s.Versions(t.Context(), id)) }, 0, 1},
		{"Shred", func() error { return s.Shred(t.Context(), id) }, 0, 3},
	} {
		before, calls := s.Stats(), len(w.kms.Calls())
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		after := s.Stats()
		if after.KMSCalls-before.KMSCalls != c.kms || len(w.kms.Calls())-calls != int(c.kms) ||
			after.StorageCalls-before.StorageCalls != c.storage {
			t.Errorf("%s: %+v, then %+v", c.name, before, after)
		}
	}
	before := s.Stats()
	for _, err := range []error{errOf(s.Active(t.Context(), "")), errOf(s.Version(t.Context(), "", version)),
		errOf(s.BeaconKey(t.Context(), ""))} {
		if !errors.Is(err, keystore.ErrNotFound) || !strings.Contains(err.Error(), "empty") {
			t.Errorf("no branch key id: %v", err)
		}
	}
	if s.Stats() != before {
		t.Error("the storage was asked for a branch key without an id")
	}
}
