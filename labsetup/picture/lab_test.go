package picture_test

import (
	"errors"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

var update = flag.Bool("update", false, "write the pictures in docs from a run")

// lab is a run of the lab as far as ddbseal up goes.
type lab struct {
	server      *localaws.Server
	admin, user aws.Config
	key         string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{server: localawstest.New(t).Server}
	client := iam.NewFromConfig(l.server.Config(l.server.RootCredentials()))
	name := aws.String("administrator")
	_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name})
	must(t, err)
	_, err = client.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: name,
		PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	must(t, err)
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	must(t, err)
	l.admin = l.server.Config(aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId),
		SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)})
	setup, err := labsetup.New(labsetup.Config{Administrator: l.admin, As: l.server.Config,
		Keys: func(_ string, c aws.Credentials) error { l.user = l.server.Config(c); return nil }})
	must(t, err)
	r, err := setup.Up(t.Context())
	must(t, err)
	l.key = r.KeyARN
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// observe looks at every table as the administrator and as the user.
func (l *lab) observe(t *testing.T) []picture.Table {
	t.Helper()
	var tables []picture.Table
	for _, name := range append(picture.MainTables(), picture.OtherTables()...) {
		with, err := picture.Observe(t.Context(), l.admin, l.key, name)
		must(t, err)
		without, err := picture.Observe(t.Context(), l.user, "", name)
		must(t, err)
		disk, err := l.server.DiskView(t.Context(), name,
			map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: labsetup.RecordID}})
		must(t, err)
		tables = append(tables, picture.Table{Name: name, Disk: picture.OnDisk(disk.Sealed, labsetup.Diagnosis),
			With: with, Without: without})
	}
	return tables
}

// TestRun compares the pictures in docs with a run of the lab, and what is
// documented of each table with what the run has found.
func TestRun(t *testing.T) {
	found := newLab(t).observe(t)
	if want := picture.Documented(labsetup.Diagnosis, labsetup.Ward); !reflect.DeepEqual(found, want) {
		t.Errorf("found:\n%+v\ndocumented:\n%+v", found, want)
	}
	for name, svg := range map[string]string{
		"picture-light": picture.Main(found).SVG(picture.Light), "picture-dark": picture.Main(found).SVG(picture.Dark),
		"picture-other-light": picture.Other(found).SVG(picture.Light),
		"picture-other-dark":  picture.Other(found).SVG(picture.Dark),
	} {
		path := "../../docs/" + name + ".svg"
		if *update {
			must(t, os.WriteFile(path, []byte(svg), 0o644))
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != svg {
			t.Errorf("%s is not what a run shows (%v): go test -run TestRun -update ./labsetup/picture", path, err)
		}
	}
}

// TestObserve: another state gives another picture.
func TestObserve(t *testing.T) {
	l := newLab(t)
	_, err := kms.NewFromConfig(l.admin).DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(l.key)})
	must(t, err)
	for table, want := range map[string]picture.Look{
		labsetup.ServerTable: {Answer: []picture.Part{{Kind: picture.Refused, Text: "key disabled"}},
			Program: []picture.Part{{Kind: picture.Nothing, Text: "nothing"}}},
		labsetup.ClientTable: {Answer: []picture.Part{{Kind: picture.Clear, Text: "ward: north"},
			{Kind: picture.Sealed, Text: picture.Unreadable}}, Program: []picture.Part{
			{Kind: picture.Sealed, Text: picture.Unreadable}, {Kind: picture.Refused, Text: "KMS: key disabled"}}},
	} {
		got, err := picture.Observe(t.Context(), l.admin, l.key, table)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", table, got, err)
		}
	}
	_, err = dynamodb.NewFromConfig(l.admin).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String(labsetup.OwnedTable),
		Key:       map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: labsetup.RecordID}}})
	must(t, err)
	if look, err := picture.Observe(t.Context(), l.admin, l.key, labsetup.OwnedTable); !errors.Is(err, picture.ErrMissing) {
		t.Errorf("without a record: %+v, %v", look, err)
	}
	if got := picture.OnDisk([]byte("… "+labsetup.Diagnosis), labsetup.Diagnosis); got[0].Kind != picture.Clear {
		t.Errorf("plaintext on disk is shown as %+v", got)
	}
	if got := picture.OnDisk(nil, labsetup.Diagnosis); got[0].Kind != picture.Nothing {
		t.Errorf("an unknown disk is shown as %+v", got)
	}
}
