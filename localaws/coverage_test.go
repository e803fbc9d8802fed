// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

var updateCoverage = flag.Bool("update-coverage", false, "write docs/aws-coverage.md")

const coveragePage = "../docs/aws-coverage.md"

// sdkOperations returns the operations that a service has in the SDK, in order.
// The SDK has a file for each.
func sdkOperations(t *testing.T, service string) (names []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/aws/aws-sdk-go-v2/service/"+service).Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "api_op_*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "api_op_"), ".go")
		if !strings.HasSuffix(name, "_test") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("the SDK has no operation of %s", service)
	}
	slices.Sort(names)
	return names
}

// TestCoveragePage: the server serves or refuses by name every operation of the
// SDK that go.mod requires, and the page says so.
func TestCoveragePage(t *testing.T) {
	s := start(t, localaws.Options{})
	coverage := s.Coverage()
	var page bytes.Buffer
	page.WriteString(coverageIntroduction)
	for _, service := range []struct{ name, title string }{
		{"dynamodb", "DynamoDB"}, {"dynamodbstreams", "DynamoDB Streams"}, {"kms", "KMS"}, {"iam", "IAM"}, {"sts", "STS"}, {"cloudtrail", "CloudTrail"},
	} {
		c, names := coverage[service.name], sdkOperations(t, service.name)
		for _, name := range names {
			if !slices.Contains(c.Served, name) && c.Refused[name] == "" {
				t.Errorf("%s:%s is neither served nor refused by name: add it to the operation table or to its "+
					"absent operations", service.name, name)
			}
		}
		for _, name := range slices.Concat(c.Served, slices.Collect(maps.Keys(c.Refused))) {
			if !slices.Contains(names, name) {
				t.Errorf("%s:%s is not an operation of the SDK", service.name, name)
			}
		}
		writeCoverage(&page, service.title, c)
	}
	if *updateCoverage {
		if err := os.WriteFile(coveragePage, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(coveragePage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, page.Bytes()) {
		t.Errorf("%s is stale: run go test ./localaws -run TestCoveragePage -update-coverage", coveragePage)
	}
}

const coverageIntroduction = `# Which operations of AWS localaws has

<!-- generated from the operation tables: go test ./localaws -run TestCoveragePage -update-coverage -->

Every operation in aws-sdk-go-v2 is either served or refused by name. A refusal
has the code UnsupportedOperationException (KMS, CloudTrail), UnsupportedOperation
(IAM, STS) or UnknownOperationException (DynamoDB), and says that this server does
not support the operation. What an operation does differently from AWS stands in
the documentation of its package.
`

func writeCoverage(page *bytes.Buffer, title string, c wire.Coverage) {
	fmt.Fprintf(page, "\n## %s\n\n%d of %d operations are served.\n\nServed: %s.\n", title, len(c.Served),
		len(c.Served)+len(c.Refused),
		strings.Join(c.Served, ", "))
	byReason := map[string][]string{}
	for name, what := range c.Refused {
		byReason[what] = append(byReason[what], name)
	}
	page.WriteString("\n| Refused for want of | Operations |\n|---|---|\n")
	for _, what := range slices.Sorted(maps.Keys(byReason)) {
		slices.Sort(byReason[what])
		fmt.Fprintf(page, "| %s | %s |\n", what, strings.Join(byReason[what], ", "))
	}
}

// TestRefusedByName: a call of an operation that the server does not have gets an
// answer that does not read like a limit of AWS.
func TestRefusedByName(t *testing.T) {
	s := start(t, localaws.Options{})
	protocols := map[string]rawRequest{
		"dynamodb":   {target: "DynamoDB_20120810.", contentType: json10},
		"kms":        {target: "TrentService.", contentType: json11},
		"cloudtrail": {target: "CloudTrail_20131101.", contentType: json11},
		"iam":        {body: "Version=2010-05-08&Action=", contentType: form},
		"sts":        {body: "Version=2011-06-15&Action=", contentType: form},
	}
	for service, c := range s.Coverage() {
		for operation, what := range c.Refused {
			r := protocols[service]
			r.service, r.creds = service, s.RootCredentials()
			if r.target != "" {
				r.target, r.body = r.target+operation, "{}"
			} else {
				r.body += operation
			}
			want := operation + " is not supported by this server: it does not have " + what + "."
			if status, _, body := send(t, s, r); status != 400 || !strings.Contains(body, want) {
				t.Errorf("%s:%s: %d %s", service, operation, status, body)
			}
		}
	}
}
