// SPDX-License-Identifier: Apache-2.0

package labsetup_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const administratorName = "nextwork-admin"

// world is an embedded AWS with an administrator who is an IAM user, and labs
// made by them.
type world struct {
	server *localaws.Server
	admin  aws.Config
	as     func(aws.Credentials) aws.Config
}

func newWorld(t testing.TB) *world {
	t.Helper()
	server := localawstest.New(t).Server
	w := &world{server: server, as: server.Config}
	w.admin = w.as(makeAdministrator(t, server.Config(server.RootCredentials())))
	return w
}

// overHTTP makes the world's clients use a socket.
func (w *world) overHTTP(t testing.TB) *world {
	t.Helper()
	l, err := w.server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := w.admin.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &world{server: w.server, admin: l.Config(c), as: l.Config}
}

func makeAdministrator(t testing.TB, root aws.Config) aws.Credentials {
	t.Helper()
	client := iam.NewFromConfig(root)
	if _, err := client.CreateUser(t.Context(),
		&iam.CreateUserInput{UserName: aws.String(administratorName)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AttachUserPolicy(t.Context(),
		&iam.AttachUserPolicyInput{UserName: aws.String(administratorName),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}); err != nil {
		t.Fatal(err)
	}
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String(administratorName)})
	if err != nil {
		t.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId),
		SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)}
}

// lab makes a lab in the world; change adjusts its configuration.
func (w *world) lab(t testing.TB, change func(*labsetup.Config)) *labsetup.Lab {
	t.Helper()
	cfg := labsetup.Config{Administrator: w.admin, As: w.as, SignIn: labsetup.SignInAtAWS}
	if change != nil {
		change(&cfg)
	}
	l, err := labsetup.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func same(*labsetup.Config) {}

// up makes the lab's resources.
func (w *world) up(t testing.TB) *labsetup.Report {
	t.Helper()
	return w.passes(t, w.lab(t, same).Up)
}

func (w *world) passes(t testing.TB, do func(context.Context) (*labsetup.Report, error)) *labsetup.Report {
	t.Helper()
	r, err := do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Steps {
		if !s.OK {
			t.Errorf("step %s: expected %s, got %s: %s", s.ID, s.Expected, s.Got, s.Error)
		}
	}
	if !r.OK() && !t.Failed() {
		t.Error("the report is not OK")
	}
	return r
}

// disk is what the server keeps of a record.
func (w *world) disk(ctx context.Context, table, id string) ([]byte, error) {
	view, err := w.server.DiskView(ctx, table, map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: id}})
	if err != nil {
		return nil, err
	}
	return view.Sealed, nil
}
