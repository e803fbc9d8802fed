// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// dynamodbAlias is the AWS managed key that this server has a service for.
const dynamodbAlias = "alias/aws/dynamodb"

type keyInput struct {
	KeyID       *string `json:"KeyId"`
	GrantTokens []string
}

func (in *keyInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	grantTokens(c, in.GrantTokens)
}

func (s *Service) describeKey(ctx context.Context, c *request.Call, in *keyInput) (any, error) {
	id := text(in.KeyID)
	// To ask for the key of an AWS alias makes it, as on AWS, for those who may
	// ask: there are many Regions to ask in.
	if home := (wire.PlaceOf(c)); (id == dynamodbAlias || id == keyname.AliasARN(home, dynamodbAlias)) &&
		keyname.ValidRegion(c.Region) {
		_, err := s.ensureManaged(home, "dynamodb", func(k *key) error {
			return s.require(ctx, c, question{action: "DescribeKey", target: target{key: k, alias: dynamodbAlias}})
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, false)
	if err != nil {
		return nil, err
	}
	if err := s.require(ctx, c, question{action: "DescribeKey", target: t}); err != nil {
		return nil, err
	}
	trail(c, t.key, keyParameters{id})
	return keyOutput{t.metadata()}, nil
}

type updateDescriptionInput struct {
	onKey
	Description *string
}

func (in *updateDescriptionInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	required(c, in.Description, "description", 0, 8192)
}

func (ch *change) updateKeyDescription(_ context.Context, c *request.Call, in *updateDescriptionInput) (any, error) {
	id := text(in.KeyID)
	description := text(in.Description)
	t := in.found
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	k := t.key.clone()
	k.description = description
	ch.putKey(k)
	trail(c, k, struct {
		KeyID       string `json:"keyId"`
		Description string `json:"description"`
	}{id, description})
	return nil, nil
}

func (ch *change) enableKey(_ context.Context, c *request.Call, in *onKey) (any, error) {
	return ch.setState(c, in, Enabled)
}

func (ch *change) disableKey(_ context.Context, c *request.Call, in *onKey) (any, error) {
	return ch.setState(c, in, Disabled)
}

func (ch *change) setState(c *request.Call, in *onKey, state State) (any, error) {
	id, t := text(in.KeyID), in.found
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	trail(c, t.key, keyParameters{id})
	if t.state == state {
		return nil, nil
	}
	k := t.key.clone()
	k.state = state
	if state == Enabled {
		ch.resume(k)
	}
	ch.putKey(k)
	return nil, nil
}

// listInput is the part of a request that asks for a page of a list.
type listInput struct {
	Limit  *int
	Marker *string

	after string // what Marker says, once prepared
}

// Prepare opens the marker.
func (in *listInput) Prepare(*request.Call) (err error) {
	in.after, err = openMarker(text(in.Marker))
	return err
}

type keyEntry struct {
	KeyARN string `json:"KeyArn"`
	KeyID  string `json:"KeyId"`
}

type listKeysInput struct{ listInput }

func (in *listKeysInput) Check(c *wire.Checks) {
	between(c, in.Limit, "limit", 1, 1000)
	c.Characters(in.Marker, "marker", 1, 1024)
}

func (s *Service) listKeys(_ context.Context, c *request.Call, in *listKeysInput) (any, error) {
	limit := or(in.Limit, 100)
	at := wire.PlaceOf(c)
	s.mu.RLock()
	var ids []string
	if p := s.places[at]; p != nil {
		for id := range p.keys {
			if id > in.after {
				ids = append(ids, id)
			}
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(ids, strings.Compare)
	page, next := cut(ids, "", limit, func(id string) string { return id })
	out := struct {
		Keys       []keyEntry
		NextMarker string `json:",omitempty"`
		Truncated  bool
	}{Keys: make([]keyEntry, len(page)), NextMarker: next, Truncated: next != ""}
	for i, id := range page {
		out.Keys[i] = keyEntry{keyname.ARN(at, id), id}
	}
	return out, nil
}
