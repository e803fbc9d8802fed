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
