// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	day              = 24 * time.Hour
	defaultPeriod    = 365 // days
	maxOnDemand      = 25
	rotatedByClock   = "AUTOMATIC"
	rotatedOnDemand  = "ON_DEMAND"
	maxMissedPeriods = 1000 // when the clock jumps
)

// rotation is the automatic rotation of a family.
type rotation struct {
	enabled  bool
	period   int       // days
	next     time.Time // zero unless enabled
	onDemand int       // rotations on demand so far
}

// start begins a period at now.
func (r *rotation) start(now time.Time) { r.next = now.Add(time.Duration(r.period) * day) }

// unrotated is the refusal of keys that are not symmetric encryption keys.
func (k *key) unrotated(operation string) error {
	what, value := k.kind()
	return unsupported("%s %s is %s which is not valid for %s.", k.arn, what, value, operation)
}

// rotatable returns AWS's refusal of rotation settings for a key that has
// none of its own.
func (k *key) rotatable(operation string) error {
	switch {
	case k.spec != specSymmetric:
		return k.unrotated(operation)
	case k.isReplica():
		return unsupported("%s is a multi-Region replica key, for which %s is not supported: use the primary key.",
			k.arn, operation)
	}
	return nil
}

// rotating checks the key of an operation that changes rotation.
func (in *onKey) rotating(c *request.Call) (target, error) {
	t := in.found
	if err := t.usable(); err != nil {
		return t, err
	}
	return t, t.rotatable(c.Operation)
}

type enableRotationInput struct {
	onKey
	RotationPeriodInDays *int
}

func (in *enableRotationInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	between(c, in.RotationPeriodInDays, "rotationPeriodInDays", 90, 2560)
}

func (in *enableRotationInput) conditions(*request.Call) policy.Context {
	return policy.Context{conditionPeriod: {strconv.Itoa(in.period())}}
}

func (in *enableRotationInput) period() int { return or(in.RotationPeriodInDays, defaultPeriod) }

func (ch *change) enableKeyRotation(_ context.Context, c *request.Call, in *enableRotationInput) (any, error) {
	id := text(in.KeyID)
	period := in.period()
	t, err := in.rotating(c)
	if err != nil {
		return nil, err
	}
	state := t.family.load().clone()
	r := &state.rotation
	if !r.enabled || in.RotationPeriodInDays != nil && r.period != period {
		r.enabled, r.period = true, period
		r.start(ch.now)
		ch.putFamily(t.family, state)
		ch.putKey(t.key.clone())
	}
	trail(c, t.key, struct {
		KeyID  string `json:"keyId"`
		Period int    `json:"rotationPeriodInDays"`
	}{id, period})
	return nil, nil
}

func (ch *change) disableKeyRotation(_ context.Context, c *request.Call, in *onKey) (any, error) {
	id := text(in.KeyID)
	t, err := in.rotating(c)
	if err != nil {
		return nil, err
	}
	state := t.family.load().clone()
	state.rotation.enabled, state.rotation.next = false, time.Time{}
	ch.putFamily(t.family, state)
	trail(c, t.key, keyParameters{id})
	return nil, nil
}

func (ch *change) rotateKeyOnDemand(_ context.Context, c *request.Call, in *onKey) (any, error) {
	id := text(in.KeyID)
	t, err := in.rotating(c)
	if err != nil {
		return nil, err
	}
	state := t.family.load().clone()
	if state.rotation.onDemand >= maxOnDemand {
		return nil, limitExceeded("The on-demand rotations limit has been reached for the given keyId. "+
			"No more on-demand rotations can be performed for this key: %s", t.arn)
	}
	state.rotation.onDemand++
	state.versions = append(state.versions, newVersion(t.spec, rotatedOnDemand, ch.now))
	ch.putFamily(t.family, state)
	trail(c, t.key, keyParameters{id})
	return struct {
		KeyID string `json:"KeyId"`
	}{t.arn}, nil
}

// rotate does the automatic rotations of a family that are due.
func (f *shared) rotate(spec string, now time.Time) {
	r := &f.rotation
	for range maxMissedPeriods {
		if r.next.After(now) {
			break
		}
		f.versions = append(f.versions, newVersion(spec, rotatedByClock, r.next))
		r.start(r.next)
	}
	if !r.next.After(now) {
		r.start(now)
	}
}

// resume rotates a key that was disabled when rotation was due: once, whatever
// was missed.
func (ch *change) resume(k *key) {
	state := k.family.load()
	if !state.rotation.enabled || k.isReplica() || state.rotation.next.After(ch.now) {
		return
	}
	state = state.clone()
	state.versions = append(state.versions, newVersion(k.spec, rotatedByClock, ch.now))
	state.rotation.start(ch.now)
	ch.putFamily(k.family, state)
}

func (s *Service) getKeyRotationStatus(_ context.Context, c *request.Call, in *onKey) (any, error) {
	id := text(in.KeyID)
	t := in.found
	trail(c, t.key, keyParameters{id})
	r := t.family.load().rotation
	out := struct {
		KeyID                string `json:"KeyId"`
		KeyRotationEnabled   bool
		NextRotationDate     *Epoch `json:",omitempty"`
		RotationPeriodInDays int    `json:",omitempty"`
	}{KeyID: t.id}
	if r.enabled && t.notDoomed() == nil {
		next := Epoch(r.next)
		out.KeyRotationEnabled, out.NextRotationDate, out.RotationPeriodInDays = true, &next, r.period
	}
	return out, nil
}

type listRotationsInput struct {
	listKeyInput
	IncludeKeyMaterial *string
}

type rotationEntry struct {
	KeyID            string `json:"KeyId"`
	KeyMaterialID    string `json:"KeyMaterialId"`
	KeyMaterialState string
	RotationDate     *Epoch `json:",omitempty"`
	RotationType     string `json:",omitempty"`
}

func (in *listRotationsInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	between(c, in.Limit, "limit", 1, 1000)
	c.Characters(in.Marker, "marker", 1, 1024)
	c.Enum(in.IncludeKeyMaterial, "includeKeyMaterial", "ALL_KEY_MATERIAL", "ROTATIONS_ONLY")
}

func (s *Service) listKeyRotations(_ context.Context, c *request.Call, in *listRotationsInput) (any, error) {
	id := text(in.KeyID)
	limit := or(in.Limit, 100)
	include := or(in.IncludeKeyMaterial, "ROTATIONS_ONLY")
	t := in.found
	if t.spec != specSymmetric {
		return nil, t.unrotated("ListKeyRotations")
	}
	trail(c, t.key, keyParameters{id})
	versions := t.family.load().versions
	entries := []rotationEntry{}
	for i, v := range versions {
		if v.rotation == "" && include == "ROTATIONS_ONLY" {
			continue
		}
		e := rotationEntry{KeyID: t.id, KeyMaterialID: v.id, KeyMaterialState: "NON_CURRENT", RotationType: v.rotation}
		if v.rotation != "" {
			at := Epoch(v.created)
			e.RotationDate = &at
		}
		if i == len(versions)-1 {
			e.KeyMaterialState = "CURRENT"
		}
		entries = append(entries, e)
	}
	// An unknown marker has index -1, which stands for the first page.
	i := slices.IndexFunc(entries, func(e rotationEntry) bool { return e.KeyMaterialID == in.after })
	page, next := cut(entries[i+1:], "", limit, func(e rotationEntry) string { return e.KeyMaterialID })
	return struct {
		NextMarker string `json:",omitempty"`
		Rotations  []rotationEntry
		Truncated  bool
	}{next, page, next != ""}, nil
}
