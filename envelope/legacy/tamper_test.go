// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

func TestFixturesOpen(t *testing.T) {
	for _, f := range fixtures(t) {
		got, err := f.decryptor().DecryptItem(t.Context(), f.stored)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		sameItem(t, got, f.plain)
	}
}

// classes are the only ones that a changed item can fail with.
var classes = []error{envelope.ErrTampered, envelope.ErrUnsupported, envelope.ErrMaterials, envelope.ErrNotEncrypted}

// refusedOrSame checks that an altered item either fails with a named error or
// gives the plaintext: the description is signed by nothing, and a change of a
// text in it that no reader uses has no effect. loose is what the altered item has
// in its unsigned attribute.
func refusedOrSame(t testing.TB, f *fixture, d *legacy.Decryptor, altered envelope.Item) (refused bool) {
	t.Helper()
	got, err := d.DecryptItem(t.Context(), altered)
	if err != nil {
		if got != nil {
			t.Errorf("%s: a refused item was returned", f.name)
		}
		var own *envelope.Error
		if !errors.As(err, &own) || !slices.ContainsFunc(classes, func(c error) bool { return errors.Is(err, c) }) {
			t.Errorf("%s: %v is of no known class", f.name, err)
		}
		return true
	}
	want := maps.Clone(f.plain)
	delete(want, "loose")
	if v, has := altered["loose"]; has {
		want["loose"] = v
	}
	sameItem(t, got, want)
	return false
}

// TestEveryBit flips each bit of the description, the signature and each encrypted
// value.
func TestEveryBit(t *testing.T) {
	for _, f := range fixtures(t) {
		d := f.decryptor()
		for _, name := range []string{envelope.LegacyDescriptionAttribute, envelope.LegacySignatureAttribute, "secret",
			"map"} {
			value := f.stored[name].(*types.AttributeValueMemberB).Value
			for i := range 8 * len(value) {
				altered := maps.Clone(f.stored)
				flipped := bytes.Clone(value)
				flipped[i/8] ^= 1 << (i % 8)
				altered[name] = b(flipped)
				if name != envelope.LegacyDescriptionAttribute {
					_, err := d.DecryptItem(t.Context(), altered)
					if !errors.Is(err, envelope.ErrTampered) {
						t.Fatalf("%s: bit %d of %s: %v", f.name, i, name, err)
					}
					continue
				}
				refusedOrSame(t, &f, d, altered)
			}
		}
	}
}

// TestSwaps: a value is bound to its name, its item and its table.
func TestSwaps(t *testing.T) {
	for _, f := range fixtures(t) {
		d := f.decryptor()
		for name, change := range map[string]func(envelope.Item){
			"values":         func(i envelope.Item) { i["secret"], i["map"] = i["map"], i["secret"] },
			"partition key":  func(i envelope.Item) { i["pk"] = s("other") },
			"sort key":       func(i envelope.Item) { i["sk"] = n("8") },
			"signed":         func(i envelope.Item) { i["open"] = &types.AttributeValueMemberBOOL{} },
			"type":           func(i envelope.Item) { i["open"] = n("1") },
			"removed":        func(i envelope.Item) { delete(i, "secret") },
			"removed signed": func(i envelope.Item) { delete(i, "open") },
			"in the clear":   func(i envelope.Item) { i["secret"] = s("classified") },
			"nil value":      func(i envelope.Item) { i["open"] = nil },
			"nil pointer":    func(i envelope.Item) { i["secret"] = (*types.AttributeValueMemberB)(nil) },
			"nil key":        func(i envelope.Item) { i["pk"] = (*types.AttributeValueMemberS)(nil) },
			"key type":       func(i envelope.Item) { i["pk"] = &types.AttributeValueMemberBOOL{} },
			"no key":         func(i envelope.Item) { delete(i, "pk") },
			"short value":    func(i envelope.Item) { i["secret"] = b(make([]byte, 16)) },
			"ragged value":   func(i envelope.Item) { i["secret"] = b(make([]byte, 33)) },
			"no signature":   func(i envelope.Item) { delete(i, envelope.LegacySignatureAttribute) },
			"signature type": func(i envelope.Item) { i[envelope.LegacySignatureAttribute] = s("x") },
			"description":    func(i envelope.Item) { i[envelope.LegacyDescriptionAttribute] = s("x") },
			"no description": func(i envelope.Item) { delete(i, envelope.LegacyDescriptionAttribute) },
			"unknown":        func(i envelope.Item) { i["zz"] = s("x") },
			"header":         func(i envelope.Item) { i[envelope.HeaderAttribute] = b([]byte{1}) },
			"beacon":         func(i envelope.Item) { i["aws_dbe_b_secret"] = s("x") },
		} {
			altered := maps.Clone(f.stored)
			change(altered)
			got, err := d.DecryptItem(t.Context(), altered)
			// Of AWS KMS's context, the keys are a part: the call fails.
			denied := f.name == "kms" && errors.Is(err, envelope.ErrMaterials)
			if got != nil || !errors.Is(err, envelope.ErrTampered) && !denied {
				t.Errorf("%s: %s: %v", f.name, name, err)
			}
		}
		other := f.config
		other.TableName = "u"
		_, err := must(legacy.New(other)).DecryptItem(t.Context(), f.stored)
		if !errors.Is(err, envelope.ErrTampered) && !errors.Is(err, envelope.ErrMaterials) {
			t.Errorf("%s: another table: %v", f.name, err)
		}
	}
}

