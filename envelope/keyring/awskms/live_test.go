// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// liveKMS is a KMS that enforces policies, with the user "app".
type liveKMS struct {
	t *testing.T
	*localawstest.Server
}

func newLiveKMS(t *testing.T) *liveKMS {
	return &liveKMS{t, localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Users: []localawstest.User{{Name: "app"}}}))}
}

func (l *liveKMS) client(cfg aws.Config, region string) *kms.Client {
	return kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region, o.Retryer = region, aws.NopRetryer{} })
}

// key creates an asymmetric key that "app" may use for some actions.
func (l *liveKMS) key(spec types.KeySpec, usage types.KeyUsageType, multiRegion bool, actions ...string) string {
	l.t.Helper()
	policy := map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + l.AccountID() + ":root"},
			"Action": "kms:*", "Resource": "*"},
		map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*",
			"Principal": map[string]any{"AWS": "arn:aws:iam::" + l.AccountID() + ":user/app"}},
	}}
	text, err := json.Marshal(policy)
	if err != nil {
		l.t.Fatal(err)
	}
	out, err := l.client(l.Root(), west).CreateKey(l.t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage,
		MultiRegion: aws.Bool(multiRegion), Policy: aws.String(string(text))})
	if err != nil {
		l.t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

func (l *liveKMS) publicKey(arn string) *ecdh.PublicKey {
	l.t.Helper()
	out, err := l.client(l.Root(), west).GetPublicKey(l.t.Context(), &kms.GetPublicKeyInput{KeyId: &arn})
	if err != nil {
		l.t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		l.t.Fatal(err)
	}
	public, err := key.(*ecdsa.PublicKey).ECDH()
	if err != nil {
		l.t.Fatal(err)
	}
	return public
}

// liveItem is an item whose partition key must not reach the audit log.
func liveItem() envelope.Item {
	item := exampleOrder()
	item["id"] = item["card"]
	return item
}

func liveEncryptor(t *testing.T, k materials.Keyring, suite envelope.AlgorithmSuite) *envelope.ItemEncryptor {
	t.Helper()
	return must[*envelope.ItemEncryptor](t)(envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "id", Keyring: k, AlgorithmSuite: suite,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
	}))
}

// quiet checks that no call of KMS had an encryption context, and counts the
// calls of an operation.
func (l *liveKMS) quiet(operation string) (calls int) {
	l.t.Helper()
	for _, e := range l.Audit().Events() {
		text, err := json.Marshal(e)
		if err != nil {
			l.t.Fatal(err)
		}
		if strings.Contains(string(text), "aws-crypto") || strings.Contains(string(text), "4111 1111") {
			l.t.Errorf("the audit tells of the item: %s", text)
		}
		if e.EventName == operation {
			calls++
		}
	}
	return calls
}

// Items of every scheme and curve are written and read by callers that have no
// more than the documented permissions.
func TestLiveECDH(t *testing.T) {
	for _, spec := range []types.KeySpec{types.KeySpecEccNistP256, types.KeySpecEccNistP384, types.KeySpecEccNistP521} {
		l := newLiveKMS(t)
		usage := types.KeyUsageTypeKeyAgreement
		own := l.key(spec, usage, false, "kms:GetPublicKey", "kms:DeriveSharedSecret")
		other := l.key(spec, usage, false, "kms:GetPublicKey", "kms:DeriveSharedSecret")
		app := l.client(l.User("app"), west)
		writer := must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: app, KeyARN: own,
			PartnerKey: l.publicKey(other)}))
		partner := must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: app, KeyARN: other,
			PartnerKey: l.publicKey(own)}))
		discovery := must[*awskms.ECDH](t)(awskms.NewECDHDiscovery(awskms.ECDHConfig{Client: app, KeyARN: other}))
		ephemeral := must[*keyring.RawECDH](t)(keyring.NewRawECDHEphemeral(l.publicKey(other)))
		for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature,
			envelope.SuiteDigitalSignature} {
			for _, c := range []struct {
				writer  materials.Keyring
				readers []materials.Keyring
			}{{writer, []materials.Keyring{writer, partner, discovery}}, {ephemeral, []materials.Keyring{discovery}}} {
				e := liveEncryptor(t, c.writer, suite)
				sealed := must[envelope.Item](t)(e.EncryptItem(t.Context(), liveItem()))
				for _, reader := range c.readers {
					if _, err := liveEncryptor(t, reader, suite).DecryptItem(t.Context(), sealed); err != nil {
						t.Errorf("%s: %v", spec, err)
					}
				}
			}
		}
		if n := l.quiet("DeriveSharedSecret"); n != 2*(1+3+1) {
			t.Errorf("%s: %d calls of DeriveSharedSecret", spec, n)
		}
	}
}

