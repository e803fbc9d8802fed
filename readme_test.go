package ddbseal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
)

type Patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"` // readable, signed
	Diagnosis string `dynamodbav:"diagnosis"`        // encrypted: the default
}

// TestCode runs the README's code, as TestCodeIsHere checks.
func TestCode(t *testing.T) {
	ctx := t.Context()
	server := localawstest.New(t)
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	if _, err := client.CreateTable(ctx,
		&dynamodb.CreateTableInput{TableName: aws.String("patients"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: types.ScalarAttributeTypeS}},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"),
				KeyType: types.KeyTypeHash}}}); err != nil {
		t.Fatal(err)
	}
	cfg := server.Config(server.RootCredentials())
	key, err := kms.NewFromConfig(cfg).CreateKey(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	keyARN := aws.ToString(key.KeyMetadata.Arn)

	keyring, err := awskms.New(awskms.Config{Client: kms.NewFromConfig(cfg), KeyARN: keyARN})
	if err != nil {
		t.Fatal(err)
	}
	patients, err := store.New[Patient](dynamodb.NewFromConfig(cfg), "patients", store.ClientSide{Keyring: keyring})
	if err != nil {
		t.Fatal(err)
	}
	err = patients.Put(ctx, Patient{ID: "1", Ward: "north", Diagnosis: "hay fever"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := patients.Get(ctx, store.Key{Partition: "1"})
	if err != nil || p != (Patient{"1", "north", "hay fever"}) {
		t.Fatal(p, err)
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

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// TestCodeIsHere: each line of code on a page is run by the test of the page.
func TestCodeIsHere(t *testing.T) {
	for page, test := range map[string]string{
		"README.md": "readme_test.go", filepath.Join("docs", "get-started.md"): "getstarted_test.go",
	} {
		here := map[string]bool{}
		for line := range strings.Lines(read(t, "readme_test.go") + read(t, test)) {
			here[strings.TrimSpace(line)] = true
		}
		checked := 0
		for _, block := range goBlock.FindAllStringSubmatch(read(t, page), -1) {
			for line := range strings.Lines(block[1]) {
				if line = strings.TrimSpace(line); line != "" {
					checked++
					if !here[line] {
						t.Errorf("%s has a line that %s does not run: %s", page, test, line)
					}
				}
			}
		}
		if checked < 10 {
			t.Errorf("only %d lines of code found on %s", checked, page)
		}
	}
}
