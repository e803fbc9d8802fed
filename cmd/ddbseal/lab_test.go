// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/labsetup"
)

func TestLabCommand(t *testing.T) {
	var out, narration bytes.Buffer
	if code := run([]string{"lab", "--json"}, streams{nil, &out, &narration}); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &narration)
	}
	var report labsetup.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	sees := map[string]bool{}
	for _, s := range report.Steps {
		if !s.OK || s.ID == "" || s.Title == "" || s.Expected == "" || s.Principal == "" {
			t.Errorf("%+v", s)
		}
		if s.Mode != "" {
			sees[s.Principal+" "+s.Mode+" "+s.Got] = true
		}
	}
	for _, want := range []string{
		"administrator server plaintext", "administrator client plaintext",
		"nextwork-kms-user server denied kms:Decrypt", "nextwork-kms-user client ciphertext",
		"nextwork-kms-user client denied kms:Decrypt",
		"nextwork-kms-user server plaintext", "nextwork-kms-user client plaintext",
	} {
		if !sees[want] {
			t.Errorf("the lab does not show %q", want)
		}
	}
	if !strings.Contains(narration.String(), "embedded AWS") {
		t.Error("the lab does not say where it runs")
	}
}

// TestLabFailsWhenACheckFails changes what the lab made between two steps, so
// that a check cannot hold.
func TestLabFailsWhenACheckFails(t *testing.T) {
	for _, c := range []struct {
		name, after, breaks string
		sabotage            func(aws.Config) error
	}{
		{"the policy is put back", "key-user", "key-user-server", func(cfg aws.Config) error {
			client := kms.NewFromConfig(cfg)
			key, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String(labsetup.KeyAlias)})
			if err != nil {
				return err
			}
			account := aws.ToString(key.KeyMetadata.AWSAccountId)
			_, err = client.PutKeyPolicy(t.Context(),
				&kms.PutKeyPolicyInput{KeyId: key.KeyMetadata.Arn,
					Policy: aws.String(labsetup.ConsolePolicy(account, []string{"arn:aws:iam::" + account + ":root"},
						nil))})
			return err
		}},
		{"the table goes back to the AWS owned key", "user-key", "user-server", func(cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).UpdateTable(t.Context(),
				&dynamodb.UpdateTableInput{TableName: aws.String(labsetup.ServerTable),
					SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}})
			return err
		}},
		{"the client-side item holds plaintext", "put-nextwork-client-table", "administrator-nextwork-client-table",
			func(cfg aws.Config) error {
				_, err := dynamodb.NewFromConfig(cfg).PutItem(t.Context(),
					&dynamodb.PutItemInput{TableName: aws.String(labsetup.ClientTable),
						Item: map[string]types.AttributeValue{
							"id":   &types.AttributeValueMemberS{Value: "1"},
							"name": &types.AttributeValueMemberS{Value: "Robin Example"}}})
				return err
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, narration bytes.Buffer
			command := labCommand{labFlags: labFlags{JSON: true}, after: func(step labsetup.Step, cfg aws.Config) {
				if step.ID != c.after {
					return
				}
				if err := c.sabotage(cfg); err != nil {
					t.Error(err)
				}
			}}
			if err := command.Run(t.Context(), streams{nil, &out, &narration}); !errors.Is(err, errChecks) {
				t.Fatalf("got %v, want a failed check", err)
			}
			var report labsetup.Report
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Fatal(err)
			}
			failed := map[string]bool{}
			for _, s := range report.Steps {
				failed[s.ID] = !s.OK
			}
			if !failed[c.breaks] {
				t.Errorf("step %s passed:\n%s", c.breaks, &narration)
			}
		})
	}
}

