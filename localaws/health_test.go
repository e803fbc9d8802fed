// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// count returns how many lines of the log have the text.
func (l *logBuffer) count(text string) (n int) {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// TestFullDisk: while the disk is full, every call is refused and told why,
// without a path. Once there is room the server goes on, with everything that
// it has acknowledged, before and after a new start.
func TestFullDisk(t *testing.T) {
	dir, clock, log := t.TempDir(), newClock(), new(logBuffer)
	s, err := localaws.New(localaws.Options{DataDir: dir, Clock: clock.Now,
		Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	once := func(c aws.Credentials) aws.Config {
		cfg := s.Config(c)
		cfg.RetryMaxAttempts = 1
		return cfg
	}
	l := newLab(t, clock, s, once)
	put := func(id string, token *string) error {
		_, err := l.tables.TransactWriteItems(ctx,
			&dynamodb.TransactWriteItemsInput{ClientRequestToken: token,
				TransactItems: []dynamodbtypes.TransactWriteItem{
					{Update: &dynamodbtypes.Update{TableName: aws.String(labTable), Key: map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: id}},
						UpdateExpression: aws.String("ADD n :one"),
						ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{
							":one": &dynamodbtypes.AttributeValueMemberN{Value: "1"}}}}}})
		return err
	}
	l.must(put("acknowledged", nil))
	s.SetStoreFault(func() error { return &os.PathError{Op: "write", Path: dir, Err: syscall.ENOSPC} })
	token := aws.String("a-token")
	told := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "its disk is full") || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", what, err)
		}
	}
	told("the first write", put("unclear", token))
	if err := s.Err(); !errors.Is(err, localaws.ErrDiskFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Err: %v", err)
	}
	for range 3 {
		told("a later write", put("refused", nil))
		_, err := l.keys.ListKeys(ctx, nil)
		told("ListKeys", err)
		_, err = iam.NewFromConfig(l.root).ListUsers(ctx, nil)
		told("ListUsers", err)
	}
	if log.count("disk is full") != 1 || log.count("internal failure") != 0 {
		t.Errorf("the log has:\n%s", log.String())
	}
	s.SetStoreFault(nil)
	for end := time.Now().Add(10 * time.Second); s.Err() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server does not recover: %v", s.Err())
		}
	}
	if log.count("can be written again") > 1 {
		t.Errorf("the log has:\n%s", log.String())
	}
	l.must(put("unclear", token)) // the repetition of what was done after all
	l.must(put("afterwards", nil))
	_, err = l.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &l.key, Plaintext: []byte("x")})
	l.must(err)
	l.must(s.Close())
	s = start(t, localaws.Options{DataDir: dir, Clock: clock.Now})
	tables := dynamodb.NewFromConfig(s.Config(s.RootCredentials()))
	for id, want := range map[string]string{"acknowledged": "1", "unclear": "1", "afterwards": "1", "refused": ""} {
		out, err := tables.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String(labTable),
				Key: map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: id}}})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if n, ok := out.Item["n"].(*dynamodbtypes.AttributeValueMemberN); ok {
			got = n.Value
		}
		if got != want {
			t.Errorf("%s was counted %q times, want %q", id, got, want)
		}
	}
}

// TestRequestLog: at level debug every request is a record, without the access
// key, a name or a value; at level info nothing is.
func TestRequestLog(t *testing.T) {
	for level, records := range map[slog.Level]int{slog.LevelDebug: 4, slog.LevelInfo: 0} {
		log := new(logBuffer)
		s := start(t, localaws.Options{Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: level}))})
		people := iam.NewFromConfig(s.Config(s.RootCredentials()))
		for range 2 {
			_, _ = people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("a-name-of-somebody")})
		}
		send(t, s, rawRequest{target: "DynamoDB_20120810.ListTables", contentType: json10, service: "dynamodb",
			creds: s.RootCredentials(), body: `{}`})
		wrong := s.RootCredentials()
		wrong.SecretAccessKey = "wrong"
		send(t, s, rawRequest{target: "DynamoDB_20120810.ListTables", contentType: json10, service: "dynamodb",
			creds: wrong, body: `{}`})
		if n := log.count(`"msg":"request"`); n != records {
			t.Errorf("%v: %d records:\n%s", level, n, log.String())
		}
		if records == 0 {
			continue
		}
		for _, want := range []string{`"method":"POST","service":"iam","operation":"CreateUser","status":200`,
			`"operation":"CreateUser","status":409,"code":"EntityAlreadyExists"`,
			`"service":"dynamodb","operation":"ListTables","status":200`,
			`"status":400,"code":"InvalidSignatureException"`, `"took":`, `"request":"`} {
			if log.count(want) == 0 {
				t.Errorf("the log lacks %s:\n%s", want, log.String())
			}
		}
		for _, secret := range []string{"a-name-of-somebody", s.RootCredentials().AccessKeyID,
			s.RootCredentials().SecretAccessKey} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log has %q", secret)
			}
		}
	}
}

// TestProblemsAreLoggedOnce: a defect that every request meets is one line.
func TestProblemsAreLoggedOnce(t *testing.T) {
	log := new(logBuffer)
	s, err := localaws.New(localaws.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Break("kms", func() { panic(fmt.Errorf("a defect")) })
	cfg := s.Config(s.RootCredentials())
	cfg.RetryMaxAttempts = 1
	for range 5 {
		if _, err := kms.NewFromConfig(cfg).ListKeys(ctx, nil); code(err) != "InternalFailure" {
			t.Error(err)
		}
	}
	if log.count("internal failure") != 1 || log.count("operation=kms:ListKeys") != 1 {
		t.Errorf("the log has:\n%s", log.String())
	}
	if n := len(s.Failures()); n != 5 {
		t.Errorf("%d failures are remembered", n)
	}
}