// TestUnsignedAttributesMayChange: what the writer did not sign is returned as it
// is.
func TestUnsignedAttributesMayChange(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, v := range []types.AttributeValue{s("changed"), nil} {
			altered := maps.Clone(f.stored)
			if altered["loose"] = v; v == nil {
				delete(altered, "loose")
			}
			if refusedOrSame(t, &f, f.decryptor(), altered) {
				t.Errorf("%s: refused", f.name)
			}
		}
	}
}

// TestMutations changes items at random: nothing panics, and nothing comes back
// that was not written.
func TestMutations(t *testing.T) {
	const mutations = 10_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, f := range fixtures(t) {
		d := f.decryptor()
		refused := 0
		for range mutations {
			altered := mutate(r, f.stored)
			if refusedOrSame(t, &f, d, altered) {
				refused++
			}
			if t.Failed() {
				t.Fatalf("%s: %s", f.name, text(&types.AttributeValueMemberM{Value: altered}))
			}
		}
		if refused < mutations/2 {
			t.Errorf("%s: only %d of %d were refused", f.name, refused, mutations)
		}
	}
}

// mutate returns a copy of an item with one to three changes.
func mutate(r *rand.Rand, stored envelope.Item) envelope.Item {
	out := maps.Clone(stored)
	names := slices.Sorted(maps.Keys(stored))
	pick := func() string { return names[r.IntN(len(names))] }
	for range 1 + r.IntN(3) {
		name := pick()
		if v, ok := out[name].(*types.AttributeValueMemberB); ok && r.IntN(4) > 0 {
			out[name] = b(mutateBytes(r, v.Value))
			continue
		}
		switch r.IntN(5) {
		case 0:
			delete(out, name)
		case 1:
			out[name] = out[pick()]
		case 2:
			out[name] = s("changed")
		case 3:
			out[string(rune('a'+r.IntN(26)))] = n("1")
		case 4:
			out[name] = &types.AttributeValueMemberM{Value: envelope.Item{"a": out[name]}}
		}
	}
	return out
}

func mutateBytes(r *rand.Rand, v []byte) []byte {
	v = bytes.Clone(v)
	if len(v) == 0 {
		return []byte{byte(r.Uint32())}
	}
	at := r.IntN(len(v))
	switch r.IntN(5) {
	case 0:
		v[at] ^= 1 << r.IntN(8)
	case 1:
		v[at] = byte(r.Uint32())
	case 2:
		v = v[:at]
	case 3:
		v = slices.Insert(v, at, byte(r.Uint32()))
	case 4:
		v = append(v, v[at:]...)
	}
	return v
}
