// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type scheduleInput struct {
	onKey
	PendingWindowInDays *int
}

type scheduleOutput struct {
	DeletionDate        *Epoch `json:",omitempty"`
	KeyID               string `json:"KeyId"`
	KeyState            State
	PendingWindowInDays int
}

func (in *scheduleInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	between(c, in.PendingWindowInDays, "pendingWindowInDays", 7, 30)
}

func (in *scheduleInput) window() int { return or(in.PendingWindowInDays, 30) }

func (in *scheduleInput) conditions(*request.Call) policy.Context {
	return policy.Context{conditionWindow: {strconv.Itoa(in.window())}}
}

func (ch *change) scheduleKeyDeletion(_ context.Context, c *request.Call, in *scheduleInput) (any, error) {
	id := text(in.KeyID)
	window := in.window()
	t := in.found
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	k := t.key.clone()
	k.window = window
	if k.isPrimary() && len(k.family.load().regions) > 1 {
		k.state = PendingReplicaDeletion
	} else {
		k.doom(ch.now)
	}
	ch.putKey(k)
	out := scheduleOutput{KeyID: k.arn, KeyState: k.state, PendingWindowInDays: window}
	if k.state == PendingDeletion {
		at := Epoch(k.deleteAt)
		out.DeletionDate = &at
	}
	trail(c, k, struct {
		KeyID  string `json:"keyId"`
		Window int    `json:"pendingWindowInDays"`
	}{id, window})
	c.Trail.ResponseElements = out
	return out, nil
}

// doom begins the waiting period at now.
func (k *key) doom(now time.Time) {
	k.state = PendingDeletion
	k.deleteAt = now.Add(time.Duration(k.window) * day)
}

func (ch *change) cancelKeyDeletion(_ context.Context, c *request.Call, in *onKey) (any, error) {
	id := text(in.KeyID)
	t := in.found
	if t.notDoomed() == nil {
		return nil, invalidState("%s is not pending deletion.", t.arn)
	}
	k := t.key.clone()
	k.state, k.deleteAt, k.window = Disabled, time.Time{}, 0
	ch.putKey(k)
	trail(c, k, keyParameters{id})
	return struct {
		KeyID string `json:"KeyId"`
	}{k.arn}, nil
}

// maintain does what the clock has made due: it deletes keys, starts the
// waiting period of primaries whose last replica is gone, and rotates.
func (ch *change) maintain() {
	s := ch.s
	var due []*key
	s.mu.RLock()
	for _, k := range s.keys {
		if !k.due().After(ch.now) {
			due = append(due, k)
		}
	}
	s.mu.RUnlock()
	// Later deadlines last: a primary's waiting period begins with the last
	// replica's end.
	slices.SortFunc(due, func(a, b *key) int { return a.due().Compare(b.due()) })
	states := map[*family]*shared{} // of families as they become
	become := func(f *family) *shared {
		if states[f] == nil {
			states[f] = f.load().clone()
		}
		return states[f]
	}
	for len(due) > 0 {
		k := due[0]
		due = due[1:]
		state := become(k.family)
		if k.state != PendingDeletion {
			state.rotate(k.spec, ch.now)
			continue
		}
		state.regions = slices.DeleteFunc(state.regions, func(r string) bool { return r == k.Region })
		ch.remove(k)
		if len(state.regions) != 1 {
			continue
		}
		primary, ok := s.findByARN(keyname.ARN(wire.Place{Account: k.Account, Region: state.regions[0]}, k.id))
		if ok && primary.state == PendingReplicaDeletion {
			primary = primary.clone()
			primary.doom(k.deleteAt)
			ch.putKey(primary)
			if !primary.deleteAt.After(ch.now) {
				due = append(due, primary)
			}
		}
	}
	for f, state := range states {
		if len(state.regions) == 0 {
			ch.destroy(f)
			continue
		}
		ch.putFamily(f, state)
	}
	ch.do(func() {
		s.due.Store(math.MaxInt64)
		for _, k := range s.keys {
			s.plan(k)
		}
	})
}

// remove takes a key with its aliases and grants out of the service.
func (ch *change) remove(k *key) {
	s := ch.s
	for _, name := range k.aliases {
		if a := s.alias(k.Place, name); a != nil {
			ch.dropAlias(a)
		}
	}
	s.mu.RLock()
	var grants []*grant
	if t := s.grants[k.arn]; t != nil {
		for _, g := range t.byID {
			grants = append(grants, g)
		}
	}
	s.mu.RUnlock()
	for _, g := range grants {
		ch.dropGrant(g)
	}
	unfileKey(&ch.tx, k)
	ch.do(func() {
		delete(s.keys, k.arn)
		delete(s.partition(k.Place).keys, k.id)
	})
}

// destroy wipes the material of a family whose last key is gone.
func (ch *change) destroy(f *family) {
	unfileFamily(&ch.tx, f)
	ch.do(func() {
		for _, v := range f.load().versions {
			v.wipe()
		}
	})
}
