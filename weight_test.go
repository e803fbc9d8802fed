// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// module begins the import path of every package below the root.
const module = "github.com/ddbseal/ddbseal/"

// dependencies lists every package that importing a package links.
func dependencies(t *testing.T, path string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", module+path).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", path, err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 10 {
		t.Fatalf("go list -deps %s gave only %d packages", path, len(deps))
	}
	return deps
}

func TestPackagesStayLight(t *testing.T) {
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	// The attribute value types, and the schemas that they are generated with.
	types, schemas := services+"dynamodb/types", services+"dynamodb/schemas"
	for _, c := range []struct {
		path    string
		allowed []string // packages that match a banned prefix and may be there
		banned  []string
	}{
		{"envelope/materials", nil, []string{"net/http", services, module + "localaws"}},
		{"envelope", []string{types, schemas}, []string{"net/http", services, module + "localaws", module + "store"}},
		{"envelope/keyring", []string{types, schemas}, []string{"net/http", services, module + "localaws"}},
		{"envelope/legacy", []string{types, schemas}, []string{"net/http", services, module + "localaws", module + "store"}},
		{"envelope/internal/format", []string{types, schemas}, []string{"net/http", services, "net", "time/tzdata"}},
		{"internal/ddbexpr", []string{types, schemas}, []string{"net/http", services, module + "localaws"}},
		{"internal/ddbnumber", nil, []string{"net/http", services}},
		{"localaws", nil, []string{module + "envelope", module + "store", module + "labsetup"}},
		{"store", []string{services + "dynamodbstreams/types", services + "dynamodbstreams/schemas"},
			[]string{services + "kms", services + "iam", services + "dynamodbstreams", module + "localaws"}},
		{"store/change", nil, []string{services + "kms", services + "iam", module + "localaws"}},
		{"labsetup", nil, []string{module + "localaws"}},
		{"access", nil, []string{module + "localaws", module + "store", module + "envelope"}},
	} {
		t.Run(c.path, func(t *testing.T) {
			for _, dep := range dependencies(t, c.path) {
				for _, ban := range c.banned {
					hit := dep == ban || strings.HasPrefix(dep, strings.TrimSuffix(ban, "/")+"/")
					for _, ok := range c.allowed {
						hit = hit && dep != ok
					}
					if hit {
						t.Errorf("%s pulls in %s", c.path, dep)
					}
				}
			}
		})
	}
}

// testPackage matches the paths of this module's packages that only tests
// import: a fake, a store that records, an AWS for one test.
var testPackage = regexp.MustCompile(`(^|/)(fake[a-z]*|[a-z]+test|testenv)(/|$)`)

// TestCommandLinksNoTestDouble: test doubles live in packages named for it, and
// no program links one, nor package testing.
func TestCommandLinksNoTestDouble(t *testing.T) {
	doubles := []string{"envelope/internal/fakekms", "localaws/internal/storage/storagetest", "localaws/localawstest"}
	var matched []string
	for _, p := range goPackages(t) {
		if testPackage.MatchString(p.path) {
			matched = append(matched, p.path)
		}
	}
	for _, double := range doubles {
		if !slices.Contains(matched, double) {
			t.Errorf("%s is not among the packages for tests %q", double, matched)
		}
	}
	for _, programs := range []string{"cmd/ddbseal", "examples/..."} {
		for _, dep := range dependencies(t, programs) {
			own, ok := strings.CutPrefix(dep, module)
			if dep == "testing" || ok && testPackage.MatchString(own) {
				t.Errorf("%s links %s", programs, dep)
			}
		}
	}
}
