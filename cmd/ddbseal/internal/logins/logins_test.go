// SPDX-License-Identifier: Apache-2.0

package logins

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// TestPasswordsStay: a start prints the passwords of the one before, and leaves
// alone one that was chosen, also after the lab's resources were removed.
func TestPasswordsStay(t *testing.T) {
	folder, server := t.TempDir(), localawstest.New(t).Server
	provision := func() []Login {
		t.Helper()
		people, err := Provision(t.Context(), server, folder)
		if err != nil || len(people) != 2 || people[0].User != administrator.Name ||
			people[1].User != labsetup.UserName {
			t.Fatal(len(people), err)
		}
		return people
	}
	first := provision()
	for _, l := range first {
		if _, _, err := server.SignIn(server.AccountID(), l.User, l.Password); err != nil {
			t.Errorf("%s: %v", l.User, err)
		}
	}
	info, err := os.Stat(filepath.Join(folder, loginsFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if second := provision(); second[0] != first[0] || second[1] != first[1] {
		t.Error("a second start made other passwords")
	}
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	const chosen = "Chosen-by-the-user-1"
	for _, l := range first {
		if _, err := client.UpdateLoginProfile(t.Context(),
			&iam.UpdateLoginProfileInput{UserName: &l.User, Password: aws.String(chosen)}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		for _, l := range provision() {
			if l.Password != "" && l.User == administrator.Name {
				t.Errorf("%s: %s got another password", when, l.User)
			}
		}
		if _, _, err := server.SignIn(server.AccountID(), administrator.Name, chosen); err != nil {
			t.Errorf("%s: the chosen password was overwritten: %v", when, err)
		}
	}
	check("next start")
	if _, _, err := server.SignIn(server.AccountID(), labsetup.UserName, chosen); err != nil {
		t.Errorf("the lab's user lost the chosen password: %v", err)
	}
	// Removed console access stays removed.
	if _, err := client.DeleteLoginProfile(t.Context(),
		&iam.DeleteLoginProfileInput{UserName: aws.String(labsetup.UserName)}); err != nil {
		t.Fatal(err)
	}
	if people, err := Provision(t.Context(), server, folder); err != nil || len(people) != 1 {
		t.Errorf("%d people can sign in, %v", len(people), err)
	}
	lab, err := labsetup.New(labsetup.Config{Administrator: administrator.Config(server, server.RootCredentials())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after clean-up")
	keys, err := client.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String(administrator.Name)})
	if err != nil || len(keys.AccessKeyMetadata) != 0 {
		t.Errorf("the administrator has %d access keys, %v", len(keys.AccessKeyMetadata), err)
	}
}

// TestKnowsTheLabsPassword: the command's lab made the user on this folder.
func TestKnowsTheLabsPassword(t *testing.T) {
	folder, server := t.TempDir(), localawstest.New(t).Server
	lab, err := labsetup.New(labsetup.Config{Administrator: server.Config(server.RootCredentials()), Folder: folder,
		SignIn: func(string) string { return "http://127.0.0.1:8765/c-1/" }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, labsetup.CredentialsFile))
	if err != nil || !strings.Contains(string(text), ",http://127.0.0.1:8765/c-1/\n") ||
		strings.Contains(string(text), "aws.amazon.com") {
		t.Errorf("the credentials file says %q, %v", text, err)
	}
	people, err := Provision(t.Context(), server, folder)
	if err != nil || len(people) != 2 || people[1].Password == "" ||
		!strings.Contains(string(text), ","+people[1].Password+",") {
		t.Errorf("the file's password is not the one that is printed: %v", err)
	}
}

func TestDamagedFile(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, loginsFile), []byte("null"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := localawstest.New(t).Server
	if _, err := Provision(t.Context(), server, folder); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Error(err)
	}
	if _, err := Provision(t.Context(), server, filepath.Join(folder, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
