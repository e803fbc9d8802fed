package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
)

// dynamodbAlias is the AWS managed key that this server has a service for.
const dynamodbAlias = "alias/aws/dynamodb"

type keyInput struct {
	KeyID       *string `json:"KeyId"`
	GrantTokens []string
}

func (s *Service) describeKey(ctx context.Context, c *call.Call, in *keyInput) (any, error) {
	var v validator
	id := v.keyID(in.KeyID)
	v.grantTokens(in.GrantTokens)
	if err := v.err(); err != nil {
		return nil, err
	}
	// To ask for the key of an AWS alias makes it, as on AWS, for those who may
	// ask: there are many Regions to ask in.
	if home := (place{c.AccountID, c.Region}); (id == dynamodbAlias || id == aliasARN(home, dynamodbAlias)) && validRegion(c.Region) {
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
	KeyID       *string `json:"KeyId"`
	Description *string
}

func (ch *change) updateKeyDescription(ctx context.Context, c *call.Call, in *updateDescriptionInput) (any, error) {
	var v validator
	id := v.keyID(in.KeyID)
	description := v.required("description", in.Description, 0, 8192)
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := ch.own(ctx, c, id, "UpdateKeyDescription", nil)
	if err != nil {
		return nil, err
	}
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

// own resolves and authorizes what only the key's own account may do, with a
// key id or ARN.
func (ch *change) own(ctx context.Context, c *call.Call, id, action string, extra policy.Context) (target, error) {
	t, err := ch.s.resolve(c, id, true)
	if err != nil {
		return t, err
	}
	return t, ch.s.requireOwn(ctx, c, question{action: action, target: t, extra: extra})
}

func (ch *change) enableKey(ctx context.Context, c *call.Call, in *keyInput) (any, error) {
	return ch.setState(ctx, c, in, "EnableKey", Enabled)
}

func (ch *change) disableKey(ctx context.Context, c *call.Call, in *keyInput) (any, error) {
	return ch.setState(ctx, c, in, "DisableKey", Disabled)
}

func (ch *change) setState(ctx context.Context, c *call.Call, in *keyInput, action string, state State) (any, error) {
	var v validator
	id := v.keyID(in.KeyID)
	if err := v.err(); err != nil {
		return nil, err
	}
	t, err := ch.own(ctx, c, id, action, nil)
	if err != nil {
		return nil, err
	}
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

type listInput struct {
	Limit  *int
	Marker *string
}

type keyEntry struct {
	KeyARN string `json:"KeyArn"`
	KeyID  string `json:"KeyId"`
}

func (s *Service) listKeys(ctx context.Context, c *call.Call, in *listInput) (any, error) {
	var v validator
	limit := v.integer("limit", in.Limit, 1, 1000, 100)
	marker := v.optional("marker", in.Marker, 1, 1024)
	if err := v.err(); err != nil {
		return nil, err
	}
	if err := s.requireIdentity(ctx, c, "ListKeys", "*", nil); err != nil {
		return nil, err
	}
	after, err := openMarker(marker)
	if err != nil {
		return nil, err
	}
	at := place{c.AccountID, c.Region}
	s.mu.RLock()
	var ids []string
	if p := s.places[at]; p != nil {
		for id := range p.keys {
			if id > after {
				ids = append(ids, id)
			}
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(ids, strings.Compare)
	page, next := cut(ids, limit, func(id string) string { return id })
	out := struct {
		Keys       []keyEntry
		NextMarker string `json:",omitempty"`
		Truncated  bool
	}{Keys: make([]keyEntry, len(page)), NextMarker: next, Truncated: next != ""}
	for i, id := range page {
		out.Keys[i] = keyEntry{keyARN(at, id), id}
	}
	return out, nil
}
