// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// A refusal says what is wrong with the attribute, and of several always names
// the first.
func TestRefusedAttributes(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	for _, c := range []struct {
		name  string
		given actions
		says  string
	}{
		{"new", nil, "no action is configured"}, {"new", actions{"new": nothing}, "the given action is DO_NOTHING"},
		{"", nil, "empty name"}, {"", actions{"": sign}, "empty name"}, {"n\xff", actions{"n\xff": sign}, "not UTF-8"}, {"n\xff", nil, "no action is configured"},
		{":\xff", nil, "not UTF-8"}, {strings.Repeat("n", 65536), actions{strings.Repeat("n", 65536): sign}, "65536 bytes"},
		{envelope.HeaderAttribute, nil, "encrypted already"}, {envelope.FooterAttribute, nil, "encrypted already"}, {"aws_dbe_x", nil, `begin with "aws_dbe_"`},
		{"aws-crypto-x", nil, `begin with "aws-crypto-"`}, {"aws_dbe_x", actions{"aws_dbe_x": sign}, `begin with "aws_dbe_"`},
	} {
		item := validItem()
		item[c.name] = s("v")
		_, err := e.EncryptItemAs(t.Context(), item, c.given)
		var own *envelope.Error
		if !errors.As(err, &own) || !errors.Is(err, envelope.ErrInvalidItem) || own.Attribute != c.name ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%.20q with %d actions: %v does not say %q", c.name, len(c.given), err, c.says)
		}
	}
	for range 20 {
		item := validItem()
		for _, name := range []string{"x", "a", "m", "z", "b"} {
			item[name] = s("v")
		}
		_, err := e.EncryptItem(t.Context(), item)
		failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "a")
	}
}

// What stands in an item unsigned is the application's: only nested values, which
// official readers serialize, are checked.
func TestUnsignedValues(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	part := s(strings.Repeat("x", 1<<20))
	for name, c := range map[string]struct {
		value types.AttributeValue
		takes bool
	}{
		"number": {n("no number"), true}, "text": {s("\xff"), true}, "set": {&types.AttributeValueMemberSS{Value: []string{"a", "a"}}, true},
		"list": {&types.AttributeValueMemberL{Value: []types.AttributeValue{n("1")}}, true}, "bad list": {&types.AttributeValueMemberL{Value: []types.AttributeValue{n("x")}}, false},
		"bad map": {&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a": s("\xff")}}, false}, "deep": {nested(33), false}, "nil": {nil, false},
		"huge": {&types.AttributeValueMemberL{Value: slices.Repeat([]types.AttributeValue{part}, 65)}, false},
	} {
		item := validItem()
		item[":view"] = c.value
		_, err := e.EncryptItem(t.Context(), item)
		if c.takes && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !c.takes {
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", ":view")
		}
		item = validItem()
		item["secret"] = c.value
		if _, err := e.EncryptItem(t.Context(), item); name != "list" {
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "secret")
		}
	}
}

// unasked fails the test when it is asked.
type unasked struct{ t *testing.T }

func (k unasked) OnEncrypt(context.Context, *materials.Encryption) error {
	k.t.Error("the keyring was asked")
	return errors.New("asked")
}

func (k unasked) OnDecrypt(context.Context, *materials.Decryption, []materials.EncryptedDataKey) error {
	k.t.Error("the keyring was asked")
	return errors.New("asked")
}

// Values and names in the encryption context fill its length fields, and no more.
// A value that does not fit costs no call of the keyring.
func TestContextValuesAtTheirLimits(t *testing.T) {
	config := newerConfig(t, actions{"note": include})
	e := mustEncryptor(t, config)
	config.Keyring = unasked{t}
	idle := mustEncryptor(t, config)
	const most = math.MaxUint16
	for name, c := range map[string]struct {
		value types.AttributeValue
		takes bool
	}{
		"text": {s(strings.Repeat("x", most)), true}, "long text": {s(strings.Repeat("x", most+1)), false}, "binary": {b(make([]byte, 49147)), true},
		"long binary": {b(make([]byte, 49148)), false}, "number": {n("x"), false}, "no UTF-8": {s("\xff"), false}, "nil": {nil, false},
	} {
		item := validItem()
		item["note"] = c.value
		if !c.takes {
			_, err := idle.EncryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "note")
			continue
		}
		got, err := e.DecryptItem(t.Context(), mustEncrypt(t, e, item))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameItem(t, got, item)
	}
	// The name has a prefix in the context.
	for length, takes := range map[int]bool{most - 16: true, most - 15: false, most: false} {
		name := strings.Repeat("n", length)
		item := validItem()
		item[name] = s("v")
		config := validConfig(t)
		if !takes {
			config.Keyring = unasked{t}
		}
		_, err := mustEncryptor(t, config).EncryptItemAs(t.Context(), item, actions{name: include})
		if takes && err != nil {
			t.Errorf("name of %d bytes: %v", length, err)
		} else if !takes {
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", name)
		}
	}
	plain := validConfig(t)
	plain.Keyring = unasked{t}
	item := validItem()
	item["sk"] = n("x")
	_, err := mustEncryptor(t, plain).EncryptItem(t.Context(), item)
	failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "sk")
}
