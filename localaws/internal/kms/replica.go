// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keypolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type replicateInput struct {
	onKey
	ReplicaRegion                  *string
	BypassPolicyLockoutSafetyCheck bool
	Description                    *string
	Policy                         *string
	Tags                           []tagInput
}

type replicateOutput struct {
	ReplicaKeyMetadata Metadata
	ReplicaPolicy      string
	ReplicaTags        []tag
}

// Prepare checks the Region and the tags.
func (in *replicateInput) Prepare(*request.Call) error {
	var region wire.Checks
	region.Matches(in.ReplicaRegion, "replicaRegion", keyname.ValidRegion, `^([a-z]+-){2,3}\d+$`)
	if err := region.Err(wire.Validation); err != nil {
		return err
	}
	return checkTags(tagsOf(in.Tags))
}

func (in *replicateInput) conditions(*request.Call) policy.Context {
	return policy.Context{conditionReplicaRegion: {text(in.ReplicaRegion)}}
}

func (in *replicateInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	required(c, in.ReplicaRegion, "replicaRegion", 1, 32)
	c.Characters(in.Description, "description", 0, 8192)
	c.Characters(in.Policy, "policy", 1, 131072)
	tagMembers(c, in.Tags)
}

// replicateKey makes a related key in another Region: with the same id and
// material, and with a policy, description, tags, aliases and grants of its
// own.
func (ch *change) replicateKey(ctx context.Context, c *request.Call, in *replicateInput) (any, error) {
	s := ch.s
	id := text(in.KeyID)
	region := text(in.ReplicaRegion)
	description := text(in.Description)
	tags := tagsOf(in.Tags)
	t := in.found
	if err := t.usable(); err != nil {
		return nil, err
	}
	if !t.isPrimary() {
		return nil, unsupported("%s is not a multi-region primary key.", t.arn)
	}
	family := t.family.load()
	if slices.Contains(family.regions, region) {
		return nil, request.Errorf("AlreadyExistsException", "%s already exists in Region %s.", t.id, region)
	}

	// The rest happens in the Region of the replica.
	there := *c
	there.Region = region
	at := wire.Place{Account: t.Account, Region: region}
	extra := policy.Context{
		conditionKeyOrigin: {"AWS_KMS"}, conditionKeySpec: {t.spec}, conditionKeyUsage: {t.usage},
		conditionMultiRegion:     {"true"},
		conditionMultiRegionType: {"REPLICA"}, conditionBypass: {fmt.Sprint(in.BypassPolicyLockoutSafetyCheck)},
		conditionPrimaryRegion: {t.Region}, conditionReplicaRegion: {region},
	}
	requestTags(extra, tags)
	if err := s.requireIdentity(ctx, &there, "CreateKey", "*", extra); err != nil {
		return nil, err
	}
	k := &key{
		Place: at, id: t.id, arn: keyname.ARN(at, t.id), rawID: t.rawID, description: description, created: ch.now,
		usage: t.usage, spec: t.spec,
		manager: managerCustomer, multiRegion: true, state: Enabled, tags: tags, family: t.family,
		lastUse: new(lastUse),
	}
	k.describe()
	if len(tags) > 0 {
		if err := s.requireIdentity(ctx, &there, "TagResource", k.arn, extra); err != nil {
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
		if err := s.lockOut(ctx, &there, k, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return nil, err
		}
	}
	state := family.clone()
	state.regions = append(state.regions, region)
	slices.Sort(state.regions)
	ch.putFamily(t.family, state)
	ch.putKey(k)
	out := replicateOutput{ReplicaPolicy: k.policy.text, ReplicaTags: append([]tag{}, tags...)}
	ch.do(func() { out.ReplicaKeyMetadata = k.metadata() })
	trail(c, t.key, struct {
		KeyID       string `json:"keyId"`
		Region      string `json:"replicaRegion"`
		Policy      string `json:"policy,omitempty"`
		Description string `json:"description"`
		Bypass      bool   `json:"bypassPolicyLockoutSafetyCheck"`
		Tags        []tag  `json:"tags,omitempty"`
	}{id, region, text(in.Policy), description, in.BypassPolicyLockoutSafetyCheck, tags})
	trail(c, k, c.Trail.RequestParameters)
	return &out, nil
}

type updatePrimaryInput struct {
	onKey
	PrimaryRegion *string
}

func (in *updatePrimaryInput) conditions(*request.Call) policy.Context {
	return policy.Context{conditionPrimaryRegion: {text(in.PrimaryRegion)}}
}

func (in *updatePrimaryInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	required(c, in.PrimaryRegion, "primaryRegion", 1, 32)
}

// updatePrimaryRegion makes an existing replica the primary.
func (ch *change) updatePrimaryRegion(ctx context.Context, c *request.Call, in *updatePrimaryInput) (any, error) {
	id := text(in.KeyID)
	region := text(in.PrimaryRegion)
	t := in.found
	if !t.isPrimary() {
		return nil, unsupported("%s is not a multi-region primary key.", t.arn)
	}
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	arn := keyname.ARN(wire.Place{Account: t.Account, Region: region}, t.id)
	replica, ok := ch.s.findByARN(arn)
	if !ok {
		return nil, noSuchKey(arn)
	}
	if region == t.Region {
		return nil, validation("%s is in the primary Region %s already.", t.arn, region)
	}
	there := *c
	there.Region = region
	if err := ch.s.requireOwn(ctx, &there,
		question{action: "UpdatePrimaryRegion", target: target{key: replica}, extra: in.conditions(c)}); err != nil {
		return nil, err
	}
	if err := replica.notDoomed(); err != nil {
		return nil, err
	}
	state := t.family.load().clone()
	state.primary = region
	ch.putFamily(t.family, state)
	// The type of every related key is among its condition keys.
	for _, r := range state.regions {
		if k, ok := ch.s.findByARN(keyname.ARN(wire.Place{Account: t.Account, Region: r}, t.id)); ok {
			k := k.clone()
			ch.putKey(k)
			ch.do(k.describe)
		}
	}
	trail(c, t.key, struct {
		KeyID  string `json:"keyId"`
		Region string `json:"primaryRegion"`
	}{id, region})
	trail(c, replica, c.Trail.RequestParameters)
	return nil, nil
}
