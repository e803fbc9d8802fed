// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// record handles one decoded record, or the error of decoding it, as often as
// needed. An error ends the follower.
func (f *follower[T]) record(ctx context.Context, c Change[T], err error, source []Record) error {
	for attempt := 1; ; attempt++ {
		if err == nil {
			if err = f.call(ctx, c); err == nil {
				f.stats.add(func(n *Counts) {
					n.Handled++
					if c.At.After(n.Last) {
						n.Last = c.At
					}
				})
				return nil
			}
			if errors.Is(err, errStuck) || ctx.Err() != nil {
				return c.Failed(err)
			}
			err = c.Failed(err)
		} else if errors.Is(err, store.ErrOtherEntity) && f.table.Entity().Name != "" {
			f.stats.add(func(n *Counts) { n.Other++ })
			return nil
		} else if !opensLater(err) {
			break
		}
		if attempt >= f.attempts {
			break
		}
		f.stats.add(func(n *Counts) { n.Retries++ })
		if stopped := pause(ctx, attempt); stopped != nil {
			return stopped
		}
		for again, bad := range Decode(ctx, f.table, source) {
			if bad != nil && ctx.Err() != nil {
				return bad
			}
			c, err = again, bad
		}
	}
	if f.poison == nil {
		return err
	}
	if err := f.poison(ctx, err); err != nil {
		return err
	}
	f.stats.add(func(n *Counts) { n.Poisoned++ })
	return nil
}

// opensLater reports whether a record that did not open may open later: the key
// service failed, or refused for now.
func opensLater(err error) bool {
	return errors.Is(err, envelope.ErrMaterials) || errors.Is(err, envelope.ErrKeyDenied)
}

// errStuck is a handler that does not return.
var errStuck = fmt.Errorf("%w: it did not return after its context had ended", ErrHandler)

// errExit is a handler that ended its goroutine.
var errExit = fmt.Errorf("%w: it ended its goroutine", ErrHandler)

// call calls the handler. A panic is an error, and so is a call that does not
// return.
func (f *follower[T]) call(ctx context.Context, c Change[T]) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := errExit
		defer func() {
			if v := recover(); v != nil {
				err = &panicError{v}
			}
			done <- err
		}()
		err = f.handle(ctx, c)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errStuck
	}
}
