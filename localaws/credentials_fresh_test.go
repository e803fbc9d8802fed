// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestRootCredentialsAreFresh(t *testing.T) {
	var ids, secrets []string
	for range fresh.Draws {
		root := newRoot("111122223333")
		ids, secrets = append(ids, root.AccessKeyID), append(secrets, root.SecretAccessKey)
	}
	fresh.Text(t, "access key id", []int{0, 1, 2, 3}, ids)
	fresh.Text(t, "secret access key", nil, secrets)
	if len(ids[0]) != 20 || len(secrets[0]) != 40 {
		t.Errorf("%d and %d characters", len(ids[0]), len(secrets[0]))
	}
}
