// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// keyringFuncs is a keyring of an application.
type keyringFuncs struct {
	materials.Keyring
	encrypt func(context.Context, *materials.Encryption) error
}

func (k keyringFuncs) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return k.encrypt(ctx, m)
}

// otherKeyCMM gives materials whose signing key is not the context's.
type otherKeyCMM struct{ materials.CMM }

func (c otherKeyCMM) EncryptionMaterials(_ context.Context,
	r materials.EncryptionRequest) (*materials.Encryption, error) {
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader); err != nil {
			return nil, err
		}
	}
	point := elliptic.MarshalCompressed(elliptic.P384(), keys[1].X, keys[1].Y) //nolint:staticcheck // a test
	r.Context[materials.ContextPublicKey] = base64.StdEncoding.EncodeToString(point)
	m, err := materials.NewEncryption(r.Suite, r.Context, r.RequiredKeys, keys[0], 0)
	if err != nil {
		return nil, err
	}
	return m, m.AddRecipient(materials.Recipient{
		ProviderID: "p", ProviderInfo: []byte("i"), IntermediateKey: make([]byte, 32),
		WrappedIntermediateKey: []byte("w"),
	})
}

// What a reader would refuse must not be written: the item would be lost.
func TestNothingUnreadableIsWritten(t *testing.T) {
	pair := func(key, value string) envelope.Config {
		config := validConfig(t)
		config.Keyring, config.CMM = nil,
			&cmmFuncs{CMM: defaultCMM(t), request: func(r *materials.EncryptionRequest) { r.Context[key] = value }}
		return config
	}
	keyringOf := func(r materials.Recipient) envelope.Config {
		config := validConfig(t)
		config.Keyring = keyringFuncs{testKeyring(t), func(_ context.Context, m *materials.Encryption) error {
			r.IntermediateKey, r.WrappedIntermediateKey = make([]byte, 32), []byte("w")
			return m.AddRecipient(r)
		}}
		return config
	}
	other := validConfig(t)
	other.Keyring, other.CMM = nil, otherKeyCMM{defaultCMM(t)}
	for name, config := range map[string]envelope.Config{
		"pair without key":          pair("", "v"),
		"key of pair not UTF-8":     pair("k\xff", "v"),
		"value of pair not UTF-8":   pair("k", "v\xff"),
		"provider id not UTF-8":     keyringOf(materials.Recipient{ProviderID: "p\xff", ProviderInfo: []byte("i")}),
		"provider id empty":         keyringOf(materials.Recipient{ProviderInfo: []byte("i")}),
		"signing key not announced": other,
	} {
		t.Run(name, func(t *testing.T) {
			sealed, err := mustEncryptor(t, config).EncryptItem(t.Context(), validItem())
			if err == nil {
				_, err = envelope.Inspect(sealed)
				t.Fatalf("written; a reader says: %v", err)
			}
			if !errors.Is(err, envelope.ErrMaterials) && !errors.Is(err, envelope.ErrConfiguration) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A constructor's error that was overlooked leaves a nil pointer in the
// interface; that must not wait for the first item.
func TestNilPointersAreNoKeyring(t *testing.T) {
	for name, change := range map[string]func(*envelope.Config){
		"keyring": func(c *envelope.Config) { c.Keyring = (*keyring.RawAES)(nil) },
		"CMM":     func(c *envelope.Config) { c.Keyring, c.CMM = nil, (*cmmFuncs)(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			config := validConfig(t)
			change(&config)
			_, err := envelope.NewItemEncryptor(config)
			failsWith(t, err, envelope.ErrConfiguration, "configure", "")
		})
	}
}

func TestInspectSurvivesNilValues(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	sealed := mustEncrypt(t, e, validItem())
	for _, v := range []types.AttributeValue{
		nil, (*types.AttributeValueMemberB)(nil), (*types.AttributeValueMemberM)(nil),
		&types.AttributeValueMemberL{Value: []types.AttributeValue{nil, (*types.AttributeValueMemberB)(nil)}},
	} {
		for _, name := range []string{"secret", "note", "pk", ":view"} {
			item := maps.Clone(sealed)
			item[name] = v
			if _, err := e.Inspect(item); err != nil {
				t.Errorf("%s %T: %v", name, v, err)
			}
			if _, err := e.DecryptItem(t.Context(), item); name != ":view" && !errors.Is(err, envelope.ErrTampered) {
				t.Errorf("%s %T: %v", name, v, err)
			}
		}
	}
}

// Nor may an attribute without protection hold what DynamoDB's client would
// stumble over.
func TestUnsignedValuesAreValues(t *testing.T) {
	for _, v := range []types.AttributeValue{nil, (*types.AttributeValueMemberN)(nil), &types.UnknownUnionMember{}} {
		for _, name := range []string{"ttl", ":view", ":unknown"} {
			item := validItem()
			item[name] = v
			_, err := mustEncryptor(t, validConfig(t)).EncryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", name)
		}
	}
}

// A plaintext policy lifts no rule about keys.
func TestForcedPlaintextNeedsKeys(t *testing.T) {
	config := validConfig(t)
	config.PlaintextPolicy = envelope.ForcePlaintextWriteAllowPlaintextRead
	e := mustEncryptor(t, config)
	for _, v := range []types.AttributeValue{nil, (*types.AttributeValueMemberS)(nil),
		&types.AttributeValueMemberBOOL{}} {
		item := validItem()
		item["sk"] = v
		_, err := e.EncryptItem(t.Context(), item)
		failsWith(t, err, envelope.ErrInvalidItem, "encrypt", "sk")
	}
}

// One value many times over is bounded for the item as a whole, not only for
// each attribute.
func TestSharedValuesAreBoundedTogether(t *testing.T) {
	shared := b(make([]byte, 32<<20))
	config := validConfig(t)
	item := validItem()
	for i := range 8 {
		name := fmt.Sprintf("part-%d", i)
		config.Actions[name] = envelope.EncryptAndSign
		item[name] = shared
	}
	_, err := mustEncryptor(t, config).EncryptItem(t.Context(), item)
	if !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("got %v", err)
	}
}

// Results share no memory with the encryptor's own, nor encrypted values with
// the input.
func TestResultsAreIndependent(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	item := func(fill string) envelope.Item {
		i := validItem()
		i["secret"] = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"b":  b([]byte(strings.Repeat(fill, 100))),
			"bs": &types.AttributeValueMemberBS{Value: [][]byte{[]byte(fill)}}, "s": s(strings.Repeat(fill, 50)),
		}}
		return i
	}
	plain := item("a")
	sealed := mustEncrypt(t, e, plain)
	before := canonical(t, sealed["secret"])
	plain["secret"].(*types.AttributeValueMemberM).Value["b"].(*types.AttributeValueMemberB).Value[0] = 'X'
	if canonical(t, sealed["secret"]) != before {
		t.Fatal("the encrypted value changed with the input")
	}
	opened, err := e.DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	again := maps.Clone(sealed)
	for _, fill := range []string{"b", "c", "d"} {
		roundTrip(t, e, item(fill))
	}
	sameItem(t, opened, item("a"))
	opened["secret"].(*types.AttributeValueMemberM).Value["b"].(*types.AttributeValueMemberB).Value[0] = 'Y'
	opened, err = e.DecryptItem(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, opened, item("a"))
	value := sealed["secret"].(*types.AttributeValueMemberB).Value
	for i := range value {
		value[i] = 0xEE
	}
	sameItem(t, opened, item("a"))
}

// TestBatchEndsWithItsContext: a cancelled batch does not wait for a slow key
// service once for every item.
func TestBatchEndsWithItsContext(t *testing.T) {
	var calls atomic.Int64
	started := make(chan struct{}, 1000)
	config := validConfig(t)
	config.Keyring = keyringFuncs{testKeyring(t), func(ctx context.Context, _ *materials.Encryption) error {
		calls.Add(1)
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}}
	e := mustEncryptor(t, config)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	items := slices.Repeat([]envelope.Item{validItem()}, 500)
	begin := time.Now()
	out, err := e.EncryptAll(ctx, items)
	var batch *envelope.BatchError
	if !errors.As(err, &batch) || !errors.Is(err, context.Canceled) || len(batch.Errors) != len(items) ||
		len(out) != len(items) {
		t.Fatalf("got %v", err)
	}
	for i, err := range batch.Errors {
		if !errors.Is(err, context.Canceled) || out[i] != nil {
			t.Errorf("item %d: %v, %v", i, out[i], err)
		}
	}
	if n := calls.Load(); n > 100 || time.Since(begin) > 20*time.Second {
		t.Errorf("%d calls after the end, %v", n, time.Since(begin))
	}
}

// The largest number of recipients that the header counts.
func TestMostRecipients(t *testing.T) {
	members := func(n int) []materials.Keyring {
		out := make([]materials.Keyring, n)
		for i := range out {
			k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: fmt.Sprint("member ", i),
				Key: bytes.Repeat([]byte{byte(i)}, 32)})
			if err != nil {
				t.Fatal(err)
			}
			out[i] = k
		}
		return out
	}
	all := members(256)
	config := validConfig(t)
	multi, err := keyring.NewMulti(all[0], all[1:255]...)
	if err != nil {
		t.Fatal(err)
	}
	config.Keyring = multi
	sealed := roundTrip(t, mustEncryptor(t, config), validItem())
	for _, i := range []int{0, 127, 254} {
		config.Keyring = all[i]
		if _, err := mustEncryptor(t, config).DecryptItem(t.Context(), sealed); err != nil {
			t.Errorf("member %d: %v", i, err)
		}
	}
	if multi, err = keyring.NewMulti(all[0], all[1:]...); err != nil {
		t.Fatal(err)
	}
	config.Keyring = multi
	_, err = mustEncryptor(t, config).EncryptItem(t.Context(), validItem())
	failsWith(t, err, envelope.ErrMaterials, "encrypt", "")
}

