// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// draws are the functions of the module that draw randomness, each with the
// package and the name of the test that compares many of its results. Such a
// test must come with a new function: every other test passes with a constant.
var draws = map[string]string{
	"cmd/ddbseal/console.go newRootToken":            "cmd/ddbseal TestRootTokensAreFresh",
	"cmd/ddbseal/internal/console/session.go random": "cmd/ddbseal/internal/console TestSessionsAreFresh",
	"cmd/ddbseal/internal/password/password.go New":  "cmd/ddbseal/internal/password TestPasswordsAreFresh",

	"envelope/encrypt.go seal":                              "envelope TestMessageIDsAreFresh",
	"envelope/signature.go signDigest":                      "envelope TestSignaturesAreFresh",
	"envelope/beacon/census.go newCensus":                   "envelope/beacon TestCensusKeysAreFresh",
	"envelope/beacon/partition.go randomPartition":          "envelope/beacon TestPartitionsAreFresh",
	"envelope/materials/encryption.go AddRecipient":         "envelope/materials TestDataKeysAreFresh",
	"envelope/materials/signingkeys.go drawSigningKey":      "envelope/materials TestSigningKeysAreFresh",
	"envelope/keyring/branchwrap.go wrapUnderBranchKey":     "envelope/keyring TestBranchWrappingDrawsSaltAndIV",
	"envelope/keyring/internal/recipient/recipient.go Draw": "envelope/keyring/internal/recipient TestDrawIsFresh",
	"envelope/keyring/rawaes.go Prepare":                    "envelope/keyring TestRawAESDrawsKeyAndIV",
	"envelope/keyring/rawecdh.go Prepare":                   "envelope/keyring TestRawECDHDraws",
	"envelope/keyring/internal/agreement/pair.go Wrap":      "envelope/keyring TestRawECDHDraws",
	"envelope/keyring/awskms/rsa.go Prepare":                "envelope/keyring/awskms TestRSADraws",
	"envelope/keyring/rawrsa.go Prepare":                    "envelope/keyring TestRawRSADrawsItsKey",
	"envelope/keyring/rawrsa.go open":                       "envelope/keyring TestRawRSAGuessesNoKey",
	"envelope/legacy/wrapped.go pkcs1":                      "envelope/legacy TestRSAGuessesNoKey",
	"envelope/keystore/cache/config.go withDefaults":        "envelope/keystore/cache TestPartitionsAreFresh",
	"envelope/keystore/create.go CreateKey":                 "envelope/keystore TestIDsAreFresh",
	"envelope/keystore/create.go VersionKey":                "envelope/keystore TestIDsAreFresh",
	"envelope/keystore/keystore.go New":                     "envelope/keystore TestIDsAreFresh",

	"labsetup/recovery.go newEscrowKey": "labsetup TestEscrowKeysAreFresh",
	"labsetup/user.go newPassword":      "labsetup TestPasswordsAreFresh",

	"localaws/internal/dynamodb/createtable.go newID": "localaws/internal/dynamodb TestTableIDsAreFresh",
	"localaws/internal/dynamodb/atrest/sealer.go newTableKey": "localaws/internal/dynamodb/atrest " +
		"TestNoncesAndKeysAreFresh",
	"localaws/internal/dynamodb/atrest/sealer.go SealText": "localaws/internal/dynamodb/atrest " +
		"TestNoncesAndKeysAreFresh",
	"localaws/internal/dynamodb/backup/backup.go newARN":      "localaws/internal/dynamodb/backup TestARNsAreFresh",
	"localaws/internal/dynamodb/stream/shard.go newShardID":   "localaws/internal/dynamodb/stream TestShardIDsAreFresh",
	"localaws/internal/iam/loginprofile.go newSalt":           "localaws/internal/iam TestSaltsAreFresh",
	"localaws/internal/identifier/identifier.go New":          "localaws/internal/identifier TestIDsAndSecretsAreFresh",
	"localaws/internal/identifier/identifier.go NewSecret":    "localaws/internal/identifier TestIDsAndSecretsAreFresh",
	"localaws/internal/kms/asymmetric/asymmetric.go Encrypt":  "localaws/internal/kms/asymmetric TestPairsAreFresh",
	"localaws/internal/kms/asymmetric/asymmetric.go Generate": "localaws/internal/kms/asymmetric TestPairsAreFresh",
	"localaws/internal/kms/datakey.go drawKey":                "localaws/internal/kms TestDrawsAreFresh",
	"localaws/internal/kms/datakey.go generateRandom":         "localaws/internal/kms TestDrawsAreFresh",
	"localaws/internal/kms/key_create.go newKey":              "localaws/internal/kms TestDrawsAreFresh",
	"localaws/internal/kms/material.go newVersion":            "localaws/internal/kms TestDrawsAreFresh",
	"localaws/internal/kms/material.go randomHex":             "localaws/internal/kms TestDrawsAreFresh",
	"localaws/internal/kms/material.go seal":                  "localaws/internal/kms TestDrawsAreFresh",
	"localaws/internal/request/id.go NewID":                   "localaws/internal/request TestNewID",
	"localaws/internal/storage/rootkey.go newSeal":            "localaws/internal/storage TestSealsAreFresh",
	"localaws/internal/storage/rootkey.go openRootKey":        "localaws/internal/storage TestRootKeysAreFresh",
	"localaws/internal/sts/service.go New":                    "localaws/internal/sts TestTokenKeysAreFresh",
	"localaws/internal/sts/session.go tokenAEAD":              "localaws/internal/sts TestTokenNoncesAreFresh",

	"store/transaction.go newToken":         "store TestTokensAreFresh",
	"store/transparent/tokens.go newTokens": "store/transparent TestTokenKeysAreFresh",
}

