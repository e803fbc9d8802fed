package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ddbseal": main})
}

// TestScripts runs testdata/*.txt: each reads like documentation of a command.
func TestScripts(t *testing.T) {
	found, err := os.ReadDir("testdata")
	if err != nil || len(found) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
