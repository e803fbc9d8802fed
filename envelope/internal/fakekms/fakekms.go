// SPDX-License-Identifier: Apache-2.0

// Package fakekms is an AWS KMS for tests of this module: symmetric keys with
// real AES-GCM over the encryption context, RSA and elliptic-curve keys, counted
// calls and injected faults.
// It checks no permissions; a fault plays the policy.
package fakekms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Call is one request as it arrived.
type Call struct {
	Operation   string
	KeyID       string
	Context     map[string]string
	GrantTokens []string
	Algorithm   string // of encryption or key agreement; empty for a symmetric key
	PublicKey   []byte // DER, of the other side of a key agreement
}

// Server holds keys of several Regions. The zero value has none.
type Server struct {
	mu    sync.Mutex
	keys  map[string]cipher.AEAD // by account, partition and key id: replicas share one
	pairs map[string]any         // *rsa.PrivateKey or *ecdh.PrivateKey
	calls []Call
	// Fault, if set, runs before each call, outside any lock; an error it
	// returns is the answer.
	Fault func(context.Context, Call) error
	// Answer, if set, may alter the key id of a successful answer.
	Answer func(keyID string) string
	// PublicKey and Secret, if set, may alter the answers of GetPublicKey and
	// DeriveSharedSecret, and Plaintext that of Decrypt with an RSA key.
	PublicKey func(*kms.GetPublicKeyOutput)
	Secret    func(*kms.DeriveSharedSecretOutput)
	Plaintext func([]byte) []byte
}

// AddKey makes a key under a key ARN, or a replica if a multi-Region key of
// that id is there.
func (s *Server) AddKey(arn string) string {
	a, err := kmsarn.Parse(arn)
	if err != nil {
		panic(err)
	}
	var key [32]byte
	_, _ = rand.Read(key[:])
	block, _ := aes.NewCipher(key[:])
	aead, _ := cipher.NewGCM(block)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = make(map[string]cipher.AEAD)
	}
	if a.MultiRegion() {
		for other, aead := range s.keys {
			if o, _ := kmsarn.Parse(other); o.Matches(a) {
				s.keys[arn] = aead
				return arn
			}
		}
	}
	s.keys[arn] = aead
	return arn
}

// DeleteKey forgets a key.
func (s *Server) DeleteKey(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, arn)
}

// Calls returns the calls so far, those that failed too.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Count returns the number of calls of an operation.
func (s *Server) Count(operation string) int {
	var n int
	for _, c := range s.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

// Client returns the server's endpoint in a Region.
func (s *Server) Client(region string) *Client { return &Client{s, region} }

// Client calls a [Server] in one Region.
type Client struct {
	server *Server
	region string
}

// Denied is what AWS KMS answers a caller without permission.
func Denied(action string) error {
	return &smithy.GenericAPIError{Code: "AccessDeniedException",
		Message: "User: arn:aws:iam::111122223333:user/u is not authorized to perform: " + action +
			" on resource: r because no identity-based policy allows the " + action + " action"}
}

// Throttled is what AWS KMS answers above its request rate.
func Throttled() error {
	return &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}
}

// arrived notes the call and returns the fault that it meets.
func (c *Client) arrived(ctx context.Context, call Call) error {
	c.server.mu.Lock()
	c.server.calls = append(c.server.calls, call)
	c.server.mu.Unlock()
	if f := c.server.Fault; f != nil {
		if err := f(ctx, call); err != nil {
			return &smithy.OperationError{ServiceID: "KMS", OperationName: call.Operation, Err: err}
		}
	}
	if err := ctx.Err(); err != nil {
		return &smithy.CanceledError{Err: err}
	}
	return nil
}

func notFound(keyID string) error {
	return &types.NotFoundException{Message: aws.String("Key '" + keyID + "' does not exist")}
}

func (c *Client) begin(ctx context.Context, call Call) (cipher.AEAD, error) {
	if err := c.arrived(ctx, call); err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	key, ok := c.server.keys[call.KeyID]
	if a, err := kmsarn.Parse(call.KeyID); !ok || err != nil || a.Region != c.region {
		return nil, notFound(call.KeyID)
	}
	return key, nil
}

