// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// The fields cover header and footer byte for byte, in order.
func TestInspectCoversEveryByte(t *testing.T) {
	for _, file := range goldenFiles(t) {
		g := readGolden(t, file)
		item := mustItem(t, g.Encrypted)
		m, err := envelope.Inspect(item)
		if err != nil {
			t.Fatal(err)
		}
		for name, fields := range map[string][]envelope.Field{envelope.HeaderAttribute: m.Header,
			envelope.FooterAttribute: m.Footer} {
			offset := 0
			for _, f := range fields {
				if f.Offset != offset || f.Name == "" {
					t.Errorf("%s %s: %q at %d, expected at %d", file, name, f.Name, f.Offset, offset)
				}
				offset += f.Length
			}
			if length := len(item[name].(*types.AttributeValueMemberB).Value); offset != length {
				t.Errorf("%s: the fields of %s cover %d of %d bytes", file, name, offset, length)
			}
		}
		keyrings, err := g.keyrings()
		if err != nil {
			t.Fatal(err)
		}
		e := mustEncryptor(t, g.config(keyrings[0]))
		if m, err = e.Inspect(item); err != nil {
			t.Fatal(err)
		}
		for _, a := range m.Attributes {
			if want, _ := e.Action(a.Name); a.Action != want {
				t.Errorf("%s: %q is %v, want %v", file, a.Name, a.Action, want)
			}
			if a.Action == envelope.EncryptAndSign && !strings.HasSuffix(a.Name, a.Type) &&
				strings.HasPrefix(a.Name, "e_") {
				t.Errorf("%s: %q is said to be of type %s", file, a.Name, a.Type)
			}
		}
	}
}

func TestInspectTellsActions(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, e, validItem())
	m, err := envelope.Inspect(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if m.Suite != envelope.SuiteDigitalSignature || m.Version != 1 || m.Legend != "ssse" ||
		len(m.EncryptedDataKeys) != 1 {
		t.Errorf("got %+v", m)
	}
	for _, a := range m.Attributes {
		if a.Action != 0 {
			t.Errorf("%s: %v, though unsigned attributes make it unknown", a.Name, a.Action)
		}
	}
	delete(sealed, ":view")
	delete(sealed, "ttl")
	sealed["aws_dbe_b_note"] = s("1f")
	if m, err = envelope.Inspect(sealed); err != nil {
		t.Fatal(err)
	}
	want := map[string]envelope.InspectedAttribute{
		"pk": {Action: envelope.SignOnly, Type: "S"}, "sk": {Action: envelope.SignOnly, Type: "N"},
		"note": {Action: envelope.SignOnly, Type: "S"}, "secret": {Action: envelope.EncryptAndSign, Type: "S"},
		"aws_dbe_b_note": {Action: envelope.DoNothing, Type: "S", Beacon: true},
	}
	for _, a := range m.Attributes {
		w := want[a.Name]
		if a.Action != w.Action || a.Type != w.Type || a.Beacon != w.Beacon {
			t.Errorf("got %+v, want %+v", a, w)
		}
	}
	if len(m.Attributes) != len(want) {
		t.Errorf("%d attributes", len(m.Attributes))
	}
}

func TestInspectRefuses(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, e, validItem())
	_, err := envelope.Inspect(validItem())
	failsWith(t, err, envelope.ErrNotEncrypted, "inspect", "")
	_, err = envelope.Inspect(envelope.Item{"*amzn-ddb-map-desc*": b(nil)})
	failsWith(t, err, envelope.ErrLegacyItem, "inspect", "")
	later := envelope.Item{envelope.HeaderAttribute: b([]byte{9, 0}), envelope.FooterAttribute: b([]byte{1})}
	_, err = envelope.Inspect(later)
	failsWith(t, err, envelope.ErrUnsupported, "inspect", envelope.HeaderAttribute)
	withFooter(sealed, func(f []byte) []byte { return f[1:] })
	_, err = e.Inspect(sealed)
	failsWith(t, err, envelope.ErrTampered, "inspect", envelope.FooterAttribute)
}

// What an item says must not reach a terminal as control characters.
func TestInspectPrintsNoControlCharacters(t *testing.T) {
	sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	withHeader(t, sealed, func(h *format.Header) {
		h.Context["evil\x1b[2J"] = "\x07\u202e"
		h.EncryptedDataKeys[0].ProviderID = "p\r\n"
		h.EncryptedDataKeys[0].ProviderInfo = []byte("\x1b]0;x\x07")
	})
	m, err := envelope.Inspect(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Header {
		if strings.ContainsAny(f.Value, "\x1b\x07\r\n\u202e") {
			t.Errorf("%s prints %q", f.Name, f.Value)
		}
	}
}

func TestInspectSurvivesValuesWithoutEnd(t *testing.T) {
	sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	loop := &types.AttributeValueMemberL{}
	loop.Value = []types.AttributeValue{loop, loop}
	sealed["note"] = loop
	if _, err := envelope.Inspect(sealed); err != nil {
		t.Error(err)
	}
}

// The header's fields name curve and points of a key agreement and the ARN of an
// RSA key.
func TestInspectShowsAsymmetricKeys(t *testing.T) {
	g := readGolden(t, "testdata/ddbseal/v2-nosign-every-asymmetric-key.json")
	m, err := envelope.Inspect(mustItem(t, g.Encrypted))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, f := range m.Header {
		if strings.HasSuffix(f.Name, ": provider id") || strings.HasSuffix(f.Name, ": provider info") {
			texts = append(texts, f.Value+" ("+f.Meaning+")")
		}
	}
	for i, want := range []string{"p256", "p384", "p521", "p256", "aws-kms-rsa", "p521", "aws-kms-rsa"} {
		id, info := texts[2*i], texts[2*i+1]
		k := m.EncryptedDataKeys[i]
		if want == "aws-kms-rsa" {
			if id != "aws-kms-rsa (an RSA key of AWS KMS)" || info != g.Keys[i].KMSKey+" (key ARN)" {
				t.Errorf("key %d: %s %s", i, id, info)
			}
			continue
		}
		half := (len(k.ProviderInfo) - 9) / 2
		points := fmt.Sprintf("version 1, %s, recipient %x, sender %x (public keys of both sides, as compressed "+
			"points)", want, k.ProviderInfo[5:5+half], k.ProviderInfo[9+half:])
		if !strings.Contains(id, "a key agreement, written with") || info != points {
			t.Errorf("key %d: %s %s, want %s", i, id, info, points)
		}
	}
}

// Information of a key agreement that is not two points is shown as malformed.
func TestInspectShowsMalformedPoints(t *testing.T) {
	sealed := mustEncrypt(t, mustEncryptor(t, validConfig(t)), validItem())
	withHeader(t, sealed, func(h *format.Header) {
		h.EncryptedDataKeys[0].ProviderID = "raw-ecdh"
		h.EncryptedDataKeys[0].ProviderInfo = []byte("\x01\x02")
	})
	m, err := envelope.Inspect(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Header {
		if strings.HasSuffix(f.Name, ": provider info") &&
			(f.Value != "0102" || !strings.HasPrefix(f.Meaning, "malformed")) {
			t.Errorf("%+v", f)
		}
	}
}
