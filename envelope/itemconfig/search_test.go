// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// searchFile is a configuration with this text as its member search.
func searchFile(search string) string {
	return `{"table":"t","partitionKey":"id","attributeActions":{"id":"SIGN_ONLY","year":"SIGN_ONLY",` +
		`"s":"ENCRYPT_AND_SIGN","t":"ENCRYPT_AND_SIGN","u":"ENCRYPT_AND_SIGN","set":"ENCRYPT_AND_SIGN"},` +
		`"keyring":{"type":"raw-aes","namespace":"n","name":"k","key":{"base64":"` + key32 + `"}},"search":` + search + `}`
}

const (
	inlineKeys = `"keySource":{"keyId":"b","cacheTTL":"1h","beaconKeys":[{"branchKeyId":"b","key":{"base64":"` + key32 +
		`"}}]}`
	everySearch = `{
	"standardBeacons":[{"name":"s","length":32,"numberOfPartitions":2},{"name":"set","length":24,"style":{"asSet":{}}},
		{"name":"po","length":20,"loc":"t","style":{"partOnly":{}}},
		{"name":"sh","length":32,"loc":"u.a","style":{"shared":{"other":"s"}}},
		{"name":"shs","length":24,"loc":"u.b","style":{"sharedSet":{"other":"set"}}},{"name":"v","length":16}],
	"virtualFields":[{"name":"v","parts":[{"loc":"s","trans":[{"upper":{}},{"lower":{}},{"insert":{"literal":"-a-b-c"}},
		{"prefix":{"length":-1}},{"suffix":{"length":99}},{"substring":{"low":0,"high":-1}},
		{"segments":{"split":"-","low":0,"high":2}},{"segment":{"split":"-","index":0}}]},{"loc":"year"}]}],
	"compoundBeacons":[{"name":"c","split":"|","signed":[{"name":"y","prefix":"Y-","loc":"year"}],
		"encrypted":[{"name":"po","prefix":"P-"}],
		"constructors":[{"parts":[{"name":"y","required":true},{"name":"po","required":false},{"name":"g"}]}]},
		{"name":"sb","split":"#","signed":[{"name":"year","prefix":"Y-"}]}],
	"signedParts":[{"name":"g","prefix":"G-","loc":"id"}],"encryptedParts":[{"name":"s","prefix":"S-"}],
	"maximumNumberOfPartitions":5,"defaultNumberOfPartitions":3,"acceptMissing":true,` + inlineKeys + `}`
)

func openSearch(t *testing.T, search string, p itemconfig.Providers) (*envelope.ItemEncryptor, error) {
	t.Helper()
	c, err := itemconfig.Read(strings.NewReader(searchFile(search)))
	if err != nil {
		return nil, err
	}
	return c.Encryptor(t.Context(), p)
}

