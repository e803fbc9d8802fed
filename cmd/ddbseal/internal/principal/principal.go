// SPDX-License-Identifier: Apache-2.0

// Package principal keeps the access keys of the principals that the lab makes, in
// a file that only its owner can read.
package principal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/internal/privatefile"
)

// Administrator is what --as calls the principal who provisions, whichever
// user that is.
const Administrator = "administrator"

// The files of principals in the data directory: one for the embedded AWS and
// servers like it, one for AWS.
const (
	File    = "principals.json"
	FileAWS = "principals-aws.json"
)

// Keys are the access keys that `up` made, in a file that only its owner
// can read, beside the data of the embedded AWS.
type Keys struct {
	Path   string               `json:"-"`
	KeyARN string               `json:"keyArn,omitempty"` // the lab's key
	Keys   map[string]AccessKey `json:"accessKeys"`
}

// AccessKey is an access key of a principal. It does not print its secret.
type AccessKey struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
}

// String hides the secret.
func (k AccessKey) String() string { return k.ID }

// GoString hides the secret.
func (k AccessKey) GoString() string { return k.ID }

// Credentials returns the key as the SDK takes it.
func (k AccessKey) Credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret}
}

// maxFile bounds the file: it holds a handful of keys.
const maxFile = 1 << 20

// Read reads the file; one that is not there is empty.
func Read(path string) (*Keys, error) {
	p := &Keys{Path: path, Keys: map[string]AccessKey{}}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is not a file of access keys: remove it and run 'ddbseal up' again", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, p); err != nil {
		// the cause could quote a secret
		return nil, fmt.Errorf("%s is damaged: remove it and run 'ddbseal up' again", path)
	}
	if p.Keys == nil {
		p.Keys = map[string]AccessKey{}
	}
	return p, nil
}

// Add keeps one more access key. It has the shape of labsetup.Config.Keys.
func (p *Keys) Add(name string, c aws.Credentials) error {
	p.Keys[name] = AccessKey{c.AccessKeyID, c.SecretAccessKey}
	return p.Write()
}

// Write replaces the file as a whole, so that it is never half written.
func (p *Keys) Write() error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.Path), 0o700); err != nil {
		return err
	}
	return privatefile.Replace(p.Path, append(text, '\n'))
}

// Remove deletes the file.
func (p *Keys) Remove() error {
	if err := os.Remove(p.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Names lists those whose keys are here.
func (p *Keys) Names() string {
	return strings.Join(slices.Sorted(maps.Keys(p.Keys)), ", ")
}

// DefaultFolder is $XDG_DATA_HOME/ddbseal, else ~/.local/share/ddbseal; on
// macOS and Windows the folder that the system has for an application's files.
func DefaultFolder() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ddbseal"), nil
	}
	switch runtime.GOOS {
	case "darwin", "windows":
		dir, err := os.UserConfigDir()
		return filepath.Join(dir, "ddbseal"), err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the data directory: give --data-dir: %w", err)
	}
	return filepath.Join(home, ".local", "share", "ddbseal"), nil
}