// A replica opens by its own ARN.
func TestLiveECDHReplica(t *testing.T) {
	l := newLiveKMS(t)
	primary := l.key(types.KeySpecEccNistP256, types.KeyUsageTypeKeyAgreement, true, "kms:*")
	replica, err := l.client(l.Root(), west).ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: &primary,
		ReplicaRegion: aws.String(east)})
	if err != nil {
		t.Fatal(err)
	}
	partner := l.publicKey(primary)
	writer := must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: l.client(l.Root(), west), KeyARN: primary,
		PartnerKey: partner}))
	reader := must[*awskms.ECDH](t)(awskms.NewECDHDiscovery(awskms.ECDHConfig{Client: l.client(l.Root(), east),
		KeyARN: *replica.ReplicaKeyMetadata.Arn}))
	sealed := must[envelope.Item](t)(liveEncryptor(t, writer, 0).EncryptItem(t.Context(), liveItem()))
	if _, err := liveEncryptor(t, reader, 0).DecryptItem(t.Context(), sealed); err != nil {
		t.Error(err)
	}
}

func TestLiveRSA(t *testing.T) {
	l := newLiveKMS(t)
	arn := l.key(types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt, false, "kms:GetPublicKey", "kms:Decrypt")
	suite := envelope.SuiteSymmetricSignature
	for _, algorithm := range []types.EncryptionAlgorithmSpec{oaep1, oaep256} {
		k := newRSA(t, awskms.RSAConfig{Client: l.client(l.User("app"), west), KeyARN: arn, Algorithm: algorithm})
		sealed := must[envelope.Item](t)(liveEncryptor(t, k, suite).EncryptItem(t.Context(), liveItem()))
		if _, err := liveEncryptor(t, k, suite).DecryptItem(t.Context(), sealed); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	if n := l.quiet("Decrypt"); n != 2 {
		t.Errorf("%d calls of Decrypt", n)
	}
}

// A missing permission is named, and a key of another kind refused.
func TestLiveDenials(t *testing.T) {
	l := newLiveKMS(t)
	agreement, encryption := types.KeyUsageTypeKeyAgreement, types.KeyUsageTypeEncryptDecrypt
	p256 := types.KeySpecEccNistP256
	app := l.client(l.User("app"), west)
	silent := l.key(p256, agreement, false, "kms:DescribeKey")
	public := l.key(p256, agreement, false, "kms:GetPublicKey")
	pair := l.key(types.KeySpecRsa2048, encryption, false, "kms:GetPublicKey")
	partner := l.publicKey(public)
	ecdhOf := func(arn string) materials.Keyring {
		return must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: app, KeyARN: arn, PartnerKey: partner}))
	}
	rsaOf := func(arn string) materials.Keyring { return newRSA(t, awskms.RSAConfig{Client: app, KeyARN: arn}) }
	write := func(k materials.Keyring) error {
		_, err := liveEncryptor(t, k, envelope.SuiteSymmetricSignature).EncryptItem(t.Context(), liveItem())
		return err
	}
	for _, c := range []struct {
		err     error
		missing string
		want    error
	}{
		{write(ecdhOf(silent)), "kms:GetPublicKey", envelope.ErrKeyDenied},
		{write(ecdhOf(public)), "kms:DeriveSharedSecret", envelope.ErrKeyDenied},
		{readOf(t, rsaOf(pair)), "kms:Decrypt", envelope.ErrKeyDenied},
		{write(ecdhOf(pair)), "", envelope.ErrConfiguration},
		{write(rsaOf(public)), "", envelope.ErrConfiguration},
	} {
		var e *envelope.KeyError
		if !errors.Is(c.err, c.want) || !errors.As(c.err, &e) || e.Missing != c.missing {
			t.Errorf("got %v, want %q missing", c.err, c.missing)
		}
	}
}

// readOf writes an item and returns the error of reading it.
func readOf(t *testing.T, k materials.Keyring) error {
	t.Helper()
	e := liveEncryptor(t, k, envelope.SuiteSymmetricSignature)
	sealed, err := e.EncryptItem(t.Context(), liveItem())
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.DecryptItem(t.Context(), sealed)
	return err
}
