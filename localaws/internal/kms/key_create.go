// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/asymmetric"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/hmackey"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keypolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Quotas, of which AWS's own are in part larger. They bound memory.
const (
	maxKeys          = 10_000 // in one account and Region
	maxKeysOfAll     = 50_000
	maxAliasesPerKey = 50
	maxTags          = 50
)

type createKeyInput struct {
	BypassPolicyLockoutSafetyCheck bool
	CustomKeyStoreID               *string `json:"CustomKeyStoreId"`
	CustomerMasterKeySpec          *string
	Description                    *string
	KeySpec                        *string
	KeyUsage                       *string
	MultiRegion                    bool
	Origin                         *string
	Policy                         *string
	Tags                           []tagInput
	XksKeyID                       *string `json:"XksKeyId"`
}

type keyOutput struct{ KeyMetadata Metadata }

var keySpecs = []string{
	"RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
	specSymmetric,
	"HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87",
	"ECC_NIST_EDWARDS25519",
}

func (in *createKeyInput) Check(c *wire.Checks) {
	c.Enum(in.KeySpec, "keySpec", keySpecs...)
	c.Enum(in.CustomerMasterKeySpec, "customerMasterKeySpec", keySpecs...)
	if spec, old := text(in.KeySpec), text(in.CustomerMasterKeySpec); spec != "" && old != "" && old != spec {
		c.Alone(validation("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. " +
			"CustomerMasterKeySpec is deprecated."))
	}
	c.Enum(in.KeyUsage, "keyUsage", "SIGN_VERIFY", usageEncrypt, usageMAC, "KEY_AGREEMENT")
	c.Enum(in.Origin, "origin", "AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
	c.Characters(in.Description, "description", 0, 8192)
	c.Characters(in.Policy, "policy", 1, 131072)
	tagMembers(c, in.Tags)
}

// createKey makes the key's material before its change: an RSA key takes seconds,
// for which other changes need not wait.
func (s *Service) createKey(ctx context.Context, c *request.Call, in *createKeyInput) (out any, err error) {
	spec := or(in.KeySpec, or(in.CustomerMasterKeySpec, specSymmetric))
	usage, origin, description, tags := text(in.KeyUsage), or(in.Origin, "AWS_KMS"), text(in.Description),
		tagsOf(in.Tags)
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	own := asymmetric.Usage(spec) // the usage of the keys of this spec
	if spec == specSymmetric {
		own = usageEncrypt
	} else if hmackey.Algorithm(spec) != "" {
		own = usageMAC
	}
	switch {
	case origin != "AWS_KMS":
		return nil, unsupported("Origin %s is not supported by this server: it makes its keys itself.", origin)
	case in.CustomKeyStoreID != nil || in.XksKeyID != nil:
		return nil, unsupported("CustomKeyStoreId and XksKeyId are not supported by this server: it makes its keys " +
			"itself.")
	case own == "" || usage == "SIGN_VERIFY" && asymmetric.Usage(spec) != "":
		return nil, unsupported("KeySpec %s is not supported by this server: it has symmetric encryption keys, HMAC "+
			"keys, RSA keys for encryption and keys of NIST curves for key agreement, but no signing keys.", spec)
	case usage == "" && spec != specSymmetric:
		return nil,
			validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	case usage != "" && usage != own:
		return nil, validation("KeyUsage %s is not compatible with KeySpec %s", usage, spec)
	}
	usage = own

	extra := policy.Context{
		conditionKeyOrigin: {origin}, conditionKeySpec: {spec}, conditionKeyUsage: {usage},
		conditionCustomerMasterKey: {spec}, conditionCustomerKeyUsage: {usage},
		conditionMultiRegion: {fmt.Sprint(in.MultiRegion)},
		conditionBypass:      {fmt.Sprint(in.BypassPolicyLockoutSafetyCheck)},
	}
	if in.MultiRegion {
		extra[conditionMultiRegionType] = []string{"PRIMARY"}
	}
	requestTags(extra, tags)
	if err := s.requireIdentity(ctx, c, "CreateKey", "*", extra); err != nil {
		return nil, err
	}
	config := newKeyConfig{spec: spec, usage: usage, manager: managerCustomer, multiRegion: in.MultiRegion,
		description: description, tags: tags, material: newVersion(spec, "", s.clock())}
	err = s.write(func(ch *change) error {
		out, err = ch.createKey(ctx, c, in, config, extra)
		return err
	})
	return out, err
}

func (ch *change) createKey(ctx context.Context, c *request.Call, in *createKeyInput, config newKeyConfig,
	extra policy.Context) (any, error) {
	s, at, tags := ch.s, wire.PlaceOf(c), config.tags
	k := ch.newKey(at, config)
	if len(tags) > 0 {
		if err := s.requireIdentity(ctx, c, "TagResource", k.arn, extra); err != nil {
			return nil, err
		}
	}
	if err := s.room(at); err != nil {
		return nil, err
	}
	if in.Policy == nil {
		k.policy = s.mustPolicy(keypolicy.Default(c.AccountID))
	} else {
		p, err := s.parsePolicy(*in.Policy)
		if err != nil {
			return nil, err
		}
		k.policy = p
		if err := s.lockOut(ctx, c, k, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return nil, err
		}
	}
	ch.addKey(k)
	m := k.metadata()
	trail(c, k, struct {
		Policy      string `json:"policy,omitempty"`
		Description string `json:"description"`
		KeySpec     string `json:"keySpec"`
		KeyUsage    string `json:"keyUsage"`
		Origin      string `json:"origin"`
		MultiRegion bool   `json:"multiRegion"`
		Bypass      bool   `json:"bypassPolicyLockoutSafetyCheck"`
		Tags        []tag  `json:"tags,omitempty"`
	}{text(in.Policy), k.description, k.spec, k.usage, m.Origin, k.multiRegion,
		in.BypassPolicyLockoutSafetyCheck, tags})
	c.Trail.ResponseElements = keyOutput{m}
	return keyOutput{m}, nil
}

// room returns an error when a place has as many keys as it may, or is none.
func (s *Service) room(at wire.Place) error {
	if !keyname.ValidRegion(at.Region) {
		return validation("The Region '%.256s' does not exist.", at.Region)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.places[at]; len(s.keys) >= maxKeysOfAll || p != nil && len(p.keys) >= maxKeys {
		return limitExceeded("You have reached the limit of %d KMS keys in this account and Region.", maxKeys)
	}
	return nil
}

type newKeyConfig struct {
	spec, usage, manager, description string
	multiRegion                       bool
	tags                              []tag
	material                          *version
}

// newKey creates a key with its material, not yet in the service and without a
// policy.
func (ch *change) newKey(at wire.Place, config newKeyConfig) *key {
	raw := uuid.New()
	id := keyname.FormatID(raw, config.multiRegion)
	f := &family{account: at.Account, id: id}
	f.current.Store(&shared{primary: at.Region, regions: []string{at.Region},
		versions: []*version{config.material}})
	k := &key{
		Place: at, id: id, arn: keyname.ARN(at, id), rawID: raw, description: config.description, created: ch.now,
		usage: config.usage,
		spec:  config.spec, manager: config.manager, multiRegion: config.multiRegion, state: Enabled, tags: config.tags,
		family:  f,
		lastUse: new(lastUse),
	}
	k.describe()
	return k
}

// addKey puts a key that newKey made, and its family, into the service.
func (ch *change) addKey(k *key) {
	ch.putFamily(k.family, k.family.load())
	ch.putKey(k)
}

// putKey files a key, new or changed.
func (ch *change) putKey(k *key) {
	k.describe()
	fileKey(&ch.tx, k)
	ch.do(func() {
		ch.s.keys[k.arn] = k
		ch.s.partition(k.Place).keys[k.id] = k
		ch.s.plan(k)
	})
}

// putFamily files what related keys share.
func (ch *change) putFamily(f *family, state *shared) {
	fileFamily(&ch.tx, f, state)
	ch.do(func() { f.current.Store(state) })
}

// plan notes when k needs attention next. The caller holds mu.
func (s *Service) plan(k *key) {
	if at := k.due(); at.UnixMilli() < s.due.Load() {
		s.due.Store(at.UnixMilli())
	}
}

// due returns when the clock changes k next.
func (k *key) due() time.Time {
	switch {
	case k.state == PendingDeletion:
		return k.deleteAt
	case k.state == Enabled && !k.isReplica():
		if at := k.family.load().rotation.next; !at.IsZero() {
			return at
		}
	}
	return distantFuture
}
