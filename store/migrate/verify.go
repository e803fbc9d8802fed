// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
)

// VerifyBeacons opens every item of this share, computes its beacons again and
// compares them with the beacons that the item has. It writes nothing, not even a
// checkpoint, and needs no dry run. Only signed beacons are signed. If someone
// changes or removes another beacon, the item still verifies and searches do not
// find it: only this comparison notices that.
//
// The report counts the items whose beacons are right as Current. Items that differ
// or do not open count as Failed and are in Report.Failures: a [*store.ItemError]
// that matches ErrWrongBeacons names the attributes, never their values. Run
// corrects them. Plaintext items, items of the older DynamoDB Encryption Client and
// items that only From opens count as Plaintext, Legacy and Outdated; their beacons
// are not compared.
//
// Errors: [ErrWrongBeacons] if an item failed; envelope.ErrConfiguration if To is nil
// or has no Search; envelope.ErrKeyDenied, which ends it at once; the client's; the
// error of Config.Failed.
func (m *Migration) VerifyBeacons(ctx context.Context) (Report, error) {
	if m.config.To == nil || m.config.To.Search() == nil {
		return Report{}, fmt.Errorf("%w: To has no Search, so there are no beacons to verify",
			envelope.ErrConfiguration)
	}
	return m.all(ctx, verify)
}

// verify compares the beacons of one item.
func (m *Migration) verify(ctx context.Context, stored envelope.Item) (Counts, error) {
	switch {
	case envelope.IsLegacy(stored):
		return Counts{Legacy: 1, WithoutBeacons: 1}, nil
	case stored[envelope.HeaderAttribute] == nil && stored[envelope.FooterAttribute] == nil:
		return Counts{Plaintext: 1, WithoutBeacons: 1}, nil
	}
	plain, byTo, err := m.open(ctx, stored)
	switch {
	case err != nil:
		return Counts{Failed: 1}, err
	case !byTo:
		return Counts{Outdated: 1}, nil
	}
	d, err := m.compare(ctx, plain, stored)
	if err == nil {
		err = d.error()
	}
	if err != nil {
		counts := Counts{Failed: 1}
		if len(d.set)+len(d.signed) > 0 {
			counts.WithoutBeacons = 1
		}
		return counts, err
	}
	return Counts{Current: 1}, nil
}

// verified is the error of a comparison that is complete.
func (r Report) verified(table string) error {
	if r.Counts.Failed == 0 {
		return nil
	}
	return fmt.Errorf("beacons of %s: %w: %d of %d items; %w", table, ErrWrongBeacons, r.Counts.Failed,
		r.Counts.Total(), errors.Join(r.Failures[:min(len(r.Failures), 3)]...))
}
