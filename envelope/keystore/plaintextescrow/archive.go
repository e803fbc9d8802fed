// SPDX-License-Identifier: Apache-2.0

package plaintextescrow

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ErrArchive means that an archive is malformed or was changed.
var ErrArchive = errors.New("invalid escrow archive")

const (
	format = "ddbseal branch key escrow 1"
	// maxEntries and maxArchive bound what is read: 100,000 versions.
	maxEntries = 100_000
	maxArchive = 64 << 20
	maxText    = 1 << 16
)

// Archive is an export: a list of branch key versions in plaintext, and their
// keys, encrypted. [Archive.Write] and [Read] store it as JSON.
type Archive struct {
	Format string `json:"format"`
	// LogicalName is the logical name of the key store.
	LogicalName string  `json:"logicalName"`
	Entries     []Entry `json:"branchKeys"`
	// Recipients are the wrapped copies of the key that seals the archive.
	Recipients []Recipient `json:"recipients"`
	// Sealed is the ciphertext of the keys in the order of Entries, 32 bytes
	// each, with a tag that authenticates them, Format, LogicalName and
	// Entries.
	Sealed []byte `json:"sealed"`
}

// Entry names one exported version of a branch key.
type Entry struct {
	BranchKeyID string `json:"branchKeyId"`
	Version     string `json:"version"`
	// CreateTime and Active are as the key store said at the time of export.
	CreateTime string `json:"createTime"`
	Active     bool   `json:"active"`
}

// Recipient is one wrapped copy of the sealing key.
type Recipient struct {
	ProviderID   string `json:"providerId"`
	ProviderInfo []byte `json:"providerInfo"`
	Ciphertext   []byte `json:"ciphertext"`
}

// Write writes the archive as JSON. If [Read] would not accept the archive,
// Write returns [ErrArchive] before it writes anything; export an archive of
// more than 64 MiB in parts. Other errors are those of w.
func (a *Archive) Write(w io.Writer) error { return a.write(w, maxArchive) }

func (a *Archive) write(w io.Writer, limit int) error {
	if err := a.validate(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	if text = append(text, '\n'); len(text) > limit {
		return fmt.Errorf("%w: more than %d bytes; export fewer branch keys at once", ErrArchive, limit)
	}
	_, err = w.Write(text)
	return err
}

// Read reads an archive of at most 64 MiB and checks its form; [Open] checks
// that it is authentic. Errors: [ErrArchive], and the reader's.
func Read(r io.Reader) (*Archive, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxArchive+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxArchive {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrArchive, maxArchive)
	}
	var a Archive
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("%w: not its JSON: %w", ErrArchive, err)
	}
	if err := a.validate(); err != nil {
		return nil, err
	}
	return &a, nil
}

func (a *Archive) validate() error {
	bad := func(text string) error { return fmt.Errorf("%w: %s", ErrArchive, text) }
	switch {
	case a == nil || a.Format != format:
		return bad("unknown format")
	case len(a.Entries) == 0 || len(a.Entries) > maxEntries:
		return bad(fmt.Sprintf("it must list 1 to %d versions", maxEntries))
	case len(a.Sealed) != len(a.Entries)*keyLength+tagLength:
		return bad("the sealed keys do not fit the list")
	case len(a.LogicalName) > maxText || !utf8.ValidString(a.LogicalName):
		return bad("the logical name is too long or not UTF-8")
	case len(a.Recipients) == 0 || len(a.Recipients) > materials.MaxEncryptedDataKeys:
		return bad("no recipient, or too many")
	}
	for _, e := range a.Entries {
		u, err := uuid.Parse(e.Version)
		if err != nil || u.String() != e.Version || e.BranchKeyID == "" || len(e.BranchKeyID) > maxText ||
			len(e.CreateTime) > maxText {
			return bad("a listed version has no id or no UUID")
		}
		if !utf8.ValidString(e.BranchKeyID) || !utf8.ValidString(e.CreateTime) {
			return bad("a listed version has text that is not UTF-8, which JSON does not keep")
		}
	}
	return nil
}

// description serializes what is in clear, every text behind its length, so
// that no two lists have the same bytes.
func (a *Archive) description() []byte {
	var b []byte
	text := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	text(a.Format)
	text(a.LogicalName)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Entries)))
	for _, e := range a.Entries {
		text(e.BranchKeyID)
		text(e.Version)
		text(e.CreateTime)
		if e.Active {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return b
}
