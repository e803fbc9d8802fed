// SPDX-License-Identifier: Apache-2.0

package access

// Analysis says what the policies of a Snapshot allow.
type Analysis struct {
	// NeverRead says which policies no snapshot has, and what a Yes means
	// without them.
	NeverRead string `json:"neverRead"`
	// NotRead has the gaps of the snapshot and those that the analysis found.
	NotRead []Gap `json:"notRead"`
	// Notes are facts that a reader may not expect, such as a key policy that
	// names a deleted principal.
	Notes  []string        `json:"notes,omitempty"`
	Tables []TableAnalysis `json:"tables"`
}

// Unread returns NeverRead and the gaps in NotRead, one line for each. Show them
// before any other result.
func (a *Analysis) Unread() []string {
	lines := []string{a.NeverRead}
	for _, g := range a.NotRead {
		lines = append(lines, g.String())
	}
	return lines
}

// TableAnalysis says what the policies allow on one table.
type TableAnalysis struct {
	Table string `json:"table"` // ARN
	Name  string `json:"name"`
	Mode  Mode   `json:"mode"`
	Key   string `json:"key,omitempty"` // ARN of the table's key
	// Sample is how some of the items are really encrypted; nil: no item was read.
	Sample *Sample `json:"sample,omitempty"`
	// Headlines are sentences about the worst findings: a key is the only
	// protection while a principal can change the table's encryption to another
	// key, everybody or another account can read the table, or some items are not
	// encrypted before they are sent.
	Headlines []string `json:"headlines"`
	Rows      []Row    `json:"rows"`
}

// Row says what one principal can do with a table.
type Row struct {
	Principal string `json:"principal"` // ARN, name of a service, "account 111122223333" or "everybody"
	Kind      Kind   `json:"kind"`
	// AssumedBy are the principals that a role's trust policy names.
	AssumedBy []string `json:"assumedBy,omitempty"`
	Cells     Cells    `json:"operations"`
	// Paths are the ways by which the principal can come to read in plaintext, at
	// most 8, the best first. Empty for a principal that reads in plaintext as it
	// is.
	Paths []Path `json:"paths,omitempty"`
}

// Reads returns the best verdict on reading in plaintext: that of the principal as
// it is, or of one of its paths.
func (r *Row) Reads() Verdict {
	v := r.Cells.ReadClear.Verdict
	for i := range r.Paths {
		v = max(v, r.Paths[i].Verdict)
	}
	return v
}

// Cells are the answers for each operation.
type Cells struct {
	ReadClear      *Cell `json:"readClear"`
	ReadCiphertext *Cell `json:"readCiphertext"`
	Write          *Cell `json:"write"`
	WriteVerified  *Cell `json:"writeVerified"`
}

// Of returns the answer for an operation, or nil if the operation is invalid.
func (c *Cells) Of(o Operation) *Cell {
	switch o {
	case ReadClear:
		return c.ReadClear
	case ReadCiphertext:
		return c.ReadCiphertext
	case Write:
		return c.Write
	case WriteVerified:
		return c.WriteVerified
	}
	return nil
}

// Cell is the answer for one principal and one operation. Rows share cells, so
// do not change one.
type Cell struct {
	Verdict Verdict `json:"verdict"`
	// Because has the statements and grants that decide, one in each string.
	Because []string `json:"because,omitempty"`
	// If has the conditions of an OnlyIf, one in each string.
	If []string `json:"if,omitempty"`
	// Unread says what an Unknown depends on, one reason in each string.
	Unread []string `json:"unread,omitempty"`
}

// Kind is the kind of a principal. The zero Kind is invalid.
type Kind uint8

const (
	// KindRoot is the root user of an account.
	KindRoot Kind = iota + 1
	// KindUser is an IAM user.
	KindUser
	// KindRole is an IAM role, for its sessions of any name.
	KindRole
	// KindSession is a session of a role that a policy names.
	KindSession
	// KindService is an AWS service.
	KindService
	// KindForeign is a principal of another account. Its verdict is OnlyIf at
	// best, because the policies of that account decide too and are not read.
	KindForeign
	// KindEverybody is any principal of any account.
	KindEverybody
	// KindUnlisted stands for the users and roles of the account that could not be
	// listed.
	KindUnlisted
)

// String returns a short name of the kind, such as "user".
func (k Kind) String() string {
	switch k {
	case KindRoot:
		return "root"
	case KindUser:
		return "user"
	case KindRole:
		return "role"
	case KindSession:
		return "session"
	case KindService:
		return "service"
	case KindForeign:
		return "other account"
	case KindEverybody:
		return "everybody"
	case KindUnlisted:
		return "not listed"
	}
	return "invalid kind"
}

// MarshalText returns the kind's name as String does.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Path is a way by which a principal can come to read a table in plaintext.
type Path struct {
	Verdict Verdict `json:"verdict"`
	Steps   []Step  `json:"steps"`
	// Why says what an Unknown or OnlyIf depends on.
	Why []string `json:"why,omitempty"`
}

// Step is one step of a path.
type Step struct {
	Principal string `json:"principal"`
	Action    string `json:"action"` // such as "kms:PutKeyPolicy"
	Resource  string `json:"resource"`
	Does      string `json:"does"` // in words: "writes the key policy"
}
