// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/testenv"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	crashDirEnv    = "DDBSEAL_TEST_CRASH_DIR"
	crashStreamEnv = "DDBSEAL_TEST_CRASH_STREAM" // the tables have streams
)

func TestMain(m *testing.M) {
	remove := testenv.Isolate()
	if dir := os.Getenv(crashDirEnv); dir != "" {
		if err := crashWriter(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// lastingKeys is a KMS of one key that outlives the process.
type lastingKeys struct{ *fakeKeys }

const lastingKey = "arn:aws:kms:us-east-1:111122223333:key/lasting"

func newLastingKeys() lastingKeys {
	k := lastingKeys{newFakeKeys()}
	k.set(lastingKey, "Enabled")
	return k
}

func (k lastingKeys) aead() cipher.AEAD {
	block, err := aes.NewCipher([]byte("a key that only this test knows!"))
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return a
}

func (k lastingKeys) Decrypt(_ context.Context, c *request.Call, arn string, blob []byte,
	bound map[string]string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.use("Decrypt", c, arn); err != nil {
		return nil, err
	}
	return k.aead().Open(nil, nil, blob, fmt.Append(nil, bound))
}

func (k lastingKeys) GenerateDataKey(_ context.Context, c *request.Call, arn string,
	bound map[string]string) ([]byte, []byte, error) {
	key := make([]byte, 32)
	rand.Read(key)
	return key, k.aead().Seal(nil, nil, key, fmt.Append(nil, bound)), nil
}

// Every value and key that a crash test writes holds one of these, so that a
// search of the files finds them if they lie there in the clear.
const (
	clearValue = "VALUE-IN-THE-CLEAR"
	clearKey   = "KEY-IN-THE-CLEAR"
)

const crashWriters = 6

// crashWriter is the process that gets killed: its writers put, overwrite and
// delete items, alone and in transactions, and say on stdout what was
// acknowledged.
func crashWriter(dir string) error {
	store, err := storage.Open(dir, nil)
	if err != nil {
		return err
	}
	s, err := New(Config{Store: store, Authorizer: &world{}, Keys: newLastingKeys(), Principals: &world{},
		ShardLife: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	serve := func(operation string, in members) error {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		_, err = s.Serve(context.Background(), userCall("admin", operation, body))
		return err
	}
	for table, sse := range map[string]members{"crash": customKey(lastingKey), "owned": {}} {
		in := members{"TableName": table, "BillingMode": "PAY_PER_REQUEST",
			"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}},
			"KeySchema":            []members{{"AttributeName": "pk", "KeyType": "HASH"}}}
		for k, v := range sse {
			in[k] = v
		}
		if os.Getenv(crashStreamEnv) != "" {
			maps.Copy(in, streamOn("NEW_AND_OLD_IMAGES"))
		}
		if err := serve("CreateTable", in); err != nil && !strings.Contains(err.Error(), "already exists") {
			return err
		}
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	errs := make(chan error, crashWriters)
	start := os.Getpid() // another range of keys in every process
	for writer := range crashWriters {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := func(i int) members {
					return members{"pk": str(fmt.Sprintf("%s-%d-%d-%d", clearKey, start, writer, i))}
				}
				item := func(i int) members {
					it := key(i)
					it["v"] = str(fmt.Sprintf("%s-%d-%d", clearValue, writer, i))
					return it
				}
				put := func(table string, i int) members {
					return members{"Put": members{"TableName": table, "Item": item(i)}}
				}
				var err error
				what := "put"
				switch i % 3 {
				case 0:
					err = serve("PutItem", members{"TableName": "crash", "Item": item(i)})
				case 1:
					what = "both"
					err = serve("TransactWriteItems",
						members{"TransactItems": []members{put("crash", i), put("owned", i)}})
				case 2:
					what = "gone"
					if err = serve("PutItem", members{"TableName": "crash", "Item": item(i)}); err == nil {
						err = serve("DeleteItem", members{"TableName": "crash", "Key": key(i)})
					}
				}
				if err != nil {
					errs <- err
					return
				}
				out.Lock()
				fmt.Printf("%s %d %d %d\n", what, start, writer, i)
				out.Unlock()
			}
		})
	}
	return <-errs
}

// TestKill9 kills a writing process in a loop and looks for everything that it
// had acknowledged.
func TestKill9(t *testing.T) {
	kill9(t, 100)
}

// TestKill9Stream is TestKill9 with streams, whose records must make the items.
func TestKill9Stream(t *testing.T) {
	t.Setenv(crashStreamEnv, "1")
	kill9(t, 20)
}

func kill9(t *testing.T, rounds int) {
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	acknowledged := map[string]string{} // key to what
	for round := range rounds {
		lines := killWriter(t, dir, 40+round%7*15)
		for _, line := range lines {
			var what string
			var pid, writer, i int
			if n, _ := fmt.Sscanf(line, "%s %d %d %d", &what, &pid, &writer, &i); n != 4 {
				t.Fatalf("the writer said %q", line)
			}
			acknowledged[fmt.Sprintf("%s-%d-%d-%d", clearKey, pid, writer, i)] = what
		}
		checkCrashed(t, dir, acknowledged)
	}
	t.Logf("%d writes survived %d kills", len(acknowledged), rounds)
	searchFiles(t, dir)
}

// killWriter starts a writer, kills it after so many acknowledgements and
// returns all of them.
func killWriter(t *testing.T, dir string, after int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDirEnv+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	in := bufio.NewScanner(stdout)
	for in.Scan() {
		lines = append(lines, in.Text())
		if len(lines) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait() // it was killed
	if len(lines) < after {
		t.Fatalf("the writer stopped after %d writes: %s", len(lines), stderr.String())
	}
	return lines
}

// checkCrashed looks for what was acknowledged in the items, and replays the streams.
func checkCrashed(t *testing.T, dir string, acknowledged map[string]string) {
	t.Helper()
	store, err := storage.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys := newLastingKeys()
	w := &world{t: t, keys: keys.fakeKeys, cfg: Config{Store: store, Keys: keys}}
	w.cfg.Authorizer, w.cfg.Principals = w, w
	w.restart()
	found := map[string]map[string]string{"crash": {}, "owned": {}}
	for table := range found {
		items, _ := w.all("Scan", members{"TableName": table})
		for _, it := range items {
			found[table][it["pk"].(members)["S"].(string)] = it["v"].(members)["S"].(string)
		}
	}
	for key, what := range acknowledged {
		part := strings.Split(key, "-")
		value := fmt.Sprintf("%s-%s-%s", clearValue, part[len(part)-2], part[len(part)-1])
		got, there := found["crash"][key]
		switch what {
		case "gone":
			if there {
				t.Fatalf("%s was deleted and is there", key)
			}
			continue
		case "both":
			if found["owned"][key] != value {
				t.Fatalf("%s is lost in the second table", key)
			}
		}
		if got != value {
			t.Fatalf("%s is lost: %q", key, got)
		}
	}
	for key := range found["owned"] {
		if found["crash"][key] == "" {
			t.Fatalf("%s is half of a transaction", key)
		}
	}
	for table, items := range found {
		if os.Getenv(crashStreamEnv) != "" {
			checkReplay(t, w, table, items)
		}
	}
}

// checkReplay makes the items of a table from its stream. Every change has a record
// if and only if it is there.
func checkReplay(t *testing.T, w *world, table string, items map[string]string) {
	t.Helper()
	of := w.s.streams.Find(w.described(table)["LatestStreamArn"].(string))
	replayed, records := map[string]string{}, 0
	for _, shard := range of.Describe(time.Now()).Shards {
		next, err := of.Oldest(shard.ID, time.Now())
		for end := false; !end && err == nil; records++ {
			var got stream.Batch
			if got, err = of.Read(shard.ID, next, 1, time.Now()); len(got.Records) == 0 {
				break
			}
			next, end = got.Next, got.End
			r := got.Records[0]
			key := r.Keys["pk"].(*types.AttributeValueMemberS).Value
			old := ""
			if r.Old != nil {
				old = r.Old["v"].(*types.AttributeValueMemberS).Value
			}
			if replayed[key] != old {
				t.Fatalf("%s: a record of %s changes %q, and there was %q", table, key, old, replayed[key])
			}
			if delete(replayed, key); r.New != nil {
				replayed[key] = r.New["v"].(*types.AttributeValueMemberS).Value
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !maps.Equal(replayed, items) {
		t.Fatalf("%s: %d records make %d items, and there are %d", table, records, len(replayed), len(items))
	}
}

// searchFiles looks for item values, key values and the owned table's key in
// everything that lies on disk.
func searchFiles(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Store: store, Authorizer: &world{t: t}, Keys: newLastingKeys(), Principals: &world{t: t}})
	if err != nil {
		t.Fatal(err)
	}
	secret := slices.Clone(s.lookup(schema.Target{Place: wire.Place{Account: testAccount, Region: testRegion},
		Name: "owned"}).def.Encryption.TableKey)
	if len(secret) != 32 {
		t.Fatal("no table key to look for")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	searched := 0
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		searched += len(raw)
		for _, needle := range [][]byte{[]byte(clearValue), []byte(clearKey), secret,
			[]byte(hex.EncodeToString(secret)), []byte(base64.StdEncoding.EncodeToString(secret))} {
			if bytes.Contains(raw, needle) {
				t.Errorf("%s holds %q in the clear", e.Name(), needle)
			}
		}
	}
	if searched < 10_000 {
		t.Errorf("only %d bytes were searched", searched)
	}
}

func TestRestartNeedsTheKey(t *testing.T) {
	dir := t.TempDir()
	keys := newLastingKeys()
	w := &world{t: t, keys: keys.fakeKeys, cfg: Config{Store: mustOpen(t, dir), Keys: keys}}
	w.cfg.Authorizer, w.cfg.Principals = w, w
	w.restart()
	w.table("crash", "", customKey(lastingKey))
	w.do("PutItem", members{"TableName": "crash", "Item": members{"pk": str(clearKey), "v": str(clearValue)}})
	before, err := w.s.DiskView(t.Context(), testAccount, testRegion, "crash",
		userItem(t, `{"pk": {"S": "`+clearKey+`"}}`))
	if err != nil || !before.Stored {
		t.Fatalf("%+v, %v", before, err)
	}
	if err := w.cfg.Store.Close(); err != nil {
		t.Fatal(err)
	}
	w.cfg.Store = mustOpen(t, dir)
	defer w.cfg.Store.Close()
	w.restart()
	d := w.do("DescribeTable", members{"TableName": "crash"})["Table"].(members)
	if d["ItemCount"] != 1.0 {
		t.Errorf("the sealed table counts %v items", d["ItemCount"])
	}
	key := userItem(t, `{"pk": {"S": "`+clearKey+`"}}`)
	if _, err := w.s.DiskView(t.Context(), testAccount, testRegion, "crash", key); err == nil {
		t.Error("a view of a table that was not unwrapped")
	}
	keys.set(lastingKey, "Disabled")
	w.fails("Scan", members{"TableName": "crash"}, "ValidationException", "KMS key disabled error: …")
	keys.set(lastingKey, "Enabled")
	keys.denied["eve"] = true
	_, err = w.try("eve", "Scan", members{"TableName": "crash"})
	checkError(t, "Scan", err, "AccessDeniedException", "KMS key access denied error: …")
	if n := w.do("Scan", members{"TableName": "crash"})["Count"]; n != 1.0 {
		t.Error(n)
	}
	after, err := w.s.DiskView(t.Context(), testAccount, testRegion, "crash", key)
	if err != nil || after.Key != before.Key || !bytes.Equal(after.Sealed, before.Sealed) {
		t.Errorf("the view changed: %+v, %v", after, err)
	}
	w.do("DeleteTable", members{"TableName": "crash"})
	left := 0
	if err := w.cfg.Store.Range(storage.Bucket{Name: before.Bucket, PlainValues: true},
		func(_, _ []byte) error { left++; return nil }); err != nil || left != 0 {
		t.Errorf("%d items outlive their table, %v", left, err)
	}
}

// TestResealedOnSwitch: after a switch of keys nothing of the old sealing is
// left in the file's live entries, and the new one survives a restart.
func TestResealedOnSwitch(t *testing.T) {
	dir := t.TempDir()
	keys := newLastingKeys()
	w := &world{t: t, keys: keys.fakeKeys, cfg: Config{Store: mustOpen(t, dir), Keys: keys}}
	w.cfg.Authorizer, w.cfg.Principals = w, w
	w.restart()
	w.table("crash", "", nil)
	for i := range 20 {
		w.do("PutItem", members{"TableName": "crash", "Item": members{"pk": str(fmt.Sprint(i))}})
	}
	key := userItem(t, `{"pk": {"S": "7"}}`)
	before, err := w.s.DiskView(t.Context(), testAccount, testRegion, "crash", key)
	if err != nil {
		t.Fatal(err)
	}
	w.do("UpdateTable", members{"TableName": "crash", "SSESpecification": customKey(lastingKey)["SSESpecification"]})
	after, err := w.s.DiskView(t.Context(), testAccount, testRegion, "crash", key)
	if err != nil || after.Key == before.Key || bytes.Equal(after.Sealed, before.Sealed) ||
		after.Bucket == before.Bucket {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	if err := w.cfg.Store.Close(); err != nil {
		t.Fatal(err)
	}
	w.cfg.Store = mustOpen(t, dir)
	defer w.cfg.Store.Close()
	w.restart()
	if n := w.do("Scan", members{"TableName": "crash"})["Count"]; n != 20.0 {
		t.Errorf("%v items after switch and restart", n)
	}
}
