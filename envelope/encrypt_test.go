// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

// validItem fits validConfig.
func validItem() envelope.Item {
	return envelope.Item{
		"pk": s("customer"), "sk": n("1"), "note": s("readable"), "secret": s("hidden"),
		":view": n("1"), "ttl": n("1700000000"),
	}
}

// nested returns a value of so many levels, the leaf included.
func nested(levels int) types.AttributeValue {
	v := s("leaf")
	for range levels - 1 {
		v = &types.AttributeValueMemberL{Value: []types.AttributeValue{v}}
	}
	return v
}

func TestEncryptItemRefuses(t *testing.T) {
	loop := &types.AttributeValueMemberL{}
	loop.Value = []types.AttributeValue{loop, loop}
	for name, c := range map[string]struct {
		attribute string
		value     types.AttributeValue // nil removes the attribute
	}{
		"no partition key":            {"pk", nil},
		"no sort key":                 {"sk", nil},
		"key of another type":         {"sk", &types.AttributeValueMemberBOOL{Value: true}},
		"key not UTF-8":               {"pk", s("\xff")},
		"key no number":               {"sk", n("one")},
		"key too long":                {"pk", s(strings.Repeat("x", 50000))},
		"unknown attribute":           {"unknown", s("v")},
		"empty attribute name":        {"", s("v")},
		"encrypted already":           {envelope.HeaderAttribute, b([]byte{1})},
		"footer":                      {envelope.FooterAttribute, b([]byte{1})},
		"beacon":                      {"aws_dbe_b_x", s("v")},
		"other reserved name":         {"aws_dbe_x", s("v")},
		"nil value":                   {"secret", types.AttributeValue(nil)},
		"typed nil value":             {"secret", (*types.AttributeValueMemberS)(nil)},
		"typed nil map":               {"secret", (*types.AttributeValueMemberM)(nil)},
		"nil inside":                  {"secret", &types.AttributeValueMemberL{Value: []types.AttributeValue{nil}}},
		"unknown member":              {"secret", &types.UnknownUnionMember{Tag: "X"}},
		"text not UTF-8":              {"secret", s("a\xc3")},
		"signed text not UTF-8":       {"note", s("a\xc3")},
		"no number":                   {"secret", n("0x10")},
		"empty number":                {"secret", n("")},
		"signed number of 39 digits":  {"note", n(strings.Repeat("1", 39))},
		"number too large":            {"secret", n("1e126")},
		"number too small":            {"secret", n("1e-131")},
		"number with a huge exponent": {"secret", n("1e999999999999999999")},
		"duplicate string":            {"secret", &types.AttributeValueMemberSS{Value: []string{"b", "a", "b"}}},
		"duplicate number":            {"secret", &types.AttributeValueMemberNS{Value: []string{"100", "1e2"}}},
		"signed duplicate number":     {"note", &types.AttributeValueMemberNS{Value: []string{"1.0", "1"}}},
		"duplicate binary":            {"secret", &types.AttributeValueMemberBS{Value: [][]byte{{1}, {1}}}},
		"set not UTF-8":               {"secret", &types.AttributeValueMemberSS{Value: []string{"\xff"}}},
		"empty map key":               {"secret", &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"": s("")}}},
		"map key not UTF-8":           {"note", &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"\xff": s("")}}},
		"33 levels":                   {"secret", nested(33)},
		"33 signed levels":            {"note", nested(33)},
		"value without end":           {"secret", loop},
		"signed value without end":    {"note", loop},
	} {
		t.Run(name, func(t *testing.T) {
			e := mustEncryptor(t, validConfig(t))
			item := validItem()
			if c.value == nil && !strings.HasPrefix(name, "nil") {
				delete(item, c.attribute)
			} else {
				item[c.attribute] = c.value
			}
			out, err := e.EncryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", c.attribute)
			if out != nil {
				t.Error("an item came with the error")
			}
		})
	}
}

func TestErrorsHoldNoValues(t *testing.T) {
	const secret = "s3cr3t"
	e := mustEncryptor(t, validConfig(t))
	for name, v := range map[string]types.AttributeValue{
		"number": n(secret), "text": s(secret + "\xff"),
		"set": &types.AttributeValueMemberSS{Value: []string{secret, secret}},
		"map": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{secret: n(secret)}},
	} {
		item := validItem()
		item["secret"] = v
		if _, err := e.EncryptItem(t.Context(), item); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestEncryptItemLimits(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	item := validItem()
	item["secret"], item["note"] = nested(32), nested(32)
	item["pk"] = s(strings.Repeat("k", 2048)) // DynamoDB's longest partition key
	roundTrip(t, e, item)
	item["secret"] = s(strings.Repeat("x", 1<<20))
	item["note"] = &types.AttributeValueMemberSS{Value: []string{strings.Repeat("y", 1<<18)}}
	roundTrip(t, e, item)
	delete(item, "note")
	delete(item, "secret")
	delete(item, "ttl")
	roundTrip(t, e, item)
}

// roundTrip encrypts and decrypts.
func roundTrip(t testing.TB, e *envelope.ItemEncryptor, item envelope.Item) envelope.Item {
	t.Helper()
	sealed := mustEncrypt(t, e, item)
	got, err := e.DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, got, item)
	return sealed
}

