// SPDX-License-Identifier: Apache-2.0

package access

import "fmt"

// Verdict is the answer for one principal and one operation. The zero Verdict is
// invalid.
type Verdict uint8

const (
	// No means that the policies do not allow it.
	No Verdict = iota + 1
	// Unknown means that it depends on something that was not read or that AWS does not
	// document.
	Unknown
	// OnlyIf means that it depends on condition keys of the request or on
	// another account's policies.
	OnlyIf
	// Yes means that the policies allow it, unless a policy that is never read forbids it.
	Yes
)

var verdictNames = [...]string{No: "no", Unknown: "unknown", OnlyIf: "only if", Yes: "yes"}

// String returns the verdict in words, such as "only if".
func (v Verdict) String() string {
	if v < No || v > Yes {
		return "invalid verdict"
	}
	return verdictNames[v]
}

// MarshalText returns the verdict's name as String does.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText sets v to the verdict with a name, and returns an error for any
// other text.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i := No; i <= Yes; i++ {
		if verdictNames[i] == string(text) {
			*v = i
			return nil
		}
	}
	return fmt.Errorf("%.20q is not a verdict", text)
}

// Operation is what a principal does with a table. The zero Operation is invalid.
type Operation uint8

const (
	// ReadClear is reading items in plaintext.
	ReadClear Operation = iota + 1
	// ReadCiphertext is reading items as DynamoDB returns them. Without
	// client-side encryption it is the same as ReadClear.
	ReadCiphertext
	// Write is writing items with any content.
	Write
	// WriteVerified is writing items that readers accept: with client-side
	// encryption, items whose signature verifies. Without it, it is the same as Write.
	WriteVerified
)

// Operations returns all operations in the order of the columns of Analysis.Text.
func Operations() []Operation { return []Operation{ReadClear, ReadCiphertext, Write, WriteVerified} }

var operationNames = [...]string{ReadClear: "read-clear", ReadCiphertext: "read-ciphertext", Write: "write",
	WriteVerified: "write-verified"}

// String returns the name of the operation, such as "read-clear".
func (o Operation) String() string {
	if o < ReadClear || o > WriteVerified {
		return "invalid operation"
	}
	return operationNames[o]
}

// MarshalText returns the operation's name as String does.
func (o Operation) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText sets o to the operation with a name, and returns an error for
// any other text.
func (o *Operation) UnmarshalText(text []byte) error {
	for i := ReadClear; i <= WriteVerified; i++ {
		if operationNames[i] == string(text) {
			*o = i
			return nil
		}
	}
	return fmt.Errorf("%.20q is not an operation: choose among %v", text, Operations())
}

// Mode says how a table is encrypted. The zero Mode is invalid.
type Mode uint8

const (
	// Owned means that DynamoDB encrypts under the AWS owned key, for which principals need no
	// permission.
	Owned Mode = iota + 1
	// Managed means that DynamoDB encrypts under the AWS managed key.
	Managed
	// CustomerKey means that DynamoDB encrypts under a customer managed key.
	CustomerKey
	// ClientSide means that items are encrypted before they are sent.
	ClientSide
	// Both means that items are encrypted before they are sent, and DynamoDB encrypts under a
	// customer managed key.
	Both
)

// String returns the mode in words, such as "customer managed key".
func (m Mode) String() string {
	switch m {
	case Owned:
		return "AWS owned key"
	case Managed:
		return "AWS managed key"
	case CustomerKey:
		return "customer managed key"
	case ClientSide:
		return "client-side encryption"
	case Both:
		return "client-side encryption and customer managed key"
	}
	return "invalid mode"
}

// MarshalText returns the mode in words as String does.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
