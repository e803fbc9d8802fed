// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// What calls find.
const (
	theRecord     = "the record"
	anotherRecord = "another record"
	allowed       = "allowed"
	denied        = "denied" // of an action that does not matter
	deniedDecrypt = "denied kms:Decrypt"
)

// probe is one call of a check.
type probe struct {
	who, tried, want string
	miss             string // what it means if want does not come
	do               func(context.Context) (string, error)
}

// First and longest pause between the tries of a probe.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 3 * time.Second
)

// take makes the call, again and again until the deadline while it does not give
// what is wanted.
func (s *stage) take(ctx context.Context, p probe) (Finding, error) {
	began := time.Now()
	f := Finding{Who: p.who, Tried: p.tried, Expected: p.want}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		f.Got = outcome(p.do(ctx))
		f.OK = f.Got == p.want || p.want == denied && strings.HasPrefix(f.Got, denied)
		if err := ctx.Err(); err != nil {
			return Finding{}, err
		}
		if f.OK || time.Since(began) >= s.cfg.Deadline {
			break
		}
		if err := sleep(ctx, pause); err != nil {
			return Finding{}, err
		}
	}
	if !f.OK {
		f.Why = p.miss
	}
	return f, nil
}

func sleep(ctx context.Context, pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// outcome turns what a call returned into the words of a finding.
func outcome(got string, err error) string {
	if err == nil {
		return got
	}
	var api smithy.APIError
	isAPI := errors.As(err, &api)
	var key *envelope.KeyError
	switch {
	case errors.As(err, &key) && key.Missing != "":
		return denied + " " + key.Missing
	case isAPI && strings.Contains(api.ErrorCode(), "AccessDenied"):
		if action, _ := awsmessage.Refused(err); action != "" {
			return denied + " " + action
		}
		return denied
	case awsmessage.KeyDisabled(err):
		return "key disabled"
	case awsmessage.KeyPendingDeletion(err):
		return "key pending deletion"
	case errors.Is(err, envelope.ErrTampered):
		return "changed since it was written"
	case isAPI:
		return "error " + api.ErrorCode()
	}
	return "error"
}
