// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

func heap() int {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A user without any right cannot fill the memory with what the audit keeps of
// refused requests: neither with what it shows of them nor with what it does
// not.
func TestAuditOfHugeRequestsIsSmall(t *testing.T) {
	huge := strings.Repeat("a", 500<<10)
	for name, x := range map[string]struct {
		parameters string
		status     int
	}{
		"shown":     {"PolicySourceArn=arn:aws:iam::111122223333:user/x&ResourcePolicy=" + huge[:90<<10], 403},
		"not shown": {"PolicySourceArn=arn:aws:iam::111122223333:user/x&ResourcePolicy=" + huge, 403},
		"the name":  {"PolicySourceArn=" + huge, 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, localaws.Options{AuditLimit: 100})
			people := iam.NewFromConfig(s.Config(s.RootCredentials()))
			if _, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")}); err != nil {
				t.Fatal(err)
			}
			access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
			if err != nil {
				t.Fatal(err)
			}
			alice := aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
				SecretAccessKey: *access.AccessKey.SecretAccessKey}
			before := heap()
			for range 100 {
				status, _, _ := send(t, s,
					rawRequest{contentType: form, service: "iam", creds: alice,
						body: "Action=SimulatePrincipalPolicy&Version=2010-05-08&" + x.parameters})
				if status != x.status {
					t.Fatalf("status %d, want %d", status, x.status)
				}
			}
			if grown := heap() - before; grown > 3<<20 {
				t.Errorf("100 requests hold %d KB", grown>>10)
			}
			if events := s.Audit().Events(); events[len(events)-1].EventName != "SimulatePrincipalPolicy" {
				t.Error("the last request is not in the audit")
			}
		})
	}
}

// TestAuditRestart: with a data directory the audit survives a new start, for
// LookupEvents and for the process, and nothing of it lies on disk in the clear.
func TestAuditRestart(t *testing.T) {
	dir := t.TempDir()
	var key string
	var before []string
	run := func(work func(s *localaws.Server)) {
		t.Helper()
		s, err := localaws.New(localaws.Options{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		work(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(s *localaws.Server) (all []string) {
		for _, e := range s.Audit().Events() {
			all = append(all, e.EventID)
		}
		return all
	}
	run(func(s *localaws.Server) {
		out, err := kms.NewFromConfig(s.Config(s.RootCredentials())).CreateKey(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		key = *out.KeyMetadata.Arn
		_, err = dynamodb.NewFromConfig(s.Config(s.RootCredentials())).GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String("a-table-of-the-audit"),
				Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}})
		if code(err) != "ResourceNotFoundException" {
			t.Fatal(err)
		}
		before = ids(s)
	})
	run(func(s *localaws.Server) {
		if got := ids(s); len(before) != 2 || !slices.Equal(got, before) {
			t.Errorf("events %v, before %v", got, before)
		}
		out, err := cloudtrail.NewFromConfig(s.Config(s.RootCredentials())).LookupEvents(ctx,
			&cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrailtypes.LookupAttribute{
				{AttributeKey: cloudtrailtypes.LookupAttributeKeyResourceName, AttributeValue: &key}}})
		if err != nil || len(out.Events) != 1 || *out.Events[0].EventName != "CreateKey" {
			t.Errorf("%v, %v", out, err)
		}
	})
	text, err := os.ReadFile(filepath.Join(dir, "localaws.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"a-table-of-the-audit", "eventName", "CreateKey"} {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("%q lies on disk in the clear", word)
		}
	}
}
