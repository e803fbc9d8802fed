// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// Index is a secondary index of a query. Name is enough if fields of T declare
// the index, by the tags index and localIndex; otherwise Partition and Sort name
// its key attributes.
type Index struct{ Name, Partition, Sort string }

// resolveIndex completes the index of a query from its declaration.
func (c *core) resolveIndex(i Index) (Index, error) {
	declared := c.plan.DeclaredIndex(i.Name)
	switch {
	case i.Name == "":
		return i, fmt.Errorf("%w: an index needs a name", ErrConfiguration)
	case i.Partition == "" && declared == nil:
		return i, fmt.Errorf("%w: no field of %s declares index %q: tag its key fields, or give Index its key "+
			"attributes", ErrConfiguration, c.plan.TypeName, i.Name)
	case i.Partition == "":
		return Index{Name: i.Name, Partition: declared.Key.Partition, Sort: declared.Key.Sort}, nil
	case declared != nil && declared.Key != (provision.Key{Partition: c.storedKey(i.Partition),
		Sort: c.storedKey(i.Sort)}):
		return i, fmt.Errorf("%w: the query of index %s names other keys than %s declares: give the name alone",
			ErrConfiguration, i.Name, c.plan.TypeName)
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
		case c.plan.DeclaredIndex(i.Name) != nil:
			err = errors.New("an index of this name is declared already")
		}
		if err != nil {
			return fmt.Errorf("%w: GlobalIndex %s of %s: %w", ErrConfiguration, i.Name, c.plan.TypeName, err)
		}
		c.plan.Indexes = append(c.plan.Indexes, provision.Index{Name: i.Name, Projection: types.ProjectionTypeAll,
			Key: provision.Key{Partition: i.Partition, Sort: i.Sort}})
	}
	for name, attributes := range c.options.projections {
		x := c.plan.DeclaredIndex(name)
		if x == nil {
			return fmt.Errorf("%w: IndexProjection of %s: no field of %s declares that index", ErrConfiguration, name,
				c.plan.TypeName)
		}
		if x.Projection, x.Attributes = types.ProjectionTypeKeysOnly, nil; len(attributes) > 0 {
			x.Projection, x.Attributes = types.ProjectionTypeInclude, attributes
		}
	}
	for i := range c.plan.Indexes {
		x := &c.plan.Indexes[i]
		for _, name := range []*string{&x.Key.Partition, &x.Key.Sort} {
			if *name == "" {
				continue
			}
			f, err := c.indexKey(*name)
			if err == nil {
				err = f.CheckIndexable(x.Name)
			}
			if err != nil {
				return fmt.Errorf("%w: index %s of %s: %w", ErrConfiguration, x.Name, c.plan.TypeName, err)
			}
			*name = f.Attribute()
		}
	}
	return nil
}
