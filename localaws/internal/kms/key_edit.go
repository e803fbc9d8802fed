package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// dynamodbAlias is the AWS managed key that this server has a service for.
const dynamodbAlias = "alias/aws/dynamodb"

// namedKey is a request that names a key and nothing else.
type namedKey struct {
	KeyID *string `json:"KeyId"`
}

func (in *namedKey) Check(c *wire.Checks) { keyID(c, in.KeyID) }

type keyInput struct {
	KeyID       *string `json:"KeyId"`
	GrantTokens []string
}

func (in *keyInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	grantTokens(c, in.GrantTokens)
}

func (s *Service) describeKey(ctx context.Context, c *call.Call, in *keyInput) (any, error) {
	id := text(in.KeyID)
	// To ask for the key of an AWS alias makes it, as on AWS, for those who may
	// ask: there are many Regions to ask in.
	if home := (wire.PlaceOf(c)); (id == dynamodbAlias || id == aliasARN(home, dynamodbAlias)) && validRegion(c.Region) {
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

func (in *updateDescriptionInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	required(c, in.Description, "description", 0, 8192)
}

func (ch *change) updateKeyDescription(ctx context.Context, c *call.Call, in *updateDescriptionInput) (any, error) {
	id := text(in.KeyID)
	description := text(in.Description)
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

func (ch *change) enableKey(ctx context.Context, c *call.Call, in *namedKey) (any, error) {
	return ch.setState(ctx, c, in, "EnableKey", Enabled)
}

func (ch *change) disableKey(ctx context.Context, c *call.Call, in *namedKey) (any, error) {
	return ch.setState(ctx, c, in, "DisableKey", Disabled)
}

func (ch *change) setState(ctx context.Context, c *call.Call, in *namedKey, action string, state State) (any, error) {
	id := text(in.KeyID)
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

type listKeysInput struct{ listInput }

func (in *listKeysInput) Check(c *wire.Checks) {
	between(c, in.Limit, "limit", 1, 1000)
	c.Characters(in.Marker, "marker", 1, 1024)
}

func (s *Service) listKeys(ctx context.Context, c *call.Call, in *listKeysInput) (any, error) {
	limit := or(in.Limit, 100)
	marker := text(in.Marker)
	if err := s.requireIdentity(ctx, c, "ListKeys", "*", nil); err != nil {
		return nil, err
	}
	after, err := openMarker(marker)
	if err != nil {
		return nil, err
	}
	at := wire.PlaceOf(c)
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
	page, next := cut(ids, after, limit, func(id string) string { return id })
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
