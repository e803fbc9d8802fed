// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

// TestFollowViews: what each view gives, from a real stream of the embedded AWS.
func TestFollowViews(t *testing.T) {
	w := newWorld(t)
	for view, want := range map[types.StreamViewType]string{
		types.StreamViewTypeNewAndOldImages: "INSERT - 1, MODIFY 1 2, MODIFY 2 2 (), REMOVE 2 -",
		types.StreamViewTypeNewImage:        "INSERT - 1 ?, MODIFY - 2 ?, MODIFY - 2 ?, REMOVE - - ?",
		types.StreamViewTypeOldImage:        "INSERT - - ?, MODIFY 1 - ?, MODIFY 2 - ?, REMOVE 2 - ?",
		types.StreamViewTypeKeysOnly:        "INSERT - - ?, MODIFY - - ?, MODIFY - - ?, REMOVE - - ?",
	} {
		table := w.streamed(t, string(view), view)
		key := store.Key{Partition: "patient-1"}
		p := aPatient(1)
		ok(t, table.Put(t.Context(), p))
		p.Visits = 2
		ok(t, table.Put(t.Context(), p))
		ok(t, table.Put(t.Context(), p)) // encrypts again
		ok(t, table.Delete(t.Context(), key))
		visits := func(p *patient) string {
			if p == nil {
				return "-"
			}
			return fmt.Sprint(p.Visits)
		}
		var got []string
		for _, c := range must(first(t.Context(), w.streams, table, 4))(t) {
			text := fmt.Sprintf("%v %s %s", c.Kind, visits(c.Old), visits(c.New))
			if names, known := c.Changed(); !known {
				text += " ?"
			} else if len(names) == 0 {
				text += " ()"
			}
			id, _ := c.Key.Partition.(*types.AttributeValueMemberS)
			if id == nil || id.Value != "patient-1" || c.Sequence == "" || time.Since(c.At) > time.Hour {
				t.Errorf("%s: %+v", view, c)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s, want %s", view, text, want)
		}
	}
}

// TestFollowTampered: an item that was changed in the table is poison, and the
// one after it comes.
func TestFollowTampered(t *testing.T) {
	w := newWorld(t)
	table := w.streamed(t, "patients", types.StreamViewTypeNewImage)
	ok(t, table.Put(t.Context(), aPatient(1)))
	_, err := w.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("patients"),
		Key:                       envelope.Item{"id": &types.AttributeValueMemberS{Value: "patient-1"}},
		UpdateExpression:          aws.String("SET ward = :w"),
		ExpressionAttributeValues: envelope.Item{":w": &types.AttributeValueMemberS{Value: "south"}}})
	ok(t, err)
	ok(t, table.Put(t.Context(), aPatient(2)))
	var poisoned []error
	got, err := first(t.Context(), w.streams, table, 2, change.Poison(func(_ context.Context, err error) error {
		if errors.Is(err, errDone) { // how the test ends
			return err
		}
		poisoned = append(poisoned, err)
		return nil
	}))
	ok(t, err)
	if len(got) != 2 || *got[1].New != aPatient(2) || len(poisoned) != 1 ||
		!errors.Is(poisoned[0], envelope.ErrTampered) {
		t.Errorf("%+v, %v", got, poisoned)
	}
	if _, err := first(t.Context(), w.streams, table, 3); !errors.Is(err, envelope.ErrTampered) {
		t.Errorf("without Poison: %v", err)
	}
}

