// SPDX-License-Identifier: Apache-2.0

package format

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// AppendPath appends the canonical path of a top-level attribute: table name,
// depth 1, '$', length of the name, name. (Structured Encryption specification,
// [header], "Canonical Path".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#canonical-path
func AppendPath(dst []byte, table, name string) []byte {
	dst = append(dst, table...)
	dst = binary.BigEndian.AppendUint64(dst, 1)
	dst = append(dst, '$')
	dst = binary.BigEndian.AppendUint64(dst, uint64(PathNameLength(name)))
	return append(dst, name...)
}

// PathNameLength is the length of a name as the canonical path counts it: in
// UTF-16 code units, as the official libraries do. No other function knows the
// unit.
func PathNameLength(name string) int {
	n := 0
	for _, r := range name {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// SortPaths sorts attribute names of one table by the bytes of their canonical
// paths. It measures each name once and builds no path, so that the many names
// of a hostile item cost little.
// (Specification: [header], "Encrypt Legend Bytes".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#encrypt-legend-bytes
func SortPaths(names []string) {
	type measured struct {
		length int
		name   string
	}
	all := make([]measured, len(names))
	for i, name := range names {
		all[i] = measured{PathNameLength(name), name}
	}
	slices.SortFunc(all, func(a, b measured) int {
		return cmp.Or(cmp.Compare(a.length, b.length), strings.Compare(a.name, b.name))
	})
	for i := range all {
		names[i] = all[i].name
	}
}

// CompareUTF16 orders two UTF-8 texts by their UTF-16 code units: the order of
// set entries and map keys. It differs from the order of bytes only where a
// character beyond U+FFFF (lead byte F0 and up, surrogates D800–DFFF in UTF-16)
// meets one of U+E000–U+FFFF (lead byte EE or EF).
// (Specification: [string-ordering], "UTF-16 Binary Order".)
//
// [string-ordering]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/string-ordering.md#utf-16-binary-order
func CompareUTF16(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0) {
			return cmp.Compare(y, x)
		}
		return cmp.Compare(x, y)
	}
	return cmp.Compare(len(a), len(b))
}
