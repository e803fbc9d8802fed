// SPDX-License-Identifier: Apache-2.0

package request

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/provision"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// Index is a secondary index as an application names it: by its name alone, or
// with its keys.
type Index struct{ Name, Partition, Sort string }

// beaconKey returns what stands for the field of an index key that is a beacon:
// its name is that of expressions, and values are of the type of the attribute
// that the beacon is made of. It returns nil if name does not stand for a beacon.
func (t Table) beaconKey(name string) (*schema.Field, error) {
	k, is, err := t.Searching.Key(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
	}
	if !is {
		return nil, nil
	}
	f := schema.Field{GoName: k.Name, Type: reflect.TypeFor[any](), Codec: t.Plan.Codec}
	if own := t.Plan.Field(k.Of); own != nil && k.Of != "" {
		f = *own
	} else if k.Text {
		f.Type = reflect.TypeFor[string]()
	}
	f.Name, f.Stored = k.Name, k.Attribute
	return &f, nil
}

// storedKey returns the attribute that stores an index key.
func (t Table) storedKey(name string) string {
	if f, err := t.beaconKey(name); err == nil && f != nil {
		return f.Stored
	}
	return name
}

// storedKeys returns the attributes that store the key of an index, the partition
// key's first, and the ones among them that store the sort key.
func (t Table) storedKeys(k provision.Key) (all, sort []string) {
	if k.Several() {
		names := k.Names() // none is a beacon: see AddIndexes
		return names, names[len(k.Partitions()):]
	}
	for _, name := range []string{k.Partition, k.Sort} {
		if name != "" {
			all = append(all, t.storedKey(name))
		}
	}
	return all, all[min(1, len(all)):]
}

// indexKey returns the field of an index key.
func (t Table) indexKey(name string) (*schema.Field, error) {
	if f, err := t.beaconKey(name); f != nil || err != nil {
		return f, err
	}
	f := t.Plan.Field(name)
	if f == nil {
		return nil, fmt.Errorf("%w: %s has no field for index key %q", envelope.ErrConfiguration, t.Plan.TypeName, name)
	}
	if f.Type == nil { // the entity's attribute
		f = &schema.Field{Name: f.Name, Type: reflect.TypeFor[string]()}
	}
	if f.IsTextTime() {
		return nil, fmt.Errorf("%w: field %s of %s is the key of an index: %s", envelope.ErrConfiguration, f.GoName,
			t.Plan.TypeName, schema.TextTime)
	}
	return f, t.Readable("index key", name)
}

// resolveIndex returns the key of the index of a query, from its declaration if
// the query names the index alone.
func (t Table) resolveIndex(i Index) (provision.Key, error) {
	k := provision.Key{Partition: i.Partition, Sort: i.Sort}
	declared := t.Plan.DeclaredIndex(i.Name)
	switch {
	case i.Name == "":
		return k, fmt.Errorf("%w: an index needs a name", envelope.ErrConfiguration)
	case i.Partition == "" && declared == nil:
		return k, fmt.Errorf("%w: no field of %s declares index %q: tag its key fields, or give Index its key "+
			"attributes", envelope.ErrConfiguration, t.Plan.TypeName, i.Name)
	case i.Partition == "":
		return declared.Key, nil
	case declared != nil && declared.Key != (provision.Key{Partition: t.storedKey(i.Partition),
		Sort: t.storedKey(i.Sort)}):
		return k, fmt.Errorf("%w: the query of index %s names other keys than %s declares: give the name alone",
			envelope.ErrConfiguration, i.Name, t.Plan.TypeName)
	}
	return k, nil
}

