// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/internal/privatefile"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
)

// ErrCredentials is returned by New if the file of the root users' access keys
// in DataDir is damaged.
var ErrCredentials = errors.New("root credentials file is damaged")

const mendCredentials = "restore it from a copy, or remove it, " +
	"and the next start makes a new access key for the root user of the account id that you give it"

// credentialsFile is where a durable server keeps the root users' access keys.
const credentialsFile = "root-credentials.json"

// accountCredentials is one root user's access key.
type accountCredentials struct {
	AccountID       string `json:"accountId"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

func (a accountCredentials) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey, AccountID: a.AccountID,
		Source: "localaws"}
}

// rootStore remembers the root users' access keys, in DataDir when there is
// one. The first account is the server's own.
type rootStore struct {
	path     string               // empty: memory only
	Accounts []accountCredentials `json:"accounts"`
}

func openRoots(dataDir string) (*rootStore, error) {
	r := &rootStore{}
	if dataDir == "" {
		return r, nil
	}
	r.path = filepath.Join(dataDir, credentialsFile)
	text, exists, err := privatefile.Read(r.path)
	if err != nil {
		return nil, fmt.Errorf("read root credentials: %w", err)
	}
	if !exists {
		return r, nil
	}
	if err := json.Unmarshal(text, r); err != nil {
		// The text is not repeated: it holds secrets.
		return nil, fmt.Errorf("%w: %s is not the JSON that this program writes: %s", ErrCredentials, r.path,
			mendCredentials)
	}
	for _, a := range r.Accounts {
		if !accountPattern.MatchString(a.AccountID) || a.AccessKeyID == "" || a.SecretAccessKey == "" {
			return nil, fmt.Errorf("%w: an account in %s is incomplete: %s", ErrCredentials, r.path, mendCredentials)
		}
	}
	return r, nil
}

// find returns the credentials of an account.
func (r *rootStore) find(account string) (accountCredentials, bool) {
	for _, a := range r.Accounts {
		if a.AccountID == account {
			return a, true
		}
	}
	return accountCredentials{}, false
}

// put keeps a, in place of what its account had, whole or not at all.
func (r *rootStore) put(a accountCredentials) error {
	next := rootStore{Accounts: slices.Clone(r.Accounts)}
	if i := slices.IndexFunc(next.Accounts,
		func(x accountCredentials) bool { return x.AccountID == a.AccountID }); i >= 0 {
		next.Accounts[i] = a
	} else {
		next.Accounts = append(next.Accounts, a)
	}
	if r.path != "" {
		text, err := json.MarshalIndent(next, "", "  ")
		if err != nil {
			return fmt.Errorf("write root credentials: %w", err)
		}
		if err := privatefile.Replace(r.path, append(text, '\n')); err != nil {
			return fmt.Errorf("write root credentials: %w", err)
		}
	}
	r.Accounts = next.Accounts
	return nil
}

// newRoot creates an access key as IAM does.
func newRoot(account string) accountCredentials {
	return accountCredentials{AccountID: account, AccessKeyID: identifier.NewAccessKey("AKIA"),
		SecretAccessKey: identifier.NewSecret()}
}
