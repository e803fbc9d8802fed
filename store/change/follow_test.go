// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

// handled records the sequence numbers that a handler took.
type handled struct {
	mu  sync.Mutex
	all []string
	// fail is asked first; nil fails nothing.
	fail func(ctx context.Context, c change.Change[patient]) error
}

func (h *handled) handle(ctx context.Context, c change.Change[patient]) error {
	if h.fail != nil {
		if err := h.fail(ctx, c); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, c.Sequence)
	return nil
}

func (h *handled) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.all, " ")
}

// follow runs Follow in a bubble, where pauses take no time, until nothing
// comes for a minute.
func (h *handled) follow(t *testing.T, client change.StreamsClient, options ...change.Option) error {
	t.Helper()
	return change.Follow(t.Context(), client, patients(t), h.handle,
		append([]change.Option{change.UntilIdle(time.Minute), change.Parallel(1)}, options...)...)
}

// one is a stream of one open shard.
func one(t testing.TB, numbers ...int) *fakeStreams {
	return &fakeStreams{t: t, failures: map[string][]error{}, streams: []*fakeStream{{label: "2026-01",
		shards: []*fakeShard{(&fakeShard{id: "a"}).put(t, patients(t).Encryptor(), numbers...)}}}}
}

func TestFollowParentsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := patients(t).Encryptor()
		f := one(t, 1, 2, 3)
		s := f.streams[0]
		s.shards[0].closed = true
		s.shards = append([]*fakeShard{
			(&fakeShard{id: "c", parent: "b"}).put(t, e, 6, 7),
			(&fakeShard{id: "b", parent: "a", closed: true}).put(t, e, 4, 5),
			(&fakeShard{id: "0", parent: "gone"}).put(t, e, 8),
		}, s.shards...)
		var h handled
		var stats change.Stats
		ok(t, h.follow(t, f, change.Parallel(16), change.Count(&stats)))
		got := strings.Fields(h.String())
		got = slices.DeleteFunc(got, func(s string) bool { return s == "8" }) // of another line of shards
		if len(h.all) != 8 || strings.Join(got, " ") != "1 2 3 4 5 6 7" {
			t.Errorf("handled %v", &h)
		}
		if c := stats.Read(); c.Handled != 8 || c.Gaps != 0 || c.Lag != 0 || c.Last.IsZero() {
			t.Errorf("%+v", c)
		}
	})
}

func TestFollowGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := one(t, 1, 2, 3)
		checkpoint := change.NewMemory()
		crash := errors.New("crash")
		h := handled{fail: func(_ context.Context, c change.Change[patient]) error {
			if c.Sequence == "2" {
				return crash
			}
			return nil
		}}
		err := h.follow(t, f, change.WithCheckpoint(checkpoint), change.Attempts(1))
		var record *change.RecordError
		if !errors.Is(err, crash) || !errors.As(err, &record) || record.Sequence != "2" {
			t.Errorf("%v", err)
		}
		h.fail = nil
		ok(t, h.follow(t, f, change.WithCheckpoint(checkpoint)))
		if h.String() != "1 2 3" {
			t.Errorf("handled %v", &h)
		}
	})
}

// TestFollowStart: what is older than the beginning is left out, also where the
// server has no AT_TIMESTAMP, and also after a crash before the first change.
func TestFollowStart(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		t.Run(fmt.Sprint(refuse), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := one(t, 1, 2, 3)
				if refuse {
					f.failures["GetShardIterator"] = []error{&smithy.GenericAPIError{Code: "ValidationException",
						Fault: smithy.FaultClient}}
				}
				time.Sleep(5 * time.Second)
				var h handled
				checkpoint := change.NewMemory()
				ok(t, h.follow(t, f, change.FromNow(), change.WithCheckpoint(checkpoint)))
				if h.String() != "" {
					t.Errorf("handled %v", &h)
				}
				f.streams[0].shards[0].put(t, patients(t).Encryptor(), 4, 5)
				time.Sleep(time.Minute)
				ok(t, h.follow(t, f, change.FromNow(), change.WithCheckpoint(checkpoint)))
				if h.String() != "4 5" {
					t.Errorf("handled %v", &h)
				}
			})
		})
	}
}

