// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// Both texts are key policies, of the principals that their names say.
func TestPolicies(t *testing.T) {
	for text, principals := range map[string]int{
		Default("111122223333"): 1, Managed("111122223333", "eu-central-1", "dynamodb"): 1,
	} {
		doc, err := policy.Parse([]byte(text), policy.KeyPolicy)
		if err != nil {
			t.Fatal(err)
		}
		if arns := doc.PrincipalARNs(); len(arns) != principals || arns[0] != "arn:aws:iam::111122223333:root" {
			t.Errorf("principals %q of %s", arns, text)
		}
	}
}
