// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// newerConfig is validConfig as a newer version of the application has it.
func newerConfig(t testing.TB, more actions) envelope.Config {
	t.Helper()
	config := validConfig(t)
	maps.Copy(config.Actions, more)
	for _, action := range more {
		if action == envelope.SignAndIncludeInEncryptionContext {
			config.Actions["pk"], config.Actions["sk"] = action, action
		}
	}
	return config
}

func mustOpen(t testing.TB, e *envelope.ItemEncryptor, sealed envelope.Item) envelope.Opened {
	t.Helper()
	o, err := e.OpenItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func headerVersion(t testing.TB, sealed envelope.Item) int {
	t.Helper()
	m, err := envelope.Inspect(sealed)
	if err != nil {
		t.Fatal(err)
	}
	return m.Version
}

type actions = map[string]envelope.Action

const (
	encrypt = envelope.EncryptAndSign
	sign    = envelope.SignOnly
	include = envelope.SignAndIncludeInEncryptionContext
	nothing = envelope.DoNothing
)

func TestOpenItemReturnsTheActionsOfTheHeader(t *testing.T) {
	for name, c := range map[string]struct {
		more, want actions
	}{
		"nothing unknown": {nil, actions{"pk": sign, "sk": sign, "note": sign, "secret": encrypt}},
		"unknown attributes": {
			actions{"new secret": encrypt, "new note": sign},
			actions{"pk": sign, "sk": sign, "note": sign, "secret": encrypt, "new secret": encrypt, "new note": sign},
		},
		"an attribute in the context": {
			actions{"new secret": encrypt, "tenant": include},
			actions{"pk": include, "sk": include, "note": sign, "secret": encrypt, "new secret": encrypt,
				"tenant": include},
		},
		"not as configured now": {
			actions{"note": encrypt, "secret": sign},
			actions{"pk": sign, "sk": sign, "note": encrypt, "secret": sign},
		},
	} {
		for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature,
			envelope.SuiteDigitalSignature} {
			t.Run(name, func(t *testing.T) {
				config := newerConfig(t, c.more)
				config.AlgorithmSuite = suite
				item := validItem()
				for name := range c.more {
					item[name] = s("value of " + name)
				}
				sealed := mustEncrypt(t, mustEncryptor(t, config), item)
				sealed["aws_dbe_v_1"], sealed["aws_dbe_b_secret"] = s(" "), s("1f")
				got := mustOpen(t, mustEncryptor(t, validConfig(t)), sealed)
				sameItem(t, got.Item, item)
				if !maps.Equal(got.Actions, c.want) {
					t.Errorf("actions are %v, want %v", got.Actions, c.want)
				}
				if want := []string{"aws_dbe_b_secret", "aws_dbe_v_1"}; !slices.Equal(got.Beacons, want) {
					t.Errorf("beacons are %q, want %q", got.Beacons, want)
				}
			})
		}
	}
}

func TestOpenItemOfPlaintext(t *testing.T) {
	config := validConfig(t)
	config.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	got := mustOpen(t, mustEncryptor(t, config), validItem())
	sameItem(t, got.Item, validItem())
	if got.Actions != nil || got.Beacons != nil {
		t.Errorf("actions %v, beacons %q", got.Actions, got.Beacons)
	}
	_, err := mustEncryptor(t, validConfig(t)).OpenItem(t.Context(), validItem())
	failsWith(t, err, envelope.ErrNotEncrypted, "decrypt", "")
}

func TestEncryptItemAs(t *testing.T) {
	for name, c := range map[string]struct {
		given   actions
		add     []string
		want    actions // of the names added and the keys
		version int
	}{
		"no actions":  {nil, nil, actions{"pk": sign}, 1},
		"encrypted":   {actions{"new": encrypt}, []string{"new"}, actions{"new": encrypt, "pk": sign}, 1},
		"signed":      {actions{"new": sign}, []string{"new"}, actions{"new": sign, "sk": sign}, 1},
		"in context":  {actions{"new": include}, []string{"new"}, actions{"new": include, "pk": include, "sk": include}, 2},
		"not present": {actions{"new": include, "old": nothing}, nil, actions{"pk": sign, "sk": sign}, 1},
		"beside each other": {
			actions{"a": include, "z": encrypt, "m": sign}, []string{"a", "z", "m"},
			actions{"a": include, "z": encrypt, "m": sign, "pk": include, "sk": include, "note": sign,
				"secret": encrypt}, 2,
		},
		"configured ones win": {
			actions{"secret": sign, "note": nothing, "pk": include, "sk": encrypt, "new": encrypt}, []string{"new"},
			actions{"secret": encrypt, "note": sign, "pk": sign, "sk": sign, "new": encrypt}, 1,
		},
		"a configured action stays": {
			actions{"secret": include}, nil, actions{"secret": encrypt, "pk": sign}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := mustEncryptor(t, validConfig(t))
			item := validItem()
			for _, name := range c.add {
				item[name] = s("value of " + name)
			}
			before := maps.Clone(c.given)
			sealed, err := e.EncryptItemAs(t.Context(), item, c.given)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(before, c.given) {
				t.Error("the actions were changed")
			}
			if v := headerVersion(t, sealed); v != c.version {
				t.Errorf("header version %d, want %d", v, c.version)
			}
			got := mustOpen(t, e, sealed)
			sameItem(t, got.Item, item)
			for name, want := range c.want {
				if got.Actions[name] != want {
					t.Errorf("%q has %v, want %v", name, got.Actions[name], want)
				}
				_, hidden := sealed[name].(*types.AttributeValueMemberB)
				if hidden != (want == encrypt) {
					t.Errorf("%q is stored as %T with %v", name, sealed[name], want)
				}
			}
		})
	}
}

