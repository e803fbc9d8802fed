// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/internal/testenv"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// Variables that make the test binary a migrating process.
const (
	childURL    = "DDBSEAL_TEST_MIGRATE_URL"
	childKey    = "DDBSEAL_TEST_MIGRATE_KEY"
	childSecret = "DDBSEAL_TEST_MIGRATE_SECRET"
	childTable  = "DDBSEAL_TEST_MIGRATE_TABLE"
)

func TestMain(m *testing.M) {
	remove := testenv.Isolate()
	if os.Getenv(childURL) != "" {
		if err := child(); err != nil {
			log.Fatal(err)
		}
		os.Exit(0)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

func child() error {
	client := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(os.Getenv(childURL)),
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv(childKey), os.Getenv(childSecret), ""),
	})
	m, err := migrate.New(migrate.Config{
		Client: client, Table: os.Getenv(childTable), ID: os.Getenv(childTable), To: processEncryptor(),
		CheckpointTable: checkpoints, Segments: 2, PageSize: 10, SkipDryRun: true,
	})
	if err != nil {
		return err
	}
	_, err = m.Run(context.Background())
	return err
}

func processEncryptor() *envelope.ItemEncryptor {
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key-1", Key: make([]byte, 32)})
	if err != nil {
		log.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "table", PartitionKey: "id", AlgorithmSuite: envelope.SuiteSymmetricSignature, Keyring: k,
		Actions: map[string]envelope.Action{
			"id": envelope.SignOnly, "ward": envelope.SignOnly, "secret": envelope.EncryptAndSign,
			"count": envelope.EncryptAndSign, "note": envelope.EncryptAndSign,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

// TestKilledProcess: real processes, killed by the system without a word, and
// started again until one comes through.
func TestKilledProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	const items = 600
	w := newWorld(t)
	listener, err := w.server.Listen("127.0.0.1:0")
	ok(t, err)
	root := w.server.RootCredentials()
	command := func(table string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childURL+"="+listener.URL(), childKey+"="+root.AccessKeyID,
			childSecret+"="+root.SecretAccessKey, childTable+"="+table)
		return cmd
	}
	// How long a process takes to begin differs between machines; it would die
	// before it did anything.
	begin := time.Now()
	ok(t, command(w.table(t, 0, nil)).Run())
	startup := time.Since(begin)
	kills := 0
	for range 3 {
		table := w.table(t, items, nil)
		for {
			cmd := command(table)
			ok(t, cmd.Start())
			timer := time.AfterFunc(startup/2+rand.N(startup)+time.Duration(2*kills)*time.Millisecond,
				func() { _ = cmd.Process.Kill() })
			err := cmd.Wait()
			timer.Stop()
			if err == nil {
				break
			}
			if cmd.ProcessState.Exited() { // by itself, with an error
				t.Fatal(err)
			}
			if kills++; kills > 300 {
				t.Fatal("no progress")
			}
		}
		w.opens(t, table, processEncryptor(), items)
	}
	if kills == 0 {
		t.Error("no process was killed: the test shows nothing")
	}
	t.Logf("%d kills", kills)
}
