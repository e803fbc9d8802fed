package identifier_test

import (
	"regexp"
	"testing"

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