// A name that may be unsigned stays so, whatever actions has.
func TestEncryptItemAsKeepsTheUnsigned(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	item := validItem()
	item[":other"] = s("open")
	sealed, err := e.EncryptItemAs(t.Context(), item, actions{":other": encrypt, "ttl": sign})
	if err != nil {
		t.Fatal(err)
	}
	sealed[":other"], sealed["ttl"] = s("changed"), n("5")
	got := mustOpen(t, e, sealed)
	if _, signed := got.Actions[":other"]; signed || len(got.Actions) != 4 {
		t.Errorf("actions %v", got.Actions)
	}
}

func TestEncryptItemAsRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		attribute string
		given     actions
	}{
		"no action":               {"new", nil},
		"action of another name":  {"new", actions{"other": encrypt}},
		"DO_NOTHING":              {"new", actions{"new": nothing}},
		"zero action":             {"new", actions{"new": 0}},
		"unknown action":          {"new", actions{"new": nothing + 1}},
		"empty name":              {"", actions{"": encrypt}},
		"name not UTF-8":          {"new\xff", actions{"new\xff": encrypt}},
		"header":                  {envelope.HeaderAttribute, actions{envelope.HeaderAttribute: sign}},
		"beacon":                  {"aws_dbe_b_x", actions{"aws_dbe_b_x": sign}},
		"reserved in the context": {"aws-crypto-x", actions{"aws-crypto-x": encrypt}},
	} {
		t.Run(name, func(t *testing.T) {
			item := validItem()
			item[c.attribute] = s("v")
			sealed, err := mustEncryptor(t, validConfig(t)).EncryptItemAs(t.Context(), item, c.given)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", c.attribute)
			if sealed != nil {
				t.Error("an item came back")
			}
		})
	}
}

// More signed attributes than the header holds are refused before any keyring
// hears of the item.
func TestEncryptItemAsCountsBeforeItAsks(t *testing.T) {
	config := validConfig(t)
	config.Keyring = keyringFuncs{testKeyring(t), nil} // panics when asked
	item, given := validItem(), make(actions)
	for i := range format.MaxLegend {
		name := fmt.Sprint("new ", i)
		item[name], given[name] = s(""), sign
	}
	e := mustEncryptor(t, config)
	_, err := e.EncryptItemAs(t.Context(), item, given)
	failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "")
	// One more than the header holds, then as many.
	for i := range 4 {
		if i == 3 {
			_, err := e.EncryptItemAs(t.Context(), item, given)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "")
		}
		delete(item, fmt.Sprint("new ", i))
	}
	config.Keyring = testKeyring(t)
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	sealed, err := mustEncryptor(t, config).EncryptItemAs(t.Context(), item, given)
	if err != nil {
		t.Fatal(err)
	}
	if opened := mustOpen(t, mustEncryptor(t, config), sealed); len(opened.Actions) != format.MaxLegend {
		t.Errorf("%d signed attributes came back", len(opened.Actions))
	}
}

