// SPDX-License-Identifier: Apache-2.0

package labsetup_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/labsetup"
)

// each calls fn before each API call of clients made from cfg.
func each(cfg aws.Config, fn func(in any) error) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("each",
			func(ctx context.Context, in middleware.InitializeInput,
				next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				if err := fn(in.Parameters); err != nil {
					return middleware.InitializeOutput{}, middleware.Metadata{}, err
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
	})
	return cfg
}

func noSuchPolicy(policy string) error {
	return &iamtypes.NoSuchEntityException{Message: aws.String("Policy " + policy +
		" does not exist or is not attachable.")}
}

// refusing answers the attachment of one managed policy as IAM does when AWS
// has retired it.
func refusing(cfg aws.Config, policy string) aws.Config {
	return each(cfg, func(in any) error {
		if a, ok := in.(*iam.AttachUserPolicyInput); ok && aws.ToString(a.PolicyArn) == policy &&
			aws.ToString(a.UserName) == labsetup.UserName {
			return &smithy.OperationError{ServiceID: "IAM", OperationName: "AttachUserPolicy",
				Err: noSuchPolicy(policy)}
		}
		return nil
	})
}

// left lists what is in the account, keys only when they can still be used.
func (w *world) left(t testing.TB) []string {
	t.Helper()
	var out []string
	tables, err := dynamodb.NewFromConfig(w.admin).ListTables(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, tables.TableNames...)
	users, err := iam.NewFromConfig(w.admin).ListUsers(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users.Users {
		if name := aws.ToString(u.UserName); name != administratorName {
			out = append(out, name)
		}
	}
	roles, err := iam.NewFromConfig(w.admin).ListRoles(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles.Roles {
		if !strings.HasPrefix(aws.ToString(r.Path), "/aws-service-role/") {
			out = append(out, aws.ToString(r.RoleName))
		}
	}
	for _, region := range []string{"us-east-1", "us-west-2"} {
		cfg := w.admin.Copy()
		cfg.Region = region
		client := kms.NewFromConfig(cfg)
		keys, err := client.ListKeys(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys.Keys {
			d, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: k.KeyId})
			if err != nil {
				t.Fatal(err)
			}
			if m := d.KeyMetadata; m.KeyManager == kmstypes.KeyManagerTypeCustomer &&
				m.KeyState != kmstypes.KeyStatePendingDeletion &&
				m.KeyState != kmstypes.KeyStatePendingReplicaDeletion {
				out = append(out, aws.ToString(m.Arn))
			}
		}
	}
	return out
}

func TestDownOfNothing(t *testing.T) {
	w := newWorld(t)
	w.passes(t, w.lab(t, same).Down)
	w.passes(t, w.lab(t, same).Down)
}

func TestDownRemovesOnlyTheLab(t *testing.T) {
	w := newWorld(t)
	if _, err := dynamodb.NewFromConfig(w.admin).CreateTable(t.Context(), table("theirs")); err != nil {
		t.Fatal(err)
	}
	if _, err := iam.NewFromConfig(w.admin).CreateUser(t.Context(),
		&iam.CreateUserInput{UserName: aws.String("somebody")}); err != nil {
		t.Fatal(err)
	}
	key, err := kms.NewFromConfig(w.admin).CreateKey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.up(t)
	for range 2 {
		if r := w.passes(t, w.lab(t, same).Down); len(r.LeftAlone) > 0 {
			t.Errorf("left alone: %q", r.LeftAlone)
		}
		if got := w.left(t); !slices.Equal(got, []string{"theirs", "somebody", aws.ToString(key.KeyMetadata.Arn)}) {
			t.Errorf("left: %q", got)
		}
	}
}

func table(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{TableName: aws.String(name), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"),
			AttributeType: ddbtypes.ScalarAttributeTypeN}},
		KeySchema: []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}}}
}

// TestOthersAreLeftAlone: what has a name of the lab's and not its tag stops
// Up, and stays as it is.
func TestOthersAreLeftAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(context.Context, aws.Config) error
		step string
	}{
		{"key alias", func(ctx context.Context, cfg aws.Config) error {
			client := kms.NewFromConfig(cfg)
			key, err := client.CreateKey(ctx, nil)
			if err != nil {
				return err
			}
			_, err = client.CreateAlias(ctx,
				&kms.CreateAliasInput{AliasName: aws.String(labsetup.KeyAlias), TargetKeyId: key.KeyMetadata.KeyId})
			return err
		}, "key"},
		{"table", func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).CreateTable(ctx, table(labsetup.ServerTable))
			return err
		}, "table"},
		{"user", func(ctx context.Context, cfg aws.Config) error {
			_, err := iam.NewFromConfig(cfg).CreateUser(ctx,
				&iam.CreateUserInput{UserName: aws.String(labsetup.UserName)})
			return err
		}, "user"},
		{"role", func(ctx context.Context, cfg aws.Config) error {
			_, err := iam.NewFromConfig(cfg).CreateRole(ctx,
				&iam.CreateRoleInput{RoleName: aws.String(labsetup.RoleName),
					AssumeRolePolicyDocument: aws.String(
						`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
			return err
		}, "role"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if err := c.make(t.Context(), w.admin); err != nil {
				t.Fatal(err)
			}
			before := w.left(t)
			const hint = "rename it"
			r, err := w.lab(t, func(cfg *labsetup.Config) {
				cfg.Hint = func(err error) string {
					if errors.Is(err, labsetup.ErrNotOurs) {
						return hint
					}
					return ""
				}
			}).Run(t.Context())
			if !errors.Is(err, labsetup.ErrNotOurs) {
				t.Fatalf("got %v", err)
			}
			last := r.Steps[len(r.Steps)-1]
			if last.ID != c.step || last.OK || last.Hint != hint {
				t.Errorf("%+v", last)
			}
			down := w.passes(t, w.lab(t, same).Down)
			if len(down.LeftAlone) != 1 {
				t.Errorf("left alone: %q", down.LeftAlone)
			}
			if after := w.left(t); !slices.Equal(before, after) {
				t.Errorf("before %q, after %q", before, after)
			}
		})
	}
}

// TestInterrupted ends a run at many of its calls; Down removes what was there
// by then.
func TestInterrupted(t *testing.T) {
	var calls atomic.Int64
	count := newWorld(t)
	plain := count.admin
	count.admin = each(plain, func(any) error { calls.Add(1); return nil })
	count.passes(t, count.lab(t, same).Run)
	total := calls.Load()
	if total < 100 {
		t.Fatalf("only %d calls were counted", total)
	}
	// Every call of the first chapter, where the key is made, then here and
	// there.
	var points []int64
	for n := int64(1); n < 10; n++ {
		points = append(points, n)
	}
	steps := int64(15)
	if testing.Short() {
		points, steps = []int64{3}, 4
	}
	for n := int64(10); n < total; n += total / steps {
		points = append(points, n)
	}
	for _, n := range points {
		w := newWorld(t)
		admin := w.admin
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int64
		w.admin = each(admin, func(any) error {
			if calls.Add(1) == n+1 { // after n calls were answered
				cancel()
				return ctx.Err()
			}
			return nil
		})
		if _, err := w.lab(t, same).Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d calls: got %v", n, err)
		}
		cancel()
		w.admin = admin
		w.passes(t, w.lab(t, same).Down)
		if left := w.left(t); len(left) > 0 {
			t.Errorf("after %d of %d calls, left: %q", n, total, left)
		}
	}
}
