package store

// Option changes a setting of a table that few tables need. Pass options to
// [New] and [NewEntity].
type Option func(*options)

// options are the settings that the options of a table change.
type options struct {
	// dropMembers lets Update drop members of nested values that T lacks.
	dropMembers bool
	// dropBeacons lets Update replace an item that bears beacons.
	dropBeacons bool
	// wholeIndexes names the secondary indexes that must project whole items.
	wholeIndexes []string
	// indexes are declared beside those of tags.
	indexes []Index
	// projections are those of declared indexes that do not project all.
	projections map[string][]string
}

// DropUnknownMembers lets [Table.Update] and [Table.UpdateOp] drop members of
// structs in slices, arrays and maps that the Go type lacks. Without it they
// refuse such an item with [ErrUnknownMembers]: elements have no identity, so
// the members cannot be carried over to the new value.
func DropUnknownMembers() Option { return func(o *options) { o.dropMembers = true } }

// DropBeacons lets [Table.Update] and [Table.UpdateOp] replace an item that
// bears beacons which the table's configuration does not have. The item then no
// longer appears in searches by those beacons. Without DropBeacons they refuse
// such an item with [ErrBeacons].
func DropBeacons() Option { return func(o *options) { o.dropBeacons = true } }

// WholeIndexes declares that the named secondary indexes hold whole items, so
// that a query of them can verify what it reads. [Table.Check] reports one that
// does not project all attributes.
func WholeIndexes(names ...string) Option {
	return func(o *options) { o.wholeIndexes = append(o.wholeIndexes, names...) }
}

// GlobalIndex declares a global secondary index with all attributes, like the tag
// index, for keys that are not fields of T: the names of compound and signed
// beacons, and of beacons of virtual fields. Queries name the index by its name.
func GlobalIndex(i Index) Option { return func(o *options) { o.indexes = append(o.indexes, i) } }

// IndexProjection declares that a secondary index, which tags of T or
// [GlobalIndex] declare, projects the named attributes besides all keys, or the
// keys only if there are none. Without it a declared index projects all
// attributes. What such an index returns of encrypted items fails with
// [ErrPartialItem], since it cannot be verified.
func IndexProjection(index string, attributes ...string) Option {
	return func(o *options) {
		if o.projections == nil {
			o.projections = map[string][]string{}
		}
		o.projections[index] = attributes
	}
}
