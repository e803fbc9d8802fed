// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
)

type Patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"` // readable, signed
	Diagnosis string `dynamodbav:"diagnosis"`        // encrypted: the default
}

// TestReadmeCode runs the code of README.md, as TestCodeIsHere checks.
func TestReadmeCode(t *testing.T) {
	ctx, cfg := t.Context(), localawstest.New(t).Root()
	db, kmsClient := dynamodb.NewFromConfig(cfg), kms.NewFromConfig(cfg)
	key, err := kmsClient.CreateKey(ctx, nil)
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check()
	keyARN := aws.ToString(key.KeyMetadata.Arn)

	keys, err := keystore.New(keystore.Config{
		LogicalName: "patients-keys", // bound to every branch key: it never changes
		TableName:   "patients-keys", DynamoDB: db, KMS: keystore.KMSKey(keyARN), KMSClient: kmsClient,
	})
	check()
	_, err = keys.CreateTable(ctx)
	check()
	branchKeyID, err := keys.CreateKey(ctx, keystore.CreateKeyInput{}) // keep the id in your settings
	check()

	source, err := cache.NewSource(keys, 10*time.Minute) // one KMS call per branch key every ten minutes
	check()
	defer source.Cache().Purge()
	hierarchical, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: branchKeyID})
	check()
	patients, err := store.New[Patient](db, "patients", store.ClientSide{Keyring: hierarchical})
	check()
	err = store.Create(ctx, store.CreateOptions{}, patients) // creates the table, or checks that it matches
	check()
	err = patients.Put(ctx, Patient{ID: "1", Ward: "north", Diagnosis: "hay fever"})
	check()
	p, err := patients.Get(ctx, store.Key{Partition: "1"})
	check()
	if p != (Patient{"1", "north", "hay fever"}) {
		t.Error(p)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goBlock is a block of Go code on a page.
var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// TestCodeIsHere: each line of code on a page stands in the test that runs it,
// and the lines of a block in their order.
func TestCodeIsHere(t *testing.T) {
	for page, program := range map[string]string{
		"README.md":            "readme_test.go",
		"docs/store.md":        "storepage_test.go",
		"docs/get-started.md":  "examples/getstarted/main.go",
		"docs/access.md":       "examples/access/access_test.go",
		"docs/scale.md":        "scalepage_test.go",
		"docs/migrating.md":    "store/migrate/example_test.go",
		"docs/streams.md":      "store/change/example_test.go",
		"docs/policy-tests.md": "policypage_test.go",
	} {
		var here []string
		for line := range strings.Lines(read(t, program)) {
			here = append(here, strings.TrimSpace(line))
		}
		checked := 0
		for _, block := range goBlock.FindAllStringSubmatch(read(t, page), -1) {
			rest := here
			for line := range strings.Lines(block[1]) {
				if line = strings.TrimSpace(line); line == "" {
					continue
				}
				checked++
				at := slices.Index(rest, line)
				if at < 0 {
					t.Errorf("%s has a line that %s does not run, or not in this order: %s", page, program, line)
					continue
				}
				rest = rest[at+1:]
			}
		}
		if checked < 10 {
			t.Errorf("only %d lines of code found on %s", checked, page)
		}
	}
}

// TestGetStartedIsWhole: the page has the whole program, so that it can be
// copied.
func TestGetStartedIsWhole(t *testing.T) {
	_, program, _ := strings.Cut(read(t, "examples/getstarted/main.go"), "\npackage main\n")
	if !strings.Contains(read(t, "docs/get-started.md"), "```go\npackage main\n"+program+"```\n") {
		t.Error("docs/get-started.md does not have examples/getstarted/main.go as it is")
	}
}

// TestCommandsAreRun: .ci/run runs the two commands of the README.
func TestCommandsAreRun(t *testing.T) {
	_, rest, ok := strings.Cut(read(t, "README.md"), "## The two commands\n")
	_, rest, ok2 := strings.Cut(rest, "\n```\n")
	commands, _, ok3 := strings.Cut(rest, "\n```\n")
	if want := "go run ./cmd/ddbseal lab\ngo test ./..."; !ok || !ok2 || !ok3 || commands != want {
		t.Errorf("README.md has the commands %q, want %q", commands, want)
	}
	run := read(t, ".ci/run")
	for _, section := range []string{"section lab go run ./cmd/ddbseal lab\n", ".ci/gotest -count=1 ./...\n"} {
		if !strings.Contains(run, section) {
			t.Errorf(".ci/run does not have %q", section)
		}
	}
}
