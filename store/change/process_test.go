// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

// Variables that make the test binary a following process.
const (
	childURL    = "DDBSEAL_TEST_CHANGE_URL"
	childKey    = "DDBSEAL_TEST_CHANGE_KEY"
	childSecret = "DDBSEAL_TEST_CHANGE_SECRET"
	childFile   = "DDBSEAL_TEST_CHANGE_FILE"
)

// wantedKills is read before testenv.Isolate clears the environment.
var wantedKills = os.Getenv("DDBSEAL_CHANGE_KILLS")

const checkpoints = "checkpoints"

// entry is a line of the file to which a following process writes what it
// handled. A process of its own writes each file.
type entry struct {
	ID, Kind, Sequence string
	Visits             int
}

// lossy loses the answer of some requests that the server has answered.
type lossy struct{ rate float64 }

// RoundTrip sends the request, and now and then fails although it was served.
func (l lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && rand.Float64() < l.rate {
		return nil, errors.Join(errors.New("the answer is lost"), out.Body.Close())
	}
	return out, err
}

// child follows the table until nothing comes any more.
func child() error {
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(os.Getenv(childURL)), Retryer: patient10,
		HTTPClient: &http.Client{Transport: lossy{0.05}},
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv(childKey), os.Getenv(childSecret),
			"")}
	db := dynamodb.NewFromConfig(cfg)
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key-1", Key: make([]byte, 32)})
	if err != nil {
		return err
	}
	table, err := store.New[patient](db, "patients",
		store.ClientSide{Keyring: k, AlgorithmSuite: envelope.SuiteSymmetricSignature})
	if err != nil {
		return err
	}
	checkpoint, err := change.NewTableCheckpoint(db, checkpoints, "test")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(os.Getenv(childFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	return change.Follow(context.Background(), dynamodbstreams.NewFromConfig(cfg), table,
		func(_ context.Context, c change.Change[patient]) error {
			id, _ := c.Key.Partition.(*types.AttributeValueMemberS)
			e := entry{ID: id.Value, Kind: c.Kind.String(), Sequence: c.Sequence}
			if c.New != nil {
				e.Visits = c.New.Visits
			}
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			_, err = file.Write(append(line, '\n'))
			return err
		}, change.WithCheckpoint(checkpoint), change.PollEvery(10*time.Millisecond),
		change.UntilIdle(400*time.Millisecond))
}

// TestFollowKilled: processes that follow a table are killed, again and again,
// while writers write, shards split and answers are lost. Every change is handled
// at least once, the changes of each key in order, and the state that the changes
// add up to is the table's. DDBSEAL_CHANGE_KILLS sets the number of kills.
func TestFollowKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	kills := 3
	if n, err := strconv.Atoi(wantedKills); err == nil {
		kills = n
	}
	w := newWorld(t)
	table := w.streamed(t, "patients", types.StreamViewTypeNewAndOldImages)
	ok(t, change.CreateCheckpointTable(t.Context(), w.db, checkpoints))
	ok(t, w.server.SetFaults(localaws.Faults{Rules: []localaws.Fault{
		{Kind: localaws.FaultShardSplit, Table: "patients", Rate: 0.03},
		{Kind: localaws.FaultInternal, Rate: 0.01}, {Kind: localaws.FaultThrottle, Rate: 0.01}}}))
	listener, err := w.server.Listen("127.0.0.1:0")
	ok(t, err)
	keys := w.server.RootCredentials()

	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for writer := range 3 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(writer), 1))
			for n := 0; ctx.Err() == nil; n++ {
				p := aPatient(random.IntN(12))
				if random.IntN(4) == 0 {
					ignore(table.Delete(ctx, store.Key{Partition: p.ID}))
				} else {
					p.Visits = writer*1_000_000 + n
					ignore(table.Put(ctx, p))
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	dir := t.TempDir()
	run := func(number int) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childURL+"="+listener.URL(), childKey+"="+keys.AccessKeyID,
			childSecret+"="+keys.SecretAccessKey, childFile+"="+logOf(dir, number))
		cmd.Stderr = os.Stderr
		ok(t, cmd.Start())
		return cmd
	}
	for number := range kills {
		cmd := run(number)
		for range 1000 { // until it is at work
			if info, err := os.Stat(logOf(dir, number)); err == nil && info.Size() > 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(rand.N(40 * time.Millisecond))
		ok(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}
	stop()
	writers.Wait()
	ok(t, w.server.SetFaults(localaws.Faults{}))
	ok(t, run(kills).Wait())

	written := w.everything(t, "patients")
	seen, state := map[string]bool{}, map[string]int{}
	order := map[string][]string{} // of each key: the changes as they were first seen
	for number := range kills + 1 {
		last := map[string]int{}
		for _, e := range entries(t, logOf(dir, number)) {
			_, known := slices.BinarySearch(written.sequences, e.Sequence)
			if !known {
				t.Fatalf("process %d handled an unknown change %+v", number, e)
			}
			place := slices.Index(written.order[e.ID], e.Sequence)
			if previous, is := last[e.ID]; is && place <= previous {
				t.Errorf("process %d: change %d of %s after change %d", number, place, e.ID, previous)
			}
			last[e.ID] = place
			if !seen[e.Sequence] {
				seen[e.Sequence], order[e.ID] = true, append(order[e.ID], e.Sequence)
			}
			if state[e.ID] = e.Visits; e.Kind == "REMOVE" {
				delete(state, e.ID)
			}
		}
	}
	for id, want := range written.order {
		if !slices.Equal(order[id], want) {
			t.Errorf("%s: %d changes were seen in the order %v, %d were written: %v", id, len(order[id]), order[id],
				len(want), want)
		}
	}
	stored := map[string]int{}
	for p, err := range table.Scan(t.Context(), store.Scan{}) {
		ok(t, err)
		stored[p.ID] = p.Visits
	}
	if !maps.Equal(state, stored) || len(written.sequences) < 10*kills || len(written.order) < 5 {
		t.Errorf("state %v, table %v, %d changes", state, stored, len(written.sequences))
	}
	t.Logf("%d changes, %d shards, %d kills", len(written.sequences), written.shards, kills)
}

func logOf(dir string, number int) string { return filepath.Join(dir, fmt.Sprintf("%03d", number)) }

// ignore drops the error of a write that may fail: the stream says what was done.
func ignore(error) {}

func entries(t *testing.T, path string) (out []entry) {
	t.Helper()
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) { // it was killed before
		return nil
	}
	ok(t, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			log.Printf("a line of %s is cut off", path)
			continue
		}
		out = append(out, e)
	}
	return out
}

