package kms

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// operation is one operation of the wire.
type operation struct {
	readOnly bool
	serve    func(*Service, context.Context, *call.Call) (any, error)
}

// reads makes an operation that changes nothing.
func reads[In any](f func(*Service, context.Context, *call.Call, *In) (any, error)) operation {
	return operation{true, func(s *Service, ctx context.Context, c *call.Call) (any, error) {
		in := new(In)
		if err := decode(c.Body, in); err != nil {
			return nil, err
		}
		return f(s, ctx, c, in)
	}}
}

// writes makes an operation that changes something. f adds to the change and
// leaves applying it to the caller.
func writes[In any](f func(*change, context.Context, *call.Call, *In) (any, error)) operation {
	return operation{false, func(s *Service, ctx context.Context, c *call.Call) (any, error) {
		in := new(In)
		if err := decode(c.Body, in); err != nil {
			return nil, err
		}
		var out any
		err := s.write(func(ch *change) (err error) {
			out, err = f(ch, ctx, c, in)
			return err
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	}}
}

// operations is the table of what is served.
var operations = map[string]operation{
	"CancelKeyDeletion":               writes((*change).cancelKeyDeletion),
	"CreateAlias":                     writes((*change).createAlias),
	"CreateGrant":                     writes((*change).createGrant),
	"CreateKey":                       writes((*change).createKey),
	"Decrypt":                         reads((*Service).decrypt),
	"DeleteAlias":                     writes((*change).deleteAlias),
	"DescribeKey":                     reads((*Service).describeKey),
	"DisableKey":                      writes((*change).disableKey),
	"DisableKeyRotation":              writes((*change).disableKeyRotation),
	"EnableKey":                       writes((*change).enableKey),
	"EnableKeyRotation":               writes((*change).enableKeyRotation),
	"Encrypt":                         reads((*Service).encrypt),
	"GenerateDataKey":                 reads((*Service).generateDataKey),
	"GenerateDataKeyWithoutPlaintext": reads((*Service).generateDataKeyWithoutPlaintext),
	"GenerateMac":                     reads((*Service).generateMac),
	"GenerateRandom":                  reads((*Service).generateRandom),
	"GetKeyPolicy":                    reads((*Service).getKeyPolicy),
	"GetKeyRotationStatus":            reads((*Service).getKeyRotationStatus),
	"ListAliases":                     reads((*Service).listAliases),
	"ListGrants":                      reads((*Service).listGrants),
	"ListKeyPolicies":                 reads((*Service).listKeyPolicies),
	"ListKeyRotations":                reads((*Service).listKeyRotations),
	"ListKeys":                        reads((*Service).listKeys),
	"ListResourceTags":                reads((*Service).listResourceTags),
	"ListRetirableGrants":             reads((*Service).listRetirableGrants),
	"PutKeyPolicy":                    writes((*change).putKeyPolicy),
	"ReEncrypt":                       reads((*Service).reEncrypt),
	"ReplicateKey":                    writes((*change).replicateKey),
	"RetireGrant":                     writes((*change).retireGrant),
	"RevokeGrant":                     writes((*change).revokeGrant),
	"RotateKeyOnDemand":               writes((*change).rotateKeyOnDemand),
	"ScheduleKeyDeletion":             writes((*change).scheduleKeyDeletion),
	"TagResource":                     writes((*change).tagResource),
	"UntagResource":                   writes((*change).untagResource),
	"UpdateAlias":                     writes((*change).updateAlias),
	"UpdateKeyDescription":            writes((*change).updateKeyDescription),
	"UpdatePrimaryRegion":             writes((*change).updatePrimaryRegion),
	"VerifyMac":                       reads((*Service).verifyMac),
}

// elsewhere are operations that AWS has and this service does not.
var elsewhere = map[string]string{
	"ConnectCustomKeyStore":               "custom key stores",
	"CreateCustomKeyStore":                "custom key stores",
	"DeleteCustomKeyStore":                "custom key stores",
	"DescribeCustomKeyStores":             "custom key stores",
	"DisconnectCustomKeyStore":            "custom key stores",
	"UpdateCustomKeyStore":                "custom key stores",
	"DeleteImportedKeyMaterial":           "imported key material",
	"GetParametersForImport":              "imported key material",
	"ImportKeyMaterial":                   "imported key material",
	"Decapsulate":                         "asymmetric keys",
	"DeriveSharedSecret":                  "asymmetric keys",
	"Encapsulate":                         "asymmetric keys",
	"GenerateDataKeyPair":                 "asymmetric keys",
	"GenerateDataKeyPairWithoutPlaintext": "asymmetric keys",
	"GetPublicKey":                        "asymmetric keys",
	"Sign":                                "asymmetric keys",
	"Verify":                              "asymmetric keys",
	"GetKeyLastUsage":                     "the last usage of keys",
}

// Describe tells about an operation. It is ok for operations that are refused
// with UnsupportedOperationException too.
func (s *Service) Describe(name string) (call.Operation, bool) {
	if o, ok := operations[name]; ok {
		return call.Operation{ReadOnly: o.readOnly}, true
	}
	_, ok := elsewhere[name]
	return call.Operation{}, ok
}

// Serve answers one request. Its errors are *call.Error, or those of the
// store.
func (s *Service) Serve(ctx context.Context, c *call.Call) ([]byte, error) {
	o, ok := operations[c.Operation]
	if !ok {
		if what, known := elsewhere[c.Operation]; known {
			return nil, unsupported("%s is not supported: this server does not have %s.", c.Operation, what)
		}
		return nil, call.Errorf("UnknownOperationException", "The operation %s does not exist.", c.Operation)
	}
	if err := s.catchUp(); err != nil {
		return nil, err
	}
	out, err := o.serve(s, ctx, c)
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
		return s.write(func(ch *change) error { return ch.maintain() })
	}
	return nil
}

// trail is how an operation that is about one key appears in the audit.
func trail(c *call.Call, k *key, parameters any) {
	c.Trail.RequestParameters = parameters
	c.Trail.Resources = append(c.Trail.Resources, call.Resource{ARN: k.arn, AccountID: k.account, Type: "AWS::KMS::Key"})
}

// keyParameters are the request parameters of an operation that only names a
// key.
type keyParameters struct {
	KeyID string `json:"keyId"`
}

var distantFuture = time.Date(100_000, 1, 1, 0, 0, 0, 0, time.UTC)
