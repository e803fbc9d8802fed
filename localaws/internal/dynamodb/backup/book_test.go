// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

var (
	now = time.Unix(1_700_000_000, 0).UTC()
	key = bytes.Repeat([]byte{7}, 32)
)

func items(n int) (list []schema.Item) {
	for i := range n {
		list = append(list, schema.Item{"id": &types.AttributeValueMemberN{Value: fmt.Sprint(i)}})
	}
	return list
}

func code(err error) string {
	var e *request.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

// open returns a book with one backup of three items.
func open(t *testing.T, store storage.Store) (*Book, *Backup) {
	t.Helper()
	b, err := Open(store)
	if err != nil {
		t.Fatal(err)
	}
	made, pending, err := b.Create("nightly", orders(), items(3), 9, key, now, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := pending.Wait(); err != nil {
		t.Fatal(err)
	}
	return b, made
}

// TestRead: the items come back under the key of the backup and no other, also from
// a store that forgets.
func TestRead(t *testing.T) {
	for _, store := range []storage.Store{storage.Memory{}, storagetest.NewRecorder()} {
		b, made := open(t, store)
		got, err := b.Read(made, key)
		if err != nil || len(got) != 3 || made.Items != 3 || made.Bytes != 9 {
			t.Errorf("%v, %v", got, err)
		}
		seen := map[string]bool{}
		for _, it := range got {
			seen[it["id"].(*types.AttributeValueMemberN).Value] = true
		}
		if len(seen) != 3 {
			t.Errorf("read %v", got)
		}
		for _, wrong := range [][]byte{bytes.Repeat([]byte{8}, 32), nil} {
			if _, err := b.Read(made, wrong); code(err) != "InternalServerError" {
				t.Errorf("under another key: %v", err)
			}
		}
		if _, err := b.Read(&Backup{ARN: "another"}, key); code(err) != "BackupNotFoundException" {
			t.Errorf("a missing backup: %v", err)
		}
		if _, _, err := b.Create("nightly", orders(), nil, 0, nil, now, now); code(err) != "InternalServerError" {
			t.Errorf("a backup without a key: %v", err)
		}
	}
}

// TestList: the backups that are wanted, by table and then by time, and each with
// its own items.
func TestList(t *testing.T) {
	store := storagetest.NewRecorder()
	b, first := open(t, store)
	later, pending, err := b.Create("later", orders(), items(1), 3, key, now.Add(time.Hour), now.Add(2*time.Hour))
	if err != nil || pending.Wait() != nil {
		t.Fatal(err)
	}
	other := orders()
	other.Name = "a"
	before, pending, err := b.Create("other", other, nil, 0, key, now, now)
	if err != nil || pending.Wait() != nil {
		t.Fatal(err)
	}
	all := func(*Backup) bool { return true }
	if got := b.List(all); len(got) != 3 || got[0] != before || got[1] != first || got[2] != later {
		t.Errorf("all: %v", got)
	}
	if got := b.List(func(x *Backup) bool { return x.Name == "later" }); len(got) != 1 || got[0] != later ||
		!later.Created.Equal(now.Add(time.Hour)) {
		t.Errorf("by name: %v", got)
	}
	for from, want := range map[*Backup]int{first: 3, later: 1, before: 0} {
		if got, err := b.Read(from, key); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", from.ARN, got, err)
		}
	}
	// A backup that is being made is neither read nor deleted.
	if _, _, err := b.Use(later.ARN, now); code(err) != "BackupInUseException" {
		t.Errorf("used while it is made: %v", err)
	}
	if _, _, err := b.Delete(later.ARN, now); code(err) != "BackupInUseException" {
		t.Errorf("deleted while it is made: %v", err)
	}
	if _, _, err := b.Delete("none", now); code(err) != "BackupNotFoundException" {
		t.Errorf("a missing backup: %v", err)
	}
	if _, err := b.Find("none"); code(err) != "BackupNotFoundException" {
		t.Errorf("a missing backup: %v", err)
	}
	if _, pending, err := b.Delete(first.ARN, now); err != nil || pending.Wait() != nil {
		t.Fatal(err)
	}
	again, err := Open(store)
	if err != nil || len(again.List(all)) != 2 {
		t.Errorf("after a deletion and a restart: %v, %v", again.List(all), err)
	}
	left := 0
	if err := store.Range(bucketItems(first.ARN), func(_, _ []byte) error { left++; return nil }); err != nil ||
		left != 0 {
		t.Errorf("a deleted backup leaves %d items", left)
	}
}

// TestMissingItem: a backup of which an item is gone is not restored in part.
func TestMissingItem(t *testing.T) {
	store := storagetest.NewRecorder()
	b, made := open(t, store)
	tx := new(storage.Tx)
	if err := store.Range(bucketItems(made.ARN), func(key, _ []byte) error {
		if tx.Len() == 0 {
			tx.Delete(bucketItems(made.ARN), key)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := store.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Read(made, key); code(err) != "InternalServerError" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestUse: one restore at a time uses a backup, and keeps it from being deleted
// until the restored table is ready.
func TestUse(t *testing.T) {
	b, made := open(t, storagetest.NewRecorder())
	_, release, err := b.Use(made.ARN, now)
	if err != nil {
		t.Fatal(err)
	}
	busy := func(at time.Time, want string) {
		t.Helper()
		if _, release, err := b.Use(made.ARN, at); code(err) != want {
			t.Errorf("a second restore: %v", err)
		} else if err == nil {
			release(time.Time{})
		}
	}
	busy(now, "BackupInUseException")
	if _, _, err := b.Delete(made.ARN, now); code(err) != "BackupInUseException" {
		t.Errorf("deleted during a restore: %v", err)
	}
	release(now.Add(time.Second))
	busy(now, "BackupInUseException")
	if _, _, err := b.Delete(made.ARN, now); code(err) != "BackupInUseException" {
		t.Errorf("deleted while a table is restored: %v", err)
	}
	busy(now.Add(time.Second), "<nil>")
	if _, _, err := b.Delete(made.ARN, now.Add(time.Second)); err != nil {
		t.Error(err)
	}
	busy(now, "BackupNotFoundException")
}

// TestUseAtOnce: of restores and deletions at the same time one takes place.
func TestUseAtOnce(t *testing.T) {
	b, made := open(t, storage.Memory{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	used, deleted := 0, 0
	for n := range 16 {
		wg.Go(func() {
			if n%2 == 0 {
				if _, _, err := b.Use(made.ARN, now); err == nil {
					mu.Lock()
					used++
					mu.Unlock()
				}
				return
			}
			if _, _, err := b.Delete(made.ARN, now); err == nil {
				mu.Lock()
				deleted++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if used+deleted != 1 {
		t.Errorf("%d restores and %d deletions", used, deleted)
	}
}

// TestOpen: the backups of a store come back, and a record that is damaged or lies
// under another name is refused.
func TestOpen(t *testing.T) {
	store := storagetest.NewRecorder()
	_, made := open(t, store)
	b, err := Open(store)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Read(made, key); err != nil || len(got) != 3 {
		t.Errorf("after a restart: %v, %v", got, err)
	}
	if found, err := b.Find(made.ARN); err != nil || found.Name != "nightly" || found.Table.Name != "orders" {
		t.Errorf("found %+v, %v", found, err)
	}
	for name, record := range map[string]string{"not JSON": "{", "of another backup": `{"ARN":"a","Table":{}}`,
		"without a table": `{"ARN":"x"}`} {
		store := storagetest.NewRecorder()
		tx := new(storage.Tx)
		tx.Put(bucketBackups, []byte("x"), []byte(record))
		if err := store.Submit(tx).Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(store); err == nil {
			t.Errorf("a record %s is taken", name)
		}
	}
}
