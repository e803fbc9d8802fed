// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
)

// key is what everybody wraps under: a raw AES key, so that nothing but the
// library is measured.
func key() []byte { return []byte("0123456789abcdef0123456789abcdef") }

// config is the item encryptor's configuration, the same for all that have
// the format.
func config(s shape) *itemconfig.Config {
	suite := envelope.SuiteSymmetricSignature
	if s.signed {
		suite = envelope.SuiteDigitalSignature
	}
	return &itemconfig.Config{
		Table: "peers", PartitionKey: "partition_key", SortKey: "sort_key", AlgorithmSuite: suite.String(),
		AllowedUnsignedAttributePrefix: ":",
		AttributeActions: map[string]envelope.Action{"partition_key": envelope.SignOnly, "sort_key": envelope.SignOnly,
			"attribute1": envelope.EncryptAndSign, "attribute2": envelope.SignOnly, ":attribute3": envelope.DoNothing},
		Keyring: itemconfig.Keyring{Type: "raw-aes", Namespace: "peers", Name: "key",
			Key: &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(key())}},
	}
}

func item(s shape) envelope.Item {
	return envelope.Item{
		"partition_key": &types.AttributeValueMemberS{Value: "partition"},
		"sort_key":      &types.AttributeValueMemberN{Value: "7"},
		"attribute1": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"data": &types.AttributeValueMemberB{Value: make([]byte, s.size)}}},
		"attribute2":  &types.AttributeValueMemberS{Value: "signed only"},
		":attribute3": &types.AttributeValueMemberS{Value: "unsigned"},
	}
}

// official is a program around an official library.
type official struct {
	*peer.Peer
	jvm bool
}

// The official libraries' versions are those of interop/rust/Cargo.toml and
// interop/java/pom.xml.
const (
	rustName = "DB-ESDK Rust 1.3.0"
	javaName = "DB-ESDK Java 3.9.0"
)

func startRust() (contestant, error) { return wrap(rustName, false)(peer.StartRust()) }
func startJava() (contestant, error) { return wrap(javaName, true)(peer.StartJava()) }

func wrap(name string, jvm bool) func(*peer.Peer, error) (contestant, error) {
	return func(p *peer.Peer, err error) (contestant, error) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p.Name = name
		return official{p, jvm}, nil
	}
}

func (o official) name() string   { return o.Peer.Name }
func (o official) compiles() bool { return o.jvm }
func (o official) close() error   { return o.Peer.Close() }

func (o official) measure(_ context.Context, s shape, decrypt bool, d time.Duration) (cost, error) {
	op, c, it := "bench-encrypt", config(s), item(s)
	if decrypt {
		op = "bench-decrypt"
		sealed, err := o.Encrypt(c, it)
		if err != nil {
			return cost{}, err
		}
		it = sealed
	}
	text, err := ddbjson.Marshal(it)
	if err != nil {
		return cost{}, err
	}
	return watch(o.Pid(), func() (time.Duration, error) {
		answer, err := o.Do(map[string]any{"op": op, "config": c, "item": json.RawMessage(text),
			"milliseconds": d.Milliseconds()})
		if err != nil {
			return 0, err
		}
		var ns float64
		if err := json.Unmarshal(answer["nanoseconds"], &ns); err != nil {
			return 0, fmt.Errorf("%s: %w", o.Peer.Name, err)
		}
		return time.Duration(ns), nil
	})
}

// ours is this library.
type ours struct{ here }

const ourName = "ddbseal"

func (ours) name() string { return ourName }

func (ours) measure(ctx context.Context, s shape, decrypt bool, d time.Duration) (cost, error) {
	e, err := config(s).Encryptor(ctx, itemconfig.Providers{})
	if err != nil {
		return cost{}, err
	}
	it := item(s)
	if !decrypt {
		return repeat(d, func() error { _, err := e.EncryptItem(ctx, it); return err })
	}
	sealed, err := e.EncryptItem(ctx, it)
	if err != nil {
		return cost{}, err
	}
	return repeat(d, func() error { _, err := e.DecryptItem(ctx, sealed); return err })
}
