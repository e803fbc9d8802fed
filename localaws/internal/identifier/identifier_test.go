// SPDX-License-Identifier: Apache-2.0

package identifier_test

import (
	"regexp"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"

	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
)

func TestForms(t *testing.T) {
	for pattern, create := range map[string]func() string{
		`^AIDA[A-Z2-7]{17}$`:  func() string { return identifier.New("AIDA") },
		`^ASIA[A-Z2-7]{16}$`:  func() string { return identifier.NewAccessKey("ASIA") },
		`^[A-Za-z0-9+/]{40}$`: identifier.NewSecret,
	} {
		if a, b := create(), create(); !regexp.MustCompile(pattern).MatchString(a) || a == b {
			t.Errorf("%s and %s, want two different ones of %s", a, b, pattern)
		}
	}
}

func TestIDsAndSecretsAreFresh(t *testing.T) {
	var ids, keys, secrets []string
	for range fresh.Draws {
		ids, keys, secrets = append(ids, identifier.New("AIDA")), append(keys, identifier.NewAccessKey("AKIA")),
			append(secrets, identifier.NewSecret())
	}
	fresh.Text(t, "unique id", []int{0, 1, 2, 3}, ids)
	fresh.Text(t, "access key id", []int{0, 1, 2, 3}, keys)
	fresh.Text(t, "secret access key", nil, secrets)
	if len(ids[0]) != 21 || len(keys[0]) != 20 || len(secrets[0]) != 40 {
		t.Errorf("%d, %d and %d characters", len(ids[0]), len(keys[0]), len(secrets[0]))
	}
}
