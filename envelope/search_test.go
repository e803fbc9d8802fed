// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// beaconKeys counts the calls to a source of beacon keys in memory, and can
// fail.
type beaconKeys struct {
	keyring.MemorySource
	calls int
	err   error
}

func (k *beaconKeys) BeaconKey(ctx context.Context, id string) (*materials.BeaconKey, error) {
	if k.calls++; k.err != nil {
		return nil, k.err
	}
	return k.MemorySource.BeaconKey(ctx, id)
}

func newBeaconKeys(t testing.TB, ids ...string) *beaconKeys {
	t.Helper()
	keys := &beaconKeys{}
	for i, id := range ids {
		if err := keys.AddBeaconKey(materials.NewBeaconKey(id, [32]byte{byte(i), 1})); err != nil {
			t.Fatal(err)
		}
		err := keys.Add(materials.NewBranchKey(id, "11111111-1111-4111-8111-111111111111", [32]byte{byte(i), 2}))
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// searchConfig has a beacon of each kind.
func searchConfig(t testing.TB, keys *beaconKeys) envelope.Config {
	t.Helper()
	return envelope.Config{
		LogicalTableName: "patients", PartitionKey: "id", Keyring: testKeyring(t),
		AlgorithmSuite: envelope.SuiteSymmetricSignature,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "year": envelope.SignOnly,
			"number": envelope.EncryptAndSign, "name": envelope.EncryptAndSign, "tags": envelope.EncryptAndSign,
			"note": envelope.EncryptAndSign},
		AllowedUnsigned: []string{"seen"},
		Search: &beacon.Config{
			Standard: []beacon.Standard{{Name: "number", Length: 32}, {Name: "tags", Length: 24, Style: beacon.AsSet},
				{Name: "initial", Length: 8}},
			Virtual: []beacon.VirtualField{{Name: "initial", Parts: []beacon.VirtualPart{
				{Location: "name", Transforms: []beacon.Transform{beacon.Prefix(1), beacon.Upper()}}, {Location: "year"}}}},
			Compound: []beacon.Compound{
				{Name: "yearNumber", Split: '|', Signed: []beacon.SignedPart{{Name: "year", Prefix: "Y-"}},
					Encrypted: []beacon.EncryptedPart{{Name: "number", Prefix: "N-"}}},
				{Name: "byYear", Split: '#', Signed: []beacon.SignedPart{{Name: "year", Prefix: "Y-"},
					{Name: "id", Prefix: "I-"}}}},
			Keys: beacon.KeySource{Source: keys, BranchKeyID: "branch", Lifetime: time.Hour},
		},
	}
}

func patient() envelope.Item {
	return envelope.Item{"id": s("p1"), "year": n("1984.0"), "number": s("4711"), "name": s("ada"),
		"tags": &types.AttributeValueMemberSS{Value: []string{"x", "y"}}, "note": s("a note"), "seen": s("today")}
}

const byYear = "Y-1984#I-p1"

// beaconNames returns the names of the attributes that store beacons.
func beaconNames(item envelope.Item) []string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(item)), func(name string) bool {
		return !strings.HasPrefix(name, "aws_dbe_b_") && name != "byYear"
	})
	return names
}

func wantBeacons(t *testing.T, item envelope.Item, want ...string) {
	t.Helper()
	if got := beaconNames(item); !slices.Equal(got, want) {
		t.Errorf("beacons %q, want %q", got, want)
	}
}