// Names at the edges of the rules for names.
func TestNamesAtTheEdges(t *testing.T) {
	config := validConfig(t)
	config.AllowedUnsigned, config.AllowedUnsignedPrefix = nil, "aws" // also begins the reserved names
	config.Actions = map[string]envelope.Action{
		"pk": envelope.SignOnly, "sk": envelope.SignOnly, "aw": envelope.SignOnly, "secret": envelope.EncryptAndSign,
		"\U0001F511": envelope.EncryptAndSign, "\uFFFD": envelope.EncryptAndSign, "a:": envelope.SignOnly,
	}
	e := mustEncryptor(t, config)
	item := envelope.Item{
		"pk": b([]byte{0}), "sk": n("1e2"), "aw": s("signed"), "aws": s("unsigned"), "aws_dbe": s("unsigned"),
		"a:":     s(""),
		"secret": s(""), "\U0001F511": b(nil), "\uFFFD": &types.AttributeValueMemberSS{},
	}
	sealed := roundTrip(t, e, item)
	sealed["aws_dbe_b_x"], sealed["aws_dbe"] = s("beacon"), s("changed by anybody")
	got, err := e.DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	item["aws_dbe"] = s("changed by anybody")
	sameItem(t, got, item)
	sealed["aws_dbe_"] = s("reserved")
	_, err = e.DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrUnsupported, "decrypt", "aws_dbe_")
	delete(sealed, "aws_dbe_")
	sealed["aw"] = s("changed by anybody")
	_, err = e.DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.FooterAttribute)
}