// AddIndexes adds indexes to those of tags, and replaces keys that are beacons by
// the attributes that store them. It refuses indexes on encrypted attributes
// without a beacon, which would hold ciphertext, and projections of indexes that
// are not declared.
func (t Table) AddIndexes(indexes []Index, projections map[string][]string) error {
	p := t.Plan
	for _, i := range indexes {
		err := provision.CheckIndexName(i.Name)
		switch {
		case err != nil:
		case i.Partition == "":
			err = errors.New("it has no partition key")
		case p.DeclaredIndex(i.Name) != nil:
			err = errors.New("an index of this name is declared already")
		}
		if err != nil {
			return fmt.Errorf("%w: GlobalIndex %s of %s: %w", envelope.ErrConfiguration, i.Name, p.TypeName, err)
		}
		p.Indexes = append(p.Indexes, provision.Index{Name: i.Name, Projection: types.ProjectionTypeAll,
			Key: provision.Key{Partition: i.Partition, Sort: i.Sort}})
	}
	for name, attributes := range projections {
		x := p.DeclaredIndex(name)
		if x == nil {
			return fmt.Errorf("%w: IndexProjection of %s: no field of %s declares that index",
				envelope.ErrConfiguration, name, p.TypeName)
		}
		if x.Projection, x.Attributes = types.ProjectionTypeKeysOnly, nil; len(attributes) > 0 {
			x.Projection, x.Attributes = types.ProjectionTypeInclude, attributes
		}
	}
	for i := range p.Indexes {
		x := &p.Indexes[i]
		var err error
		if x.Key, err = x.Key.Map(func(name string) (string, error) {
			f, err := t.indexKey(name)
			if err == nil {
				err = f.CheckIndexable(x.Name)
			}
			if err == nil && f.Stored != "" && x.Key.Several() {
				err = fmt.Errorf("%q is a beacon, which an index of several key attributes cannot have", name)
			}
			if err != nil {
				return "", err
			}
			return f.Attribute(), nil
		}); err != nil {
			return fmt.Errorf("%w: index %s of %s: %w", envelope.ErrConfiguration, x.Name, p.TypeName, err)
		}
	}
	return nil
}

// Define adds one Go type to the definition of a physical table, whose key the type
// first declares: the indexes, the expiry, the types of keys, and the KMS key if
// there is one.
func (t Table) Define(d *provision.Definition, first, kmsKey string) error {
	if t.Name != d.Name {
		return fmt.Errorf("%s and %s are two tables", d.Name, t.Name)
	}
	if key := t.Plan.TableKey(); key != d.Key {
		return fmt.Errorf("table %s has %s in %s and %s in %s", d.Name, d.Key, first, key, t.Plan.TypeName)
	}
	if kmsKey != "" && d.KMSKey != "" && d.KMSKey != kmsKey {
		return fmt.Errorf("table %s: two KMS keys: %s and %s", d.Name, d.KMSKey, kmsKey)
	}
	if kmsKey != "" {
		d.KMSKey = kmsKey
	}
	if err := t.define(d); err != nil {
		return fmt.Errorf("table %s: %w", d.Name, err)
	}
	return nil
}

func (t Table) define(d *provision.Definition) error {
	if f := t.Plan.TTL; f != nil {
		if d.TTL != "" && d.TTL != f.Name {
			return fmt.Errorf("items expire by %q or by %q: a table has one such attribute", d.TTL, f.Name)
		}
		d.TTL = f.Name
	}
	for _, x := range t.Plan.Indexes {
		i := slices.IndexFunc(d.Indexes, func(y provision.Index) bool { return y.Name == x.Name })
		switch {
		case i < 0:
			d.Indexes = append(d.Indexes, x)
		case d.Indexes[i].Local != x.Local || d.Indexes[i].Key != x.Key:
			return fmt.Errorf("index %s is declared as %s and, in %s, as %s", x.Name, d.Indexes[i], t.Plan.TypeName, x)
		case !d.Indexes[i].Same(x):
			return fmt.Errorf("index %s is declared with two projections", x.Name)
		}
		if err := t.defineTypes(d, x.Key); err != nil {
			return err
		}
	}
	return t.defineTypes(d, d.Key)
}

// defineTypes adds the types of the attributes of one key. Of a field that
// converts itself, the zero value tells the type in DynamoDB, if it can be a key.
func (t Table) defineTypes(d *provision.Definition, k provision.Key) error {
	for _, name := range k.Names() {
		f, err := t.indexKey(name)
		if err != nil {
			return err
		}
		kind := f.IndexType()
		if f.Stored != "" {
			kind = "S" // a beacon, whatever its value is
		}
		if kind == "" {
			if zero, err := f.Codec.EncodeKey(reflect.Zero(f.Type).Interface()); err == nil {
				kind = ddbjson.TypeName(zero)
			}
		}
		if !slices.Contains(schema.IndexKinds, kind) {
			return fmt.Errorf("field %s of %s converts itself: its type in DynamoDB is unknown; create the table by "+
				"the SDK", f.GoName, t.Plan.TypeName)
		}
		if has := d.Types[name]; has != "" && has != kind {
			return fmt.Errorf("key attribute %q is of type %s and, in %s, of type %s", name, has, t.Plan.TypeName, kind)
		}
		d.Types[name] = kind
	}
	return nil
}