// TestFollowFailures: what passes is waited out, and nothing is lost or skipped.
func TestFollowFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := one(t, 1, 2, 3, 4, 5)
		lost := errors.New("connection reset")
		throttle := &smithy.GenericAPIError{Code: "ThrottlingException", Fault: smithy.FaultClient}
		f.failures["GetRecords"] = []error{lost, nil, &streamtypes.ExpiredIteratorException{}, throttle,
			&streamtypes.LimitExceededException{}, nil, &streamtypes.InternalServerError{}}
		f.failures["GetShardIterator"] = []error{throttle, lost}
		f.failures["DescribeStream"] = []error{lost, throttle}
		var h handled
		var stats change.Stats
		ok(t, h.follow(t, f, change.Count(&stats)))
		c := stats.Read()
		if h.String() != "1 2 3 4 5" || c.Expired != 1 || c.Throttled != 3 || c.Failed != 3 {
			t.Errorf("handled %v, %+v", &h, c)
		}
	})
}

func TestFollowEnds(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Fault: smithy.FaultClient}
	always := func(err error) []error { return slices.Repeat([]error{err}, 1000) }
	for _, c := range []struct {
		operation string
		err       error
		calls     int
	}{{"ListStreams", denied, 1}, {"DescribeStream", denied, 1}, {"GetShardIterator", denied, 1},
		{"GetRecords", denied, 1}, {"GetRecords", errors.New("no route"), 13},
		{"DescribeStream", errors.New("no route"), 13}} {
		synctest.Test(t, func(t *testing.T) {
			f := one(t, 1)
			f.failures[c.operation] = always(c.err)
			var h handled
			if err := h.follow(t, f); !errors.Is(err, c.err) || f.calls[c.operation] != c.calls {
				t.Errorf("%s: %v after %d calls", c.operation, err, f.calls[c.operation])
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var h handled
		if err := h.follow(t, &fakeStreams{}); !errors.Is(err, change.ErrNoStream) {
			t.Errorf("no stream: %v", err)
		}
		f := one(t, 1, 2)
		f.streams[0].disabled, f.streams[0].shards[0].closed = true, true
		if err := h.follow(t, f); !errors.Is(err, change.ErrNoStream) || h.String() != "1 2" {
			t.Errorf("disabled stream: %v, handled %v", err, &h)
		}
		ctx, cancel := context.WithCancel(t.Context())
		h = handled{fail: func(context.Context, change.Change[patient]) error { cancel(); return nil }}
		checkpoint := change.NewMemory()
		err := change.Follow(ctx, one(t, 1, 2), patients(t), h.handle, change.WithCheckpoint(checkpoint))
		at := must(checkpoint.Load(ctx))(t)
		if !errors.Is(err, context.Canceled) || h.String() != "1" || len(at) != 1 || at[0].Sequence != "1" {
			t.Errorf("ended context: %v, handled %v, at %+v", err, &h, at)
		}
	})
	for _, o := range []change.Option{change.Attempts(0), change.Parallel(0), change.PollEvery(0),
		change.HandlerTimeout(-1), change.UntilIdle(-1)} {
		err := change.Follow(t.Context(), one(t), patients(t), new(handled).handle, o)
		if !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%v", err)
		}
	}
}

