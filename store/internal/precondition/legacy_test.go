// SPDX-License-Identifier: Apache-2.0

package precondition_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// legacyEncryptor reads old items with "loose" unsigned; "u" is unsigned now.
func legacyEncryptor(t *testing.T, policy envelope.LegacyPolicy) *envelope.ItemEncryptor {
	t.Helper()
	key := bytes.Repeat([]byte{1}, 32)
	mac := must[*legacy.VerificationKey](t)(legacy.NewHMAC("HmacSHA256", key))
	old := must[*legacy.Decryptor](t)(legacy.New(legacy.Config{TableName: "t", PartitionKey: "id",
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "loose": envelope.DoNothing,
			"u": envelope.SignOnly},
		Provider: must[legacy.Provider](t)(legacy.NewStatic(legacy.StaticConfig{ContentKey: key, Verification: mac}))}))
	return must[*envelope.ItemEncryptor](t)(envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "t",
		PartitionKey: "id", AllowedUnsigned: []string{"u"},
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "u": envelope.DoNothing},
		Legacy:  &envelope.LegacyOverride{Policy: policy, Decryptor: old},
		Keyring: must[*keyring.RawAES](t)(keyring.NewRawAES(keyring.RawAESConfig{Namespace: "n", Name: "k",
			Key: key}))}))
}

var (
	some    = &types.AttributeValueMemberB{Value: []byte{1}}
	old     = envelope.Item{envelope.LegacySignatureAttribute: some, envelope.LegacyDescriptionAttribute: some}
	current = envelope.Item{envelope.HeaderAttribute: some, envelope.FooterAttribute: some}
	both    = envelope.Item{envelope.FooterAttribute: some, envelope.LegacySignatureAttribute: some}
)

func TestSeal(t *testing.T) {
	for want, item := range map[string]envelope.Item{
		envelope.FooterAttribute: current, envelope.LegacySignatureAttribute: old, "": {"id": some},
	} {
		if got := precondition.Seal(item); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := precondition.Seal(both); got != envelope.FooterAttribute {
		t.Errorf("got %q for an item of both formats", got)
	}
	if got := precondition.Seal(envelope.Item{envelope.LegacyDescriptionAttribute: some}); got != "" {
		t.Errorf("got %q for an item without signature", got)
	}
}

func TestLoose(t *testing.T) {
	reads := legacyEncryptor(t, envelope.ForbidLegacyEncryptAllowLegacyDecrypt)
	not := legacyEncryptor(t, envelope.ForbidLegacyEncryptForbidLegacyDecrypt)
	for _, c := range []struct {
		item       envelope.Item
		encryptors []*envelope.ItemEncryptor
		want       []string
	}{
		{old, []*envelope.ItemEncryptor{reads}, []string{envelope.LegacyDescriptionAttribute, "loose", "u"}},
		{old, []*envelope.ItemEncryptor{nil, not}, []string{envelope.LegacyDescriptionAttribute, "u"}},
		{old, []*envelope.ItemEncryptor{not, reads}, []string{envelope.LegacyDescriptionAttribute, "loose", "u"}},
		{current, []*envelope.ItemEncryptor{reads, nil}, []string{"u"}},
		{current, []*envelope.ItemEncryptor{nil}, nil},
	} {
		loose := precondition.Loose(c.item, c.encryptors...)
		var got []string
		for _, name := range []string{envelope.LegacyDescriptionAttribute, envelope.LegacySignatureAttribute, "id",
			"loose", "u"} {
			if loose(name) {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if got := precondition.LegacyUnsignedNames(nil, reads, not, reads); !slices.Equal(got, []string{"loose"}) {
		t.Errorf("unsigned names %q", got)
	}
}
