// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// run lets all clients work until the server is killed.
func (h *killHistory) run(t *testing.T, v *victim, seed uint64) {
	var wg sync.WaitGroup
	client := func(kind string, work func(random *rand.Rand) (string, error)) {
		random := rand.New(rand.NewPCG(seed, uint64(len(kind))))
		wg.Go(func() {
			for {
				done, err := work(random)
				if err != nil && v.left.Load() > 0 {
					t.Errorf("%s: %v", kind, err)
					_ = v.cmd.Process.Kill()
					return
				}
				if v.left.Load() <= 0 && err != nil {
					return
				}
				h.mu.Lock()
				h.counts[done]++
				h.mu.Unlock()
				v.acknowledged()
			}
		})
	}
	for writer := range killWriters {
		client(fmt.Sprint("writer", strings.Repeat(" ", writer)),
			func(random *rand.Rand) (string, error) { return h.write(v, writer, random) })
	}
	client("switch of keys", func(random *rand.Rand) (string, error) {
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		d, err := v.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(tableUnder)})
		if err != nil {
			return "", err
		}
		next := h.keys[0]
		if aws.ToString(d.Table.SSEDescription.KMSMasterKeyArn) == next {
			next = h.keys[1]
		}
		_, err = v.tables.UpdateTable(ctx,
			&dynamodb.UpdateTableInput{TableName: aws.String(tableUnder), SSESpecification: underKey(next)})
		if code(err) == "LimitExceededException" {
			return "switch refused", nil
		}
		return "switch", err
	})
	client("table created again", func(random *rand.Rand) (string, error) {
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		return "remake", h.remake(v)
	})
	client("identities", func(random *rand.Rand) (string, error) {
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		return h.identity(v, random)
	})
	wg.Wait()
}

// write changes one item of a writer.
func (h *killHistory) write(v *victim, writer int, random *rand.Rand) (string, error) {
	key := fmt.Sprintf("%s-%d-%d", markedKey, writer, random.IntN(killKeys))
	it := h.items[writer][key]
	value := fmt.Sprintf("%s-%x", markedValue, random.Uint64())
	if random.IntN(4) == 0 {
		value = ""
	}
	it.maybe, it.maybeHappened = value, true
	kind := "put"
	var err error
	switch {
	case it.pair:
		kind = "transaction"
		in := &dynamodb.TransactWriteItemsInput{}
		for _, table := range []string{tableUnder, tableOwned} {
			var w dynamodbtypes.TransactWriteItem
			if value == "" {
				w.Delete = &dynamodbtypes.Delete{TableName: &table, Key: textItem("id", key)}
			} else {
				w.Put = &dynamodbtypes.Put{TableName: &table, Item: textItem("id", key, "v", value)}
			}
			in.TransactItems = append(in.TransactItems, w)
		}
		_, err = v.tables.TransactWriteItems(ctx, in)
	case value == "":
		kind = "delete"
		_, err = v.tables.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: aws.String(tableUnder), Key: textItem("id", key)})
	default:
		_, err = v.tables.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: aws.String(tableUnder), Item: textItem("id", key, "v", value)})
	}
	if err == nil {
		it.known, it.maybeHappened = value, false
	}
	return kind, err
}

// remake deletes a table and makes one of the same name. There is never more
// than one item in it.
func (h *killHistory) remake(v *victim) error {
	if _, err := v.tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(tableAgain)}); err != nil &&
		code(err) != "ResourceNotFoundException" {
		return err
	}
	if _, err := v.tables.CreateTable(ctx, killTable(tableAgain, "")); err != nil {
		return err
	}
	h.mu.Lock()
	n := h.counts["remake"]
	h.mu.Unlock()
	_, err := v.tables.PutItem(ctx,
		&dynamodb.PutItemInput{TableName: aws.String(tableAgain),
			Item: textItem("id", fmt.Sprint(markedKey, n), "v", markedValue)})
	return err
}

// identity makes a user with password and access key, or a ciphertext.
func (h *killHistory) identity(v *victim, random *rand.Rand) (string, error) {
	if random.IntN(2) == 0 {
		plain := fmt.Sprintf("PLAINTEXT-%x", random.Uint64())
		out, err := v.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &h.keys[0], Plaintext: []byte(plain)})
		if err != nil {
			return "", err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.sealed[plain], h.secrets[plain] = out.CiphertextBlob, plain
		return "ciphertext", nil
	}
	name := fmt.Sprintf("user-%x", random.Uint64())
	if _, err := v.people.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		return "", err
	}
	password := fmt.Sprintf("Pass-%x", random.Uint64())
	if _, err := v.people.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: &name, Password: &password}); err != nil {
		return "", err
	}
	out, err := v.people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people[name] = aws.Credentials{AccessKeyID: *out.AccessKey.AccessKeyId,
		SecretAccessKey: *out.AccessKey.SecretAccessKey}
	h.secrets["password of "+name], h.secrets["access key of "+name] = password, *out.AccessKey.SecretAccessKey
	return "user", nil
}
