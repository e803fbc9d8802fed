// SPDX-License-Identifier: Apache-2.0

package kms_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws"
)

// TestManyClientsAtOnce lets clients of the whole server make, use, share and
// delete keys at the same time, and some of them the same keys. It is for the
// race detector, and for the promises that hold whatever the order: no
// internal failure, only refusals that the state of the key explains, and
// nothing is opened by who was never allowed.
func TestManyClientsAtOnce(t *testing.T) {
	var ahead atomic.Int64 // days
	server,
		err := localaws.New(localaws.Options{Clock: func() time.Time {
		return time.Now().Add(time.Duration(
			ahead.Load()) * 24 * time.Hour)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	config := func(c aws.Credentials) aws.Config {
		cfg := server.Config(c)
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		return cfg
	}
	people := iam.NewFromConfig(config(server.RootCredentials()))
	user := func(name string) *sdk.Client {
		if _, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
			t.Fatal(err)
		}
		key, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
		if err != nil {
			t.Fatal(err)
		}
		return sdk.NewFromConfig(config(aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId,
			SecretAccessKey: *key.AccessKey.SecretAccessKey}))
	}
	root, alice, mallory := sdk.NewFromConfig(config(server.RootCredentials())), user("alice"), user("mallory")
	aliceARN := "arn:aws:iam::" + server.AccountID() + ":user/alice"
	policyText := func(extra string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
			server.AccountID() + `:root"},"Action":"kms:*","Resource":"*"}` + extra + `]}`)
	}
	forAlice := `,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN + `"},"Action":"kms:Decrypt","Resource":"*"}`

	made, err := root.CreateKey(ctx, &sdk.CreateKeyInput{Policy: policyText("")})
	if err != nil {
		t.Fatal(err)
	}
	common := made.KeyMetadata.Arn
	context1 := map[string]string{"Table": "orders", "table": "other"}
	sealed, err := root.Encrypt(ctx,
		&sdk.EncryptInput{KeyId: common, Plaintext: []byte("data key"), EncryptionContext: context1})
	if err != nil {
		t.Fatal(err)
	}

	// allowed reports whether err is nil or one of the codes.
	allowed := func(err error, codes ...string) bool {
		t.Helper()
		var api smithy.APIError
		if err == nil {
			return true
		}
		if errors.As(err, &api) {
			for _, c := range codes {
				if api.ErrorCode() == c {
					return true
				}
			}
		}
		t.Error(err)
		return false
	}
	const rounds = 12
	var wg sync.WaitGroup
	work := func(n int, f func(ctx context.Context, worker, round int)) {
		for i := range n {
			wg.Go(func() {
				for round := range rounds {
					f(ctx, i, round)
				}
			})
		}
	}
	// Keys of your own, from creation to deletion.
	work(3, func(ctx context.Context, worker, round int) {
		k, err := root.CreateKey(ctx, &sdk.CreateKeyInput{MultiRegion: aws.Bool(round%2 == 0)})
		if !allowed(err) {
			return
		}
		id := k.KeyMetadata.Arn
		name := aws.String(fmt.Sprintf("alias/stress-%d-%d", worker, round))
		_, err = root.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: name, TargetKeyId: id})
		allowed(err)
		dk, err := root.GenerateDataKey(ctx, &sdk.GenerateDataKeyInput{KeyId: name, KeySpec: types.DataKeySpecAes256})
		if !allowed(err) {
			return
		}
		_, err = root.RotateKeyOnDemand(ctx, &sdk.RotateKeyOnDemandInput{KeyId: id})
		allowed(err)
		out, err := root.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: dk.CiphertextBlob})
		if allowed(err) && string(out.Plaintext) != string(dk.Plaintext) {
			t.Error("another plaintext")
		}
		_, err = root.ScheduleKeyDeletion(ctx,
			&sdk.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)})
		// Another worker may have moved the clock on, never this key's end.
		if allowed(err) {
			if _, err = root.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: dk.CiphertextBlob}); err == nil {
				t.Error("a key that waits for deletion decrypts")
			}
		}
		if round%4 == 3 {
			ahead.Add(8)
			if _, err = root.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: dk.CiphertextBlob}); err == nil {
				t.Error("a deleted key decrypts")
			}
			_, err = root.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: name})
			var gone *types.NotFoundException
			if !errors.As(err, &gone) {
				t.Errorf("the alias of a deleted key: %v", err)
			}
		}
	})
	// One key whose policy, grants and state change all the time.
	work(2, func(ctx context.Context, worker, round int) {
		extra := ""
		if (worker+round)%2 == 0 {
			extra = forAlice
		}
		_, err := root.PutKeyPolicy(ctx, &sdk.PutKeyPolicyInput{KeyId: common, Policy: policyText(extra)})
		allowed(err)
	})
	work(2, func(ctx context.Context, worker, round int) {
		g, err := root.CreateGrant(ctx,
			&sdk.CreateGrantInput{KeyId: common, GranteePrincipal: &aliceARN,
				Operations:  []types.GrantOperation{types.GrantOperationDecrypt},
				Name:        aws.String(fmt.Sprintf("g-%d-%d", worker, round)),
				Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"Table": "orders"}}})
		if !allowed(err, "DisabledException") || err != nil {
			return
		}
		_, err = alice.Decrypt(ctx,
			&sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context1})
		allowed(err, "DisabledException")
		_, err = root.RevokeGrant(ctx, &sdk.RevokeGrantInput{KeyId: common, GrantId: g.GrantId})
		allowed(err)
	})
	work(1, func(ctx context.Context, _, round int) {
		var err error
		if round%2 == 0 {
			_, err = root.DisableKey(ctx, &sdk.DisableKeyInput{KeyId: common})
		} else {
			_, err = root.EnableKey(ctx, &sdk.EnableKeyInput{KeyId: common})
		}
		allowed(err)
	})
	work(3, func(ctx context.Context, worker, round int) {
		out, err := alice.Decrypt(ctx,
			&sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context1})
		if allowed(err, "AccessDeniedException", "DisabledException") && err == nil &&
			string(out.Plaintext) != "data key" {
			t.Error("another plaintext")
		}
		if _, err := mallory.Decrypt(ctx,
			&sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context1}); err == nil {
			t.Error("mallory decrypts")
		}
		// Letters count in an encryption context.
		if _, err := root.Decrypt(ctx,
			&sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob,
				EncryptionContext: map[string]string{"Table": "other", "table": "orders"}}); err == nil {
			t.Error("another encryption context decrypts")
		}
		_, err = root.ListGrants(ctx, &sdk.ListGrantsInput{KeyId: common})
		allowed(err)
		_, err = root.GetKeyPolicy(ctx, &sdk.GetKeyPolicyInput{KeyId: common})
		allowed(err)
	})
	wg.Wait()
	if failures := server.Failures(); len(failures) > 0 {
		t.Errorf("internal failures: %v", failures)
	}
	left, err := root.ListGrants(ctx, &sdk.ListGrantsInput{KeyId: common})
	if err != nil || len(left.Grants) != 0 {
		t.Errorf("grants left: %v %v", left, err)
	}
}