// written is what a stream holds, read without package change.
type written struct {
	sequences []string // sorted as text
	order     map[string][]string
	shards    int
}

func (w *world) everything(t *testing.T, table string) written {
	t.Helper()
	out := written{order: map[string][]string{}}
	list, err := w.streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: &table})
	ok(t, err)
	arn := list.Streams[0].StreamArn
	type record struct{ id, sequence string }
	var all []record
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: arn}
	for {
		d, err := w.streams.DescribeStream(t.Context(), in)
		ok(t, err)
		for _, shard := range d.StreamDescription.Shards {
			out.shards++
			at, err := w.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: arn,
				ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
			ok(t, err)
			for next := at.ShardIterator; next != nil; {
				page, err := w.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: next})
				ok(t, err)
				for _, r := range page.Records {
					id := r.Dynamodb.Keys["id"].(*streamtypes.AttributeValueMemberS)
					all = append(all, record{id.Value, *r.Dynamodb.SequenceNumber})
				}
				if next = page.NextShardIterator; len(page.Records) == 0 {
					break
				}
			}
		}
		if in.ExclusiveStartShardId = d.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			break
		}
	}
	// Sequence numbers of one key grow; as text they are of one length or longer.
	slices.SortFunc(all, func(a, b record) int {
		if len(a.sequence) != len(b.sequence) {
			return len(a.sequence) - len(b.sequence)
		}
		return strings.Compare(a.sequence, b.sequence)
	})
	for _, r := range all {
		out.order[r.id] = append(out.order[r.id], r.sequence)
		out.sequences = append(out.sequences, r.sequence)
	}
	slices.Sort(out.sequences)
	return out
}
