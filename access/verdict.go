// SPDX-License-Identifier: Apache-2.0

package access

import "fmt"

// Verdict is the answer for one principal and one operation. The zero Verdict is
// invalid.
type Verdict uint8

const (
	// No means that the policies do not allow it.
	No Verdict = iota + 1
	// Unknown means that something that was not read, or that AWS does not document, decides.
	Unknown
	// OnlyIf means that condition keys of the request decide.
	OnlyIf
	// Yes means that the policies allow it, unless something that is never read forbids it.
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

// MarshalText writes the verdict's name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's name.
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
	// ReadClear is reading items in clear.
	ReadClear Operation = iota + 1
	// ReadCiphertext is reading what DynamoDB returns. Without client-side
	// encryption that is the clear text: then it is the same as ReadClear.
	ReadCiphertext
	// Write is writing items, of whatever content.
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

// MarshalText writes the operation's name.
func (o Operation) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an operation's name.
func (o *Operation) UnmarshalText(text []byte) error {
	for i := ReadClear; i <= WriteVerified; i++ {
		if operationNames[i] == string(text) {
			*o = i
			return nil
		}
	}
	return fmt.Errorf("%.20q is not an operation: choose among %v", text, Operations())
}

// Mode is how a table is encrypted. The zero Mode is invalid.
type Mode uint8

const (
	// Owned means that DynamoDB encrypts under the AWS owned key, for which no principal needs a
	// permission.
	Owned Mode = iota + 1
	// Managed means that DynamoDB encrypts under the AWS managed key.
	Managed
	// CustomerKey means that DynamoDB encrypts under a key of a customer.
	CustomerKey
	// ClientSide means that items are encrypted before they are sent.
	ClientSide
	// Both means that items are encrypted before they are sent, and DynamoDB encrypts under a
	// key of a customer.
	Both
)

// String says in words who encrypts under which kind of key.
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

// MarshalText writes the mode in words.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
