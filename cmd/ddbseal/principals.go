package main

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

// administratorAlias is what --as calls the principal who provisions, whoever
// they are.
const administratorAlias = "administrator"

// The files of principals in the data directory: one for the embedded AWS and
// servers like it, one for AWS.
const (
	principalsFile    = "principals.json"
	principalsFileAWS = "principals-aws.json"
)

// principals are the access keys that `up` made, in a file that only its owner
// can read, beside the data of the embedded AWS.
type principals struct {
	path   string
	KeyARN string               `json:"keyArn,omitempty"` // the lab's key
	Keys   map[string]accessKey `json:"accessKeys"`
}

type accessKey struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
}

// String hides the secret.
func (k accessKey) String() string { return k.ID }

// GoString hides the secret.
func (k accessKey) GoString() string { return k.ID }

func (k accessKey) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret}
}

// maxPrincipals bounds the file: it holds a handful of keys.
const maxPrincipals = 1 << 20

// readPrincipals reads the file; one that is not there is empty.
func readPrincipals(path string) (*principals, error) {
	p := &principals{path: path, Keys: map[string]accessKey{}}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPrincipals {
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
		p.Keys = map[string]accessKey{}
	}
	return p, nil
}

// add keeps one more access key. It has the shape of labsetup.Config.Keys.
func (p *principals) add(name string, c aws.Credentials) error {
	p.Keys[name] = accessKey{c.AccessKeyID, c.SecretAccessKey}
	return p.write()
}

// write replaces the file as a whole, so that it is never half written.
func (p *principals) write() error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	return privatefile.Replace(p.path, append(text, '\n'))
}

func (p *principals) remove() error {
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// names lists those whose keys are here.
func (p *principals) names() string {
	return strings.Join(slices.Sorted(maps.Keys(p.Keys)), ", ")
}

// defaultDataDir is $XDG_DATA_HOME/ddbseal, else ~/.local/share/ddbseal; on
// macOS and Windows the folder that the system has for an application's files.
func defaultDataDir() (string, error) {
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
