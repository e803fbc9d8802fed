package materials_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestBranchKeyDoesNotPrint tries every verb on a branch key and on a copy of
// what it points to.
func TestBranchKeyDoesNotPrint(t *testing.T) {
	k := materials.NewBranchKey("tenant", "version", [32]byte([]byte(strings.Repeat("k", 32))))
	for _, v := range []any{k, *k, struct{ K materials.BranchKey }{*k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			if text := fmt.Sprintf(verb, v); !strings.Contains(text, "[branch key]") || strings.Contains(text, "107") || strings.Contains(text, "6b6b") {
				t.Errorf("%s of %T prints %s", verb, v, text)
			}
		}
		if text, err := json.Marshal(v); err == nil {
			t.Errorf("%T marshals to %s", v, text)
		}
	}
}