// TestSearchAddsBeacons: to what is encrypted, and to nothing else; reading
// drops them, but for signed ones, which are attributes of the item.
func TestSearchAddsBeacons(t *testing.T) {
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		keys := newBeaconKeys(t, "branch")
		config := searchConfig(t, keys)
		config.AlgorithmSuite = suite
		e := mustEncryptor(t, config)
		item := patient()
		before := maps.Clone(item)
		sealed := mustEncrypt(t, e, item)
		if !maps.Equal(item, before) {
			t.Error("the item is changed")
		}
		wantBeacons(t, sealed, "aws_dbe_b_initial", "aws_dbe_b_number", "aws_dbe_b_tags", "aws_dbe_b_yearNumber",
			"byYear")
		// The values are those of package beacon for the plaintext.
		k, err := e.Search().Keys(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer k.Release()
		stored, err := e.Search().Beacons(k, 0, item)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range stored {
			if canonical(t, sealed[a.Name]) != canonical(t, a.Value) {
				t.Errorf("%s is %s, want %s", a.Name, canonical(t, sealed[a.Name]), canonical(t, a.Value))
			}
		}
		if len(stored) != 4 || canonical(t, sealed["byYear"]) != "S "+byYear {
			t.Errorf("%d beacons are stored; byYear is %s", len(stored), canonical(t, sealed["byYear"]))
		}
		opened, err := e.DecryptItem(t.Context(), sealed)
		if err != nil {
			t.Fatal(err)
		}
		want := maps.Clone(item)
		want["byYear"] = s(byYear)
		sameItem(t, opened, want)
		// What was read can be written again, and many at once.
		all, err := e.EncryptAll(t.Context(), []envelope.Item{opened, patient()})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := e.DecryptAll(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		for i := range plain {
			sameItem(t, plain[i], want)
			if len(beaconNames(all[i])) != 5 {
				t.Errorf("beacons of item %d: %q", i, beaconNames(all[i]))
			}
		}
		if keys.calls != 1 {
			t.Errorf("the beacon key is fetched %d times", keys.calls)
		}
		// A reader without search reads the same item.
		config.Search = nil
		config.Actions = e.Actions()
		plainReader, err := mustEncryptor(t, config).DecryptItem(t.Context(), sealed)
		if err != nil {
			t.Fatal(err)
		}
		sameItem(t, plainReader, want)
	}
}

// TestSearchSignsSignedBeacons: a changed one is noticed, and a changed beacon of
// any other kind is not.
func TestSearchSignsSignedBeacons(t *testing.T) {
	e := mustEncryptor(t, searchConfig(t, newBeaconKeys(t, "branch")))
	sealed := mustEncrypt(t, e, patient())
	changed := maps.Clone(sealed)
	changed["byYear"] = s("Y-1985#I-p1")
	if _, err := e.DecryptItem(t.Context(), changed); !errors.Is(err, envelope.ErrTampered) {
		t.Errorf("a changed signed beacon: %v", err)
	}
	changed = maps.Clone(sealed)
	delete(changed, "byYear")
	if _, err := e.DecryptItem(t.Context(), changed); !errors.Is(err, envelope.ErrTampered) {
		t.Errorf("a missing signed beacon: %v", err)
	}
	changed = maps.Clone(sealed)
	changed["aws_dbe_b_number"] = s("00000000")
	delete(changed, "aws_dbe_b_tags")
	changed["aws_dbe_b_other"] = s("x")
	changed["aws_dbe_v_1"] = s(" ")
	if _, err := e.DecryptItem(t.Context(), changed); err != nil {
		t.Errorf("changed beacons: %v", err)
	}
	action, has := e.Action("byYear")
	if action != envelope.SignOnly || !has || e.Actions()["byYear"] != envelope.SignOnly {
		t.Errorf("the action of a signed beacon is %v, %v", action, has)
	}
}

// TestSearchSignedBeaconAsKey: a signed beacon may be a key of the table, and in
// items of header version 2 it is signed only.
func TestSearchSignedBeaconAsKey(t *testing.T) {
	config := searchConfig(t, newBeaconKeys(t, "branch"))
	config.SortKey = "byYear"
	e := mustEncryptor(t, config)
	sealed := mustEncrypt(t, e, patient())
	if _, err := e.DecryptItem(t.Context(), sealed); err != nil || canonical(t, sealed["byYear"]) != "S "+byYear {
		t.Errorf("byYear is %s; %v", canonical(t, sealed["byYear"]), err)
	}
	item := patient()
	delete(item, "year")
	if _, err := e.EncryptItem(t.Context(), item); !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("without a value for the key: %v", err)
	}
	opened, err := e.OpenItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	opened.Item["year"] = n("1985")
	if _, err := e.EncryptItemAs(t.Context(), opened.Item, opened.Actions); !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("another value for the key: %v", err)
	}
	// Header version 2.
	config = searchConfig(t, newBeaconKeys(t, "branch"))
	config.Actions["id"], config.Actions["year"] = envelope.SignAndIncludeInEncryptionContext,
		envelope.SignAndIncludeInEncryptionContext
	e = mustEncryptor(t, config)
	sealed = mustEncrypt(t, e, patient())
	m, err := e.Inspect(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range m.Attributes {
		if want := envelope.SignOnly; a.Name == "byYear" && a.Action != want || m.Version != 2 {
			t.Errorf("header version %d, the signed beacon is %v", m.Version, a.Action)
		}
	}
	if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
		t.Error(err)
	}
	config.SortKey = "byYear"
	if _, err := envelope.NewItemEncryptor(config); !errors.Is(err, envelope.ErrConfiguration) {
		t.Errorf("a signed beacon as key in header version 2: %v", err)
	}
}

