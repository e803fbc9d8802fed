// SPDX-License-Identifier: Apache-2.0

package localawstest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// The helper itself must not pass what it should fail.
func TestAssertDenied(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException",
		Message: "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on resource: " +
			"k because no identity-based policy allows the kms:Decrypt action"}
	for _, c := range []struct {
		name            string
		err             error
		action, because string
		want            string // part of the failure; empty: none
	}{
		{"as expected", denied, "kms:Decrypt", "no identity-based policy", ""},
		{"any reason", denied, "kms:Decrypt", "", ""},
		{"wrapped", fmt.Errorf("get: %w", denied), "kms:Decrypt", "", ""},
		{"IAM's code", &smithy.GenericAPIError{Code: "AccessDenied", Message: denied.Message}, "kms:Decrypt", "", ""},
		{"allowed", nil, "kms:Decrypt", "", "allowed"},
		{"no AWS error", errors.New("boom"), "kms:Decrypt", "", "not a denial"},
		{"another AWS error", &smithy.GenericAPIError{Code: "DisabledException", Message: denied.Message}, "kms:Decrypt", "", "not a denial"},
		{"another action", denied, "kms:Encrypt", "", "not kms:Encrypt"},
		{"a longer action", denied, "kms:Dec", "", "not kms:Dec"},
		{"another reason", denied, "kms:Decrypt", "explicit deny", "not because"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			localawstest.AssertDenied(r, c.err, c.action, c.because)
			if got := strings.Join(r.failures, "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func ExampleAssertDenied() {
	// In a test, t is the test's own.
	t := &printer{}
	s := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Keys:   []localawstest.Key{{Name: "notes"}},
		Tables: []localawstest.Table{{Name: "Notes", PartitionKey: "id", Key: "notes"}},
		Users:  []localawstest.User{{Name: "alice", Attach: []string{"AmazonDynamoDBFullAccess"}}},
	}))
	defer t.end()

	client := dynamodb.NewFromConfig(s.User("alice"))
	_, err := client.Scan(context.Background(), &dynamodb.ScanInput{TableName: aws.String("Notes")})
	localawstest.AssertDenied(t, err, "kms:Decrypt", "no identity-based policy")
	localawstest.AssertDenied(t, err, "dynamodb:Scan", "")
	// Output: failed: denied, but not dynamodb:Scan
}

// printer is a testing.TB that prints failures, up to the first colon.
type printer struct {
	testing.TB
	cleanups []func()
}

func (p *printer) Helper() {}

func (p *printer) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

func (p *printer) end() {
	for _, f := range p.cleanups {
		f()
	}
}

func (p *printer) Error(args ...any) {
	text, _, _ := strings.Cut(fmt.Sprint(args...), ": ")
	fmt.Println("failed:", text)
}

func (p *printer) Errorf(format string, args ...any) { p.Error(fmt.Sprintf(format, args...)) }

func (p *printer) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
