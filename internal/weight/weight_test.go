// Package weight_test guards what importing a room pulls in.
package weight_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/ddbseal/ddbseal/"

// dependencies lists every package that importing room links.
func dependencies(t *testing.T, room string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", module+room).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", room, err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 10 {
		t.Fatalf("go list -deps %s gave only %d packages", room, len(deps))
	}
	return deps
}

func TestRoomsStayLight(t *testing.T) {
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	// The attribute value types, and the schemas that they are generated with.
	types, schemas := services+"dynamodb/types", services+"dynamodb/schemas"
	for _, c := range []struct {
		room    string
		allowed []string // packages that match a banned prefix and may be there
		banned  []string
	}{
		{"envelope/materials", nil, []string{"net/http", services, module + "localaws"}},
		{"envelope", []string{types, schemas}, []string{"net/http", services, module + "localaws", module + "store"}},
		{"envelope/keyring", []string{types, schemas}, []string{"net/http", services, module + "localaws"}},
		{"envelope/internal/format", []string{types, schemas}, []string{"net/http", services, "net", "time/tzdata"}},
		{"internal/ddbexpr", []string{types, schemas}, []string{"net/http", services, module + "localaws"}},
		{"internal/ddbnumber", nil, []string{"net/http", services}},
		{"localaws", nil, []string{module + "envelope", module + "store", module + "labsetup"}},
		{"store", nil, []string{services + "kms", services + "iam", module + "localaws"}},
		{"labsetup", nil, []string{module + "localaws"}},
	} {
		t.Run(c.room, func(t *testing.T) {
			for _, dep := range dependencies(t, c.room) {
				for _, ban := range c.banned {
					hit := dep == ban || strings.HasPrefix(dep, strings.TrimSuffix(ban, "/")+"/")
					for _, ok := range c.allowed {
						hit = hit && dep != ok
					}
					if hit {
						t.Errorf("%s pulls in %s", c.room, dep)
					}
				}
			}
		})
	}
}