// TestInterrupted: Ctrl-C leaves what down removes, and says so.
func TestInterrupted(t *testing.T) {
	t.Setenv("DDBSEAL_DATA_DIR", t.TempDir())
	t.Setenv("AWS_ENDPOINT_URL", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, narration bytes.Buffer
	command := labCommand{labFlags: labFlags{target: target{DataDir: os.Getenv("DDBSEAL_DATA_DIR")}}, Keep: true,
		after: func(step labsetup.Step, _ aws.Config) {
			if step.ID == "user-key" {
				cancel()
			}
		}}
	err := command.Run(ctx, streams{nil, &out, &narration})
	if report(streams{nil, &out, &narration}, err) != exitFailure ||
		!strings.Contains(narration.String(), "'ddbseal down") ||
		!strings.HasSuffix(narration.String(), "ddbseal: interrupted\n") {
		t.Fatalf("%v\n%s", err, &narration)
	}
	narration.Reset()
	if code := run([]string{"down", "--json"}, streams{nil, &out, &narration}); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &narration)
	}
}

// TestExitCodes: 2 for a command line that makes no sense, 1 for what failed;
// one line on standard error, nothing on standard output.
func TestExitCodes(t *testing.T) {
	t.Setenv("DDBSEAL_DATA_DIR", t.TempDir())
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("AWS_REGION", "")
	t.Setenv("DDBSEAL_ROOT_SECRET_ACCESS_KEY", "")
	for _, c := range []struct {
		code       int
		args, says string
	}{
		{exitUsage, "laboratory", "(see 'ddbseal --help')"},
		{exitUsage, "get", "(see 'ddbseal get --help')"},
		{exitUsage, "item encrypt", "(see 'ddbseal item encrypt --help')"},
		{exitUsage, "lab --no-such-flag", "(see 'ddbseal lab --help')"},
		{exitUsage, "lab --region mars", "not a region name"},
		{exitUsage, "lab --aws --endpoint-url http://127.0.0.1:1", "contradict"},
		{exitUsage, "lab --profile p", "needs no profile"},
		{exitUsage, "lab --user-policy none", "must be one of"},
		{exitUsage, "lab --report testdata", "is a folder"},
		{exitUsage, "get 1 --mode sideways", "must be one of"},
		{exitUsage, "get 1 --endpoint-url 127.0.0.1:4566", "not a URL such as"},
		{exitUsage, "migrate --table t --id x", "nothing to do"},
		{exitUsage, "keystore create --branch-key-id x", "needs --context"},
		{exitUsage, "serve --listen 127.0.0.1", "not an address such as 127.0.0.1:4566"},
		{exitUsage, "serve --listen 127.0.0.1:here", "not an address such as"},
		{exitUsage, "serve --listen 0.0.0.0:0", "add --public"},
		{exitUsage, "serve --account-id 12", "twelve digits"},
		{exitUsage, "serve --region nowhere", "not a region name"},
		{exitUsage, "console --listen 0.0.0.0:0", "this machine only, such as"},
		{exitUsage, "console --listen here", "not an address such as"},
		{exitFailure, "get 1", "run 'ddbseal up"},
		{exitFailure, "grant stranger", "run 'ddbseal up"},
		{exitUsage, "item encrypt --config main.go", "main.go"},
	} {
		var out, narration bytes.Buffer
		if code := run(strings.Fields(c.args), streams{strings.NewReader(""), &out, &narration}); code != c.code {
			t.Errorf("%q: exit code %d, want %d\n%s", c.args, code, c.code, &narration)
		}
		last := strings.TrimSuffix(narration.String(), "\n")
		last = last[strings.LastIndex(last, "\n")+1:]
		if out.Len() > 0 || !strings.HasPrefix(last, "ddbseal: ") || !strings.Contains(last, c.says) {
			t.Errorf("%q: stdout %q, stderr %q, want %q in the last line", c.args, &out, &narration, c.says)
		}
	}

	var out, narration bytes.Buffer
	if code := run(nil, streams{nil, &out, &narration}); code != exitUsage || out.Len() > 0 ||
		!strings.Contains(narration.String(), "Begin with 'ddbseal lab'") {
		t.Errorf("no command: exit code %d, stdout %q\n%s", code, &out, &narration)
	}
	narration.Reset()
	t.Setenv("DDBSEAL_ROOT_ACCESS_KEY_ID", "AKIAHALF")
	if code := run([]string{"serve"}, streams{nil, &out, &narration}); code != exitUsage ||
		!strings.Contains(narration.String(), "set both or none") {
		t.Errorf("half of a root key: exit code %d\n%s", code, &narration)
	}
}
