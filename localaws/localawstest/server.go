// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

// Server is an embedded AWS for one test.
type Server struct {
	*localaws.Server
	// Clock is the server's clock, which the test can move forward. It is nil
	// if WithOptions set another clock.
	Clock *Clock

	t       testing.TB
	secrets []string

	mu    sync.Mutex
	users map[string]aws.Credentials
	keys  map[string]string // ARNs by name
}

// Option configures the Server that New returns.
type Option func(*options)

type options struct {
	server localaws.Options
	seeds  []Seed
}

// WithOptions sets the server's options. Set DataDir to t.TempDir() for a
// server that keeps its state on disk.
func WithOptions(o localaws.Options) Option { return func(c *options) { c.server = o } }

// WithSeed creates what a Seed describes before New returns. Several seeds are
// created in their order.
func WithSeed(s Seed) Option { return func(c *options) { c.seeds = append(c.seeds, s) } }

// New starts a server. When the test ends, a cleanup checks the server's
// invariants, which the package documentation lists, and closes it.
func New(t testing.TB, opts ...Option) *Server {
	t.Helper()
	var c options
	for _, o := range opts {
		o(&c)
	}
	s := &Server{t: t, users: map[string]aws.Credentials{}, keys: map[string]string{}}
	if c.server.Clock == nil {
		s.Clock = &Clock{}
		c.server.Clock = s.Clock.Now
	}
	var err error
	if s.Server, err = localaws.New(c.server); err != nil {
		t.Fatalf("start the embedded AWS: %v", err)
	}
	t.Cleanup(func() {
		s.checkInvariants()
		if err := s.Server.Close(); err != nil {
			t.Errorf("close the embedded AWS: %v", err)
		}
	})
	s.secrets = append(s.secrets, s.RootCredentials().SecretAccessKey)
	for _, seed := range c.seeds {
		s.Seed(seed)
	}
	return s
}

// Root returns the configuration of the account's root user.
func (s *Server) Root() aws.Config { return s.Config(s.RootCredentials()) }

// User returns the configuration of an IAM user. The first call creates an
// access key for the user. The user must exist.
func (s *Server) User(name string) aws.Config {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.users[name]
	if !ok {
		out, err := iam.NewFromConfig(s.Root()).CreateAccessKey(context.Background(),
			&iam.CreateAccessKeyInput{UserName: aws.String(name)})
		s.must(err, "make an access key for user %s", name)
		c = aws.Credentials{AccessKeyID: *out.AccessKey.AccessKeyId, SecretAccessKey: *out.AccessKey.SecretAccessKey,
			AccountID: s.AccountID()}
		s.users[name] = c
		s.secrets = append(s.secrets, c.SecretAccessKey)
	}
	return s.Config(c)
}

// Assume returns the configuration of a new session of a role, which the
// principal that cfg signs as assumes. role is a name in the server's account,
// or an ARN.
func (s *Server) Assume(cfg aws.Config, role, session string) aws.Config {
	s.t.Helper()
	out, err := sts.NewFromConfig(cfg).AssumeRole(context.Background(),
		&sts.AssumeRoleInput{RoleArn: aws.String(s.arn("role", role)), RoleSessionName: aws.String(session)})
	s.must(err, "assume role %s", role)
	s.secrets = append(s.secrets, *out.Credentials.SecretAccessKey)
	return s.Config(aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken})
}

// Key returns the ARN of the key with the name in a Seed.
func (s *Server) Key(name string) string {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	arn, ok := s.keys[name]
	if !ok {
		s.t.Fatalf("no seed made a key named %q", name)
	}
	return arn
}

// SetKeyPolicy replaces the policy of the key with the name in a Seed. document
// is a policy document as in Seed. The root user makes the call, with
// BypassPolicyLockoutSafetyCheck set.
func (s *Server) SetKeyPolicy(name string, document any) {
	s.t.Helper()
	_, err := kms.NewFromConfig(s.Root()).PutKeyPolicy(context.Background(), &kms.PutKeyPolicyInput{
		KeyId: aws.String(s.Key(name)), Policy: aws.String(s.document(document)), BypassPolicyLockoutSafetyCheck: true})
	s.must(err, "set the policy of key %s", name)
}

// Events returns the audited calls of one operation, such as "Decrypt", oldest
// first: management events and data events, without calls whose signature was
// refused.
func (s *Server) Events(operation string) []*localaws.Event {
	var out []*localaws.Event
	for _, e := range s.Audit().Events() {
		if e.EventName == operation && !e.Unauthenticated {
			out = append(out, e)
		}
	}
	return out
}

func (s *Server) must(err error, format string, args ...any) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf(format+": %v", append(args, err)...)
	}
}

// compact returns JSON of a Go value.
func compact(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}