// drawnInTests are packages and programs that are not part of a user's binary.
var drawnInTests = []string{"envelope/internal/fakekms/", "internal/legacywriter/", "interop/vectors/"}

// jitter are the files that import math/rand, whose numbers can be guessed. They
// spread requests over time or have the embedded AWS fail at chance.
var jitter = []string{
	"envelope/keystore/cache/source.go", "localaws/faults.go", "store/internal/precondition/rewrite.go",
	"store/migrate/item.go",
	"store/internal/pace/conflict.go", "store/internal/pace/pace.go",
}

// readers are the functions of crypto packages that take a reader of randomness.
var readers = []string{
	"GenerateKey", "GenerateMultiPrimeKey", "Sign", "SignASN1", "SignPKCS1v15", "SignPSS", "EncryptOAEP",
	"EncryptPKCS1v15",
}

// unread are the functions that draw randomness without being given a reader.
var unread = []string{"NewGCMWithRandomNonce", "GenerateKey768", "GenerateKey1024"}

func TestRandomnessIsDrawnInFewPlaces(t *testing.T) {
	found, guessable := make(map[string]bool), make(map[string]bool)
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return skipModule(name, d.Name())
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		files++
		name = filepath.ToSlash(name)
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		functions, faults := drawn(f)
		for _, in := range functions {
			found[name+" "+in] = true
		}
		for _, fault := range faults {
			t.Errorf("%s: %s", name, fault)
		}
		for _, i := range f.Imports {
			if strings.HasPrefix(i.Path.Value, `"math/rand`) {
				guessable[name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 300 {
		t.Fatalf("only %d files: the search finds nothing", files)
	}
	for place := range found {
		if forTests := slices.ContainsFunc(drawnInTests,
			func(p string) bool { return strings.HasPrefix(place, p) }); !forTests && draws[place] == "" {
			t.Errorf("%s draws randomness: compare many of its results in a test, and add both to draws", place)
		}
	}
	for place, test := range draws {
		if !found[place] {
			t.Errorf("%s draws no randomness: take it off draws", place)
		}
		if dir, name, ok := strings.Cut(test, " "); !ok || !hasTest(t, dir, name) {
			t.Errorf("%s: there is no test %s", place, test)
		}
	}
	for name := range guessable {
		if !slices.Contains(jitter, name) {
			t.Errorf("%s imports math/rand, whose numbers can be guessed: use crypto/rand", name)
		}
	}
	for _, name := range jitter {
		if !guessable[name] {
			t.Errorf("%s does not import math/rand: take it off jitter", name)
		}
	}
}

// skipModule leaves out folders of other modules and those that Go ignores.
func skipModule(name, base string) error {
	if name == "." {
		return nil
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	if err == nil || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	return nil
}

// drawn returns the functions of a file that draw randomness, and what is wrong
// with how they do it.
func drawn(f *ast.File) (functions, faults []string) {
	imports := make(map[string]string) // by their name in the file
	for _, i := range f.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		as := path.Base(p)
		if i.Name != nil {
			as = i.Name.Name
		}
		if imports[as] = p; as == "." && (p == "crypto/rand" || p == "github.com/google/uuid") {
			faults = append(faults, "imports the names of "+p+", which hides where it draws")
		}
	}
	of := func(e ast.Expr) (pkg, name string) {
		if s, ok := e.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil {
				return imports[x.Name], s.Sel.Name
			}
		}
		return "", ""
	}
	isReader := func(e ast.Expr) bool {
		pkg, name := of(e)
		return pkg == "crypto/rand" && name == "Reader"
	}
	for _, decl := range f.Decls {
		in := "(no function)"
		if fn, ok := decl.(*ast.FuncDecl); ok {
			in = fn.Name.Name
		}
		fault := func(text string) { faults = append(faults, in+" "+text) }
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				pkg, name := of(n)
				switch {
				case pkg == "crypto/rand", strings.HasPrefix(pkg, "crypto/") && slices.Contains(unread, name),
					pkg == "github.com/google/uuid" && strings.HasPrefix(name, "New"):
					functions = append(functions, in)
				case pkg == "github.com/google/uuid" && (name == "SetRand" || strings.HasSuffix(name, "RandPool")):
					fault("calls uuid." + name + ", which changes where all ids come from")
				}
			case *ast.CallExpr:
				pkg, name := of(n.Fun)
				if strings.HasPrefix(pkg, "crypto/") && slices.Contains(readers, name) &&
					!slices.ContainsFunc(n.Args, isReader) {
					fault("does not give rand.Reader to " + pkg + "." + name)
				}
			case *ast.AssignStmt:
				if slices.ContainsFunc(n.Lhs, isReader) {
					fault("sets rand.Reader for the whole program")
				}
			case *ast.BasicLit:
				if strings.Contains(n.Value, "/dev/urandom") || strings.Contains(n.Value, "/dev/random") {
					fault("reads " + n.Value + " itself")
				}
			}
			return true
		})
	}
	return functions, faults
}