func TestEncryptItemHidesWhatItShould(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	item := validItem()
	before := maps.Clone(item)
	sealed := roundTrip(t, e, item)
	if !maps.Equal(item, before) {
		t.Error("the input was changed")
	}
	for name, v := range sealed {
		switch name {
		case "secret", envelope.HeaderAttribute, envelope.FooterAttribute:
			bytes, ok := v.(*types.AttributeValueMemberB)
			if !ok {
				t.Fatalf("%s is a %T, not a B", name, v)
			}
			if strings.Contains(string(bytes.Value), "hidden") {
				t.Errorf("%s shows the plaintext", name)
			}
			if len(bytes.Value) != cap(bytes.Value) {
				t.Errorf("an append to %s would reach other values", name)
			}
		default:
			if v != item[name] {
				t.Errorf("%s was changed", name)
			}
		}
	}
	again := mustEncrypt(t, e, item)
	for _, name := range []string{"secret", envelope.HeaderAttribute, envelope.FooterAttribute} {
		if canonical(t, sealed[name]) == canonical(t, again[name]) {
			t.Errorf("%s is the same after encrypting again", name)
		}
	}
}

// An attribute that may be unsigned needs no action.
func TestUnsignedWithoutAction(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	item := validItem()
	item[":not configured"] = s("x")
	sealed := roundTrip(t, e, item)
	sealed[":not configured"] = s("changed by anybody")
	sealed[":added"] = s("by anybody")
	got, err := e.DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(item)+1 {
		t.Errorf("got %d attributes", len(got))
	}
}

func TestSmallItemOfWideConfiguration(t *testing.T) {
	config := validConfig(t)
	for c := 'a'; c <= 'z'; c++ {
		for d := 'a'; d <= 'z'; d++ {
			config.Actions[string([]rune{c, d, 'x', c})] = envelope.EncryptAndSign
		}
	}
	item := validItem()
	item["aaxa"], item["zzxz"], item["mnxm"] = s("1"), s("2"), s("3")
	e := mustEncryptor(t, config)
	sealed := roundTrip(t, e, item)
	narrow := validConfig(t) // reads them as attributes unknown to it
	got, err := mustEncryptor(t, narrow).DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, got, item)
}

func TestContextEnds(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, e, validItem())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.EncryptItem(ctx, validItem())
	failsWith(t, err, context.Canceled, "encrypt", "")
	_, err = e.DecryptItem(ctx, sealed)
	failsWith(t, err, context.Canceled, "decrypt", "")
	_, err = e.DecryptAll(ctx, []envelope.Item{sealed, sealed})
	var batch *envelope.BatchError
	if !errors.As(err, &batch) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestVersion2NeedsContextAttributes(t *testing.T) {
	config := validConfig(t)
	for _, name := range []string{"pk", "sk", "note"} {
		config.Actions[name] = envelope.SignAndIncludeInEncryptionContext
	}
	e := mustEncryptor(t, config)
	item := validItem()
	sealed := roundTrip(t, e, item)
	if m, err := e.Inspect(sealed); err != nil || m.Version != 2 {
		t.Errorf("version %+v, %v", m, err)
	}
	item["note"] = s(strings.Repeat("x", 65536))
	_, err := e.EncryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "note")
	delete(item, "note")
	_, err = e.EncryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "note")
}

// Everything that encryption draws differs from item to item, also of the same
// item: the message ID, and with the data key the encrypted values and tags.
func TestMessageIDsAreFresh(t *testing.T) {
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		config := validConfig(t)
		config.AlgorithmSuite = suite
		e := mustEncryptor(t, config)
		draws := make(map[string][][]byte)
		for range fresh.Draws {
			sealed := mustEncrypt(t, e, validItem())
			h := headerOf(t, sealed)
			foot := sealed[envelope.FooterAttribute].(*types.AttributeValueMemberB).Value
			for name, v := range map[string][]byte{
				"message ID": h.MessageID[:], "commitment": h.Commitment[:],
				"wrapped data key": h.EncryptedDataKeys[0].Ciphertext,
				"encrypted value":  sealed["secret"].(*types.AttributeValueMemberB).Value[2:],
				"recipient tag":    foot[:48],
			} {
				draws[name] = append(draws[name], v)
			}
			if suite.Signed() {
				draws["public key"] = append(draws["public key"], []byte(h.Context[materials.ContextPublicKey])[2:66])
				// A signature begins with 30 65 02 31 00 or 30 65 02 30.
				draws["signature"] = append(draws["signature"], foot[48+5:])
			}
		}
		for name, d := range draws {
			fresh.Bytes(t, suite.String()+": "+name, d)
		}
	}
}