func (s *Server) answer(keyID string) *string {
	if s.Answer != nil {
		keyID = s.Answer(keyID)
	}
	return &keyID
}

func seal(key cipher.AEAD, plaintext []byte, context map[string]string) []byte {
	aad, err := materials.EncryptionContext(context).AppendSerialized(nil)
	if err != nil {
		panic(err)
	}
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	return key.Seal(nonce, nonce, plaintext, aad)
}

func open(key cipher.AEAD, blob []byte, context map[string]string) ([]byte, error) {
	aad, err := materials.EncryptionContext(context).AppendSerialized(nil)
	if err != nil {
		panic(err)
	}
	if len(blob) < 12 {
		return nil, &types.InvalidCiphertextException{}
	}
	plaintext, err := key.Open(nil, blob[:12], blob[12:], aad)
	if err != nil {
		return nil, &types.InvalidCiphertextException{}
	}
	return plaintext, nil
}

// GenerateDataKey implements the operation.
func (c *Client) GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput,
	_ ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error) {
	key, err := c.begin(ctx, Call{Operation: "GenerateDataKey", KeyID: aws.ToString(in.KeyId),
		Context: in.EncryptionContext, GrantTokens: in.GrantTokens})
	if err != nil {
		return nil, err
	}
	plaintext := make([]byte, aws.ToInt32(in.NumberOfBytes))
	_, _ = rand.Read(plaintext)
	return &kms.GenerateDataKeyOutput{Plaintext: plaintext, CiphertextBlob: seal(key, plaintext, in.EncryptionContext),
		KeyId: c.server.answer(*in.KeyId)}, nil
}

// GenerateDataKeyWithoutPlaintext implements the operation.
func (c *Client) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput,
	_ ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	key, err := c.begin(ctx, Call{Operation: "GenerateDataKeyWithoutPlaintext", KeyID: aws.ToString(in.KeyId),
		Context: in.EncryptionContext, GrantTokens: in.GrantTokens})
	if err != nil {
		return nil, err
	}
	plaintext := make([]byte, aws.ToInt32(in.NumberOfBytes))
	_, _ = rand.Read(plaintext)
	return &kms.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: seal(key, plaintext, in.EncryptionContext),
		KeyId: c.server.answer(*in.KeyId)}, nil
}

// Decrypt implements the operation.
func (c *Client) Decrypt(ctx context.Context, in *kms.DecryptInput,
	_ ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	if in.EncryptionAlgorithm != "" {
		return c.decryptRSA(ctx, in)
	}
	key, err := c.begin(ctx, Call{Operation: "Decrypt", KeyID: aws.ToString(in.KeyId),
		Context: in.EncryptionContext, GrantTokens: in.GrantTokens})
	if err != nil {
		return nil, err
	}
	plaintext, err := open(key, in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.DecryptOutput{Plaintext: plaintext, KeyId: c.server.answer(*in.KeyId)}, nil
}

// ReEncrypt implements the operation.
func (c *Client) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput,
	_ ...func(*kms.Options)) (*kms.ReEncryptOutput, error) {
	source, err := c.begin(ctx,
		Call{Operation: "ReEncrypt", KeyID: aws.ToString(in.SourceKeyId),
			Context: in.SourceEncryptionContext, GrantTokens: in.GrantTokens})
	if err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	destination, ok := c.server.keys[aws.ToString(in.DestinationKeyId)]
	c.server.mu.Unlock()
	if !ok {
		return nil, &types.NotFoundException{}
	}
	plaintext, err := open(source, in.CiphertextBlob, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &kms.ReEncryptOutput{
		CiphertextBlob: seal(destination, plaintext, in.DestinationEncryptionContext),
		KeyId:          c.server.answer(*in.DestinationKeyId), SourceKeyId: c.server.answer(*in.SourceKeyId),
	}, nil
}
