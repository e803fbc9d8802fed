package localaws_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

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
		"shown":     {"PolicySourceArn=x&ResourcePolicy=" + huge[:90<<10], 403},
		"not shown": {"PolicySourceArn=x&ResourcePolicy=" + huge, 403},
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
			alice := aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId, SecretAccessKey: *access.AccessKey.SecretAccessKey}
			before := heap()
			for range 100 {
				status, _, _ := send(t, s, rawRequest{contentType: form, service: "iam", creds: alice, body: "Action=SimulatePrincipalPolicy&Version=2010-05-08&" + x.parameters})
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