// A header that does not belong to the item must not decide what is stored in
// the clear.
func TestOpenItemReturnsNothingUnverified(t *testing.T) {
	more := actions{"new secret": encrypt}
	item := validItem()
	item["new secret"] = s("hidden")
	sealed := mustEncrypt(t, mustEncryptor(t, newerConfig(t, more)), item)
	more["new secret"] = sign
	open := mustEncrypt(t, mustEncryptor(t, newerConfig(t, more)), item)
	for name, change := range map[string]func(envelope.Item){
		"footer stripped": func(i envelope.Item) { delete(i, envelope.FooterAttribute) },
		"header stripped": func(i envelope.Item) { delete(i, envelope.HeaderAttribute) },
		"header swapped":  func(i envelope.Item) { i[envelope.HeaderAttribute] = open[envelope.HeaderAttribute] },
		"both swapped": func(i envelope.Item) {
			i[envelope.HeaderAttribute], i[envelope.FooterAttribute] = open[envelope.HeaderAttribute],
				open[envelope.FooterAttribute]
		},
		"value of the open": func(i envelope.Item) { i["new secret"] = open["new secret"] },
		"legend changed": func(i envelope.Item) {
			withHeader(t, i, func(h *format.Header) {
				h.Legend = slices.Clone(h.Legend)
				h.Legend[slices.Index(h.Legend, format.LegendEncrypt)] = format.LegendSign
			})
		},
		"footer changed": func(i envelope.Item) {
			withFooter(i, func(f []byte) []byte {
				f[0] ^= 1
				return f
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			hostile := maps.Clone(sealed)
			change(hostile)
			got, err := mustEncryptor(t, validConfig(t)).OpenItem(t.Context(), hostile)
			if got.Item != nil || got.Actions != nil || got.Beacons != nil {
				t.Errorf("got %v", got)
			}
			var attribute string
			switch name {
			case "footer stripped", "header swapped", "both swapped", "value of the open", "footer changed":
				attribute = envelope.FooterAttribute
			default:
				attribute = envelope.HeaderAttribute
			}
			if name == "value of the open" {
				attribute = "new secret"
			}
			failsWith(t, err, envelope.ErrTampered, "decrypt", attribute)
		})
	}
}

// An application that knows only some attributes opens an item, changes it and
// encrypts it again: what it does not know keeps value and action.
func TestUnknownAttributesKeepTheirActions(t *testing.T) {
	k := testKeyring(t)
	rapid.Check(t, func(rt *rapid.T) {
		suites := []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature}
		writer := envelope.Config{
			LogicalTableName: "t", PartitionKey: "the key", AllowedUnsignedPrefix: "~", Keyring: k,
			AlgorithmSuite: rapid.SampledFrom(suites).Draw(rt, "suite"),
		}
		reader := writer
		writer.Actions = actions{"the key": sign}
		reader.Actions = actions{"the key": sign}
		item := envelope.Item{"the key": s(drawText().Draw(rt, "key"))}
		for range rapid.IntRange(0, 8).Draw(rt, "attributes") {
			name := "a" + drawText().Draw(rt, "name")
			writer.Actions[name] = rapid.SampledFrom([]envelope.Action{encrypt, sign, include}).Draw(rt, "action")
			item[name] = drawValue(2).Draw(rt, "value")
			if rapid.Bool().Draw(rt, "known") {
				reader.Actions[name] = rapid.SampledFrom([]envelope.Action{encrypt, sign}).Draw(rt, "reader's action")
			} else {
				delete(reader.Actions, name)
			}
		}
		if slices.Contains(slices.Collect(maps.Values(writer.Actions)), include) {
			writer.Actions["the key"] = include
		}
		e, old := newEncryptor(rt, writer), newEncryptor(rt, reader)
		sealed, err := e.EncryptItem(t.Context(), item)
		if err != nil {
			rt.Fatal(err)
		}
		opened, err := old.OpenItem(t.Context(), sealed)
		if err != nil {
			rt.Fatal(err)
		}
		if !maps.Equal(opened.Actions, writer.Actions) {
			rt.Fatalf("opened with %v, written with %v", opened.Actions, writer.Actions)
		}
		// The change: some attributes get another value, some go.
		changed := maps.Clone(opened.Item)
		want := make(actions)
		version := format.Version1
		for _, name := range slices.Sorted(maps.Keys(opened.Item)) {
			if name == "the key" {
				continue
			}
			switch rapid.IntRange(0, 3).Draw(rt, "change") {
			case 0:
				delete(changed, name)
				continue
			case 1:
				changed[name] = drawValue(2).Draw(rt, "new value")
			}
			want[name] = writer.Actions[name]
			if action, known := reader.Actions[name]; known {
				want[name] = action
			}
			if want[name] == include {
				version = format.Version2
			}
		}
		want["the key"] = sign
		if version == format.Version2 {
			want["the key"] = include
		}
		if sealed, err = old.EncryptItemAs(t.Context(), changed, opened.Actions); err != nil {
			rt.Fatal(err)
		}
		reencodes(t, sealed)
		if got := headerVersion(t, sealed); got != version {
			rt.Fatalf("header version %d, want %d", got, version)
		}
		for _, reads := range []*envelope.ItemEncryptor{old, e} {
			opened, err := reads.OpenItem(t.Context(), sealed)
			if err != nil {
				rt.Fatal(err)
			}
			sameItem(t, opened.Item, changed)
			if !maps.Equal(opened.Actions, want) {
				rt.Fatalf("opened with %v, want %v", opened.Actions, want)
			}
		}
	})
}

func newEncryptor(rt *rapid.T, c envelope.Config) *envelope.ItemEncryptor {
	e, err := envelope.NewItemEncryptor(c)
	if err != nil {
		rt.Fatal(err)
	}
	return e
}
