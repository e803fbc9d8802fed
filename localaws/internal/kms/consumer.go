// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keypolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// What follows is for the other services of this server. c is a call of KMS
// made with request.Via, so that the caller is authorized and the audit event
// tells on whose behalf; each method files that event itself.

// record files the event of a call that did not come through the front door.
func (s *Service) record(c *request.Call, err error) {
	o, _ := s.Describe(c.Operation)
	s.audit.Record(c, o, err)
}

// serveVia runs a wire operation for another service.
func serveVia[In, Out any](s *Service, ctx context.Context, c *request.Call, in *In,
	f func(*Service, context.Context, *request.Call, *In) (any, error)) (out Out, err error) {
	defer func() { s.record(c, err) }()
	if err = s.catchUp(); err != nil {
		return out, err
	}
	if err = protocol.Examine(c, in); err != nil {
		return out, err
	}
	answer, err := f(s, ctx, c, in)
	if err != nil {
		return out, err
	}
	out, _ = answer.(Out)
	return out, s.settled()
}

// changeVia is serveVia for an operation that changes something.
func changeVia[In, Out any](s *Service, ctx context.Context, c *request.Call, in *In,
	f func(*change, context.Context, *request.Call, *In) (any, error)) (Out, error) {
	return serveVia[In, Out](s, ctx, c, in,
		func(s *Service, ctx context.Context, c *request.Call, in *In) (out any, err error) {
			err = s.write(func(ch *change) (err error) {
				out, err = f(ch, ctx, c, in)
				return err
			})
			return out, err
		})
}

// Decrypt opens a ciphertext under the key with the given ARN, as the caller
// of c. It is the fast path of every call on an encrypted table. Errors are
// *request.Error as on the wire: AccessDeniedException, DisabledException,
// KMSInvalidStateException, NotFoundException, IncorrectKeyException and
// InvalidCiphertextException. The caller wipes the plaintext.
func (s *Service) Decrypt(ctx context.Context, c *request.Call, keyARN string, sealed []byte,
	encryptionContext map[string]string) (plaintext []byte, err error) {
	defer func() { s.record(c, err) }()
	if err := s.catchUp(); err != nil {
		return nil, err
	}
	k, ok := s.findByARN(keyARN)
	if !ok {
		return nil, noSuchKey(keyARN)
	}
	h, parsed := ciphertext.Parse(sealed)
	if !parsed {
		h.Account = ciphertext.None
	}
	t := target{key: k}
	parameters := &cryptoParameters{EncryptionAlgorithm: specSymmetric, EncryptionContext: encryptionContext}
	if err := s.use(ctx, c, t, "Decrypt", usageEncrypt, symmetric, parameters); err != nil {
		return nil, err
	}
	if plaintext, _, err = t.decrypt(specSymmetric, sealed, h, encryptionContext); err == nil {
		k.lastUse.note(c, "Decrypt")
	}
	return plaintext, err
}

// DataKey is a data key in both forms.
type DataKey struct {
	Plaintext  []byte // the caller wipes it
	Ciphertext []byte
	KeyARN     string
}

// GenerateDataKey makes a data key of 1 to 1024 bytes under a key, as the
// caller of c: for a table that is DynamoDB itself, under the table's grant.
// Errors are as on the wire.
func (s *Service) GenerateDataKey(ctx context.Context, c *request.Call, keyID string,
	encryptionContext map[string]string, bytes int) (DataKey, error) {
	in := &dataKeyInput{KeyID: &keyID, EncryptionContext: encryptionContext, NumberOfBytes: &bytes}
	out, err := serveVia[dataKeyInput, *dataKeyOutput](s, ctx, c, in, (*Service).generateDataKey)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{out.Plaintext, out.CiphertextBlob, out.KeyID}, nil
}

// Encrypt encrypts 1 to 4096 bytes under a key. Errors are as on the wire.
func (s *Service) Encrypt(ctx context.Context, c *request.Call, keyID string, plaintext []byte,
	encryptionContext map[string]string) ([]byte, error) {
	in := &encryptInput{KeyID: &keyID, Plaintext: append([]byte(nil), plaintext...),
		EncryptionContext: encryptionContext}
	out, err := serveVia[encryptInput, *encryptOutput](s, ctx, c, in, (*Service).encrypt)
	if err != nil {
		return nil, err
	}
	return out.CiphertextBlob, nil
}

// DescribeKey returns the metadata of a key named by id, ARN, alias or alias
// ARN. Errors are as on the wire.
func (s *Service) DescribeKey(ctx context.Context, c *request.Call, keyID string) (Metadata, error) {
	out, err := serveVia[keyInput, keyOutput](s, ctx, c, &keyInput{KeyID: &keyID}, (*Service).describeKey)
	return out.KeyMetadata, err
}

// GrantRequest is what CreateGrant takes from another service.
type GrantRequest struct {
	KeyID    string // id or ARN
	Grantee  string // ARN or, when the call's ForAWSResource is set, a service principal
	Retiring string // the same; empty: none
	// Operations without prefix, such as "Decrypt".
	Operations []string
	// EncryptionContextSubset and EncryptionContextEquals constrain the grant;
	// at most one is set.
	EncryptionContextSubset map[string]string
	EncryptionContextEquals map[string]string
	Name                    string
}

