// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// PublicKeyClient is the part of the AWS KMS client that tells the public half
// of an asymmetric key; [kms.Client] has it.
type PublicKeyClient interface {
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
}

// publicKey is the public half of a key of AWS KMS, which is asked for it at the
// first use. A failure is not kept: the next caller asks again, with its own
// context.
type publicKey[T any] struct {
	provider string
	client   PublicKeyClient
	keyID    string
	accept   func(crypto.PublicKey, *kms.GetPublicKeyOutput) (T, error)

	known atomic.Pointer[T]
	turn  chan struct{} // holds a value while a caller asks
}

func newPublicKey[T any](provider string, client PublicKeyClient, keyID string,
	accept func(crypto.PublicKey, *kms.GetPublicKeyOutput) (T, error)) *publicKey[T] {
	return &publicKey[T]{provider: provider, client: client, keyID: keyID, accept: accept,
		turn: make(chan struct{}, 1)}
}

// get returns the key. Errors: a [materials.KeyError].
func (p *publicKey[T]) get(ctx context.Context) (T, error) {
	if known := p.known.Load(); known != nil {
		return *known, nil
	}
	var none T
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return none, awserror.Key(p.provider, p.keyID, "kms:GetPublicKey", ctx.Err())
	}
	if known := p.known.Load(); known != nil {
		return *known, nil
	}
	out, err := p.client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &p.keyID})
	if err != nil {
		return none, awserror.Key(p.provider, p.keyID, "kms:GetPublicKey", err)
	}
	key, err := p.parse(out)
	if err != nil {
		return none, &materials.KeyError{Provider: p.provider, KeyID: p.keyID, Err: err}
	}
	p.known.Store(&key)
	return key, nil
}

func (p *publicKey[T]) parse(out *kms.GetPublicKeyOutput) (T, error) {
	var none T
	if answered := aws.ToString(out.KeyId); answered != p.keyID {
		return none, fmt.Errorf("%w: the answer is of another key, %.200q", materials.ErrMaterials, answered)
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return none, fmt.Errorf("%w: the answer has a malformed public key", materials.ErrMaterials)
	}
	return p.accept(parsed, out)
}
