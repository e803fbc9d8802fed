// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

// TestCloseTwice: after any Close the data directory is free.
func TestCloseTwice(t *testing.T) {
	dir := t.TempDir()
	s, err := localaws.New(localaws.Options{DataDir: dir, Faults: localaws.Faults{Rules: []localaws.Fault{
		{Kind: localaws.FaultLatency, Operation: "ListUsers", Latency: 300 * time.Millisecond}}}})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, s)
	call := channelOf(func() error {
		_, err := iam.NewFromConfig(l.Config(s.RootCredentials())).ListUsers(ctx, nil)
		return err
	})
	for len(s.Audit().Events()) == 0 { // until the listener is known to serve
		if _, err := iam.NewFromConfig(l.Config(s.RootCredentials())).ListRoles(ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	first := channelOf(s.Close)
	for { // until the first has begun
		c, err := net.Dial("tcp", l.Addr())
		if err != nil {
			break
		}
		c.Close()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	start(t, localaws.Options{DataDir: dir})
	if err := <-first; err != nil {
		t.Error(err)
	}
	<-call
}

// A key of one account, a user of another: both sides have to allow.
func TestCrossAccount(t *testing.T) {
	clock := newClock()
	s := start(t, localaws.Options{Clock: clock.Now})
	l := newLab(t, clock, s, s.Config)
	const bobARN = "arn:aws:iam::444455556666:user/bob"
	other, err := s.AddAccount("444455556666")
	l.must(err)
	people := iam.NewFromConfig(s.Config(other))
	_, err = people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bob")})
	l.must(err)
	access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("bob")})
	l.must(err)
	bob := kms.NewFromConfig(s.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey}))
	sealed, err := l.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &l.key, Plaintext: []byte("x")})
	l.must(err)
	decrypt := func(want, because string) {
		t.Helper()
		_, err := bob.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, KeyId: &l.key})
		if code(err) != want || err != nil && !strings.Contains(err.Error(), because) {
			t.Errorf("got %v, want %q with %q", err, want, because)
		}
	}
	allowInIAM := func() {
		_, err := people.PutUserPolicy(ctx,
			&iam.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"),
				PolicyDocument: aws.String(
					`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` +
						l.key + `"}}`)})
		l.must(err)
	}
	decrypt("AccessDeniedException", "kms:Decrypt")
	l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + bobARN + `"},"Action":"kms:Decrypt","Resource":"*"}`)
	decrypt("AccessDeniedException", "no identity-based policy")
	allowInIAM()
	decrypt("", "")
	l.setPolicy("")
	decrypt("AccessDeniedException", "no resource-based policies allow access")

	var mine, theirs int
	for _, e := range s.Audit().Events() {
		if e.EventName == "Decrypt" && e.ErrorCode == "" && e.UserIdentity.InvokedBy == "" {
			switch e.RecipientAccountID {
			case "444455556666":
				mine++
			case labAccount:
				theirs++
				if e.UserIdentity.Type != "AWSAccount" || e.UserIdentity.ARN != "" {
					t.Errorf("the owner's event names the caller: %+v", e.UserIdentity)
				}
			}
		}
	}
	if mine != 1 || theirs != 1 {
		t.Errorf("%d events for the caller and %d for the owner, want one each", mine, theirs)
	}
}

// State is apart by region.
func TestRegions(t *testing.T) {
	s := start(t, localaws.Options{})
	cfg := s.Config(s.RootCredentials())
	if _, err := kms.NewFromConfig(cfg).CreateKey(ctx, nil); err != nil {
		t.Fatal(err)
	}
	for region, want := range map[string]int{"us-east-1": 1, "eu-west-1": 0} {
		cfg.Region = region
		out, err := kms.NewFromConfig(cfg).ListKeys(ctx, nil)
		if err != nil || len(out.Keys) != want {
			t.Errorf("%s: %d keys, %v; want %d", region, len(out.Keys), err, want)
		}
	}
}
