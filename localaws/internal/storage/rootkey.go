// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// RootKeyFile is the name of the root key file in a data directory. Anyone who
// reads it reads everything beside it.
const RootKeyFile = "root.key"

const (
	rootKeySize   = 32
	rootKeyPrefix = "ddbseal-localaws-root-key-v1:"
)

const mendRootKey = "restore it from a copy, because nothing in the data file opens without it, or begin with " +
	"another folder"

// ErrRootKey means that the root key file is missing beside existing data, is not one,
// can be read by others, or belongs to other data.
var ErrRootKey = errors.New("root key file cannot be used")

// openRootKey reads the root key of a directory. With create set it makes one
// when there is none.
func openRootKey(dir string, create bool) ([]byte, error) {
	path := filepath.Join(dir, RootKeyFile)
	key, err := readRootKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if !create {
		return nil, fmt.Errorf("%w: %s is missing: %s", ErrRootKey, path, mendRootKey)
	}
	fresh := make([]byte, rootKeySize)
	rand.Read(fresh) // never fails
	defer clear(fresh)
	if err := createFile(path, []byte(rootKeyPrefix+hex.EncodeToString(fresh)+"\n")); err != nil &&
		!errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make root key file: %w", err)
	}
	// Another process may have been faster: what counts is the file.
	return readRootKey(path)
}

func readRootKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > 1024 {
		return nil, fmt.Errorf("%w: %s is not a root key file: %s", ErrRootKey, path, mendRootKey)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s can be read by others (mode %04o): make it 0600", ErrRootKey, path,
			info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	digits, ok := strings.CutPrefix(strings.TrimSuffix(string(text), "\n"), rootKeyPrefix)
	key, err := hex.DecodeString(digits)
	if !ok || err != nil || len(key) != rootKeySize {
		return nil, fmt.Errorf("%w: %s is not a root key file: %s", ErrRootKey, path, mendRootKey)
	}
	return key, nil
}

// createFile makes a file that is whole from the moment it has its name. It
// fails with fs.ErrExist rather than replace one.
func createFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content) // CreateTemp made it 0600
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes new names in a directory durable, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// newSeal derives from the root key what seals values. Every value has its own
// random nonce.
func newSeal(rootKey []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, rootKey, nil, "ddbseal localaws store values", 32)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// boundTo is what a sealed value is bound to: it opens nowhere else.
func boundTo(bucket string, key []byte) []byte {
	return append([]byte(bucket+"\x00"), key...)
}