// TestSearchOpenedItems: the beacons of the configuration are not lost, and a
// signed one is computed again from what was changed.
func TestSearchOpenedItems(t *testing.T) {
	e := mustEncryptor(t, searchConfig(t, newBeaconKeys(t, "branch")))
	sealed := mustEncrypt(t, e, patient())
	sealed["aws_dbe_b_other"], sealed["aws_dbe_v_1"], sealed["aws_dbe_b_byYear"] = s("1"), s(" "), s("x")
	opened, err := e.OpenItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"aws_dbe_b_byYear", "aws_dbe_b_other", "aws_dbe_v_1"}; !slices.Equal(opened.Beacons, want) {
		t.Errorf("lost beacons %q, want %q", opened.Beacons, want)
	}
	if canonical(t, opened.Item["byYear"]) != "S "+byYear || opened.Actions["byYear"] != envelope.SignOnly {
		t.Errorf("the signed beacon: %v, %v", opened.Item["byYear"], opened.Actions["byYear"])
	}
	opened.Item["year"] = n("1985")
	if _, err := e.EncryptItem(t.Context(), opened.Item); !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("EncryptItem takes a signed beacon that does not fit: %v", err)
	}
	again, err := e.EncryptItemAs(t.Context(), opened.Item, opened.Actions)
	if err != nil {
		t.Fatal(err)
	}
	if got := canonical(t, again["byYear"]); got != "S Y-1985#I-p1" ||
		canonical(t, opened.Item["byYear"]) != "S "+byYear {
		t.Errorf("the signed beacon is %s, and in the item %s", got, canonical(t, opened.Item["byYear"]))
	}
	delete(opened.Item, "year")
	if again, err = e.EncryptItemAs(t.Context(), opened.Item, opened.Actions); err != nil || again["byYear"] != nil {
		t.Errorf("a signed beacon without a value: %v, %v", again["byYear"], err)
	}
}

