// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// hasher computes beacons of values for the items of one partition. A rehearsal
// computes none and notes which beacons a translation needs.
type hasher struct {
	ctx         context.Context
	search      *beacon.Search
	branchKeyID string
	partition   int
	keys        *beacon.Keys // fetched when they are needed

	rehearsal bool
	used      []*beacon.StandardBeacon
}

// fetch gets the keys once.
func (h *hasher) fetch() error {
	if h.keys != nil {
		return nil
	}
	var err error
	h.keys, err = h.search.Keys(h.ctx, h.branchKeyID)
	return err
}

// release gives the keys back.
func (h *hasher) release() {
	h.keys.Release()
	h.keys = nil
}

// value returns the beacon of a value; contains says that it is to be found
// within a set.
func (h *hasher) value(b *beacon.StandardBeacon, v types.AttributeValue, contains bool) (types.AttributeValue, error) {
	if h.rehearsal {
		h.used = append(h.used, b)
		return &types.AttributeValueMemberS{}, nil
	}
	if err := h.fetch(); err != nil {
		return nil, err
	}
	out, err := b.Operand(h.keys, h.partition, v, contains)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsearchable, err)
	}
	return out, nil
}

// pieces returns the text of a compound beacon's pieces with encrypted parts
// hashed; whole says that a bare last piece is hashed too.
func (h *hasher) pieces(b *beacon.CompoundBeacon, pieces []beacon.Piece, whole bool) (string, error) {
	if beacon.NeedsKeys(pieces, whole) {
		if h.rehearsal {
			for i, p := range pieces { // a bare last piece may stay bare
				if hashed(p) && beacon.NeedsKeys(pieces[i:i+1], whole || i < len(pieces)-1) {
					h.used = append(h.used, p.Part.Beacon())
				}
			}
			return "", nil
		}
		if err := h.fetch(); err != nil {
			return "", err
		}
	}
	text, err := b.Operand(h.keys, h.partition, pieces, whole)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnsearchable, err)
	}
	return text, nil
}
