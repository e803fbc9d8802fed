// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"context"
	"errors"
	"testing"
)

// unsigned is a keyring that does not write signed items.
type unsigned struct{ Keyring }

func (unsigned) CheckSuite(s AlgorithmSuite) error {
	if s.Signed() {
		return ErrConfiguration
	}
	return nil
}

// plain is a keyring that writes items of every suite.
type plain struct{}

func (plain) OnEncrypt(context.Context, *Encryption) error                     { return nil }
func (plain) OnDecrypt(context.Context, *Decryption, []EncryptedDataKey) error { return nil }

func TestCheckSuite(t *testing.T) {
	for _, suite := range []AlgorithmSuite{SuiteSymmetricSignature, SuiteDigitalSignature} {
		if err := CheckSuite(plain{}, suite); err != nil {
			t.Errorf("a keyring without the check: %v", err)
		}
		if err := CheckSuite(unsigned{}, suite); errors.Is(err, ErrConfiguration) != suite.Signed() {
			t.Errorf("%v: %v", suite, err)
		}
	}
}
