// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
)

const fipsVariable = "DDBSEAL_TEST_FIPS"

// TestFIPSMode runs parts of this test binary again under the FIPS 140-3 modes:
// "on" works, "only" is refused with a reason.
func TestFIPSMode(t *testing.T) {
	if mode := os.Getenv(fipsVariable); mode != "" {
		inFIPSMode(t, mode)
		return
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"on", "only"} {
		command := exec.Command(binary, "-test.run=^(TestFIPSMode|TestGoldenItems)$", "-test.v")
		if mode == "only" {
			command = exec.Command(binary, "-test.run=^TestFIPSMode$", "-test.v")
		}
		command.Env = append(os.Environ(), "GODEBUG=fips140="+mode, fipsVariable+"="+mode)
		out, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestFIPSMode") {
			t.Errorf("fips140=%s: %v\n%s", mode, err, out)
		}
	}
}

func inFIPSMode(t *testing.T, mode string) {
	if mode == "only" {
		_, err := envelope.NewItemEncryptor(envelope.Config{})
		if !errors.Is(err, envelope.ErrUnsupported) || !strings.Contains(err.Error(), "fips140=only") {
			t.Errorf("got %v", err)
		}
		// Applications make a keyring before the encryptor.
		_, err = keyring.NewRawAES(keyring.RawAESConfig{Namespace: "n", Name: "k", Key: make([]byte, 32)})
		if !errors.Is(err, envelope.ErrUnsupported) || !strings.Contains(err.Error(), "fips140=only") {
			t.Errorf("got %v", err)
		}
		private, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = keyring.NewRawECDHDiscovery(private); !errors.Is(err, envelope.ErrUnsupported) ||
			!strings.Contains(err.Error(), "fips140=only") {
			t.Errorf("got %v", err)
		}
		return
	}
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		config := validConfig(t)
		config.AlgorithmSuite = suite
		roundTrip(t, mustEncryptor(t, config), validItem())
	}
}