// TestSearchInspect: an inspection names the beacons.
func TestSearchInspect(t *testing.T) {
	e := mustEncryptor(t, searchConfig(t, newBeaconKeys(t, "branch")))
	sealed := mustEncrypt(t, e, patient())
	sealed["aws_dbe_v_1"] = s(" ")
	for what, c := range map[string]struct {
		inspect func(envelope.Item) (*envelope.Message, error)
		signed  string
	}{"with the configuration": {e.Inspect, "byYear=byYear"}, "without": {envelope.Inspect, ""}} {
		m, err := c.inspect(sealed)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range m.Attributes {
			if a.Beacon {
				got = append(got, a.Name+"="+a.BeaconName)
			} else if a.BeaconName != "" {
				t.Errorf("%s: %s has the beacon name %s and is not a beacon", what, a.Name, a.BeaconName)
			}
		}
		slices.Sort(got)
		want := []string{"aws_dbe_b_initial=initial", "aws_dbe_b_number=number", "aws_dbe_b_tags=tags",
			"aws_dbe_b_yearNumber=yearNumber", "aws_dbe_v_1="}
		if c.signed != "" {
			want = append(want, c.signed)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

// TestSearchNeedsNoKey for reading, and for items without a value that is hashed.
func TestSearchNeedsNoKey(t *testing.T) {
	keys := newBeaconKeys(t, "branch")
	e := mustEncryptor(t, searchConfig(t, keys))
	sealed := mustEncrypt(t, e, patient())
	keys.err = &materials.KeyError{Provider: "aws-kms-hierarchy", KeyID: "branch", Missing: "kms:Decrypt"}
	keys.calls = 0
	e = mustEncryptor(t, searchConfig(t, keys))
	if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
		t.Errorf("reading: %v", err)
	}
	wantBeacons(t, mustEncrypt(t, e, envelope.Item{"id": s("p1"), "year": n("1984"), "note": s("x")}), "byYear")
	if keys.calls != 0 {
		t.Errorf("the beacon key is fetched %d times", keys.calls)
	}
	for _, item := range []envelope.Item{patient(), {"id": s("p1"), "number": s("")}} {
		_, err := e.EncryptItem(t.Context(), item)
		var failed *envelope.Error
		if !errors.Is(err, envelope.ErrKeyDenied) || !errors.As(err, &failed) || failed.KeyID != "branch" {
			t.Errorf("a denied beacon key: %v", err)
		}
	}
	keys.err = nil
	keys.Remove("branch")
	_, err := e.EncryptItem(t.Context(), patient())
	var failed *envelope.Error
	if !errors.Is(err, envelope.ErrMaterials) || !errors.As(err, &failed) || failed.KeyID != "branch" {
		t.Errorf("a missing beacon key: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	keys.err = context.Canceled
	cancel()
	if _, err := e.EncryptItem(ended, patient()); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

// TestSearchRefusesItems: the error names the attribute, the beacon and never a
// value.
func TestSearchRefusesItems(t *testing.T) {
	e := mustEncryptor(t, searchConfig(t, newBeaconKeys(t, "branch")))
	for _, c := range []struct {
		what, attribute, value string
		v                      types.AttributeValue
		text                   string
	}{
		{"a set beacon of a string", "tags", "tags", s("secret"), `"tags"`},
		{"a part with the split character", "number", "", s("secret|"), `"yearNumber"`},
		{"a virtual field of a list", "name", "name", &types.AttributeValueMemberL{Value: []types.AttributeValue{s("secret")}},
			`"initial"`},
		{"half a character", "name", "", s("😀secret"), "surrogate"},
		{"another signed beacon", "byYear", "byYear", s("secret"), `"byYear"`},
		{"a signed part of a set", "year", "year", &types.AttributeValueMemberSS{Value: []string{"secret"}}, `"byYear"`},
		{"a reserved name", "aws_dbe_b_number", "aws_dbe_b_number", s("secret"), "reserved"},
	} {
		item := patient()
		item[c.attribute] = c.v
		_, err := e.EncryptItem(t.Context(), item)
		var failed *envelope.Error
		if !errors.Is(err, envelope.ErrInvalidItem) || !errors.As(err, &failed) || failed.Attribute != c.value ||
			failed.Operation != "encrypt" || !strings.Contains(err.Error(), c.text) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v; attribute %q, want %q", c.what, err, failed.Attribute, c.value)
		}
	}
}

// TestSearchConfigurations: refusals are those of the encryptor.
func TestSearchConfigurations(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*envelope.Config)
		text   string
	}{
		"no beacon": {func(c *envelope.Config) { c.Search.Standard = nil }, "at least one standard beacon"},
		"a beacon in the clear": {func(c *envelope.Config) { c.Search.Standard[0].Location = "year" },
			`standard beacon "number"`},
		"unsigned by name":   {func(c *envelope.Config) { c.Search.Standard[0].Location = "seen" }, `"seen" is unsigned`},
		"unsigned by prefix": {func(c *envelope.Config) { c.AllowedUnsignedPrefix = "by" }, `compound beacon "byYear"`},
		"unsigned by action": {func(c *envelope.Config) {
			c.Actions["seen"] = envelope.DoNothing
			c.Search.Compound[1].Signed[0].Location = "seen"
		}, `"seen" of signed part "year" is unsigned`},
		"an invalid action first": {func(c *envelope.Config) { c.Actions["number"] = 0 }, "invalid action"},
		"a key that is not a signed beacon": {func(c *envelope.Config) { c.SortKey = "yearNumber" },
			"key attribute has no action"},
	} {
		config := searchConfig(t, newBeaconKeys(t, "branch"))
		c.change(&config)
		_, err := envelope.NewItemEncryptor(config)
		var failed *envelope.Error
		if !errors.Is(err, envelope.ErrConfiguration) || !errors.As(err, &failed) || failed.Operation != "configure" ||
			failed.Table != "patients" || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", what, err)
		}
	}
	config := searchConfig(t, newBeaconKeys(t, "branch"))
	before := maps.Clone(config.Actions)
	mustEncryptor(t, config)
	if !maps.Equal(config.Actions, before) {
		t.Error("the caller's Actions are changed")
	}
	config.Search = nil
	if mustEncryptor(t, config).Search() != nil {
		t.Error("an encryptor without search has one")
	}
}

// TestSearchPartitions: the partition of an item is the selector's, which sees
// the caller's item.
func TestSearchPartitions(t *testing.T) {
	config := searchConfig(t, newBeaconKeys(t, "branch"))
	config.Search.MaxPartitions = 3
	partition, failure := 0, error(nil)
	config.Search.Selector = func(_ context.Context, item envelope.Item, n int, table string) (int, error) {
		if n != 3 || table != "patients" || item["byYear"] != nil || item["seen"] == nil {
			t.Errorf("the selector is given %d, %q, %v", n, table, item)
		}
		return partition, failure
	}
	e := mustEncryptor(t, config)
	k, err := e.Search().Keys(t.Context(), "branch")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	for partition = range 3 {
		want, err := e.Search().Lookup("number").Standard.Hash(k, partition, s("4711"))
		if err != nil {
			t.Fatal(err)
		}
		if got := canonical(t, mustEncrypt(t, e, patient())["aws_dbe_b_number"]); got != "S "+want {
			t.Errorf("partition %d: %s, want %s", partition, got, want)
		}
	}
	partition = 3
	if _, err := e.EncryptItem(t.Context(), patient()); !errors.Is(err, envelope.ErrConfiguration) {
		t.Errorf("a partition that does not exist: %v", err)
	}
	failure = errors.New("no partition")
	_, err = e.EncryptItem(t.Context(), patient())
	if !errors.Is(err, failure) || !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("a selector that fails: %v", err)
	}
}
