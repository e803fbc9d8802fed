// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
)

// Names of what the chapters on branch keys and recovery create.
const (
	BranchKeyTable = "nextwork-branch-keys"     // the key store
	HierarchyTable = "nextwork-hierarchy-table" // items under a branch key

	branchKeyID = "lab"
	directID    = "direct-" // items with a data key of KMS's own each
	branchID    = "branch-" // items under the branch key
	manyItems   = 10
)

const getBranchKeyCLI = "aws dynamodb get-item --table-name " + BranchKeyTable +
	` --key '{"branch-key-id":{"S":"` + branchKeyID + `"},"type":{"S":"branch:ACTIVE"}}'`

// hierarchyChapter shows what a branch key between KMS and the items saves, and
// that it does not lead around the key policy.
func (l *Lab) hierarchyChapter() chapter {
	a, u := &l.administrator, &l.user
	store := "--table " + BranchKeyTable + " --branch-key-id " + branchKeyID
	return chapter{chapterHierarchy, []labStep{
		does("hierarchy-table", "make a table for ten items of each kind",
			"Ten items get a data key from KMS each. Ten others get theirs from one branch key.",
			tableCLI(HierarchyTable), l.makeTable(HierarchyTable)),
		does("hierarchy-store", "make a key store with one branch key",
			"KMS makes the branch key and wraps it, which means that it encrypts a key under a key. The wrapped "+
				"key lies in a DynamoDB table. This program unwraps it by kms:Decrypt and keeps it in memory for a "+
				"while.",
			"ddbseal keystore create "+store+" --context lab="+labTagValue, doing(l.makeKeyStore)),
		does("hierarchy-items", "put the items", "Both kinds of items have the same format and hold the same record.",
			putItemsCLI(directRing, manyCLI(directID))+"\n"+putItemsCLI(branchRing, manyCLI(branchID)),
			doing(l.putHierarchy)),
		sees("hierarchy-direct", "administrator opens ten items without a branch key", administratorRole, ModeClient,
			calls(manyItems), "Each item has a data key that only KMS can unwrap, so each costs a call: time, money, "+
				"and a part of the account's limit of calls per second.", openItemCLI(directID+"1", ""),
			l.opensMany(a, directID)),
		sees("hierarchy-branch", "administrator opens ten items under the branch key", administratorRole, ModeClient,
			calls(1),
			"One call unwraps the branch key, and the branch key unwraps all ten data keys. The price is a "+
				"delay: a program that loses the right to the KMS key can decrypt until the branch key in its "+
				"memory expires.",
			openItemCLI(branchID+"1", ""),
			l.opensMany(a, branchID)),
		sees("hierarchy-wrapped", "user reads the branch key's record", UserName, ModeClient, SeesCiphertext,
			"The key store protects nothing by being secret. What lies in it is wrapped by KMS.",
			getBranchKeyCLI+asUser,
			l.readsBranchKey(u)),
		sees("hierarchy-denied", "user opens an item under the branch key", UserName, ModeClient, DeniedDecrypt,
			"Without kms:Decrypt the user cannot unwrap the branch key, so the key policy decides here too.",
			openItemCLI(branchID+"1", asUser),
			func(ctx context.Context) (string, error) { return l.opensBranch(ctx, u) }),
		does("hierarchy-rotate", "rotate the branch key", "A new version is for new items. Nothing is encrypted again.",
			"ddbseal keystore rotate "+store, doing(l.rotateBranchKey)),
		sees("hierarchy-versions", "list its versions", administratorRole, ModeClient, "one more version",
			"The older version stays in the store, because the items name it.", "ddbseal keystore list "+store,
			l.countsVersions),
		sees("hierarchy-old", "administrator opens an item of the older version", administratorRole, ModeClient,
			SeesPlaintext, "The item names the version that it was written under.", openItemCLI(branchID+"1", ""),
			func(ctx context.Context) (string, error) { return l.opensBranch(ctx, a) }),
	}}
}

// openItemCLI is the command that opens an item, as the profile or, if that is
// empty, as the administrator.
func openItemCLI(id, profile string) string {
	if strings.HasPrefix(id, branchID) {
		return decryptCommand(id, branchRing, profile)
	}
	return decryptCommand(id, directRing, profile)
}

// The keyrings of the two kinds of items, as configurations have them.
const (
	directRing = `{"type":"aws-kms","keyId":"$KEY"}`
	branchRing = `{"type":"hierarchical","table":"` + BranchKeyTable + `","kmsKeyId":"$KEY","branchKeyId":"` +
		branchKeyID + `"}`
)

