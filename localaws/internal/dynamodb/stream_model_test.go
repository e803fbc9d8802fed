// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
	"pgregory.net/rapid"
)

// streamModel is a table with its streams as lists of what must be in them. Every
// write puts a number that no other write puts, so a change is known by the numbers
// before and after it.
type streamModel struct {
	w       *world
	t       *rapid.T
	items   map[string]int
	number  int
	split   bool           // the next record splits its shard
	streams []*modelStream // the last is on if on is true
	on      bool
	open    []modelReader
}

type modelStream struct {
	arn    string
	log    []modelEvent
	ended  time.Time
	shards map[string][]modelRecord // what was seen of each, in order
}

type modelEvent struct {
	id, key string
	at      time.Time
}

type modelRecord struct {
	modelEvent
	sequence uint64
}

// modelReader is an iterator that is kept for later.
type modelReader struct {
	of    *modelStream
	token string
}

// change notes a change of an item. The number 0 stands for a missing item.
func (m *streamModel) change(key string, next int) {
	old := m.items[key]
	if next == 0 {
		delete(m.items, key)
	} else {
		m.items[key] = next
	}
	if m.on && old != next {
		last := m.streams[len(m.streams)-1]
		last.log = append(last.log, modelEvent{fmt.Sprintf("%s %d %d", key, old, next), key, m.w.clock()})
	}
}

// write draws one write: a new number, the number that is there, or a deletion. It
// returns the members of a transaction or a batch.
func (m *streamModel) write(key string) (transact, batch members, apply func()) {
	next := 0
	switch rapid.SampledFrom([]string{"put", "put", "same", "delete"}).Draw(m.t, "write") {
	case "put":
		m.number++
		next = m.number
	case "same":
		next = m.items[key]
	}
	apply = func() { m.change(key, next) }
	if next == 0 {
		k := members{"pk": str(key)}
		return members{"Delete": members{"TableName": "one", "Key": k}},
			members{"DeleteRequest": members{"Key": k}}, apply
	}
	it := members{"pk": str(key), "n": num(next)}
	return members{"Put": members{"TableName": "one", "Item": it}}, members{"PutRequest": members{"Item": it}}, apply
}

var streamKeys = []string{"a", "b", "c", "d", "e", "f"}

func (m *streamModel) single(*rapid.T) {
	transact, _, apply := m.write(rapid.SampledFrom(streamKeys).Draw(m.t, "key"))
	for kind, in := range transact {
		m.w.do(kind+"Item", in)
	}
	apply()
}

func (m *streamModel) several(*rapid.T) {
	keys := rapid.Permutation(streamKeys).Draw(m.t, "keys")[:rapid.IntRange(1, 4).Draw(m.t, "writes")]
	batch := rapid.Bool().Draw(m.t, "batch")
	var list []members
	var applies []func()
	for _, key := range keys {
		transact, of, apply := m.write(key)
		if batch {
			transact = of
		}
		list, applies = append(list, transact), append(applies, apply)
	}
	if batch {
		m.w.do("BatchWriteItem", members{"RequestItems": members{"one": list}})
	} else {
		m.w.do("TransactWriteItems", members{"TransactItems": list})
	}
	for _, apply := range applies {
		apply()
	}
}

func (m *streamModel) toggle(*rapid.T) {
	in := streamOff("one")
	if !m.on {
		in = streamOn("NEW_AND_OLD_IMAGES")
		in["TableName"] = "one"
	}
	out := m.w.do("UpdateTable", in)["TableDescription"].(members)
	if m.on = !m.on; m.on {
		m.streams = append(m.streams, &modelStream{arn: out["LatestStreamArn"].(string),
			shards: map[string][]modelRecord{}})
	} else {
		m.streams[len(m.streams)-1].ended = m.w.clock()
	}
}

func (m *streamModel) rekey(*rapid.T) {
	key := m.w.keys.newKey(fmt.Sprintf("key-%d", m.w.clock().UnixNano()))
	_, err := m.w.try("admin", "UpdateTable", members{"TableName": "one",
		"SSESpecification": customKey(key)["SSESpecification"]})
	var refused *request.Error
	if err != nil && !(errors.As(err, &refused) && (refused.Code == "LimitExceededException" ||
		refused.Code == "ValidationException")) {
		m.t.Fatal(err)
	}
}

func (m *streamModel) wait(t *rapid.T) {
	m.check(t) // sees every record before it is trimmed
	m.w.advance(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 4 * time.Minute, 16 * time.Minute,
		time.Hour, 5 * time.Hour, 23 * time.Hour, 25 * time.Hour}).Draw(m.t, "time"))
}

