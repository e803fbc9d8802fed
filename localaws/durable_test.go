// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	clock := newClock()
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
		made, err := iam.NewFromConfig(l.root).CreateAccessKey(ctx,
			&iam.CreateAccessKeyInput{UserName: aws.String("alice")})
		l.must(err)
		access = aws.Credentials{AccessKeyID: *made.AccessKey.AccessKeyId,
			SecretAccessKey: *made.AccessKey.SecretAccessKey}
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
		item, err := dynamodb.NewFromConfig(alice).GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String(labTable),
				Key: map[string]dynamodbtypes.AttributeValue{"id": labItem()["id"]}})
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
			if d.Name() != "root-credentials.json" &&
				(strings.Contains(string(text), root.SecretAccessKey) ||
					strings.Contains(string(text), stranger.SecretAccessKey)) {
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
		for name, bad := range map[string]string{"torn": string(text[:len(text)/2]), "empty": "",
			"incomplete": `{"accounts":[{"accountId":"111122223333"}]}`} {
			if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := localaws.New(localaws.Options{DataDir: dir}); !errors.Is(err, localaws.ErrCredentials) ||
				!strings.Contains(err.Error(), "root-credentials.json") ||
				!strings.Contains(err.Error(), "remove it") || strings.Contains(err.Error(), root.SecretAccessKey) {
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
	dir, clock := t.TempDir(), newClock()
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
		if err := call(); code(err) != "InternalServerError" ||
			!strings.Contains(err.Error(), "has to be started again") {
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

func channelOf(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}