// configCLI writes the configuration of the items under a keyring to items.json.
func configCLI(ring string) string {
	return "cat > items.json <<EOF\n" + `{"table":"` + HierarchyTable + `","partitionKey":"id","attributeActions":` +
		`{"id":"SIGN_ONLY","name":"ENCRYPT_AND_SIGN","diagnosis":"ENCRYPT_AND_SIGN","ward":"SIGN_ONLY"},` +
		"\n" + `"keyring":` + ring + "}\nEOF\n"
}

// putItemsCLI is the command that encrypts a record for each id, a list of the
// shell, and puts it.
func putItemsCLI(ring, ids string) string {
	r := theRecord()
	return configCLI(ring) + "for id in " + ids + `; do
  echo '{"id":{"S":"'$id'"},"name":{"S":"` + r.Name + `"},"diagnosis":{"S":"` + r.Diagnosis + `"},"ward":{"S":"` +
		r.Ward + `"}}'
done | ddbseal item encrypt --config items.json | while read -r item; do
  aws dynamodb put-item --table-name ` + HierarchyTable + ` --item "$item"
done`
}

// manyCLI lists the ids of many items in the shell.
func manyCLI(id string) string { return "$(seq -f " + id + "%g " + strconv.Itoa(manyItems) + ")" }

// decryptCommand reads an item of the table and decrypts it with a keyring.
func decryptCommand(id, ring, profile string) string {
	return configCLI(ring) + "aws dynamodb get-item --table-name " + HierarchyTable +
		` --key '{"id":{"S":"` + id + `"}}' --query Item --output json` + profile + " | tr -d '\\n'" +
		" |\n  ddbseal item decrypt --config items.json" + profile
}

func tableCLI(name string) string {
	return "aws dynamodb create-table --table-name " + name +
		" --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH " +
		"--billing-mode PAY_PER_REQUEST"
}

func calls(n int) string { return strconv.Itoa(n) + " × kms:Decrypt" }

// countingKMS counts the kms:Decrypt calls of a client.
type countingKMS struct {
	*kms.Client
	decrypts atomic.Int64
}

// Decrypt counts the call and makes it.
func (c *countingKMS) Decrypt(ctx context.Context, in *kms.DecryptInput,
	options ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	c.decrypts.Add(1)
	return c.Client.Decrypt(ctx, in, options...)
}

// keyStoreAs is the key store as a principal sees it.
func (l *Lab) keyStoreAs(p *principal, client keystore.KMSClient) (*keystore.KeyStore, error) {
	return keystore.New(keystore.Config{LogicalName: BranchKeyTable, TableName: BranchKeyTable,
		KMS: keystore.KMSKey(l.keyARN), KMSClient: client, DynamoDB: p.ddb})
}

// makeKeyStore creates the key store's table, tagged, and a branch key.
func (l *Lab) makeKeyStore(ctx context.Context) error {
	ks, err := l.keyStoreAs(&l.administrator, l.administrator.kms)
	if err != nil {
		return err
	}
	err = l.checkTableOurs(ctx, BranchKeyTable)
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		var arn string
		if arn, err = ks.CreateTable(ctx); err == nil {
			_, err = l.administrator.ddb.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String(arn),
				Tags: []types.Tag{{Key: aws.String(labTag), Value: aws.String(labTagValue)}}})
		}
	}
	if err != nil {
		return err
	}
	_, err = ks.CreateKey(ctx, keystore.CreateKeyInput{BranchKeyID: branchKeyID,
		EncryptionContext: map[string]string{"lab": labTagValue}})
	if errors.Is(err, keystore.ErrExists) {
		return nil
	}
	return err
}

// branchMode is client-side encryption under the branch key from a source.
func branchMode(source materials.BranchKeySource) (store.ClientSide, error) {
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: branchKeyID})
	return store.ClientSide{Keyring: k}, err
}

// branchLifetime is how long this program keeps the branch key.
const branchLifetime = time.Minute

