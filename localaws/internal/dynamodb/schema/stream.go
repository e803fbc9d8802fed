// SPDX-License-Identifier: Apache-2.0

package schema

import "time"

// Stream is the stream that a table has, or the last that it had. A definition
// replaces it as a whole.
type Stream struct {
	Label   string // tells it from the other streams of tables of the same name
	View    string // StreamViewType: what its records hold of an item
	Enabled bool
	Settles time.Time `json:",omitzero"` // ENABLING or DISABLING until then
}

// The values of Stream.View.
const (
	KeysOnly        = "KEYS_ONLY"
	NewImage        = "NEW_IMAGE"
	OldImage        = "OLD_IMAGE"
	NewAndOldImages = "NEW_AND_OLD_IMAGES"
)

// Streams reports whether changes of the table go into its stream.
func (d *Definition) Streams() bool { return d.Stream != nil && d.Stream.Enabled }

// StreamARN returns the ARN of the stream that the table has or had last, or "".
func (d *Definition) StreamARN() string {
	if d.Stream == nil {
		return ""
	}
	return StreamARN(d.ARN, d.Stream.Label)
}

// StreamARN returns the ARN of the stream with a label of the table with an ARN.
func StreamARN(tableARN, label string) string { return tableARN + "/stream/" + label }