// CreateGrant makes a grant and returns its id. Errors are as on the wire.
func (s *Service) CreateGrant(ctx context.Context, c *request.Call, r GrantRequest) (grantID string, err error) {
	in := &createGrantInput{KeyID: &r.KeyID, Operations: r.Operations, GranteePrincipal: optional(r.Grantee),
		RetiringPrincipal: optional(r.Retiring), Name: optional(r.Name),
		Constraints: &grantConstraints{EncryptionContextSubset: r.EncryptionContextSubset,
			EncryptionContextEquals: r.EncryptionContextEquals}}
	out, err := changeVia[createGrantInput, *createGrantOutput](s, ctx, c, in, (*change).createGrant)
	if err != nil {
		return "", err
	}
	return out.GrantID, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// RetireGrant ends a grant, as one whom the grant names. Errors are as on the
// wire: NotFoundException when key or grant is gone.
func (s *Service) RetireGrant(ctx context.Context, c *request.Call, keyARN, grantID string) error {
	in := &endGrantInput{KeyID: &keyARN, GrantID: &grantID}
	_, err := changeVia[endGrantInput, any](s, ctx, c, in, (*change).retireGrant)
	return err
}

// RetireAbandoned retires those grants that a service of this server, such as
// "dynamodb", made for its own resources and that are not in use. It is for the
// start: a process that was killed may have made a grant and not yet what it
// was for, or ended what needed one and not yet the grant.
func (s *Service) RetireAbandoned(service string, inUse func(keyARN, grantID string) bool) error {
	return s.write(func(ch *change) error {
		s.mu.RLock()
		defer s.mu.RUnlock()
		for _, t := range s.grants {
			for _, g := range t.byID {
				// Users name services as granteeService only.
				if strings.HasPrefix(g.Grantee, service+".") && !g.granteeService && !inUse(g.keyARN, g.ID) {
					ch.dropGrant(g)
				}
			}
		}
		return nil
	})
}

// ResolveKey returns the ARN of the key that id, ARN, alias or alias ARN name
// for the caller's account and Region, without authorization: errors are those
// of a wrong name and NotFoundException.
func (s *Service) ResolveKey(c *request.Call, keyID string) (arn string, err error) {
	if err := s.catchUp(); err != nil {
		return "", err
	}
	t, err := s.resolve(c, keyID, false)
	if err != nil {
		return "", err
	}
	return t.arn, nil
}

// KeyState returns the state of a key without authorization; ok is false when
// the key does not exist (any more).
func (s *Service) KeyState(keyARN string) (state State, ok bool) {
	if err := s.catchUp(); err != nil {
		return "", false
	}
	k, ok := s.findByARN(keyARN)
	if !ok {
		return "", false
	}
	return k.state, true
}

// EnsureAWSManagedKey returns the ARN of the AWS managed key of an account and
// Region with an alias such as "alias/aws/dynamodb", and makes key and alias
// when there are none. Such a key cannot be changed; it is for every principal of
// the account, through that service only, and rotates every year.
func (s *Service) EnsureAWSManagedKey(_ context.Context, account, region, aliasName string) (arn string, err error) {
	service, ok := strings.CutPrefix(aliasName, "alias/aws/")
	if !ok || service == "" || !keyname.IsAccount(account) || !keyname.ValidRegion(region) {
		return "", errors.New("kms: EnsureAWSManagedKey needs an account, a Region and an alias/aws/ name")
	}
	if err := s.catchUp(); err != nil {
		return "", err
	}
	return s.ensureManaged(wire.Place{Account: account, Region: region}, service, func(*key) error { return nil })
}

// serviceNames are the names of services in descriptions where they differ from
// the ends of their aliases.
var serviceNames = map[string]string{"dynamodb": "DynamoDB"}

// ensureManaged makes the AWS managed key of a service when there is none, if
// allow lets it.
func (s *Service) ensureManaged(at wire.Place, service string, allow func(*key) error) (arn string, err error) {
	aliasName := "alias/aws/" + service
	err = s.write(func(ch *change) error {
		if a := s.alias(at, aliasName); a != nil {
			arn = keyname.ARN(at, a.target)
			return nil
		}
		k := ch.newKey(at, newKeyConfig{
			spec: specSymmetric, usage: usageEncrypt, manager: managerAWS,
			material: newVersion(specSymmetric, "", ch.now),
			description: "Default key that protects my " + cmp.Or(serviceNames[service], service) +
				" data when no other key is defined",
		})
		state := k.family.load()
		state.rotation = rotation{enabled: true, period: defaultPeriod}
		state.rotation.start(ch.now)
		k.policy = s.mustPolicy(keypolicy.Managed(at.Account, at.Region, service))
		k.aliases = []string{aliasName}
		k.describe()
		if err := allow(k); err != nil {
			return err
		}
		if err := s.room(at); err != nil {
			return err
		}
		ch.addKey(k)
		a := &alias{Place: at, name: aliasName, target: k.id, created: ch.now, updated: ch.now}
		fileAlias(&ch.tx, a)
		ch.do(func() { s.partition(at).aliases[aliasName] = a })
		arn = k.arn
		return nil
	})
	return arn, err
}