// TestSearch: every member of a search configuration reaches the beacons.
func TestSearch(t *testing.T) {
	e, err := openSearch(t, everySearch, itemconfig.Providers{})
	if err != nil {
		t.Fatal(err)
	}
	str := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	item := envelope.Item{"id": str("1"), "s": str("X"), "t": str("part"),
		"year": &types.AttributeValueMemberN{Value: "1984"},
		"set":  &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"u": &types.AttributeValueMemberM{Value: envelope.Item{"a": str("X"),
			"b": &types.AttributeValueMemberSS{Value: []string{"b"}}}}}
	sealed, err := e.EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range sealed {
		if strings.HasPrefix(name, beacon.AttributePrefix) || name == "sb" {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	want := []string{"aws_dbe_b_c", "aws_dbe_b_s", "aws_dbe_b_set", "aws_dbe_b_sh", "aws_dbe_b_shs", "aws_dbe_b_v",
		"sb"}
	if !slices.Equal(got, want) {
		t.Errorf("beacons %q, want %q", got, want)
	}
	search := e.Search()
	partitions := map[string]int{}
	for _, b := range search.Standard() {
		partitions[b.Name()] = b.Partitions()
	}
	if search.MaxPartitions() != 5 || !search.AcceptMissing() || search.BranchKeyID() != "b" ||
		!maps.Equal(partitions, map[string]int{"s": 2, "set": 3, "po": 3, "sh": 3, "shs": 3, "v": 3}) {
		t.Errorf("%d partitions, %v; accept missing %v; branch key %q", search.MaxPartitions(), partitions,
			search.AcceptMissing(), search.BranchKeyID())
	}
	for name, plain := range map[string]string{"v": "x1984", "c": "Y-1984|P-part|G-1", "sb": "Y-1984"} {
		if v, err := search.Plain(name, item); err != nil || v.(*types.AttributeValueMemberS).Value != plain {
			t.Errorf("%s stands for %v, %v; want %q", name, v, err, plain)
		}
	}
	delete(item, "t")
	if v, err := search.Plain("c", item); err != nil || v.(*types.AttributeValueMemberS).Value != "Y-1984|G-1" {
		t.Errorf("without an optional part: %v, %v", v, err)
	}
}

// TestSearchKeyStore: without keys in the file the provider gives them.
func TestSearchKeyStore(t *testing.T) {
	source := &keyring.MemorySource{}
	if err := source.AddBeaconKey(materials.NewBeaconKey("b", [32]byte{1})); err != nil {
		t.Fatal(err)
	}
	const search = `{"standardBeacons":[{"name":"s","length":8}],"keySource":{"keyFieldName":"tenant","table":"keys",` +
		`"logicalName":"logical","kmsKeyId":"arn"}}`
	var asked itemconfig.BeaconKeySource
	var p itemconfig.Providers
	p.BeaconKeys = func(_ context.Context, k itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
		asked = k
		return source, nil
	}
	e, err := openSearch(t, search, p)
	if err != nil || asked.Table != "keys" || asked.LogicalName != "logical" || asked.KMSKeyID != "arn" ||
		!e.Search().MultiKey() || e.Search().KeyField() != "tenant" {
		t.Fatalf("%v; asked for %+v", err, asked)
	}
	k, err := e.Search().Keys(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	k.Release()
	failure := errors.New("no table")
	p.BeaconKeys = func(context.Context, itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
		return nil, failure
	}
	if _, err := openSearch(t, search, p); !errors.Is(err, failure) {
		t.Errorf("a provider that fails: %v", err)
	}
	if _, err := openSearch(t, search, itemconfig.Providers{}); !errors.Is(err, envelope.ErrConfiguration) {
		t.Errorf("no provider: %v", err)
	}
}

// TestSearchRefusals: what is wrong with a file is named.
func TestSearchRefusals(t *testing.T) {
	standard := func(more string) string {
		return `{"standardBeacons":[{"name":"s","length":8` + more + `}],` + inlineKeys + `}`
	}
	trans := func(list string) string {
		return `{"standardBeacons":[{"name":"v","length":8}],"virtualFields":[{"name":"v","parts":[{"loc":"s","trans":[` +
			list + `]}]}],` + inlineKeys + `}`
	}
	compound := func(text string) string {
		return `{"standardBeacons":[{"name":"s","length":8}],"compoundBeacons":[{"name":"c",` + text + `}],` + inlineKeys + `}`
	}
	keys := func(text string) string {
		return `{"standardBeacons":[{"name":"s","length":8}],"keySource":{` + text + `}}`
	}
	for what, c := range map[string]struct{ search, text string }{
		"an unknown member":    {standard(`,"colour":1`), "colour"},
		"a style of none":      {standard(`,"style":{}`), "style has 0 members"},
		"a style of two":       {standard(`,"style":{"asSet":{},"shared":{"other":"t"}}`), "style has 2 members"},
		"length":               {`{"standardBeacons":[{"name":"s","length":64}],` + inlineKeys + `}`, "length is 64"},
		"a transform of none":  {trans(`{"upper":{}},{}`), "transform 2 has 0 members"},
		"a transform of two":   {trans(`{"upper":{},"lower":{}}`), "transform 1 has 2 members"},
		"a split of two":       {trans(`{"segment":{"split":"ab","index":0}}`), "not one character"},
		"no split":             {trans(`{"segments":{"low":0,"high":1}}`), "not one character"},
		"no split of compound": {compound(`"signed":[{"name":"year","prefix":"Y-"}]`), `compound beacon "c"`},
		"a loc of an encrypted part": {compound(`"split":"|","encrypted":[{"name":"s","prefix":"S-","loc":"t"}]`),
			`encrypted part "s" has a loc`},
		"a loc of a global encrypted part": {`{"standardBeacons":[{"name":"s","length":8}],"encryptedParts":[{"name":"s",` +
			`"prefix":"S-","loc":"t"}],` + inlineKeys + `}`, `encrypted part "s" has a loc`},
		"a duration":  {keys(`"keyId":"b","cacheTTL":"10"`), "cacheTTL"},
		"a short key": {keys(`"keyId":"b","beaconKeys":[{"branchKeyId":"b","key":{"base64":"AQID"}}]`), "3 bytes, not 32"},
		"no key":      {keys(`"keyId":"b","beaconKeys":[{"branchKeyId":"b"}]`), "beaconKeys[0]"},
		"no branch":   {keys(`"keyId":"b","beaconKeys":[{"key":{"base64":"` + key32 + `"}}]`), "beaconKeys[0]"},
		"no id":       {keys(`"beaconKeys":[{"branchKeyId":"b","key":{"base64":"` + key32 + `"}}]`), "exactly one of"},
	} {
		if _, err := openSearch(t, c.search, itemconfig.Providers{}); !errors.Is(err, envelope.ErrConfiguration) ||
			!strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), key32) {
			t.Errorf("%s: %v; want %q", what, err, c.text)
		}
	}
}

// TestSearchLifetime: derived keys are kept for cacheTTL, ten minutes by default.
func TestSearchLifetime(t *testing.T) {
	for ttl, want := range map[string]time.Duration{"": 10 * time.Minute, `"cacheTTL":"20m",`: 20 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			keys := &countingKeys{}
			if err := keys.AddBeaconKey(materials.NewBeaconKey("b", [32]byte{1})); err != nil {
				t.Fatal(err)
			}
			var p itemconfig.Providers
			p.BeaconKeys = func(context.Context, itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
				return keys, nil
			}
			e, err := openSearch(t, `{"standardBeacons":[{"name":"s","length":8}],"keySource":{`+ttl+
				`"keyId":"b","table":"k"}}`, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, wait := range []time.Duration{0, want - time.Second, time.Second} {
				time.Sleep(wait)
				k, err := e.Search().Keys(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				k.Release()
				if calls := keys.calls; (calls == 2) != (wait == time.Second) {
					t.Errorf("%q: %d fetches", ttl, calls)
				}
			}
		})
	}
}

// countingKeys counts what it is asked for.
type countingKeys struct {
	keyring.MemorySource
	calls int
}

func (k *countingKeys) BeaconKey(ctx context.Context, id string) (*materials.BeaconKey, error) {
	k.calls++
	return k.MemorySource.BeaconKey(ctx, id)
}
