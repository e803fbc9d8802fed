package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// Index is a secondary index of a query. Name is enough if fields of T declare
// the index, by the tags index and localIndex; otherwise Partition and Sort name
// its key attributes.
type Index struct{ Name, Partition, Sort string }

// The tags that declare indexes, written as guregu/dynamo writes them:
// `index:"byWard,hash"`, `localIndex:"byDay,range"`.
const (
	globalTag = "index"
	localTag  = "localIndex"
)

// collectIndexes reads the index tags of all fields.
func (p *plan) collectIndexes() error {
	for i := range p.fields {
		f := &p.fields[i]
		for _, tag := range []string{globalTag, localTag} {
			text, has := f.tag.Lookup(tag)
			if !has {
				continue
			}
			for part := range strings.SplitSeq(text, ";") {
				var err error
				if p.indexes, err = provision.AddKey(p.indexes, tag == localTag, part, f.name); err == nil {
					index, _, _ := strings.Cut(part, ",")
					err = f.checkIndexable(strings.TrimSpace(index))
				}
				if err != nil {
					return fmt.Errorf("%w: field %s of %s: tag %s: %w", ErrConfiguration, f.goName, p.typeName, tag,
						err)
				}
			}
		}
	}
	return provision.Complete(p.indexes, p.tableKey(), p.typeName)
}

// checkIndexable refuses a field whose type cannot be the key of an index.
func (f *field) checkIndexable(index string) error {
	if f.isTextTime() {
		return fmt.Errorf("index %s: %s", index, textTime)
	}
	kind := f.indexType()
	if !slices.Contains(indexKinds, kind) && !(kind == "" && (f.stored != "" || gotype.MarshalsItself(f.typ))) {
		return fmt.Errorf("a key of index %s is a string, a number or bytes, not %v", index, f.typ)
	}
	return nil
}

var indexKinds = []string{"S", "N", "B"}

// indexType is the DynamoDB type of a field that is the key of an index.
func (f *field) indexType() string {
	if f.typ == nil { // the entity's attribute
		return "S"
	}
	return f.keyType()
}

// declaredIndex returns the index that the tags of T declare, nil if none does.
func (p *plan) declaredIndex(name string) *provision.Index {
	for i := range p.indexes {
		if p.indexes[i].Name == name {
			return &p.indexes[i]
		}
	}
	return nil
}

// resolveIndex completes the index of a query from its declaration.
func (c *core) resolveIndex(i Index) (Index, error) {
	declared := c.plan.declaredIndex(i.Name)
	switch {
	case i.Name == "":
		return i, fmt.Errorf("%w: an index needs a name", ErrConfiguration)
	case i.Partition == "" && declared == nil:
		return i, fmt.Errorf("%w: no field of %s declares index %q: tag its key fields, or give Index its key "+
			"attributes", ErrConfiguration, c.plan.typeName, i.Name)
	case i.Partition == "":
		return Index{Name: i.Name, Partition: declared.Key.Partition, Sort: declared.Key.Sort}, nil
	case declared != nil && declared.Key != (provision.Key{Partition: c.storedKey(i.Partition),
		Sort: c.storedKey(i.Sort)}):
		return i, fmt.Errorf("%w: the query of index %s names other keys than %s declares: give the name alone",
			ErrConfiguration, i.Name, c.plan.typeName)
	}
	return i, nil
}

// checkIndexes adds the indexes of [GlobalIndex] to those of tags, and replaces
// keys that are beacons by the attributes that store them. It refuses indexes on
// encrypted attributes without a beacon, which would hold ciphertext, and
// projections of indexes that are not declared.
func (c *core) checkIndexes() error {
	for _, i := range c.options.indexes {
		err := provision.CheckIndexName(i.Name)
		switch {
		case err != nil:
		case i.Partition == "":
			err = errors.New("it has no partition key")
		case c.plan.declaredIndex(i.Name) != nil:
			err = errors.New("an index of this name is declared already")
		}
		if err != nil {
			return fmt.Errorf("%w: GlobalIndex %s of %s: %w", ErrConfiguration, i.Name, c.plan.typeName, err)
		}
		c.plan.indexes = append(c.plan.indexes, provision.Index{Name: i.Name, Projection: types.ProjectionTypeAll,
			Key: provision.Key{Partition: i.Partition, Sort: i.Sort}})
	}
	for name, attributes := range c.options.projections {
		x := c.plan.declaredIndex(name)
		if x == nil {
			return fmt.Errorf("%w: IndexProjection of %s: no field of %s declares that index", ErrConfiguration, name,
				c.plan.typeName)
		}
		if x.Projection, x.Attributes = types.ProjectionTypeKeysOnly, nil; len(attributes) > 0 {
			x.Projection, x.Attributes = types.ProjectionTypeInclude, attributes
		}
	}
	for i := range c.plan.indexes {
		x := &c.plan.indexes[i]
		for _, name := range []*string{&x.Key.Partition, &x.Key.Sort} {
			if *name == "" {
				continue
			}
			f, err := c.indexKey(*name)
			if err == nil {
				err = f.checkIndexable(x.Name)
			}
			if err != nil {
				return fmt.Errorf("%w: index %s of %s: %w", ErrConfiguration, x.Name, c.plan.typeName, err)
			}
			*name = f.attribute()
		}
	}
	return nil
}
