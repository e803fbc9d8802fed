// SPDX-License-Identifier: Apache-2.0

package access

// Analysis is what a snapshot's policies allow.
type Analysis struct {
	// NeverRead says what no snapshot has and what that means.
	NeverRead string `json:"neverRead"`
	// NotRead are the gaps of the snapshot, and what the analysis found missing.
	NotRead []Gap `json:"notRead"`
	// Notes are oddities, such as a principal of a key policy that was deleted.
	Notes  []string        `json:"notes,omitempty"`
	Tables []TableAnalysis `json:"tables"`
}

// Unread returns what was not read, one line for each, which every output begins
// with.
func (a *Analysis) Unread() []string {
	lines := []string{a.NeverRead}
	for _, g := range a.NotRead {
		lines = append(lines, g.String())
	}
	return lines
}

// TableAnalysis is what the policies allow on one table.
type TableAnalysis struct {
	Table string `json:"table"` // ARN
	Name  string `json:"name"`
	Mode  Mode   `json:"mode"`
	Key   string `json:"key,omitempty"` // ARN of the table's key
	// Sample is how some of the items are really encrypted; nil: no item was read.
	Sample *Sample `json:"sample,omitempty"`
	// Headlines are the lines that come first: a key that is the only guard while
	// a principal can take the table off it, readers that are public or of other
	// accounts.
	Headlines []string `json:"headlines"`
	Rows      []Row    `json:"rows"`
}

// Row is what one principal can do.
type Row struct {
	Principal string `json:"principal"` // ARN, name of a service, "account 111122223333" or "everybody"
	Kind      Kind   `json:"kind"`
	// AssumedBy are the principals that a role's trust policy names.
	AssumedBy []string `json:"assumedBy,omitempty"`
	Cells     Cells    `json:"operations"`
	// Paths are the ways by which the principal can come to read in clear what it
	// cannot read as it is, the best first. Empty for one that reads in clear.
	Paths []Path `json:"paths,omitempty"`
}

// Reads returns the verdict on reading in clear, as the principal is or by the best
// of its paths.
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

// Of returns the answer for an operation, nil for an invalid one.
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

// Cell is the answer for one principal and one operation. Rows share cells.
type Cell struct {
	Verdict Verdict `json:"verdict"`
	// Because has the statements and grants that decide, one a line.
	Because []string `json:"because,omitempty"`
	// If has the conditions of an OnlyIf, one a line.
	If []string `json:"if,omitempty"`
	// Unread says what an Unknown depends on.
	Unread []string `json:"unread,omitempty"`
}

// Kind is the kind of a principal. The zero Kind is invalid.
type Kind uint8

const (
	// KindRoot is the root user of an account.
	KindRoot Kind = iota + 1
	// KindUser is an IAM user.
	KindUser
	// KindRole is a session of an IAM role, of any name.
	KindRole
	// KindSession is a session of a role that a policy names.
	KindSession
	// KindService is an AWS service.
	KindService
	// KindForeign is a principal of another account. A Yes takes for granted that
	// the policies of that account allow it.
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

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Path is a way to read in clear.
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
