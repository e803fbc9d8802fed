// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

func TestGivenCredentials(t *testing.T) {
	dir := t.TempDir()
	given := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	s := start(t, localaws.Options{DataDir: dir, RootCredentials: given, AccountID: "123456789012",
		Region: "eu-central-1"})
	who, err := sts.NewFromConfig(s.Config(given)).GetCallerIdentity(ctx, nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:iam::123456789012:root" {
		t.Errorf("%v, %v", who, err)
	}
	if s.Region() != "eu-central-1" || s.Config(given).Region != "eu-central-1" || s.AccountID() != "123456789012" {
		t.Errorf("region %s, account %s", s.Region(), s.AccountID())
	}
	if _, err := os.Stat(filepath.Join(dir, "root-credentials.json")); !os.IsNotExist(err) {
		t.Errorf("credentials that were given were written: %v", err)
	}
}

// An access key of root ends when another is given for it, and when root
// deletes it: neither comes back with the next start.
func TestRootKeysEnd(t *testing.T) {
	dir := t.TempDir()
	run := func(given aws.Credentials, test func(s *localaws.Server)) {
		t.Helper()
		s, err := localaws.New(localaws.Options{DataDir: dir, RootCredentials: given})
		if err != nil {
			t.Fatal(err)
		}
		test(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(s *localaws.Server, c aws.Credentials, want string) {
		t.Helper()
		if _, err := sts.NewFromConfig(s.Config(c)).GetCallerIdentity(ctx, nil); code(err) != want {
			t.Errorf("%s: %v, want %q", c.AccessKeyID, err, want)
		}
	}
	first := aws.Credentials{AccessKeyID: "AKIAFIRST", SecretAccessKey: "first secret"}
	second := aws.Credentials{AccessKeyID: "AKIASECOND", SecretAccessKey: "second secret"}
	var kept, made aws.Credentials
	run(aws.Credentials{}, func(s *localaws.Server) {
		kept = s.RootCredentials()
		out, err := iam.NewFromConfig(s.Config(kept)).CreateAccessKey(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		made = aws.Credentials{AccessKeyID: *out.AccessKey.AccessKeyId, SecretAccessKey: *out.AccessKey.SecretAccessKey}
	})
	run(first, func(s *localaws.Server) { check(s, first, ""); check(s, kept, "InvalidClientTokenId") })
	run(second, func(s *localaws.Server) {
		check(s, second, "")
		check(s, first, "InvalidClientTokenId")
		check(s, made, "")
	})
	run(aws.Credentials{}, func(s *localaws.Server) {
		check(s, kept, "")
		check(s, second, "InvalidClientTokenId")
		if _, err := iam.NewFromConfig(s.Config(made)).DeleteAccessKey(ctx,
			&iam.DeleteAccessKeyInput{AccessKeyId: &kept.AccessKeyID}); err != nil {
			t.Fatal(err)
		}
	})
	var renewed aws.Credentials
	run(aws.Credentials{}, func(s *localaws.Server) {
		renewed = s.RootCredentials()
		check(s, renewed, "")
		check(s, kept, "InvalidClientTokenId")
		check(s, made, "")
	})
	run(aws.Credentials{}, func(s *localaws.Server) {
		if s.RootCredentials() != renewed {
			t.Error("the new root credentials were not kept")
		}
	})
}