// hierarchy opens the table as a principal: the items with data keys of KMS's, or
// those under the branch key, whose source is a cache of its own.
func (l *Lab) hierarchy(p *principal, kind string) (*store.Table[Record], *countingKMS, error) {
	counter := &countingKMS{Client: p.kms}
	mode := store.ClientSide{}
	var err error
	if kind == directID {
		mode.Keyring, err = awskms.New(awskms.Config{Client: counter, KeyARN: l.keyARN})
	} else {
		var ks *keystore.KeyStore
		var source *cache.Source
		if ks, err = l.keyStoreAs(p, counter); err == nil {
			if source, err = cache.NewSource(ks, branchLifetime); err == nil {
				mode, err = branchMode(source)
			}
		}
	}
	if err != nil {
		return nil, nil, err
	}
	t, err := store.New[Record](p.ddb, HierarchyTable, mode)
	return t, counter, err
}

func recordWithID(id string) Record {
	r := theRecord()
	r.ID = id
	return r
}

// putHierarchy puts ten items of each kind.
func (l *Lab) putHierarchy(ctx context.Context) error {
	for _, kind := range []string{directID, branchID} {
		t, _, err := l.hierarchy(&l.administrator, kind)
		if err != nil {
			return err
		}
		var all []Record
		for i := range manyItems {
			all = append(all, recordWithID(kind+strconv.Itoa(i+1)))
		}
		if rest, err := t.BatchPut(ctx, all); err != nil || len(rest) > 0 {
			return fmt.Errorf("%d items were not put: %w", len(rest), err)
		}
	}
	return nil
}

// opensMany opens the items of a kind and counts the calls of KMS.
func (l *Lab) opensMany(p *principal, kind string) action {
	return func(ctx context.Context) (string, error) {
		t, counter, err := l.hierarchy(p, kind)
		if err != nil {
			return "", err
		}
		for i := range manyItems {
			want := recordWithID(kind + strconv.Itoa(i+1))
			got, err := t.Get(ctx, store.Key{Partition: want.ID})
			if err != nil {
				return "", err
			}
			if got != want {
				return "another record", nil
			}
		}
		return calls(int(counter.decrypts.Load())), nil
	}
}

// opensBranch opens the first item under the branch key with a cache of its own.
func (l *Lab) opensBranch(ctx context.Context, p *principal) (string, error) {
	t, _, err := l.hierarchy(p, branchID)
	if err != nil {
		return "", err
	}
	return opensFirst(ctx, t)
}

func opensFirst(ctx context.Context, t *store.Table[Record]) (string, error) {
	want := recordWithID(branchID + "1")
	got, err := t.Get(ctx, store.Key{Partition: want.ID})
	if err == nil && got != want {
		return "another record", nil
	}
	return SeesPlaintext, err
}

// plainBranchKey is the length of a branch key that is not wrapped.
const plainBranchKey = 32

// readsBranchKey reads the record of the branch key as DynamoDB has it.
func (l *Lab) readsBranchKey(p *principal) action {
	return func(ctx context.Context) (string, error) {
		out, err := p.ddb.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(BranchKeyTable),
			ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
				"branch-key-id": &types.AttributeValueMemberS{Value: branchKeyID},
				"type":          &types.AttributeValueMemberS{Value: "branch:ACTIVE"}}})
		if err != nil {
			return "", err
		}
		if key, ok := out.Item["enc"].(*types.AttributeValueMemberB); !ok || len(key.Value) <= plainBranchKey {
			return SeesPlaintext, nil
		}
		return SeesCiphertext, nil
	}
}

// versions lists the versions of the branch key.
func (l *Lab) versions(ctx context.Context) ([]string, error) {
	ks, err := l.keyStoreAs(&l.administrator, l.administrator.kms)
	if err != nil {
		return nil, err
	}
	all, err := ks.Versions(ctx, branchKeyID)
	var ids []string
	for _, v := range all {
		ids = append(ids, v.Version)
	}
	slices.Sort(ids)
	return ids, err
}

func (l *Lab) rotateBranchKey(ctx context.Context) (err error) {
	if l.versionsBefore, err = l.versions(ctx); err != nil {
		return err
	}
	ks, err := l.keyStoreAs(&l.administrator, l.administrator.kms)
	if err != nil {
		return err
	}
	_, err = ks.VersionKey(ctx, branchKeyID)
	return err
}

func (l *Lab) countsVersions(ctx context.Context) (string, error) {
	now, err := l.versions(ctx)
	if err != nil {
		return "", err
	}
	for _, v := range l.versionsBefore {
		if !slices.Contains(now, v) {
			return "a version is missing", nil
		}
	}
	if len(now) != len(l.versionsBefore)+1 {
		return strconv.Itoa(len(now)-len(l.versionsBefore)) + " more versions", nil
	}
	return "one more version", nil
}
