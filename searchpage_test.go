// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

var codeBlock = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")

// TestSearchPage: the code of docs/search.md is that of programs that tests run,
// and its commands are those of scripts.
func TestSearchPage(t *testing.T) {
	programs := read(t, "examples/search/main.go") + read(t, "store/transparent/example_search_test.go")
	paths, err := filepath.Glob("cmd/ddbseal/testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	var scripts []string
	for _, path := range paths {
		for line := range strings.Lines(read(t, path)) {
			scripts = append(scripts, strings.TrimPrefix(strings.TrimRight(line, "\n"), "! "))
		}
	}
	blocks := map[string]int{}
	for _, block := range codeBlock.FindAllStringSubmatch(read(t, "docs/search.md"), -1) {
		language, text := block[1], block[2]
		blocks[language]++
		switch language {
		case "go":
			if !strings.Contains(programs, text) {
				t.Errorf("no program has the code\n%s", text)
			}
		case "console":
			for line := range strings.Lines(text) {
				line = strings.TrimRight(line, "\n")
				if command, is := strings.CutPrefix(line, "$ "); is {
					line = "exec " + command
				}
				if !slices.Contains(scripts, line) {
					t.Errorf("no script has the line\n%s", line)
				}
			}
		case "json":
			sealByConfiguration(t, text)
		default:
			t.Errorf("a block of %q", language)
		}
	}
	if blocks["go"] < 4 || blocks["console"] < 2 || blocks["json"] != 1 {
		t.Errorf("blocks: %v", blocks)
	}
}

// sealByConfiguration encrypts an item by the configuration of docs/search.md.
func sealByConfiguration(t *testing.T, text string) {
	t.Helper()
	const table, arn = "branch-keys", "arn:aws:kms:us-east-1:111122223333:key/0f5b2f5e-6d4f-4d9c-8a53-6f0a3b1f7c11"
	server := localawstest.New(t)
	cfg := server.Config(server.RootCredentials())
	key, err := kms.NewFromConfig(cfg).CreateKey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	store, err := keystore.New(keystore.Config{LogicalName: table, TableName: table,
		DynamoDB: dynamodb.NewFromConfig(cfg),
		KMS:      keystore.KMSKey(aws.ToString(key.KeyMetadata.Arn)), KMSClient: kms.NewFromConfig(cfg)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "clinic",
		EncryptionContext: map[string]string{"tenant": "clinic"}}); err != nil {
		t.Fatal(err)
	}
	config, err := itemconfig.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if config.Search == nil || config.Search.KeySource.Table != table || config.Search.KeySource.KMSKeyID != arn ||
		config.Keyring.Table != table {
		t.Fatalf("the key store is not %s", table)
	}
	e, err := config.Encryptor(t.Context(), itemconfig.Providers{
		KeyStore: func(context.Context, itemconfig.Keyring) (materials.BranchKeySource, error) { return store, nil },
		BeaconKeys: func(context.Context, itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
			return store, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	item := envelope.Item{}
	for _, name := range []string{"id", "ward", "number", "name"} {
		item[name] = &types.AttributeValueMemberS{Value: name}
	}
	sealed, err := e.EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	for name, length := range map[string]int{"number": 3, "initial": 1, "wardNumber": len("W-ward|N-") + 3} {
		if v, _ := sealed["aws_dbe_b_"+name].(*types.AttributeValueMemberS); v == nil || len(v.Value) != length {
			t.Errorf("beacon %s: %v", name, v)
		}
	}
}
