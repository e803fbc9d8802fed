// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// Errors of items, which package store exports.
var (
	ErrOtherEntity    = errors.New("item is of another entity type")
	ErrClientSideItem = errors.New("item is encrypted on the client")
)

// Entity is the attribute that tells the types of one table apart, and its value
// for this type. The zero Entity is that of a table of one type.
type Entity struct{ Attribute, Name string }

// AddEntity declares which entity the type is.
func (p *Plan) AddEntity(e Entity) error {
	if e == (Entity{}) {
		return nil
	}
	if e.Attribute == "" || e.Name == "" {
		return fmt.Errorf("%w: an entity needs an attribute and a name", envelope.ErrConfiguration)
	}
	p.Entity = e
	if f := p.Field(e.Attribute); f != nil {
		if f.role != plain || f.action == envelope.DoNothing || f.action == envelope.EncryptAndSign {
			return fmt.Errorf(`%w: field %s of %s holds the entity's name: tag it seal:"sign"`, envelope.ErrConfiguration,
				f.GoName, p.TypeName)
		}
		return nil
	}
	p.Fields = append(p.Fields, Field{Name: e.Attribute, GoName: "(entity)", action: envelope.SignOnly})
	p.link()
	return nil
}

// CheckEntity refuses items of another type.
func (p *Plan) CheckEntity(item envelope.Item) error {
	if p.Entity.Name == "" {
		return nil
	}
	if s, ok := item[p.Entity.Attribute].(*types.AttributeValueMemberS); !ok || s.Value != p.Entity.Name {
		return fmt.Errorf("%w: attribute %q is not %q", ErrOtherEntity, p.Entity.Attribute, p.Entity.Name)
	}
	return nil
}

// IsOther reports whether the guard refuses a stored item.
func (p *Plan) IsOther(stored envelope.Item) bool {
	return p.Entity.Name != "" && stored[p.Entity.Attribute] != nil && p.CheckEntity(stored) != nil
}

// CheckServerSide refuses an item that was encrypted on the client. Its fields
// would be filled with ciphertext, or be left empty. The other entities of a
// table may be in another mode.
func (p *Plan) CheckServerSide(stored envelope.Item) error {
	if stored[envelope.HeaderAttribute] == nil && stored[envelope.FooterAttribute] == nil &&
		stored[envelope.LegacySignatureAttribute] == nil {
		return nil
	}
	if err := p.CheckEntity(stored); err != nil {
		return err
	}
	return fmt.Errorf("%w: declare the table in ClientSide mode", ErrClientSideItem)
}