// recent returns the events that are not trimmed.
func recent[T any](list []T, now time.Time, at func(T) time.Time) (out []T) {
	for _, e := range list {
		if !at(e).Before(now.Add(-stream.Retention)) {
			out = append(out, e)
		}
	}
	return out
}

// read reads an iterator to its end, in pages of a size.
func (m *streamModel) read(token any, limit int) (ids []string, sequences []uint64, closed bool, err error) {
	for token != nil {
		got, err := m.w.try("admin", "GetRecords", members{"ShardIterator": token, "Limit": limit})
		if err != nil {
			return nil, nil, false, err
		}
		list := got["Records"].([]any)
		for _, r := range list {
			data := r.(members)["dynamodb"].(members)
			number := func(image string) any {
				if it, ok := data[image].(members); ok {
					return it["n"].(members)["N"]
				}
				return 0
			}
			ids = append(ids, fmt.Sprint(data["Keys"].(members)["pk"].(members)["S"], " ", number("OldImage"), " ",
				number("NewImage")))
			n, ok := stream.ParseSequence(data["SequenceNumber"].(string))
			if !ok {
				m.t.Fatalf("sequence number %v", data["SequenceNumber"])
			}
			sequences = append(sequences, n)
		}
		if token = got["NextShardIterator"]; len(list) == 0 {
			return ids, sequences, token == nil, nil
		}
	}
	return ids, sequences, true, nil
}

// check reads all streams and compares them with what must be in them.
func (m *streamModel) check(*rapid.T) {
	now := m.w.clock()
	m.streams = slices.DeleteFunc(m.streams, func(s *modelStream) bool {
		return !s.ended.IsZero() && !now.Before(s.ended.Add(stream.Retention))
	})
	if listed := m.w.do("ListStreams", members{})["Streams"].([]any); len(listed) != len(m.streams) {
		m.t.Fatalf("%d streams are listed, want %d", len(listed), len(m.streams))
	}
	for _, s := range m.streams {
		m.checkStream(s, now)
	}
}

func (m *streamModel) checkStream(s *modelStream, now time.Time) {
	want := recent(s.log, now, func(e modelEvent) time.Time { return e.at })
	byID := map[string]modelEvent{}
	for _, e := range s.log {
		byID[e.id] = e
	}
	perKey := map[string][]string{}
	total := 0
	ends := map[string]uint64{}
	for _, shard := range m.w.shards(s.arn) {
		id := shard["ShardId"].(string)
		ids, sequences, closed, err := m.read(m.w.iterator(s.arn, id, "TRIM_HORIZON", nil), 1000)
		if err != nil {
			m.t.Fatal(err)
		}
		first, last := m.bounds(shard)
		if (last != 0) != closed {
			m.t.Fatalf("shard %v: the end of its records says that it is closed: %v", shard, closed)
		}
		if parent, ok := shard["ParentShardId"].(string); ok && ends[parent] > first {
			m.t.Fatalf("shard %v begins before the end %d of its parent", shard, ends[parent])
		}
		ends[id] = last
		before := first
		for n, sequence := range sequences {
			if sequence <= before || last != 0 && sequence > last {
				m.t.Fatalf("shard %v: sequence number %d after %d", shard, sequence, before)
			}
			before = sequence
			e, ok := byID[ids[n]]
			if !ok {
				m.t.Fatalf("shard %s has %q, which never happened", id, ids[n])
			}
			perKey[e.key] = append(perKey[e.key], e.id)
			total++
			if seen := s.shards[id]; len(seen) == 0 || seen[len(seen)-1].sequence < sequence {
				s.shards[id] = append(seen, modelRecord{e, sequence})
			}
		}
		m.checkIterators(s, id, now)
	}
	wanted := map[string][]string{}
	for _, e := range want {
		wanted[e.key] = append(wanted[e.key], e.id)
	}
	if total != len(want) || !maps.EqualFunc(perKey, wanted, slices.Equal) {
		m.t.Fatalf("%s has %v, want %v", s.arn, perKey, wanted)
	}
}

func (m *streamModel) bounds(shard members) (first, last uint64) {
	numbers := shard["SequenceNumberRange"].(members)
	first, _ = stream.ParseSequence(numbers["StartingSequenceNumber"].(string))
	if text, ok := numbers["EndingSequenceNumber"].(string); ok {
		last, _ = stream.ParseSequence(text)
	}
	return first, last
}

