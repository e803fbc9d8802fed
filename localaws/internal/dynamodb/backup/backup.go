// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Backup is what is stored of a backup besides its items. It does not change.
type Backup struct {
	ARN, Name   string
	Created     time.Time
	AvailableAt time.Time `json:",omitzero"` // CREATING until then
	// Table is the table as it was, with its wrapped key.
	Table *schema.Definition
	Items int
	Bytes int64 // of the items
}

// Status returns CREATING or AVAILABLE.
func (b *Backup) Status(now time.Time) string {
	if now.Before(b.AvailableAt) {
		return "CREATING"
	}
	return "AVAILABLE"
}

// Place returns where the backup is: where its table is or was.
func (b *Backup) Place() wire.Place { return b.Table.Target().Place }

// newARN returns the ARN of a backup that is made of a table at now.
func newARN(table *schema.Definition, now time.Time) string {
	var unique [4]byte
	rand.Read(unique[:]) // never fails
	return schema.TableARN(table.Target().Place, table.Name) + "/backup/" +
		fmt.Sprintf("%014d", now.UnixMilli()) + "-" + hex.EncodeToString(unique[:])
}

// Target is a backup as a request names it.
type Target struct {
	wire.Place
	ARN, Table string
}

var arnRule = regexp.MustCompile(
	`^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([a-zA-Z0-9_.-]+)/backup/[0-9]{14}-[0-9a-f]{8}$`)

// Locate takes the ARN of a backup apart. It returns false for any other text.
func Locate(arn string) (Target, bool) {
	m := arnRule.FindStringSubmatch(arn)
	if m == nil {
		return Target{}, false
	}
	return Target{Place: wire.Place{Account: m[2], Region: m[1]}, ARN: arn, Table: m[3]}, true
}

// record is one sealed item under its name.
type record struct{ key, sealed []byte }

// seal seals the n-th item of a backup.
func seal(s *atrest.Sealer, n int, it schema.Item) record {
	key := s.ItemKey(strconv.Itoa(n))
	return record{key, s.Seal(key, it)}
}
