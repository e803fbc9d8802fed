// SPDX-License-Identifier: Apache-2.0

package keypolicy_test

import (
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

func TestAdmitting(t *testing.T) {
	const user, text = "arn:aws:iam::111122223333:user/u", `{"Statement":[
{"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*"},
{"Sid":"everybody","Effect":"Allow","Principal":"*","Action":"kms:*"},
{"Sid":"use","Effect":"Allow","Principal":{"AWS":["a","arn:aws:iam::111122223333:user/u"]},"Action":["kms:Encrypt","kms:Dec*"]},
{"Sid":"look","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/u"},"Action":"kms:Describe*"},
{"Sid":"deny","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/u"},"Action":"kms:Decrypt"},
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/u"},"Action":"KMS:decryp?"}]}`
	for _, c := range []struct {
		text, principal string
		want            []string
	}{
		{text, user, []string{"use", "statement 6"}},
		{text, user + "x", nil},
		{`{"Statement":{"Sid":"one","Effect":"Allow","Action":"*","Resource":"*"}}`, "", []string{"one"}},
		{`{"Statement":{"Sid":"one","Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "", nil},
		{"no policy", user, nil},
	} {
		if got := keypolicy.Admitting(c.text, c.principal, "kms:Decrypt"); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.principal, got, c.want)
		}
	}
}