// checkIterators reads a shard with an iterator of each type.
func (m *streamModel) checkIterators(s *modelStream, shard string, now time.Time) {
	at := func(r modelRecord) time.Time { return r.at }
	all := s.shards[shard]
	have := recent(all, now, at)
	limit := rapid.IntRange(1, 4).Draw(m.t, "limit")
	expect := func(kind string, more members, want []modelRecord) {
		ids, _, _, err := m.read(m.w.iterator(s.arn, shard, kind, more), limit)
		if err != nil || !slices.EqualFunc(ids, want, func(id string, r modelRecord) bool { return id == r.id }) {
			m.t.Fatalf("%s %v: %v, %v, want %v", kind, more, ids, err, want)
		}
	}
	expect("TRIM_HORIZON", nil, have)
	expect("LATEST", nil, nil)
	if len(all) == 0 {
		return
	}
	n := rapid.IntRange(0, len(all)-1).Draw(m.t, "record")
	seconds := members{"Timestamp": float64(all[n].at.UnixMilli()) / 1000}
	expect("AT_TIMESTAMP", seconds, slices.DeleteFunc(slices.Clone(have), func(r modelRecord) bool {
		return r.at.Before(all[n].at)
	}))
	for kind, skip := range map[string]int{"AT_SEQUENCE_NUMBER": 0, "AFTER_SEQUENCE_NUMBER": 1} {
		number := members{"SequenceNumber": stream.FormatSequence(all[n].sequence)}
		rest := all[n+skip:]
		if len(recent(rest, now, at)) == len(rest) {
			expect(kind, number, rest)
			continue
		}
		in := members{"StreamArn": s.arn, "ShardId": shard, "ShardIteratorType": kind}
		maps.Copy(in, number)
		got, err := m.w.try("admin", "GetShardIterator", in)
		if err == nil { // the records are still sealed after a restart
			_, _, _, err = m.read(got["ShardIterator"], 1)
		}
		m.refused(kind, err, "TrimmedDataAccessException")
	}
	kind := rapid.SampledFrom([]string{"TRIM_HORIZON", "LATEST"}).Draw(m.t, "kept")
	m.open = append(m.open, modelReader{s, m.w.iterator(s.arn, shard, kind, nil)})
}

func (m *streamModel) refused(what string, err error, code string) {
	var e *request.Error
	if !errors.As(err, &e) || e.Code != code {
		m.t.Fatalf("%s: %v, want %s", what, err, code)
	}
}

// resume reads the iterators that were kept, after whatever happened since.
func (m *streamModel) resume(t *rapid.T) {
	m.check(t) // what is in the shards now
	now := m.w.clock()
	for _, r := range m.open {
		if !slices.Contains(m.streams, r.of) {
			continue
		}
		i, ok := stream.ParseIterator(r.token)
		if !ok {
			m.t.Fatalf("iterator %q", r.token)
		}
		all := r.of.shards[i.Shard]
		from := slices.IndexFunc(all, func(r modelRecord) bool { return r.sequence >= i.Position })
		if from < 0 {
			from = len(all)
		}
		ids, _, _, err := m.read(r.token, 1000)
		have := recent(all[from:], now, func(r modelRecord) time.Time { return r.at })
		switch {
		case now.Sub(i.Issued) > stream.IteratorLife:
			m.refused("an old iterator", err, "ExpiredIteratorException")
		case len(have) < len(all[from:]), !slices.ContainsFunc(m.w.shards(r.of.arn), func(shard members) bool {
			return shard["ShardId"] == i.Shard
		}):
			m.refused("an iterator of trimmed records", err, "TrimmedDataAccessException")
		case err != nil || !slices.EqualFunc(ids, have, func(id string, r modelRecord) bool { return id == r.id }):
			m.t.Fatalf("a kept iterator reads %v, %v, want %v", ids, err, have)
		}
	}
	m.open = nil
}

// TestStreamModel does random things to a table and its streams, and compares what
// the streams hold with a list of all changes: each change that is not too old is
// there once, a key's changes are in order, and every iterator reads what its type
// says. Shards split and close, records are trimmed, and the server restarts.
func TestStreamModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &streamModel{t: rt, items: map[string]int{}}
		m.w = newWorld(t, func(c *Config) {
			c.Store = storagetest.NewRecorder()
			c.Faults.Split = func(string) bool {
				split := m.split
				m.split = false
				return split
			}
		})
		m.w.table("one", "", nil)
		m.toggle(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"single":  m.single,
			"single2": m.single,
			"several": m.several,
			"split":   func(*rapid.T) { m.split = true },
			"wait":    m.wait,
			"restart": func(*rapid.T) { m.w.restart() },
			"toggle":  m.toggle,
			"rekey":   m.rekey,
			"check":   m.check,
			"resume":  m.resume,
		})
		m.resume(rt)
	})
}
