// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// alias is a name of a key. It is immutable once it is in the service.
type alias struct {
	wire.Place
	name             string // "alias/…"
	target           string // key id
	created, updated time.Time
}

func (a *alias) arn() string { return keyname.AliasARN(a.Place, a.name) }

type aliasInput struct {
	AliasName   *string
	TargetKeyID *string `json:"TargetKeyId"`
}

func (in *aliasInput) Check(c *wire.Checks) {
	required(c, in.TargetKeyID, "targetKeyId", 1, 2048)
	aliasName(c, in.AliasName)
}

// Prepare checks the name of an alias that is created or changed, and that it is
// to be of a key.
func (in *aliasInput) Prepare(*request.Call) error {
	if err := checkAliasName(text(in.AliasName)); err != nil {
		return err
	}
	if target := text(in.TargetKeyID); strings.HasPrefix(target, "alias/") || strings.Contains(target, ":alias/") {
		return validation("Aliases must refer to keys. Not aliases") // (?)
	}
	return nil
}

// aliasName checks the member that names an alias.
func aliasName(c *wire.Checks, name *string) {
	required(c, name, "aliasName", 1, 256)
	c.Matches(name, "aliasName", func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return r != ':' && !keyname.InAlias(r) })
	}, "^[a-zA-Z0-9:/_-]+$")
}

