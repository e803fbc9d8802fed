// SPDX-License-Identifier: Apache-2.0

package exportfile

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/migrate"
)

func job(t *testing.T, reports *[]error) *Job {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key-1", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "t", PartitionKey: "id", Keyring: k,
		AlgorithmSuite: envelope.SuiteSymmetricSignature,
		Actions:        map[string]envelope.Action{"id": envelope.SignOnly, "secret": envelope.EncryptAndSign}})
	if err != nil {
		t.Fatal(err)
	}
	return &Job{Encryptor: e, Report: func(_ string, err error) { *reports = append(*reports, err) }}
}

func line(t *testing.T, e *envelope.ItemEncryptor, id string) string {
	t.Helper()
	item, err := e.EncryptItem(t.Context(), envelope.Item{"id": &types.AttributeValueMemberS{Value: id},
		"secret": &types.AttributeValueMemberS{Value: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := ddbjson.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("{\"Item\":%s}\n", text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestShares: the shares of all jobs together are all files, each once.
func TestShares(t *testing.T) {
	var reports []error
	j := job(t, &reports)
	from, to := t.TempDir(), t.TempDir()
	for i := range 7 {
		write(t, filepath.Join(from, "data", fmt.Sprint(i, ".json")), line(t, j.Encryptor, fmt.Sprint("item-", i)))
	}
	files, lines := 0, int64(0)
	for index := range 3 {
		n, err := j.Folder(t.Context(), from, to, migrate.Share{Index: index, Total: 3}, nil)
		if err != nil || n.Failed > 0 || n.Done > 0 {
			t.Errorf("%+v, %v", n, err)
		}
		files, lines = files+n.Files, lines+n.Lines
	}
	entries, err := os.ReadDir(to)
	if err != nil || files != 7 || lines != 7 || len(entries) != 7 || len(reports) > 0 {
		t.Errorf("%d files, %d lines, %d outputs, %v, %v", files, lines, len(entries), reports, err)
	}
}

// TestChecksum: a file that is not as the manifest says is reported, and is not
// finished.
func TestChecksum(t *testing.T) {
	var reports []error
	j := job(t, &reports)
	from, to := t.TempDir(), t.TempDir()
	text := line(t, j.Encryptor, "a")
	sum := md5.Sum([]byte(text))
	write(t, filepath.Join(from, "data", "x.json"), text)
	manifest := fmt.Sprintf(`{"itemCount":1,"md5Checksum":%q,"dataFileS3Key":"p/data/x.json"}`,
		base64.StdEncoding.EncodeToString(sum[:]))
	write(t, filepath.Join(from, filesName), manifest)
	write(t, filepath.Join(from, summaryName), `{"outputFormat":"DYNAMODB_JSON"}`)
	all := migrate.Share{Total: 1}
	write(t, filepath.Join(from, "data", "x.json"), line(t, j.Encryptor, "a")) // other bytes, as good by themselves
	n, err := j.Folder(t.Context(), from, to, all, nil)
	if err != nil || n.Failed != 1 || len(reports) != 1 || !errors.Is(reports[0], ErrIncomplete) {
		t.Errorf("%+v, %v, %v", n, reports, err)
	}
	if _, err := os.Stat(filepath.Join(to, "x.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the output is there: %v", err)
	}
	write(t, filepath.Join(from, "data", "x.json"), text)
	if n, err = j.Folder(t.Context(), from, to, all, nil); err != nil || n.Failed != 0 || n.Lines != 1 {
		t.Errorf("%+v, %v, %v", n, reports, err)
	}
	for name, bad := range map[string]string{"not JSON": "x", "no file": "{}",
		"too long": strings.Repeat("x", maxManifest+1)} {
		write(t, filepath.Join(from, filesName), bad)
		if _, err := j.Folder(t.Context(), from, to, all, nil); err == nil {
			t.Errorf("manifest with %s is accepted", name)
		}
	}
}

// TestInterrupted: what was under way is done again.
func TestInterrupted(t *testing.T) {
	var reports []error
	j := job(t, &reports)
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{"a", "b"} {
		write(t, filepath.Join(from, name+".json"), line(t, j.Encryptor, name))
	}
	ctx, cancel := context.WithCancel(t.Context())
	j.Line = cancel
	n, err := j.Folder(ctx, from, to, migrate.Share{Total: 1}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", n, err)
	}
	j.Line = nil
	if _, err = j.Folder(t.Context(), from, to, migrate.Share{Total: 1}, nil); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"a", "b"} {
		text, err := os.ReadFile(filepath.Join(to, name+".json"))
		want := fmt.Sprintf("{\"Item\":{\"id\":{\"S\":%q},\"secret\":{\"S\":\"s\"}}}\n", name)
		if string(text) != want {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	// Two files whose outputs would be one.
	write(t, filepath.Join(from, "other", "a.json"), line(t, j.Encryptor, "c"))
	if _, err := j.Folder(t.Context(), from, to, migrate.Share{Total: 1}, new(bytes.Buffer)); err == nil {
		t.Error("two files share an output")
	}
}
