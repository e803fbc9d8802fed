// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/localaws"
)

func TestOptionValidation(t *testing.T) {
	for name, o := range map[string]localaws.Options{
		"account":        {AccountID: "12345"},
		"region":         {Region: "US East"},
		"half a key":     {RootCredentials: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE"}},
		"session token":  {RootCredentials: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x", SessionToken: "x"}},
		"key cache":      {KeyCacheTTL: -1},
		"activation":     {TableActivation: -1},
		"audit limit":    {AuditLimit: -1},
		"data directory": {DataDir: "durable_test.go"},
	} {
		if s, err := localaws.New(o); err == nil {
			t.Errorf("%s: accepted", name)
			_ = s.Close()
		}
	}
	s := start(t, localaws.Options{})
	if _, err := s.AddAccount("1"); err == nil {
		t.Error("an account id of one digit was accepted")
	}
	if own, err := s.AddAccount(s.AccountID()); err != nil || own != s.RootCredentials() {
		t.Errorf("the server's own account: %v", err)
	}
}
