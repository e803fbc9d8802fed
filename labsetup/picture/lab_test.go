// SPDX-License-Identifier: Apache-2.0

package picture_test

import (
	"context"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

var update = flag.Bool("update", false, "write the pictures in docs from a run")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run does the lab and returns the pictures of its report.
func run(t *testing.T) (first, others labsetup.Picture) {
	t.Helper()
	server := localawstest.New(t).Server
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	name := aws.String("administrator")
	_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name})
	must(t, err)
	_, err = client.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: name,
		PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	must(t, err)
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	must(t, err)
	disk := func(ctx context.Context, table, id string) ([]byte, error) {
		view, err := server.DiskView(ctx, table,
			map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}})
		return view.Sealed, err
	}
	admin := server.Config(aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId),
		SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)})
	lab, err := labsetup.New(labsetup.Config{Administrator: admin, As: server.Config, Disk: disk, Keep: true})
	must(t, err)
	r, err := lab.Run(t.Context())
	must(t, err)
	if r.Picture == nil || r.Others == nil {
		t.Fatal("the run has no pictures")
	}
	return *r.Picture, *r.Others
}

// TestRun compares the pictures in docs with a run of the lab, and what is expected
// of each row with what the run has found.
func TestRun(t *testing.T) {
	first, others := run(t)
	if want := labsetup.ExpectedPicture(); !reflect.DeepEqual(first, want) {
		t.Errorf("found:\n%+v\nexpected:\n%+v", first, want)
	}
	if want := picture.ExpectedOthers(); !reflect.DeepEqual(others, want) {
		t.Errorf("found:\n%+v\nexpected:\n%+v", others, want)
	}
	for name, svg := range map[string]string{
		"picture-light":        picture.Of(first).SVG(picture.Light),
		"picture-dark":         picture.Of(first).SVG(picture.Dark),
		"picture-others-light": picture.OfOthers(others).SVG(picture.Light),
		"picture-others-dark":  picture.OfOthers(others).SVG(picture.Dark),
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

// TestRowOf: readable and sealed parts of a cell, and what KMS said, are apart.
func TestRowOf(t *testing.T) {
	row := picture.RowOf(labsetup.PictureRow{Title: "client-side, without the key",
		Disk:    labsetup.PictureCell{Kind: labsetup.Unseen, Text: "not shown by AWS"},
		Answer:  labsetup.PictureCell{Kind: labsetup.Unreadable, Text: "ward: north, (unreadable)"},
		Program: labsetup.PictureCell{Kind: labsetup.Denied, Text: "(unreadable); KMS: denied"}})
	want := picture.Row{Title: "client-side", Detail: "without the key", Cells: [3][]picture.Part{
		{{Kind: picture.Nothing, Text: "not shown by AWS"}},
		{{Kind: picture.Clear, Text: "ward: north"}, {Kind: picture.Sealed, Text: "(unreadable)"}},
		{{Kind: picture.Sealed, Text: "(unreadable)"}, {Kind: picture.Refused, Text: "KMS: denied"}}}}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("%+v", row)
	}
	row = picture.RowOf(labsetup.PictureRow{Answer: labsetup.PictureCell{Kind: labsetup.Unexpected, Text: "key " +
		"disabled"}})
	if row.Cells[1][0] != (picture.Part{Kind: picture.Refused, Text: "key disabled"}) {
		t.Errorf("%+v", row)
	}
}
