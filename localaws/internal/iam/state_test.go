package iam

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestIDsAndSecretsAreFresh(t *testing.T) {
	var ids, keys, secrets []string
	for range fresh.Draws {
		ids, keys, secrets = append(ids, newID("AIDA")), append(keys, newAccessKeyID("AKIA")), append(secrets, newSecret())
	}
	fresh.Text(t, "unique id", []int{0, 1, 2, 3}, ids)
	fresh.Text(t, "access key id", []int{0, 1, 2, 3}, keys)
	fresh.Text(t, "secret access key", nil, secrets)
	if len(ids[0]) != 21 || len(keys[0]) != 20 || len(secrets[0]) != 40 {
		t.Errorf("%d, %d and %d characters", len(ids[0]), len(keys[0]), len(secrets[0]))
	}
}
