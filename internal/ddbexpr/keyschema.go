// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// KeyAttribute is one attribute of a key.
type KeyAttribute struct {
	Name string
	// Type is "S", "N" or "B". An empty Type is not compared with the type of
	// the condition's values.
	Type string
}

// KeySchema is the key of a table or index to which a condition is bound: the
// attributes of the partition key, and the sort key's in the order by
// which they sort. Sort is empty if there is no sort key.
type KeySchema struct {
	Partition, Sort []KeyAttribute
}

// KeyQuery is a key condition bound to a key. It shares memory with its
// condition and must not be changed.
type KeyQuery struct {
	// Partition has an equality for every attribute of the partition key, in the
	// order of the schema.
	Partition []KeyTerm
	// Sort has terms for the leading attributes of the sort key. All but the last
	// are equalities. It is empty for a query of the whole partition.
	Sort []KeyTerm
}

// Bind fits the condition to a key: equality on every attribute of the partition
// key, and on the sort key equality on leading attributes and any one condition
// on the next. The order of the text does not matter. The error is an *Error with
// DynamoDB's text for a missing attribute, an attribute that is not in the key, or
// an operator that is not supported.
func (k *KeyCondition) Bind(schema KeySchema) (KeyQuery, error) {
	// With two terms or fewer, DynamoDB names what is wrong with them.
	if keys := len(schema.Partition) + len(schema.Sort); len(k.terms) > max(2, keys) {
		return KeyQuery{}, bindError("The number of query conditions (" + strconv.Itoa(len(k.terms)) +
			") exceeds the number of key attributes defined in the schema (" + strconv.Itoa(keys) + ")")
	}
	q := KeyQuery{Partition: k.on(schema.Partition), Sort: k.on(schema.Sort)}
	if len(schema.Partition) > 1 {
		if err := checkEqualities(schema.Partition, q.Partition); err != nil {
			return KeyQuery{}, err
		}
	}
	if len(q.Partition) < len(schema.Partition) {
		return KeyQuery{}, missedKey(firstWithout(schema.Partition, q.Partition))
	}
	if len(q.Partition)+len(q.Sort) < len(k.terms) {
		if len(q.Sort) == len(schema.Sort) {
			return KeyQuery{}, errKeyCondition()
		}
		return KeyQuery{}, missedKey(firstWithout(schema.Sort, q.Sort))
	}
	for i := range q.Partition {
		if q.Partition[i].Operator != KeyEqual {
			return KeyQuery{}, errKeyCondition()
		}
	}
	if err := checkLeading(schema.Sort, q.Sort); err != nil {
		return KeyQuery{}, err
	}
	if !fitAll(q.Partition, schema.Partition) || !fitAll(q.Sort, schema.Sort) {
		return KeyQuery{}, bindError("One or more parameter values were invalid: Condition parameter type does not " +
			"match schema type")
	}
	return q, nil
}

// on returns the terms on the given attributes, in the order of the attributes.
// It allocates nothing for a single term, which is the common case.
func (k *KeyCondition) on(attributes []KeyAttribute) []KeyTerm {
	var found []KeyTerm
	for _, a := range attributes {
		for i := range k.terms {
			if k.terms[i].Name != a.Name {
				continue
			}
			if found == nil {
				found = k.terms[i : i+1 : i+1]
			} else {
				found = append(found, k.terms[i])
			}
			break // no two terms are on one attribute
		}
	}
	return found
}

// firstWithout returns the name of the first attribute on which there is no term.
func firstWithout(attributes []KeyAttribute, terms []KeyTerm) string {
	for _, a := range attributes {
		if !slices.ContainsFunc(terms, func(t KeyTerm) bool { return t.Name == a.Name }) {
			return a.Name
		}
	}
	return ""
}

// checkEqualities refuses a partition key of several attributes unless each has an
// equality. The refusal names all others.
//
// (?) AWS's text names HASH and equality. The rest is worded after the text for the
// sort key, which was recorded.
func checkEqualities(partition []KeyAttribute, terms []KeyTerm) error {
	var open []string
	for _, a := range partition {
		if !slices.ContainsFunc(terms, func(t KeyTerm) bool { return t.Name == a.Name && t.Operator == KeyEqual }) {
			open = append(open, a.Name)
		}
	}
	if open == nil {
		return nil
	}
	return bindError("HASH key attributes " + strings.Join(open, ", ") +
		" must have equality conditions specified in the query")
}

// checkLeading refuses terms before which an attribute of the sort key has no
// equality. The refusal names all of these attributes.
func checkLeading(sort []KeyAttribute, terms []KeyTerm) error {
	var open []string
	next := 0
	for _, a := range sort {
		if next == len(terms) {
			return nil
		}
		named := terms[next].Name == a.Name
		if named && open != nil {
			return bindError("RANGE key attributes " + strings.Join(open, ", ") + " must have equality conditions " +
				"specified in the query because a condition is present on key attribute " + a.Name)
		}
		equal := named && terms[next].Operator == KeyEqual
		if named {
			next++
		}
		if !equal && next < len(terms) {
			open = append(open, a.Name)
		}
	}
	return nil
}

// fitAll reports whether the terms, which stand for the first of the attributes,
// compare with values of the attributes' types.
func fitAll(terms []KeyTerm, attributes []KeyAttribute) bool {
	for i := range terms {
		if !terms[i].fits(attributes[i].Type) {
			return false
		}
	}
	return true
}

func (t *KeyTerm) fits(typ string) bool {
	return typ == "" || ddbjson.TypeName(t.Value) == typ && (t.High == nil || ddbjson.TypeName(t.High) == typ)
}

func missedKey(name string) error {
	return bindError("Query condition missed key schema element: " + name)
}

func errKeyCondition() error { return bindError("Query key condition not supported") }

func bindError(message string) error { return &Error{Kind: KindKeyCondition, Message: message} }
