// SPDX-License-Identifier: Apache-2.0

package userform

import (
	"bytes"
	"encoding/csv"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
)

// PasswordFile returns the file that the console of AWS offers for a new user:
// the same name and columns. signIn is the address at which the password works.
func PasswordFile(user, password, signIn string) (reply.File, error) {
	return table(user+"_credentials.csv", []string{"User name", "Password", "Console sign-in URL"},
		[]string{user, password, signIn})
}

// AccessKeyFile returns the file that the console of AWS offers for a new access
// key.
func AccessKeyFile(user, id, secret string) (reply.File, error) {
	return table(user+"_accessKeys.csv", []string{"Access key ID", "Secret access key"}, []string{id, secret})
}

func table(name string, rows ...[]string) (reply.File, error) {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return reply.File{}, err
	}
	return reply.File{Name: name, Content: b.Bytes()}, nil
}
