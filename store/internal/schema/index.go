// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// The tags that declare indexes, written as guregu/dynamo writes them:
// `index:"byWard,hash"`, `localIndex:"byDay,range"`.
const (
	GlobalTag = "index"
	LocalTag  = "localIndex"
)

// collectIndexes reads the index tags of all fields.
func (p *Plan) collectIndexes() error {
	for i := range p.Fields {
		f := &p.Fields[i]
		for _, tag := range []string{GlobalTag, LocalTag} {
			text, has := f.tag.Lookup(tag)
			if !has {
				continue
			}
			for part := range strings.SplitSeq(text, ";") {
				var err error
				if p.Indexes, err = provision.AddKey(p.Indexes, tag == LocalTag, part, f.Name); err == nil {
					index, _, _ := strings.Cut(part, ",")
					err = f.CheckIndexable(strings.TrimSpace(index))
				}
				if err != nil {
					return fmt.Errorf("%w: field %s of %s: tag %s: %w", envelope.ErrConfiguration, f.GoName,
						p.TypeName, tag, err)
				}
			}
		}
	}
	return provision.Complete(p.Indexes, p.TableKey(), p.TypeName)
}

// CheckIndexable refuses a field whose type cannot be the key of an index.
func (f *Field) CheckIndexable(index string) error {
	if f.IsTextTime() {
		return fmt.Errorf("index %s: %s", index, TextTime)
	}
	kind := f.IndexType()
	if !slices.Contains(IndexKinds, kind) && !(kind == "" && (f.Stored != "" || gotype.MarshalsItself(f.Type))) {
		return fmt.Errorf("a key of index %s is a string, a number or bytes, not %v", index, f.Type)
	}
	return nil
}

// IndexKinds are the DynamoDB types that the key of an index can have.
var IndexKinds = []string{"S", "N", "B"}

// IndexType is the DynamoDB type of a field that is the key of an index.
func (f *Field) IndexType() string {
	if f.Type == nil { // the entity's attribute
		return "S"
	}
	return f.keyType()
}

// DeclaredIndex returns the index that the tags of T declare, nil if none does.
func (p *Plan) DeclaredIndex(name string) *provision.Index {
	for i := range p.Indexes {
		if p.Indexes[i].Name == name {
			return &p.Indexes[i]
		}
	}
	return nil
}

// TableKey returns the key attributes of the table.
func (p *Plan) TableKey() provision.Key {
	return provision.Key{Partition: p.Partition.Name, Sort: p.SortName()}
}