// TestFollowGaps: each way in which changes are lost is named, and what is still
// there comes.
func TestFollowGaps(t *testing.T) {
	e := patients(t).Encryptor()
	for _, c := range []struct {
		name   string
		lose   func(t *testing.T, s *fakeStreams)
		shard  string
		after  string
		want   string
		reason string
	}{
		{"trimmed records", func(t *testing.T, f *fakeStreams) {
			s := f.streams[0].shards[0].put(t, e, 3, 4, 5)
			s.trimmed, s.records = 4, s.records[4:]
		}, "a", "2", "1 2 5", "records before"},
		{"removed shard", func(t *testing.T, f *fakeStreams) {
			f.streams[0].shards = []*fakeShard{(&fakeShard{id: "b", parent: "a"}).put(t, e, 6)}
		}, "a", "2", "1 2 6", "before it was handled"},
		{"removed line of shards", func(t *testing.T, f *fakeStreams) {
			f.streams[0].shards[0].closed = true
			f.streams[0].shards = append(f.streams[0].shards, (&fakeShard{id: "d", parent: "c"}).put(t, e, 7))
		}, "c", "", "1 2 7", "before it was read"},
		{"next stream", func(t *testing.T, f *fakeStreams) {
			f.streams[0].disabled, f.streams[0].shards[0].closed = true, true
			f.streams = append(f.streams, &fakeStream{label: "2026-02",
				shards: []*fakeShard{(&fakeShard{id: "z"}).put(t, e, 9)}})
		}, "", "", "1 2 9", "another one enabled"},
		{"stream that is gone", func(t *testing.T, f *fakeStreams) {
			f.streams = []*fakeStream{{label: "2026-02", shards: []*fakeShard{(&fakeShard{id: "z"}).put(t, e, 9)}}}
		}, "", "", "1 2 9", "another one enabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := one(t, 1, 2)
				var h handled
				checkpoint := change.WithCheckpoint(change.NewMemory())
				ok(t, h.follow(t, f, checkpoint))
				c.lose(t, f)
				err := h.follow(t, f, checkpoint)
				var gap *change.GapError
				if !errors.Is(err, change.ErrGap) || !errors.As(err, &gap) || gap.Table != "patients" ||
					gap.Shard != c.shard || gap.After != c.after || !strings.Contains(gap.Error(), c.reason) {
					t.Fatalf("%v", err)
				}
				seen := 0
				ok(t, h.follow(t, f, checkpoint, change.OnGap(func(_ context.Context, gap *change.GapError) error {
					seen++
					return nil
				})))
				if seen != 1 || h.String() != c.want {
					t.Errorf("%d gaps, handled %v", seen, &h)
				}
				ok(t, h.follow(t, f, checkpoint)) // it is told once
				if h.String() != c.want {
					t.Errorf("handled %v", &h)
				}
			})
		})
	}
}

// TestFollowHandlers: handlers that fail, panic, leave or never return.
func TestFollowHandlers(t *testing.T) {
	mishap := errors.New("mishap")
	stuck := func(ctx context.Context, c change.Change[patient]) error {
		time.Sleep(time.Hour)
		return nil
	}
	for _, c := range []struct {
		name     string
		fail     func(context.Context, change.Change[patient]) error
		want     error
		attempts int64
	}{
		{"error", func(context.Context, change.Change[patient]) error { return mishap }, mishap, 5},
		{"panic", func(context.Context, change.Change[patient]) error { panic(mishap) }, change.ErrHandler, 5},
		{"exit", func(context.Context, change.Change[patient]) error { runtime.Goexit(); return nil },
			change.ErrHandler, 5},
		{"slow", func(ctx context.Context, _ change.Change[patient]) error { <-ctx.Done(); return ctx.Err() },
			context.DeadlineExceeded, 5},
		{"stuck", stuck, change.ErrHandler, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var attempts atomic.Int64 // a stuck handler goes on
				h := handled{fail: func(ctx context.Context, p change.Change[patient]) error {
					if p.Sequence != "2" {
						return nil
					}
					attempts.Add(1)
					return c.fail(ctx, p)
				}}
				err := h.follow(t, one(t, 1, 2, 3))
				var record *change.RecordError
				if !errors.Is(err, c.want) || !errors.As(err, &record) || record.Sequence != "2" || h.String() != "1" {
					t.Errorf("%v, handled %v", err, &h)
				}
				if n := attempts.Load(); n != c.attempts {
					t.Errorf("%d attempts", n)
				}
				if c.attempts == 1 { // a stuck call is not repeated, and ends Follow
					time.Sleep(time.Hour)
					return
				}
				h.all = nil
				attempts.Store(0)
				var poisoned []string
				var stats change.Stats
				ok(t, h.follow(t, one(t, 1, 2, 3), change.Attempts(2), change.Count(&stats),
					change.Poison(func(_ context.Context, err error) error {
						if errors.As(err, &record) && errors.Is(err, c.want) {
							poisoned = append(poisoned, record.Sequence)
						}
						return nil
					})))
				n := stats.Read()
				if h.String() != "1 3" || strings.Join(poisoned, " ") != "2" || attempts.Load() != 2 ||
					n.Poisoned != 1 || n.Handled != 2 || n.Retries != 1 {
					t.Errorf("handled %v, poisoned %v, %d attempts, %+v", &h, poisoned, attempts.Load(), n)
				}
				err = h.follow(t, one(t, 1, 2, 3), change.Attempts(1),
					change.Poison(func(context.Context, error) error { return errDone }))
				if !errors.Is(err, errDone) {
					t.Errorf("poison refused: %v", err)
				}
			})
		})
	}
}

