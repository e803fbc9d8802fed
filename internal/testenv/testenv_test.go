// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
)

func TestMain(m *testing.M) { Main(m) }

// trap is the value of a variable that no test may see.
const trap = "ddbseal-trap"

// traps are names of all kinds that Isolate must clear.
var traps = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_KMS",
	"AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_CLOUDTRAIL",
	"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
	"AWS_CA_BUNDLE", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	"AWS_SDK_LOAD_CONFIG", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_V1_DISABLED",
	"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_DEFAULTS_MODE", "AWS_SDK_UA_APP_ID",
	"AWS_EXECUTION_ENV",
	"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "AWS_DISABLE_REQUEST_COMPRESSION", "AWS_ACCOUNT_ID_ENDPOINT_MODE",
	"AWS_BATCH_JOB_ARRAY_INDEX", "AWS_A_VARIABLE_OF_TOMORROW",
	"DDBSEAL_DATA_DIR", "DDBSEAL_ROOT_ACCESS_KEY_ID", "DDBSEAL_ROOT_SECRET_ACCESS_KEY", "DDBSEAL_TEST_KILL_DIR",
	"DDBSEAL_TEST_CRASH_DIR", "DDBSEAL_TEST_FIPS", "DDBSEAL_TEST_MIGRATE_URL", "DDBSEAL_A_VARIABLE_OF_TOMORROW",
	"XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
	"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
	"JOB_COMPLETION_INDEX", "COMP_LINE", "NO_COLOR", "_X_AMZN_TRACE_ID",
}

// checking makes the test binary check its own environment and print it.
const checking = "-test.run=^TestTrapped$"

// TestTrapped checks the environment that Isolate made. TestTraps runs it with
// a trap in every variable.
func TestTrapped(t *testing.T) {
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(value, trap) && !slices.Contains(kept, name) {
			t.Errorf("%s is still %s", name, value)
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	for name, find := range map[string]func() (string, error){"configuration": os.UserConfigDir,
		"cache": os.UserCacheDir} {
		if dir, err := find(); err != nil || !strings.HasPrefix(dir, home) {
			t.Errorf("the %s folder is %s (%v), outside of the home directory %s", name, dir, err, home)
		}
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.BaseEndpoint != nil || cfg.Region != "" || cfg.RetryMaxAttempts != 0 {
		t.Errorf("the AWS configuration has an endpoint %v, region %q, %d attempts", cfg.BaseEndpoint, cfg.Region,
			cfg.RetryMaxAttempts)
	}
	if c, err := cfg.Credentials.Retrieve(context.WithoutCancel(t.Context())); err == nil {
		t.Errorf("there are credentials: %s", c.AccessKeyID)
	}
	t.Log("home=" + home)
	t.Log("vectors=" + os.Getenv("DDBSEAL_VECTORS"))
}

// TestTraps runs this test binary with a trap in every variable and with a home
// directory that names a profile, an endpoint and credentials.
func TestTraps(t *testing.T) {
	home := t.TempDir()
	settings := "[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\nmax_attempts = 7\n" +
		"aws_access_key_id = AKIA\naws_secret_access_key = " + trap + "\n"
	for _, name := range []string{"config", "credentials"} {
		if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, ".aws", name), []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := list(t, home)
	vectors := filepath.Join(home, "vectors")
	cmd := exec.Command(os.Args[0], checking, "-test.v")
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, marker+"=") { // the parent is a developer's shell
			cmd.Env = append(cmd.Env, pair)
		}
	}
	for _, name := range traps {
		cmd.Env = append(cmd.Env, name+"="+trap)
	}
	cmd.Env = append(cmd.Env, "HOME="+home, "USERPROFILE="+home, "DDBSEAL_VECTORS="+vectors,
		"AWS_CONFIG_FILE="+filepath.Join(home, ".aws", "config"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestTrapped") {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "vectors="+vectors) {
		t.Errorf("a variable of a suite is gone:\n%s", out)
	}
	_, used, _ := strings.Cut(string(out), "home=")
	used, _, _ = strings.Cut(used, "\n")
	if used == "" || strings.HasPrefix(used, home) {
		t.Errorf("the home directory is %q", used)
	}
	if _, err := os.Stat(used); !os.IsNotExist(err) {
		t.Errorf("the home directory of the tests is still there: %v", err)
	}
	if after := list(t, home); !slices.Equal(after, before) {
		t.Errorf("the trap home holds %q, had %q", after, before)
	}
}

// child is set in the process that TestChild starts.
const child = "DDBSEAL_TEST_CHILD"

// TestChild: a process that a test starts keeps what the test put into its
// environment.
func TestChild(t *testing.T) {
	if home := os.Getenv(child); home != "" {
		if region := os.Getenv("AWS_REGION"); region != "eu-central-1" || os.Getenv("HOME") != home {
			t.Errorf("region %q, home %s, want that of the parent, %s", region, os.Getenv("HOME"), home)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(os.Environ(), child+"="+os.Getenv("HOME"), "AWS_REGION=eu-central-1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestChild") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestGoCommand: the go command keeps its cache and its settings.
func TestGoCommand(t *testing.T) {
	out, err := exec.Command("go", append([]string{"env", "-json"}, goVariables...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]string
	if err := json.Unmarshal(out, &settings); err != nil {
		t.Fatal(err)
	}
	home := os.Getenv("HOME")
	for _, name := range goVariables {
		if value := settings[name]; value == "" || strings.HasPrefix(value, home) {
			t.Errorf("%s is %q in a home directory that is removed", name, value)
		}
	}
}

// list returns the paths below dir.
func list(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
