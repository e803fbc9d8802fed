package materials

import (
	"testing"
)

func TestSigningKeysAreUsedOnce(t *testing.T) {
	keys := newSigningKeys(2)
	seen := make(map[string]bool)
	for range 20 {
		k, err := keys.next()
		if err != nil {
			t.Fatal(err)
		}
		if seen[k.public] {
			t.Fatal("one key twice")
		}
		seen[k.public] = true
	}
}
