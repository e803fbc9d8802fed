// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/testenv"
	"github.com/ddbseal/ddbseal/localaws"
)

const (
	killDirEnv  = "DDBSEAL_TEST_KILL_DIR"
	killTimeEnv = "DDBSEAL_TEST_KILL_TIME"
)

func TestMain(m *testing.M) {
	remove := testenv.Isolate()
	if dir := os.Getenv(killDirEnv); dir != "" {
		fmt.Fprintln(os.Stderr, serveUntilKilled(dir))
		os.Exit(1)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// serveUntilKilled is the process that gets killed. Its clock runs a million
// times too fast, for the four changes of key that a table may have in a day.
func serveUntilKilled(dir string) error {
	first, err := strconv.ParseInt(os.Getenv(killTimeEnv), 10, 64)
	if err != nil {
		return err
	}
	start := time.Now()
	s, err := localaws.New(localaws.Options{DataDir: dir,
		Clock: func() time.Time { return time.Unix(first, 0).Add(1_000_000 * time.Since(start)) }})
	if err != nil {
		return err
	}
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.URL(), s.RootCredentials().AccessKeyID, s.RootCredentials().SecretAccessKey)
	select {}
}

// victim is the running server process and clients of it.
type victim struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	root   aws.Config
	tables *dynamodb.Client
	keys   *kms.Client
	people *iam.Client
	left   atomic.Int64 // acknowledgements until it is killed
}

func (h *killHistory) start(t *testing.T) *victim {
	t.Helper()
	v := &victim{cmd: exec.Command(os.Args[0])}
	v.cmd.Env = append(os.Environ(), killDirEnv+"="+h.dir, killTimeEnv+"="+strconv.FormatInt(h.clock, 10))
	h.clock += 60_000_000 // a minute of its time
	v.cmd.Stderr = &v.stderr
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	var root aws.Credentials
	if _, err := fmt.Fscanln(out, &url, &root.AccessKeyID, &root.SecretAccessKey); err != nil {
		_ = v.cmd.Wait()
		t.Fatalf("the server does not start: %v, %s", err, v.stderr.String())
	}
	h.secrets["root"] = root.SecretAccessKey
	v.root = aws.Config{Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: root}}
	v.tables, v.keys, v.people = dynamodb.NewFromConfig(v.root), kms.NewFromConfig(v.root), iam.NewFromConfig(v.root)
	return v
}

// acknowledged counts one success and kills the server when it was the last.
func (v *victim) acknowledged() {
	if v.left.Add(-1) == 0 {
		_ = v.cmd.Process.Kill()
	}
}

// killHistory is what the clients know. An entry of a writer belongs to it
// alone while it runs.
type killHistory struct {
	dir     string
	clock   int64 // seconds, when the next process starts
	keys    [2]string
	items   []map[string]*killItem // by writer, by key
	mu      sync.Mutex             // guards the rest
	people  map[string]aws.Credentials
	sealed  map[string][]byte // plaintext to ciphertext
	secrets map[string]string // what must not lie on disk, by what it is
	counts  map[string]int    // acknowledged, by kind
}

// killItem is an item, or a pair of items written by transactions: what was
// acknowledged last, and what came after it and may have happened. Empty is
// deleted.
type killItem struct {
	pair          bool
	known, maybe  string
	maybeHappened bool
}

const (
	killWriters = 6
	killKeys    = 12
	tableUnder  = "UnderKey" // whose key is switched
	tableOwned  = "OwnedKey"
	tableAgain  = "Remade"
	markedKey   = "KEY-IN-THE-CLEAR"
	markedValue = "VALUE-IN-THE-CLEAR"
)

func textItem(members ...string) map[string]dynamodbtypes.AttributeValue {
	it := map[string]dynamodbtypes.AttributeValue{}
	for i := 0; i < len(members); i += 2 {
		it[members[i]] = &dynamodbtypes.AttributeValueMemberS{Value: members[i+1]}
	}
	return it
}

func killTable(name, key string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"),
			KeyType: dynamodbtypes.KeyTypeHash}}}
	if key != "" {
		in.SSESpecification = underKey(key)
	}
	return in
}

func underKey(key string) *dynamodbtypes.SSESpecification {
	return &dynamodbtypes.SSESpecification{Enabled: aws.Bool(true), SSEType: dynamodbtypes.SSETypeKms,
		KMSMasterKeyId: &key}
}