// TestDrawn shows that the search sees what it is for.
func TestDrawn(t *testing.T) {
	for body, want := range map[string]string{
		`_, _ = rand.Read(b)`:                         "f draws",
		`_, _ = io.ReadFull(rand.Reader, b)`:          "f draws",
		`key, _ := ecdsa.GenerateKey(c, rand.Reader)`: "f draws",
		`key, _ := ecdsa.GenerateKey(c, zeros{})`: "does not give rand.Reader to " +
			"crypto/ecdsa.GenerateKey",
		`der, _ := ecdsa.SignASN1(nil, key, digest)`: "does not give rand.Reader to " +
			"crypto/ecdsa.SignASN1",
		`go func() { h(uuid.New()) }()`:                            "f draws",
		`id := u.NewString()`:                                      "f draws",
		`u.SetRand(zeros{})`:                                       "uuid.SetRand",
		`u.EnableRandPool()`:                                       "uuid.EnableRandPool",
		`rand.Reader = zeros{}`:                                    "sets rand.Reader",
		`aead, _ := cipher.NewGCMWithRandomNonce(block)`:           "f draws",
		`b, _ := os.ReadFile("/dev/urandom")`:                      "itself",
		`u, rand := x, y; rand.Read(b)`:                            "",
		`aead, _ := cipher.NewGCM(block)`:                          "",
		`id, err := u.Parse(text)`:                                 "",
		`s.Read(rand)`:                                             "",
		`if _, err := rsa.EncryptOAEP(h, rand.Reader, p); true {}`: "f draws",
	} {
		source := `package p
import (
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"github.com/google/uuid"
	u "github.com/google/uuid"
	"io"
	"os"
)
func f() { ` + body + ` }
`
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		functions, got := drawn(file)
		for _, in := range functions {
			got = append(got, in+" draws")
		}
		if text := strings.Join(got, ", "); (text == "") != (want == "") || !strings.Contains(text, want) {
			t.Errorf("%s: found %q, want %q", body, text, want)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "p.go",
		"package p; import . \"crypto/rand\"; var b, _ = Read(nil)", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, faults := drawn(file); len(faults) != 1 {
		t.Errorf("an import of names: %q", faults)
	}
}

// hasTest reports whether a package has a test of this name.
func hasTest(t *testing.T, dir, name string) bool {
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {") {
			return true
		}
	}
	return false
}
