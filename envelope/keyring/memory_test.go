// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestMemorySourceRemoves(t *testing.T) {
	const first, second = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	s, err := NewMemorySource(
		materials.NewBranchKey("a", first, [32]byte{1}),
		materials.NewBranchKey("a", second, [32]byte{2}),
		materials.NewBranchKey("b", first, [32]byte{3}),
	)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := NewMemorySource(materials.NewBranchKey("a", first, [32]byte{1}),
		materials.NewBranchKey("b", "1", [32]byte{1})); !errors.Is(err, materials.ErrConfiguration) || s != nil {
		t.Errorf("a key of version 1: %v", err)
	}
	if k, err := s.Active(t.Context(), "a"); err != nil || k.Version != second {
		t.Fatalf("%v, %v", k, err)
	}
	held := []*materials.BranchKey{s.keys["a"].versions[first], s.keys["a"].versions[second]}
	s.Remove("a")
	s.Remove("unknown")
	for _, k := range held {
		if [32]byte(k.Key()) != [32]byte{} {
			t.Error("a removed key was not wiped")
		}
	}
	if _, err := s.Active(t.Context(), "a"); !errors.Is(err, ErrNoBranchKey) {
		t.Errorf("active: %v", err)
	}
	for _, version := range []string{first, second} {
		if _, err := s.Version(t.Context(), "a", version); !errors.Is(err, ErrNoBranchKey) {
			t.Errorf("version: %v", err)
		}
	}
	if k, err := s.Version(t.Context(), "b", first); err != nil || k.Key()[0] != 3 {
		t.Errorf("the other branch key: %v, %v", k, err)
	}
}

// A version that is added again replaces the old key, which is wiped. Keys that
// were handed out are copies.
func TestMemorySourceReplaces(t *testing.T) {
	const version = "11111111-1111-4111-8111-111111111111"
	given := materials.NewBranchKey("a", version, [32]byte{1})
	s, err := NewMemorySource(given)
	if err != nil {
		t.Fatal(err)
	}
	old := s.keys["a"].versions[version]
	given.Wipe()
	out, err := s.Version(t.Context(), "a", version)
	if err != nil || out.Key()[0] != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	if err := s.Add(materials.NewBranchKey("a", version, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	if [32]byte(old.Key()) != [32]byte{} {
		t.Error("a replaced key was not wiped")
	}
	if out.Key()[0] != 1 {
		t.Error("a key that was handed out changed")
	}
	out.Wipe()
	for _, get := range []func() (*materials.BranchKey, error){
		func() (*materials.BranchKey, error) { return s.Active(t.Context(), "a") },
		func() (*materials.BranchKey, error) { return s.Version(t.Context(), "a", version) },
	} {
		k, err := get()
		if err != nil || k.Key()[0] != 2 {
			t.Fatalf("%v, %v", k, err)
		}
		k.Wipe()
	}
	if s.keys["a"].versions[version].Key()[0] != 2 {
		t.Error("wiping a copy wiped the source's key")
	}
}

// TestMemoryBeaconKeys: copies go in and out, and Remove wipes.
func TestMemoryBeaconKeys(t *testing.T) {
	s := &MemorySource{}
	if _, err := s.BeaconKey(t.Context(), "a"); !errors.Is(err, ErrNoBranchKey) {
		t.Errorf("no beacon key: %v", err)
	}
	for _, k := range []*materials.BeaconKey{nil, materials.NewBeaconKey("", [32]byte{1})} {
		if err := s.AddBeaconKey(k); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("beacon key without an id: %v", err)
		}
	}
	for _, first := range []byte{1, 2} { // the second one takes the place of the first
		given := materials.NewBeaconKey("a", [32]byte{first})
		if err := s.AddBeaconKey(given); err != nil {
			t.Fatal(err)
		}
		given.Wipe()
		for range 2 {
			k, err := s.BeaconKey(t.Context(), "a")
			if err != nil || k.ID != "a" || k.Key()[0] != first {
				t.Fatalf("%v, %v", k, err)
			}
			k.Wipe()
		}
	}
	s.Remove("a")
	if _, err := s.BeaconKey(t.Context(), "a"); !errors.Is(err, ErrNoBranchKey) {
		t.Errorf("a removed beacon key: %v", err)
	}
}