// TestTableCheckpoint: positions come back as they were saved, of one name only,
// and a process that was taken over notices.
func TestTableCheckpoint(t *testing.T) {
	w := newWorld(t)
	ok(t, change.CreateCheckpointTable(t.Context(), w.db, checkpoints))
	ok(t, change.CreateCheckpointTable(t.Context(), w.db, checkpoints)) // again is not an error
	open := func(name string) *change.TableCheckpoint {
		return must(change.NewTableCheckpoint(w.db, checkpoints, name))(t)
	}
	first, other := open("a"), open("b")
	if err := first.Save(t.Context(), change.Position{Stream: "s", Shard: "1"}); !errors.Is(err, change.ErrCheckpoint) {
		t.Errorf("Save before Load: %v", err)
	}
	must(first.Load(t.Context()))(t)
	must(other.Load(t.Context()))(t)
	positions := []change.Position{{Stream: "s", Shard: "1", Sequence: "5"},
		{Stream: "s", Shard: "2", Since: time.Date(2026, 5, 1, 2, 3, 4, 5, time.UTC)},
		{Stream: "s", Shard: "3", Sequence: "7", Done: true}}
	for _, p := range positions {
		ok(t, first.Save(t.Context(), p))
	}
	ok(t, first.Save(t.Context(), change.Position{Stream: "t", Shard: "4"}))
	ok(t, first.Remove(t.Context(), "t", "4"))
	ok(t, other.Save(t.Context(), change.Position{Stream: "s", Shard: "9"}))
	second := open("a")
	if got := must(second.Load(t.Context()))(t); !slices.Equal(got, positions) {
		t.Errorf("%+v", got)
	}
	positions[0].Sequence = "6"
	ok(t, second.Save(t.Context(), positions[0]))
	if err := first.Save(t.Context(), positions[0]); !errors.Is(err, change.ErrTakenOver) {
		t.Errorf("the first process: %v", err)
	}
	if err := first.Remove(t.Context(), "s", "1"); !errors.Is(err, change.ErrTakenOver) {
		t.Errorf("the first process: %v", err)
	}
	_, err := w.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(checkpoints),
		Item: envelope.Item{"follower": &types.AttributeValueMemberS{Value: "a"},
			"shard": &types.AttributeValueMemberS{Value: "damaged"}}})
	ok(t, err)
	if _, err := open("a").Load(t.Context()); !errors.Is(err, change.ErrCheckpoint) {
		t.Errorf("damaged: %v", err)
	}
	_, err = open("a").Load(canceled())
	if !errors.Is(err, change.ErrCheckpoint) || !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if _, err := change.NewTableCheckpoint(w.db, "", "a"); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("no table: %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestFollowTakenOver: of two followers under one name, the first one ends.
func TestFollowTakenOver(t *testing.T) {
	w := newWorld(t)
	table := w.streamed(t, "patients", types.StreamViewTypeNewImage)
	ok(t, change.CreateCheckpointTable(t.Context(), w.db, checkpoints))
	ok(t, table.Put(t.Context(), aPatient(1)))
	open := func() change.Option {
		return change.WithCheckpoint(must(change.NewTableCheckpoint(w.db, checkpoints, "a"))(t))
	}
	_, err := first(t.Context(), w.streams, table, 100, open(), change.UntilIdle(20*time.Millisecond))
	ok(t, err)
	checkpoint := must(change.NewTableCheckpoint(w.db, checkpoints, "a"))(t)
	err = change.Follow(t.Context(), w.streams, table, func(context.Context, change.Change[patient]) error {
		return nil
	}, change.WithCheckpoint(&stolen{checkpoint, w.db}), change.UntilIdle(5*time.Second),
		change.PollEvery(time.Millisecond))
	if !errors.Is(err, change.ErrTakenOver) {
		t.Errorf("%v", err)
	}
}

// stolen is a checkpoint that another process takes over after Load.
type stolen struct {
	*change.TableCheckpoint
	db *dynamodb.Client
}

// Load loads, and lets another process write every position.
func (s *stolen) Load(ctx context.Context) ([]change.Position, error) {
	if _, err := s.TableCheckpoint.Load(ctx); err != nil {
		return nil, err
	}
	thief, err := change.NewTableCheckpoint(s.db, checkpoints, "a")
	if err != nil {
		return nil, err
	}
	positions, err := thief.Load(ctx)
	for i := range positions {
		if err == nil {
			err = thief.Save(ctx, positions[i])
		}
		positions[i].Sequence = "" // so that there is something to handle
	}
	return positions, err
}

// TestFollowExpired: an iterator of the embedded AWS lives for 15 minutes, and
// records for 24 hours.
func TestFollowExpired(t *testing.T) {
	w := newWorld(t)
	table := w.streamed(t, "patients", types.StreamViewTypeNewImage)
	checkpoint := change.NewMemory()
	var stats change.Stats
	ok(t, table.Put(t.Context(), aPatient(1)))
	handle := func(_ context.Context, c change.Change[patient]) error {
		if *c.New == aPatient(1) {
			w.server.Clock.Advance(20 * time.Minute) // a slow handler
			return table.Put(t.Context(), aPatient(2))
		}
		return errDone
	}
	follow := func(options ...change.Option) error {
		return change.Follow(t.Context(), w.streams, table, handle, append([]change.Option{change.Attempts(1),
			change.WithCheckpoint(checkpoint), change.Count(&stats), change.PollEvery(time.Millisecond)},
			options...)...)
	}
	if err := follow(); !errors.Is(err, errDone) || stats.Read().Expired != 1 {
		t.Errorf("%v, %+v", err, stats.Read())
	}
	w.server.Clock.Advance(25 * time.Hour)
	ok(t, table.Put(t.Context(), aPatient(3)))
	var gap *change.GapError
	if err := follow(); !errors.As(err, &gap) || gap.After == "" {
		t.Errorf("after a day: %v", err)
	}
}