// checkAliasName refuses what cannot be the name of a user's alias.
func checkAliasName(name string) error {
	rest, ok := strings.CutPrefix(name, "alias/")
	switch {
	case !ok:
		return validation(`Alias must start with the prefix "alias/". ` +
			"Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case rest == "":
		return validation("Invalid identifier")
	case strings.HasPrefix(rest, "aws/"):
		return request.Errorf("NotAuthorizedException", "Alias names that begin with alias/aws/ are reserved.")
	case !keyname.ValidAlias(name):
		return validation("%s contains invalid characters for an alias", name)
	}
	return nil
}

func (s *Service) alias(at wire.Place, name string) *alias {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.places[at]; p != nil {
		return p.aliases[name]
	}
	return nil
}

func (ch *change) createAlias(ctx context.Context, c *request.Call, in *aliasInput) (any, error) {
	name, targetID := text(in.AliasName), text(in.TargetKeyID)
	at := wire.PlaceOf(c)
	a := &alias{Place: at, name: name, created: ch.now, updated: ch.now}
	if err := ch.s.requireIdentity(ctx, c, "CreateAlias", a.arn(), nil); err != nil {
		return nil, err
	}
	t, err := ch.own(ctx, c, targetID, "CreateAlias")
	if err != nil {
		return nil, err
	}
	if ch.s.alias(at, name) != nil {
		return nil, request.Errorf("AlreadyExistsException", "An alias with the name %s already exists", a.arn())
	}
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	if err := ch.point(a, t.key); err != nil {
		return nil, err
	}
	trailAlias(c, a, t.key)
	return nil, nil
}

func (ch *change) updateAlias(ctx context.Context, c *request.Call, in *aliasInput) (any, error) {
	name, targetID := text(in.AliasName), text(in.TargetKeyID)
	at := wire.PlaceOf(c)
	if err := ch.s.requireIdentity(ctx, c, "UpdateAlias", keyname.AliasARN(at, name), nil); err != nil {
		return nil, err
	}
	before := ch.s.alias(at, name)
	if before == nil {
		return nil, noSuchAlias(keyname.AliasARN(at, name))
	}
	old, err := ch.own(ctx, c, before.target, "UpdateAlias")
	if err != nil {
		return nil, err
	}
	t, err := ch.own(ctx, c, targetID, "UpdateAlias")
	if err != nil {
		return nil, err
	}
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	// Of the kinds of keys here, each has a usage of its own.
	if old.usage != t.usage {
		return nil, validation("Alias %s cannot be changed from a KMS key with usage %s to a KMS key with usage %s",
			before.arn(), old.usage, t.usage)
	}
	after := *before
	after.updated = ch.now
	if old.id != t.id {
		ch.unlink(before)
	}
	if err := ch.point(&after, t.key); err != nil {
		return nil, err
	}
	trailAlias(c, &after, t.key)
	return nil, nil
}

type deleteAliasInput struct{ AliasName *string }

func (in *deleteAliasInput) Check(c *wire.Checks) { aliasName(c, in.AliasName) }

// Prepare checks the name of an alias that is deleted.
func (in *deleteAliasInput) Prepare(*request.Call) error { return checkAliasName(text(in.AliasName)) }

func (ch *change) deleteAlias(ctx context.Context, c *request.Call, in *deleteAliasInput) (any, error) {
	name := text(in.AliasName)
	at := wire.PlaceOf(c)
	if err := ch.s.requireIdentity(ctx, c, "DeleteAlias", keyname.AliasARN(at, name), nil); err != nil {
		return nil, err
	}
	a := ch.s.alias(at, name)
	if a == nil {
		return nil, noSuchAlias(keyname.AliasARN(at, name))
	}
	t, err := ch.own(ctx, c, a.target, "DeleteAlias")
	if err != nil {
		return nil, err
	}
	ch.unlink(a)
	ch.dropAlias(a)
	trailAlias(c, a, t.key)
	return nil, nil
}

// own resolves and authorizes what only the key's own account may do, with a
// key id or ARN: an operation on an alias asks about keys too.
func (ch *change) own(ctx context.Context, c *request.Call, id, action string) (target, error) {
	t, err := ch.s.resolve(c, id, true)
	if err != nil {
		return t, err
	}
	return t, ch.s.requireOwn(ctx, c, question{action: action, target: t})
}

func trailAlias(c *request.Call, a *alias, k *key) {
	trail(c, k, struct {
		AliasName   string `json:"aliasName"`
		TargetKeyID string `json:"targetKeyId"`
	}{a.name, k.id})
	c.Trail.Resources = append(c.Trail.Resources,
		request.Resource{ARN: a.arn(), AccountID: a.Account, Type: "AWS::KMS::Alias"})
}

// point makes a an alias of k.
func (ch *change) point(a *alias, k *key) error {
	if !slices.Contains(k.aliases, a.name) {
		if len(k.aliases) >= maxAliasesPerKey {
			return limitExceeded("You have reached the limit of %d aliases for this KMS key.", maxAliasesPerKey)
		}
		k = k.clone()
		k.aliases = append(k.aliases, a.name)
		slices.Sort(k.aliases)
		ch.putKey(k)
	}
	a.target = k.id
	fileAlias(&ch.tx, a)
	ch.do(func() { ch.s.partition(a.Place).aliases[a.name] = a })
	return nil
}

// unlink takes the alias from the key it points to.
func (ch *change) unlink(a *alias) {
	if k, ok := ch.s.findByARN(keyname.ARN(a.Place, a.target)); ok {
		k = k.clone()
		k.aliases = slices.DeleteFunc(k.aliases, func(name string) bool { return name == a.name })
		ch.putKey(k)
	}
}

func (ch *change) dropAlias(a *alias) {
	unfileAlias(&ch.tx, a)
	ch.do(func() { delete(ch.s.partition(a.Place).aliases, a.name) })
}

type aliasEntry struct {
	AliasARN        string `json:"AliasArn"`
	AliasName       string
	CreationDate    *Epoch `json:",omitempty"`
	LastUpdatedDate *Epoch `json:",omitempty"`
	TargetKeyID     string `json:"TargetKeyId,omitempty"`
}

type listAliasesInput struct{ listKeyInput }

func (in *listAliasesInput) Check(c *wire.Checks) {
	c.Characters(in.KeyID, "keyId", 1, 2048)
	between(c, in.Limit, "limit", 1, 100)
	c.Characters(in.Marker, "marker", 1, 1024)
}

func (s *Service) listAliases(_ context.Context, c *request.Call, in *listAliasesInput) (any, error) {
	id := text(in.KeyID)
	limit := or(in.Limit, 50)
	at := wire.PlaceOf(c)
	only := ""
	if id != "" {
		t, err := s.resolve(c, id, true)
		if err != nil {
			return nil, err
		}
		only, at = t.id, t.Place
		if t.Account != c.AccountID {
			return nil, s.missing(c, at, t.arn, nil)
		}
	}
	var entries []*alias
	s.mu.RLock()
	if p := s.places[at]; p != nil {
		for name, a := range p.aliases {
			if name > in.after && (only == "" || a.target == only) {
				entries = append(entries, a)
			}
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(entries, func(a, b *alias) int { return strings.Compare(a.name, b.name) })
	page, next := cut(entries, "", limit, func(a *alias) string { return a.name })
	out := struct {
		Aliases    []aliasEntry
		NextMarker string `json:",omitempty"`
		Truncated  bool
	}{Aliases: make([]aliasEntry, len(page)), NextMarker: next, Truncated: next != ""}
	for i, a := range page {
		created, updated := Epoch(a.created), Epoch(a.updated)
		out.Aliases[i] = aliasEntry{a.arn(), a.name, &created, &updated, a.target}
	}
	return out, nil
}
