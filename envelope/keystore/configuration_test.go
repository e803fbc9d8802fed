// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestKMSConfigurations(t *testing.T) {
	w := newWorld(t)
	type source struct {
		name  string
		store *keystore.KeyStore
		reads map[string]bool
	}
	with := func(c keystore.KMSConfiguration, region string) *keystore.KeyStore {
		return w.store(t, keystore.Config{KMS: c, KMSClient: w.kms.Client(region)})
	}
	writers := map[string]*keystore.KeyStore{
		"single": with(keystore.KMSKey(kmsKey), west),
		"west":   with(keystore.KMSKey(mrkWest), west),
		"east":   with(keystore.MultiRegionKMSKey(mrkEast), east),
	}
	ids := map[string]string{}
	for name, s := range writers {
		id, err := s.CreateKey(t.Context(),
			keystore.CreateKeyInput{BranchKeyID: name, EncryptionContext: map[string]string{"k": "v"}})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = id
	}
	for _, s := range []source{
		{"exact", with(keystore.KMSKey(mrkWest), west), map[string]bool{"west": true}},
		{"multi-Region west", with(keystore.MultiRegionKMSKey(mrkWest), west), map[string]bool{"west": true, "east": true}},
		{"multi-Region east", with(keystore.MultiRegionKMSKey(mrkEast), east), map[string]bool{"west": true, "east": true}},
		{"multi-Region of a single-Region key", with(keystore.MultiRegionKMSKey(kmsKey), west), map[string]bool{"single": true}},
		{"discovery", with(keystore.Discovery(), west), map[string]bool{"single": true, "west": true}},
		{"discovery east", with(keystore.Discovery(), east), map[string]bool{"east": true}},
		{"multi-Region discovery", with(keystore.MultiRegionDiscovery(west), west), map[string]bool{"single": true, "west": true, "east": true}},
		{"multi-Region discovery east", with(keystore.MultiRegionDiscovery(east), east), map[string]bool{"west": true, "east": true}},
	} {
		for name, id := range ids {
			key, err := s.store.Active(t.Context(), id)
			if (err == nil) != s.reads[name] {
				t.Errorf("%s reads %s: %v", s.name, name, err)
			}
			if err == nil && !bytes.Equal(key.Key(), w.active(t, writers[name], id).Key()) {
				t.Errorf("%s reads another key", s.name)
			}
		}
		if strings.Contains(s.name, "discovery") {
			for operation, f := range map[string]func() error{
				"create": func() error { _, err := s.store.CreateKey(t.Context(), keystore.CreateKeyInput{}); return err },
				"rotate": func() error { _, err := s.store.VersionKey(t.Context(), "single"); return err },
				"shred":  func() error { return s.store.Shred(t.Context(), "single") },
			} {
				if err := f(); !errors.Is(err, materials.ErrConfiguration) {
					t.Errorf("%s %ss: %v", s.name, operation, err)
				}
			}
		}
	}
	// A record of another key is refused without a call.
	for name, c := range map[string]struct {
		store  *keystore.KeyStore
		record string
	}{
		"multi-Region key": {with(keystore.MultiRegionKMSKey(mrkWest), west), "single"}, "key": {with(keystore.KMSKey(kmsKey), west), "west"},
		"single-Region key": {with(keystore.MultiRegionKMSKey(kmsKey), west), "west"}, "other key": {with(keystore.KMSKey(otherKey), west), "single"},
	} {
		calls := len(w.kms.Calls())
		if _, err := c.store.Active(t.Context(), c.record); !errors.Is(err, keystore.ErrWrongKMSKey) ||
			len(w.kms.Calls()) != calls {
			t.Errorf("%s reads %s: %v", name, c.record, err)
		}
	}
	// Rotation through another replica keeps the ARN of the record.
	if _, err := writers["east"].VersionKey(t.Context(), "west"); err != nil {
		t.Fatal(err)
	}
	if arn := text(w.table.items["west|branch:ACTIVE"]["kms-arn"]); arn != "S:"+mrkWest {
		t.Fatalf("the ARN became %s", arn)
	}
	w.active(t, writers["west"], "west")
}

func TestConfigurationErrors(t *testing.T) {
	w := newWorld(t)
	good := keystore.Config{LogicalName: "l", KMS: keystore.KMSKey(kmsKey), KMSClient: w.kms.Client(west),
		DynamoDB: w.table, TableName: "keys"}
	for name, f := range map[string]func(*keystore.Config){
		"logical name": func(c *keystore.Config) { c.LogicalName = "" },
		"UTF-8":        func(c *keystore.Config) { c.LogicalName = "\xff" },
		"KMS":          func(c *keystore.Config) { c.KMS = keystore.KMSConfiguration{} },
		"alias":        func(c *keystore.Config) { c.KMS = keystore.KMSKey("alias/keys") },
		"alias ARN": func(c *keystore.Config) {
			c.KMS = keystore.MultiRegionKMSKey("arn:aws:kms:us-west-2:111122223333:alias/keys")
		},
		"bare id":  func(c *keystore.Config) { c.KMS = keystore.KMSKey("11111111-1111-4111-8111-111111111111") },
		"region":   func(c *keystore.Config) { c.KMS = keystore.MultiRegionDiscovery("") },
		"client":   func(c *keystore.Config) { c.KMSClient = nil },
		"table":    func(c *keystore.Config) { c.TableName = "" },
		"DynamoDB": func(c *keystore.Config) { c.DynamoDB = nil },
		"both":     func(c *keystore.Config) { c.Storage = &memoryStorage{} },
		"grants":   func(c *keystore.Config) { c.GrantTokens = make([]string, 11) },

		"nil client":   func(c *keystore.Config) { c.KMSClient = (*kms.Client)(nil) },
		"nil DynamoDB": func(c *keystore.Config) { c.DynamoDB = (*dynamodb.Client)(nil) },
		"nil storage": func(c *keystore.Config) {
			c.DynamoDB, c.TableName, c.Storage = nil, "", (*memoryStorage)(nil)
		},
	} {
		c := good
		f(&c)
		if _, err := keystore.New(c); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := keystore.New(good)
	if err != nil {
		t.Fatal(err)
	}
	if i := s.Info(); i.TableName != "keys" || i.LogicalName != "l" || len(i.ID) != 36 ||
		i.KMS.String() != "KMS key "+kmsKey {
		t.Errorf("%+v", i)
	}
}

func TestConfigurationsAreDescribed(t *testing.T) {
	for _, c := range []struct {
		configuration keystore.KMSConfiguration
		want          string
	}{
		{keystore.KMSKey(kmsKey), "KMS key " + kmsKey},
		{keystore.MultiRegionKMSKey(mrkWest), "multi-Region KMS key " + mrkWest},
		{keystore.Discovery(), "discovery"},
		{keystore.MultiRegionDiscovery(west), "multi-Region discovery in " + west},
		{keystore.KMSConfiguration{}, "no KMS configuration"},
	} {
		if got := c.configuration.String(); got != c.want {
			t.Errorf("described as %s, want %s", got, c.want)
		}
	}
}