// flaky is a table whose key service fails for a time.
type flaky struct {
	change.Table[patient]
	failures int
	err      error
}

// DecodeItem fails as often as failures says.
func (f *flaky) DecodeItem(ctx context.Context, stored envelope.Item) (patient, envelope.Item, error) {
	if f.failures > 0 {
		f.failures--
		return patient{}, nil, f.err
	}
	return f.Table.DecodeItem(ctx, stored)
}

// TestFollowKeys: a key service that fails is asked again; a branch key that is
// gone for good makes poison of its records, one by one.
func TestFollowKeys(t *testing.T) {
	for _, c := range []struct {
		err      error
		failures int
		want     string
		poisoned int64
	}{{envelope.ErrMaterials, 4, "1 2", 0}, {envelope.ErrKeyDenied, 4, "1 2", 0}, {envelope.ErrMaterials, 5, "2", 1},
		{envelope.ErrTampered, 1, "2", 1}, {envelope.ErrMaterials, 100, "", 2}} {
		synctest.Test(t, func(t *testing.T) {
			var h handled
			var stats change.Stats
			f := one(t, 1)
			f.streams[0].shards[0].closed = true
			f.streams[0].shards = append(f.streams[0].shards,
				(&fakeShard{id: "b", parent: "a"}).put(t, patients(t).Encryptor(), 2))
			table := &flaky{patients(t), c.failures, fmt.Errorf("decrypt: %w", c.err)}
			ok(t, change.Follow(t.Context(), f, table, h.handle, change.UntilIdle(time.Minute), change.Count(&stats),
				change.Poison(func(_ context.Context, err error) error {
					if !errors.Is(err, c.err) {
						t.Errorf("%v", err)
					}
					return nil
				})))
			if n := stats.Read(); h.String() != c.want || n.Poisoned != c.poisoned {
				t.Errorf("%v %d times: handled %v, %+v", c.err, c.failures, &h, n)
			}
		})
	}
}

// TestFollowLag: the lag is the age of the change that waits.
func TestFollowLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stats change.Stats
		f := one(t, 1)
		time.Sleep(time.Minute)
		h := handled{fail: func(context.Context, change.Change[patient]) error {
			if lag := stats.Read().Lag; lag != time.Minute {
				t.Errorf("lag %v", lag)
			}
			return nil
		}}
		ok(t, h.follow(t, f, change.Count(&stats)))
		if n := stats.Read(); n.Lag != 0 || len(h.all) != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// slowStreams answers after a while.
type slowStreams struct {
	*fakeStreams
	wait time.Duration
}

func (s *slowStreams) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput,
	o ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	time.Sleep(s.wait)
	return s.fakeStreams.GetRecords(ctx, in, o...)
}

// TestFollowSlowReads: a read that takes longer than the time of UntilIdle is not
// a stream without records.
func TestFollowSlowReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h handled
		ok(t, h.follow(t, &slowStreams{one(t, 1, 2, 3, 4, 5), 3 * time.Minute}))
		if got := h.String(); got != "1 2 3 4 5" {
			t.Errorf("handled %q", got)
		}
	})
}