// TestKill9 kills a server, 100 times, under clients that put, overwrite and
// delete items, alone and in transactions over two tables, change the key of a
// table, delete and create a table, and create users and ciphertexts. After each kill
// everything acknowledged is there, and at the end no value, key value or
// secret lies in any file but those that are meant for it.
func TestKill9(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	h := &killHistory{dir: t.TempDir(), clock: time.Now().Unix(), people: map[string]aws.Credentials{},
		sealed:  map[string][]byte{},
		secrets: map[string]string{"item value": markedValue, "item key": markedKey}, counts: map[string]int{}}
	for writer := range killWriters {
		h.items = append(h.items, map[string]*killItem{})
		for i := range killKeys {
			h.items[writer][fmt.Sprintf("%s-%d-%d", markedKey, writer, i)] = &killItem{pair: i%3 == 0}
		}
	}
	v := h.start(t)
	for i := range h.keys {
		k, err := v.keys.CreateKey(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.keys[i] = *k.KeyMetadata.Arn
	}
	for name, key := range map[string]string{tableUnder: h.keys[0], tableOwned: ""} {
		if _, err := v.tables.CreateTable(ctx, killTable(name, key)); err != nil {
			t.Fatal(err)
		}
	}
	for len(h.people) == 0 || len(h.sealed) == 0 {
		kind, err := h.identity(v, random)
		if err != nil {
			t.Fatal(err)
		}
		h.counts[kind]++
	}
	for round := range rounds {
		v.left.Store(20 + random.Int64N(120))
		h.run(t, v, random.Uint64())
		_ = v.cmd.Wait() // it was killed
		v = h.start(t)
		h.check(t, v)
		if t.Failed() {
			t.Fatalf("after %d kills", round+1)
		}
	}
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
	for kind, n := range h.counts {
		t.Logf("%s: %d acknowledged", kind, n)
	}
	for _, kind := range []string{"put", "delete", "transaction", "switch", "remake", "user", "ciphertext"} {
		if h.counts[kind] == 0 && !testing.Short() {
			t.Errorf("no %s was acknowledged", kind)
		}
	}
	h.search(t)
}

// check looks for everything that was acknowledged, and takes over what may
// have happened and did.
func (h *killHistory) check(t *testing.T, v *victim) {
	t.Helper()
	under, owned := scanAll(t, v.tables, tableUnder), scanAll(t, v.tables, tableOwned)
	for _, items := range h.items {
		for key, it := range items {
			got := under[key]
			switch {
			case it.maybeHappened && got == it.maybe:
				it.known = it.maybe
			case got != it.known:
				t.Errorf("%s is %q; acknowledged was %q, perhaps followed by %q (%v)", key, got, it.known, it.maybe,
					it.maybeHappened)
			}
			it.maybeHappened = false
			if it.pair && owned[key] != got {
				t.Errorf("half a transaction: %s is %q in one table and %q in the other", key, got, owned[key])
			}
			delete(under, key)
			delete(owned, key)
		}
	}
	if len(under)+len(owned) > 0 {
		t.Errorf("items that were never written: %v, %v", under, owned)
	}
	if _, err := v.tables.DescribeTable(ctx,
		&dynamodb.DescribeTableInput{TableName: aws.String(tableAgain)}); err == nil {
		if again := scanAll(t, v.tables, tableAgain); len(again) > 1 {
			t.Errorf("%d items of tables that were deleted are there again", len(again)-1)
		}
	} else if code(err) != "ResourceNotFoundException" {
		t.Error(err)
	}
	one := &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)}
	// More tries, as for scans.
	if _, err := cloudtrail.NewFromConfig(v.root).LookupEvents(ctx, one,
		func(o *cloudtrail.Options) { o.RetryMaxAttempts = 10 }); err != nil {
		t.Errorf("the audit of the processes before: %v", err)
	}
	grants := 0
	for _, key := range h.keys {
		out, err := v.keys.ListGrants(ctx, &kms.ListGrantsInput{KeyId: &key})
		if err != nil {
			t.Fatal(err)
		}
		grants += len(out.Grants)
	}
	if grants != 1 {
		t.Errorf("%d grants for the one table under a key", grants)
	}
	for plain, sealed := range h.sealed {
		if out, err := v.keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed}); err != nil ||
			string(out.Plaintext) != plain {
			t.Errorf("a ciphertext does not open: %v", err)
		}
	}
	for name, access := range h.people {
		cfg := v.root.Copy()
		cfg.Credentials = credentials.StaticCredentialsProvider{Value: access}
		if who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); err != nil ||
			!strings.HasSuffix(*who.Arn, "/"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func scanAll(t *testing.T, c *dynamodb.Client, table string) map[string]string {
	t.Helper()
	found := map[string]string{}
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		// The SDK closes a connection whose answer comes before it has looked
		// for the end of the request's body, so a read may need another try.
		p, err := pages.NextPage(ctx, func(o *dynamodb.Options) { o.RetryMaxAttempts = 10 })
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range p.Items {
			id, v := it["id"].(*dynamodbtypes.AttributeValueMemberS), it["v"].(*dynamodbtypes.AttributeValueMemberS)
			found[id.Value] = v.Value
		}
	}
	return found
}

// search looks for secrets in everything that lies on disk.
func (h *killHistory) search(t *testing.T) {
	t.Helper()
	searched := 0
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched += len(text)
		for what, secret := range h.secrets {
			if what == "root" && d.Name() == "root-credentials.json" {
				continue // meant to be found by its owner
			}
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds the %s in the clear", d.Name(), what)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if searched < 50_000 {
		t.Errorf("only %d bytes were searched", searched)
	}
}
