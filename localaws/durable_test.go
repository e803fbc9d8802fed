package localaws_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

// What was acknowledged is there after a restart: identities, keys, tables and
// items, and the right of one to the other.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "New")
	clock := newHandClock()
	var root, access, stranger aws.Credentials
	var key string
	var sealed []byte
	t.Run("first", func(t *testing.T) {
		s := start(t, localaws.Options{DataDir: dir, Clock: clock.Now})
		root = s.RootCredentials()
		if _, err := localaws.New(localaws.Options{DataDir: dir}); !errors.Is(err, localaws.ErrInUse) {
			t.Errorf("a second server over the same data: %v", err)
		}
		l := newLab(t, clock, s, s.Config)
		key = l.key
		l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN + `"},"Action":"kms:Decrypt","Resource":"*"}`)
		out, err := l.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &key, Plaintext: []byte("the-plaintext")})
		l.must(err)
		sealed = out.CiphertextBlob
		made, err := iam.NewFromConfig(l.root).CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
		l.must(err)
		access = aws.Credentials{AccessKeyID: *made.AccessKey.AccessKeyId, SecretAccessKey: *made.AccessKey.SecretAccessKey}
		stranger, err = s.AddAccount("444455556666")
		l.must(err)
		if again, err := s.AddAccount("444455556666"); err != nil || again.SecretAccessKey != stranger.SecretAccessKey {
			t.Errorf("adding an account twice: %v", err)
		}
	})
	t.Run("again", func(t *testing.T) {
		s := start(t, localaws.Options{DataDir: dir, Clock: clock.Now})
		if s.RootCredentials() != root {
			t.Error("the root credentials changed")
		}
		alice := s.Config(access)
		opened, err := kms.NewFromConfig(alice).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed})
		if err != nil || string(opened.Plaintext) != "the-plaintext" {
			t.Errorf("alice decrypts: %v", err)
		}
		item, err := dynamodb.NewFromConfig(alice).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(labTable), Key: map[string]dynamodbtypes.AttributeValue{"id": labItem()["id"]}})
		if err != nil || len(item.Item) != len(labItem()) {
			t.Errorf("alice reads %v, %v", item, err)
		}
		who, err := sts.NewFromConfig(s.Config(stranger)).GetCallerIdentity(ctx, nil)
		if err != nil || aws.ToString(who.Account) != "444455556666" {
			t.Errorf("the second account: %v", err)
		}
		if again, err := s.AddAccount("444455556666"); err != nil || again.SecretAccessKey != stranger.SecretAccessKey {
			t.Errorf("the second account's credentials changed: %v", err)
		}
	})
	t.Run("at rest", func(t *testing.T) {
		secrets := []string{"the-item-value", "the-plaintext", access.SecretAccessKey}
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", d.Name(), info.Mode(), err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, secret := range secrets {
				if strings.Contains(string(text), secret) {
					t.Errorf("%s holds %q", d.Name(), secret)
				}
			}
			// The root users' keys are meant to be found by their owner, in
			// their own file only.
			if d.Name() != "root-credentials.json" && (strings.Contains(string(text), root.SecretAccessKey) || strings.Contains(string(text), stranger.SecretAccessKey)) {
				t.Errorf("%s holds a root user's secret", d.Name())
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("damaged credentials", func(t *testing.T) {
		path := filepath.Join(dir, "root-credentials.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string]string{"torn": string(text[:len(text)/2]), "empty": "", "incomplete": `{"accounts":[{"accountId":"111122223333"}]}`} {
			if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := localaws.New(localaws.Options{DataDir: dir}); !errors.Is(err, localaws.ErrCredentials) || !strings.Contains(err.Error(), "root-credentials.json") || !strings.Contains(err.Error(), "remove it") || strings.Contains(err.Error(), root.SecretAccessKey) {
				t.Errorf("%s: %v", name, err)
			}
			if now, _ := os.ReadFile(path); string(now) != bad {
				t.Errorf("%s: the file was overwritten", name)
			}
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		start(t, localaws.Options{DataDir: dir}) // the lock was given back
	})
}

// TestFailedStore: when something could not be written, memory holds more than
// the disk, so nothing is served from it any more.
func TestFailedStore(t *testing.T) {
	dir, clock := t.TempDir(), newHandClock()
	s, err := localaws.New(localaws.Options{DataDir: dir, Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, clock, s, func(c aws.Credentials) aws.Config {
		cfg := s.Config(c)
		cfg.RetryMaxAttempts = 1
		return cfg
	})
	if err := s.FailStore(); err == nil {
		t.Fatal("the store did not fail")
	}
	if err := s.Wait(ctx); err == nil || s.Err() == nil {
		t.Errorf("only a new start helps, and the server does not say so: %v", s.Err())
	}
	for name, call := range itemCalls(l.tables, labTable) {
		if err := call(); code(err) != "InternalServerError" || !strings.Contains(err.Error(), "has to be started again") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.keys.ListKeys(ctx, nil); code(err) != "InternalFailure" {
		t.Errorf("ListKeys: %v", err)
	}
	if _, err := sts.NewFromConfig(l.root).GetCallerIdentity(ctx, nil); code(err) != "InternalFailure" {
		t.Errorf("GetCallerIdentity: %v", err)
	}
	if f := s.Failures(); len(f) == 0 || !strings.Contains(f[0].Error(), "a change cannot be stored") {
		t.Errorf("failures: %v", f)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = start(t, localaws.Options{DataDir: dir, Clock: clock.Now})
	for name, call := range itemCalls(dynamodb.NewFromConfig(s.Config(s.RootCredentials())), labTable) {
		if err := call(); err != nil {
			t.Errorf("%s after a new start: %v", name, err)
		}
	}
}

// TestRefusalWaitsForTheDisk: who is told that something exists already may
// take it for done.
func TestRefusalWaitsForTheDisk(t *testing.T) {
	s := start(t, localaws.Options{DataDir: t.TempDir()})
	people := iam.NewFromConfig(s.Config(s.RootCredentials()))
	create := func() error {
		_, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
		return err
	}
	if err := create(); err != nil {
		t.Fatal(err)
	}
	waiting, release := s.HoldStore()
	answered := channelOf(create)
	select {
	case <-waiting:
	case err := <-answered:
		t.Fatalf("answered without waiting: %v", err)
	}
	if _, err := people.ListUsers(ctx, nil); err != nil { // a reader need not wait
		t.Error(err)
	}
	release()
	if err := <-answered; code(err) != "EntityAlreadyExists" {
		t.Error(err)
	}
}

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

func channelOf(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}

func TestGivenCredentials(t *testing.T) {
	dir := t.TempDir()
	given := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	s := start(t, localaws.Options{DataDir: dir, RootCredentials: given, AccountID: "123456789012", Region: "eu-central-1"})
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
		if _, err := iam.NewFromConfig(s.Config(made)).DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: &kept.AccessKeyID}); err != nil {
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

// A key of one account, a user of another: both sides have to allow.
func TestCrossAccount(t *testing.T) {
	clock := newHandClock()
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
	bob := kms.NewFromConfig(s.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId, SecretAccessKey: *access.AccessKey.SecretAccessKey}))
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
		_, err := people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + l.key + `"}}`)})
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
