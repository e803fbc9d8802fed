package console

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/labsetup"
)

const account = "111122223333"

// TestPeopleOfAPolicy: whoever is added is there once, nobody else changes, and
// removing gives back the policy to the letter.
func TestPeopleOfAPolicy(t *testing.T) {
	arns := rapid.SliceOfNDistinct(rapid.StringMatching(`arn:aws:iam::111122223333:(user|role)/[a-z]{1,8}`), 1, 5, rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		people := arns.Draw(t, "people")
		fresh := "arn:aws:iam::111122223333:user/" + rapid.StringMatching(`[A-Z]{1,8}`).Draw(t, "fresh")
		before := layout(labsetup.ConsolePolicy(account, people, people))
		p, err := parsePolicy(before)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := p.text(); err != nil || text != before {
			t.Fatalf("%v\n%s\nis not\n%s", err, text, before)
		}
		for range 2 { // twice changes nothing more
			if err := p.add(account, fresh, sidUsers, sidAttachment); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.principals(sidUsers); !slices.Equal(got, append(slices.Clone(people), fresh)) {
			t.Fatal(got)
		}
		if got := p.principals(sidAdministrators); !slices.Equal(got, people) {
			t.Fatal(got)
		}
		if err := p.remove(fresh, sidUsers, sidAttachment); err != nil {
			t.Fatal(err)
		}
		if text, err := p.text(); err != nil || text != before {
			t.Fatalf("%v\n%s\nis not\n%s", err, text, before)
		}
	})
}

func TestStatementsComeAndGo(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:user/ann"
	p, err := parsePolicy(labsetup.ConsolePolicy(account, []string{arn}, []string{arn}))
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := p.text()
	if err := p.remove(arn, sidUsers, sidAttachment); err != nil {
		t.Fatal(err)
	}
	if len(p.Statement) != 2 || p.find(sidUsers) >= 0 || p.find(sidAttachment) >= 0 {
		t.Fatalf("%+v", p.Statement)
	}
	if err := p.add(account, arn, sidUsers, sidAttachment); err != nil {
		t.Fatal(err)
	}
	if again, _ := p.text(); again != whole {
		t.Errorf("the statements come back as\n%s\nnot as\n%s", again, whole)
	}
}

func TestOtherForms(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:user/ann"
	for name, text := range map[string]string{
		"one statement": `{"Version":"2012-10-17","Statement":{"Effect":"Allow"}}`,
		"more members":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Extra":1}]}`,
		"no JSON":       `nonsense`,
	} {
		if _, err := parsePolicy(text); !errors.Is(err, errOtherForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, principal := range map[string]string{"everybody": `"*"`, "a service": `{"Service":"x.amazonaws.com"}`, "both": `{"AWS":"` + arn + `","Service":"x.amazonaws.com"}`, "numbers": `{"AWS":[1]}`} {
		p, err := parsePolicy(`{"Version":"2012-10-17","Statement":[{"Sid":"` + sidUsers + `","Effect":"Allow","Principal":` + principal + `}]}`)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.add(account, arn, sidUsers); !errors.Is(err, errOtherForm) {
			t.Errorf("add to %s: %v", name, err)
		}
		if err := p.remove(arn, sidUsers); !errors.Is(err, errOtherForm) {
			t.Errorf("remove from %s: %v", name, err)
		}
	}
}

func TestDifference(t *testing.T) {
	var got strings.Builder
	for _, line := range difference("a\nb\n--- c\n", "a\nB\n--- c\n") {
		got.WriteString(line.Kind + " " + line.Text + "\n")
	}
	if want := "same @@ -1,3 +1,3 @@\nsame  a\nremove -b\nadd +B\nsame  --- c\n"; got.String() != want {
		t.Errorf("%s", got.String())
	}
	if len(difference("x", "x")) != 0 {
		t.Error("a difference of equal texts")
	}
}
