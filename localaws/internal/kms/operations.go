// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type (
	// entry is one operation of the table.
	entry = wire.Entry[*Service, any]
	// reading serves an operation that changes nothing.
	reading[In any] = func(*Service, context.Context, *request.Call, *In) (any, error)
	// changing serves an operation that changes something.
	changing[In any] = func(*change, context.Context, *request.Call, *In) (any, error)
)

// reads is the entry of an operation that changes nothing and that serve asks
// permission for itself: under aliases, grant tokens and ciphertexts it is
// found on the way what to ask about.
func reads[In any](name string, serve reading[In]) entry {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Read, Serve: serve}
}

// writes is reads for an operation that changes something. serve asks within
// the change, so that nothing comes between the two; it adds to the change and
// leaves applying it to the table.
func writes[In any](name string, serve changing[In]) entry {
	return wire.Within((*Service).write, wire.Op[*change, In, any]{Name: name, Kind: wire.Write, Serve: serve})
}

// operations is the table of what is served.
var operations = wire.NewTable(&protocol,
	writesOwn("CancelKeyDeletion", (*change).cancelKeyDeletion),
	writes("CreateAlias", (*change).createAlias),
	writes("CreateGrant", (*change).createGrant),
	wire.Op[*Service, createKeyInput, any]{Name: "CreateKey", Kind: wire.Write, Serve: (*Service).createKey},
	reads("Decrypt", (*Service).decrypt),
	writes("DeleteAlias", (*change).deleteAlias),
	reads("DeriveSharedSecret", (*Service).deriveSharedSecret),
	reads("DescribeKey", (*Service).describeKey),
	writesOwn("DisableKey", (*change).disableKey),
	writesOwn("DisableKeyRotation", (*change).disableKeyRotation),
	writesOwn("EnableKey", (*change).enableKey),
	writesOwn("EnableKeyRotation", (*change).enableKeyRotation),
	reads("Encrypt", (*Service).encrypt),
	reads("GenerateDataKey", (*Service).generateDataKey),
	reads("GenerateDataKeyWithoutPlaintext", (*Service).generateDataKeyWithoutPlaintext),
	reads("GenerateMac", (*Service).generateMac),
	readsAccount("GenerateRandom", (*Service).generateRandom),
	readsOwn("GetKeyLastUsage", (*Service).getKeyLastUsage),
	readsOwn("GetKeyPolicy", (*Service).getKeyPolicy),
	readsKey("GetKeyRotationStatus", (*Service).getKeyRotationStatus),
	reads("GetPublicKey", (*Service).getPublicKey),
	readsAccount("ListAliases", (*Service).listAliases),
	readsKey("ListGrants", (*Service).listGrants),
	readsOwn("ListKeyPolicies", (*Service).listKeyPolicies),
	readsOwn("ListKeyRotations", (*Service).listKeyRotations),
	readsAccount("ListKeys", (*Service).listKeys),
	readsOwn("ListResourceTags", (*Service).listResourceTags),
	reads("ListRetirableGrants", (*Service).listRetirableGrants),
	writesOwn("PutKeyPolicy", (*change).putKeyPolicy),
	reads("ReEncrypt", (*Service).reEncrypt),
	writesOwn("ReplicateKey", (*change).replicateKey),
	writes("RetireGrant", (*change).retireGrant),
	writesKey("RevokeGrant", (*change).revokeGrant),
	writesOwn("RotateKeyOnDemand", (*change).rotateKeyOnDemand),
	writesOwn("ScheduleKeyDeletion", (*change).scheduleKeyDeletion),
	writesOwn("TagResource", (*change).tagResource),
	writesOwn("UntagResource", (*change).untagResource),
	writes("UpdateAlias", (*change).updateAlias),
	writesOwn("UpdateKeyDescription", (*change).updateKeyDescription),
	writesOwn("UpdatePrimaryRegion", (*change).updatePrimaryRegion),
	reads("VerifyMac", (*Service).verifyMac),
).Absent(wire.NoOperation, absent)

// absent are the operations of KMS that this server does not have, by what it
// would need for them.
var absent = map[string]string{
	"custom key stores": "ConnectCustomKeyStore CreateCustomKeyStore DeleteCustomKeyStore DescribeCustomKeyStores " +
		"DisconnectCustomKeyStore UpdateCustomKeyStore",
	"imported key material": "DeleteImportedKeyMaterial GetParametersForImport ImportKeyMaterial",
	"signing keys":          "Sign Verify",
	"data key pairs":        "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext",
	"key encapsulation":     "Decapsulate Encapsulate",
}

// Coverage returns which operations are served and which are refused by name.
func (s *Service) Coverage() wire.Coverage { return operations.Coverage() }

// Describe implements request.Service.
func (s *Service) Describe(name string) (request.Operation, bool) { return operations.Describe(name) }

// Serve answers one request. Its errors are *request.Error, or those of the
// store.
func (s *Service) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	if _, ok := operations.Describe(c.Operation); !ok {
		return nil, request.Errorf("UnknownOperationException", "The operation %s does not exist.", c.Operation)
	}
	if err := s.catchUp(); err != nil {
		return nil, err
	}
	out, err := operations.Serve(ctx, s, c)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return []byte{}, nil
	}
	body, err := encode(out)
	if err != nil {
		return nil, fmt.Errorf("kms: marshal the answer of %s: %w", c.Operation, err)
	}
	return body, s.settled()
}

// plaintextOutput is an answer with a plaintext in it.
type plaintextOutput interface{ wipe() }

func (o *decryptOutput) wipe() { clear(o.Plaintext) }
func (o *dataKeyOutput) wipe() { clear(o.Plaintext) }
func (o *randomOutput) wipe()  { clear(o.Plaintext) }
func (o *deriveOutput) wipe()  { clear(o.SharedSecret) }

// encode writes an answer and wipes the plaintext in it. What was sent remains
// in the bodies of request and answer, which are not this package's.
func encode(out any) ([]byte, error) {
	if s, ok := out.(plaintextOutput); ok {
		defer s.wipe()
	}
	return json.Marshal(out)
}

// catchUp does what the clock has made due: rotations and deletions.
func (s *Service) catchUp() error {
	if now := s.clock(); now.UnixMilli() >= s.due.Load() {
		return s.write(func(ch *change) error {
			ch.maintain()
			return nil
		})
	}
	return nil
}

// trail is how an operation that is about one key appears in the audit.
func trail(c *request.Call, k *key, parameters any) {
	c.Trail.RequestParameters = parameters
	c.Trail.Resources = append(c.Trail.Resources,
		request.Resource{ARN: k.arn, AccountID: k.Account, Type: "AWS::KMS::Key"})
}

// keyParameters are the request parameters of an operation that only names a
// key.
type keyParameters struct {
	KeyID string `json:"keyId"`
}

var distantFuture = time.Date(100_000, 1, 1, 0, 0, 0, 0, time.UTC)
