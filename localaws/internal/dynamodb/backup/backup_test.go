// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

func orders() *schema.Definition {
	return &schema.Definition{Name: "orders", AccountID: "111122223333", Region: "us-east-1", ID: "one",
		ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/orders"}
}

// TestARNsAreFresh: two backups of one moment have two ARNs, and each names the
// table and the moment.
func TestARNsAreFresh(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		arn := newARN(orders(), time.UnixMilli(1_700_000_000_123))
		if seen[arn] {
			t.Fatalf("%s again", arn)
		}
		seen[arn] = true
		at, ok := Locate(arn)
		if !ok || at.Table != "orders" || at.Place != orders().Target().Place || at.ARN != arn ||
			!strings.HasPrefix(arn, orders().ARN+"/backup/01700000000123-") {
			t.Fatalf("%s is the backup %v", arn, at)
		}
	}
}

func TestLocate(t *testing.T) {
	const arn = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/backup/01700000000123-0123abcd"
	for _, text := range []string{"", "orders", arn + "0", strings.Replace(arn, "dynamodb", "kms", 1),
		strings.Replace(arn, "orders", "a b", 1), strings.Replace(arn, "backup", "export", 1),
		strings.Replace(arn, "111122223333", "1", 1), strings.ToUpper(arn)} {
		if at, ok := Locate(text); ok {
			t.Errorf("%q is the backup %v", text, at)
		}
	}
}

func TestStatus(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	b := &Backup{AvailableAt: now}
	for at, want := range map[time.Time]string{now.Add(-1): "CREATING", now: "AVAILABLE"} {
		if got := b.Status(at); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
