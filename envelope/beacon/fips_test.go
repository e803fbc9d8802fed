// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const fipsVariable = "DDBSEAL_TEST_FIPS"

// TestFIPSMode runs tests of beacons and keys again in the FIPS 140-3 mode, in
// which crypto/hmac computes the hashes.
func TestFIPSMode(t *testing.T) {
	if os.Getenv(fipsVariable) != "" {
		s := mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 32}}}, "a encrypted")
		if k := mustDerive(t, s, officialKey); !fips140.Enabled() || k.macs[0].key == nil || k.macs[0].inner != nil {
			t.Error("the key is not one for crypto/hmac")
		}
		return
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "-test.v",
		"-test.run=^(TestFIPSMode|TestOfficialConstants|TestPartitionConstants|TestJavaStoredValues|TestKeysAreKept)$")
	command.Env = append(os.Environ(), "GODEBUG=fips140=on", fipsVariable+"=on")
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFIPSMode") ||
		!strings.Contains(string(out), "--- PASS: TestOfficialConstants") {
		t.Errorf("%v\n%s", err, out)
	}
}
