// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// transport lets the real client talk to Serve, without the front door.
type transport struct {
	w      *world
	region string
}

func (d transport) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c := d.w.newCall(root(here), operation)
	c.Region, c.Body = d.region, body
	status := http.StatusOK
	out, err := d.w.kms.Serve(r.Context(), c)
	if err != nil {
		var e *request.Error
		if !errors.As(err, &e) {
			return nil, err
		}
		status = e.HTTPStatus()
		out, _ = json.Marshal(map[string]string{"__type": e.Code, "message": e.Message})
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(bytes.NewReader(out)), Request: r}, nil
}

func (w *world) client(region string) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: region, HTTPClient: transport{w, region}, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		}),
	})
}

// TestSDK goes through the operations with the real client: its deserializers
// know every member's name and type.
func TestSDK(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(region), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	made, err := c.CreateKey(ctx,
		&sdk.CreateKeyInput{MultiRegion: aws.Bool(true), Description: aws.String("d"),
			Tags: []types.Tag{{TagKey: aws.String("a"), TagValue: aws.String("b")}}})
	must(err)
	id := made.KeyMetadata.Arn
	if m := made.KeyMetadata; m.KeyState != types.KeyStateEnabled || !m.Enabled ||
		m.KeySpec != types.KeySpecSymmetricDefault ||
		m.MultiRegionConfiguration.MultiRegionKeyType != types.MultiRegionKeyTypePrimary ||
		m.EncryptionAlgorithms[0] != types.EncryptionAlgorithmSpecSymmetricDefault ||
		!m.CreationDate.Equal(w.clock()) || len(*m.CurrentKeyMaterialId) != 64 || m.Origin != types.OriginTypeAwsKms {
		t.Errorf("CreateKey: %+v", m)
	}
	_, err = c.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: aws.String("alias/a"), TargetKeyId: id})
	must(err)
	aliases, err := c.ListAliases(ctx, &sdk.ListAliasesInput{})
	must(err)
	if a := aliases.Aliases[0]; *a.AliasName != "alias/a" || *a.TargetKeyId != *made.KeyMetadata.KeyId ||
		!a.CreationDate.Equal(w.clock()) {
		t.Errorf("ListAliases: %+v", a)
	}
	sealed, err := c.Encrypt(ctx,
		&sdk.EncryptInput{KeyId: aws.String("alias/a"), Plaintext: []byte("x"),
			EncryptionContext: map[string]string{"a": "b"}})
	must(err)
	opened, err := c.Decrypt(ctx,
		&sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}})
	must(err)
	if string(opened.Plaintext) != "x" || *opened.KeyId != *id ||
		*opened.KeyMaterialId != *made.KeyMetadata.CurrentKeyMaterialId {
		t.Errorf("Decrypt: %+v", opened)
	}
	_, err = c.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
	if e := (*types.InvalidCiphertextException)(nil); !errors.As(err, &e) {
		t.Errorf("without its context: %v", err)
	}
	moved, err := c.ReEncrypt(ctx,
		&sdk.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, SourceEncryptionContext: map[string]string{"a": "b"},
			DestinationKeyId: id})
	must(err)
	if *moved.SourceKeyId != *id || *moved.KeyId != *id ||
		moved.DestinationEncryptionAlgorithm != types.EncryptionAlgorithmSpecSymmetricDefault {
		t.Errorf("ReEncrypt: %+v", moved)
	}
	data, err := c.GenerateDataKey(ctx, &sdk.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256})
	must(err)
	if len(data.Plaintext) != 32 || *data.KeyId != *id {
		t.Errorf("GenerateDataKey: %+v", data)
	}
	grant, err := c.CreateGrant(ctx,
		&sdk.CreateGrantInput{KeyId: id, GranteePrincipal: aws.String(root(here).ARN),
			Operations:  []types.GrantOperation{types.GrantOperationDecrypt},
			Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "b"}}})
	must(err)
	_, err = c.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: moved.CiphertextBlob,
		GrantTokens: []string{*grant.GrantToken}})
	must(err)
	grants, err := c.ListGrants(ctx, &sdk.ListGrantsInput{KeyId: id})
	must(err)
	if g := grants.Grants[0]; *g.GrantId != *grant.GrantId || g.Constraints.EncryptionContextSubset["a"] != "b" ||
		g.Operations[0] != types.GrantOperationDecrypt || !g.CreationDate.Equal(w.clock()) {
		t.Errorf("ListGrants: %+v", g)
	}
	_, err = c.RetireGrant(ctx, &sdk.RetireGrantInput{GrantToken: grant.GrantToken})
	must(err)
	_, err = c.EnableKeyRotation(ctx, &sdk.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: aws.Int32(100)})
	must(err)
	_, err = c.RotateKeyOnDemand(ctx, &sdk.RotateKeyOnDemandInput{KeyId: id})
	must(err)
	status, err := c.GetKeyRotationStatus(ctx, &sdk.GetKeyRotationStatusInput{KeyId: id})
	must(err)
	if !status.KeyRotationEnabled || *status.RotationPeriodInDays != 100 ||
		!status.NextRotationDate.Equal(w.clock().Add(100*day)) {
		t.Errorf("GetKeyRotationStatus: %+v", status)
	}
	rotations, err := c.ListKeyRotations(ctx, &sdk.ListKeyRotationsInput{KeyId: id})
	must(err)
	if r := rotations.Rotations; len(r) != 1 || r[0].RotationType != types.RotationTypeOnDemand ||
		r[0].KeyMaterialState != types.KeyMaterialStateCurrent || !r[0].RotationDate.Equal(w.clock()) {
		t.Errorf("ListKeyRotations: %+v", r)
	}
	tags, err := c.ListResourceTags(ctx, &sdk.ListResourceTagsInput{KeyId: id})
	must(err)
	if len(tags.Tags) != 1 || *tags.Tags[0].TagValue != "b" {
		t.Errorf("ListResourceTags: %+v", tags)
	}
	text, err := c.GetKeyPolicy(ctx, &sdk.GetKeyPolicyInput{KeyId: id})
	must(err)
	_, err = c.PutKeyPolicy(ctx, &sdk.PutKeyPolicyInput{KeyId: id, Policy: text.Policy})
	must(err)
	replica, err := c.ReplicateKey(ctx, &sdk.ReplicateKeyInput{KeyId: id, ReplicaRegion: aws.String("us-east-1")})
	must(err)
	m := replica.ReplicaKeyMetadata.MultiRegionConfiguration
	if m.MultiRegionKeyType != types.MultiRegionKeyTypeReplica || *m.PrimaryKey.Region != region {
		t.Errorf("ReplicateKey: %+v", m)
	}
	_, err = w.client("us-east-1").Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: moved.CiphertextBlob})
	must(err)
	mac, err := c.CreateKey(ctx,
		&sdk.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
	must(err)
	tag, err := c.GenerateMac(ctx,
		&sdk.GenerateMacInput{KeyId: mac.KeyMetadata.KeyId, Message: []byte("m"),
			MacAlgorithm: types.MacAlgorithmSpecHmacSha256})
	must(err)
	verified, err := c.VerifyMac(ctx,
		&sdk.VerifyMacInput{KeyId: mac.KeyMetadata.KeyId, Message: []byte("m"),
			MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Mac: tag.Mac})
	must(err)
	if !verified.MacValid {
		t.Errorf("VerifyMac: %+v", verified)
	}
	_, err = c.DisableKey(ctx, &sdk.DisableKeyInput{KeyId: mac.KeyMetadata.KeyId})
	must(err)
	doomed, err := c.ScheduleKeyDeletion(ctx,
		&sdk.ScheduleKeyDeletionInput{KeyId: mac.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(7)})
	must(err)
	if doomed.KeyState != types.KeyStatePendingDeletion || *doomed.PendingWindowInDays != 7 ||
		!doomed.DeletionDate.Equal(w.clock().Add(7*day)) {
		t.Errorf("ScheduleKeyDeletion: %+v", doomed)
	}
	w.advance(7*day + time.Millisecond)
	_, err = c.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: mac.KeyMetadata.Arn})
	if e := (*types.NotFoundException)(nil); !errors.As(err, &e) ||
		e.ErrorMessage() != "Key '"+*mac.KeyMetadata.Arn+"' does not exist" {
		t.Errorf("after its deletion: %v", err)
	}
	// The paginators come to an end.
	for range 3 {
		w.key(nil)
	}
	n := 0
	for pages := sdk.NewListKeysPaginator(c, &sdk.ListKeysInput{Limit: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(err)
		n += len(page.Keys)
	}
	if n != 4 {
		t.Errorf("%d keys in all pages", n)
	}
	managed, err := c.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: aws.String("alias/aws/dynamodb")})
	must(err)
	if managed.KeyMetadata.KeyManager != types.KeyManagerTypeAws {
		t.Errorf("alias/aws/dynamodb: %+v", managed.KeyMetadata)
	}
}
