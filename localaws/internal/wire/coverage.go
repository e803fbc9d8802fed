// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"maps"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Coverage is which operations of an AWS service are served, and which are
// refused by name.
type Coverage struct {
	Served []string // in order
	// Refused has, for every operation that AWS has and this server does not, what
	// the server would need for it, such as "custom key stores".
	Refused map[string]string
}

// Absent adds the operations that AWS has and this server does not. refuse makes
// the answer to a call of one of them. absent has their names, separated by
// spaces, by what the server would need for them. Like NewTable, Absent panics
// when a name is there already. It returns t.
func (t *Table[S, Out]) Absent(refuse func(operation, what string) error, absent map[string]string) *Table[S, Out] {
	t.refuse, t.absent = refuse, map[string]string{}
	for what, names := range absent {
		for _, name := range strings.Fields(names) {
			if _, served := t.entries[name]; served || t.absent[name] != "" {
				panic(fmt.Sprintf("wire: operation %q is there already and cannot be absent", name))
			}
			t.absent[name] = what
		}
	}
	return t
}

// Coverage returns which operations the table has.
func (t *Table[S, Out]) Coverage() Coverage { return Coverage{t.Names(), maps.Clone(t.absent)} }

// NotServed is the text that refuses an operation which this server does not
// have. It does not read like a limit of AWS.
func NotServed(operation, what string) string {
	return operation + " is not supported by this server: it does not have " + what + "."
}

// NoOperation is the refusal of an operation by a JSON service.
func NoOperation(operation, what string) error {
	return request.Errorf("UnsupportedOperationException", "%s", NotServed(operation, what))
}

// NoAction is the refusal of an operation by a Query service.
func NoAction(operation, what string) error {
	return request.Errorf("UnsupportedOperation", "%s", NotServed(operation, what))
}
