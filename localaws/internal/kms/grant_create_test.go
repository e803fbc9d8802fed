// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestCovers: a grant lets its grantee pass on its operations, under constraints
// that are the same or stricter.
func TestCovers(t *testing.T) {
	type pairs = map[string]string
	const table, other = "arn:aws:dynamodb:eu-central-1:111122223333:table/t",
		"arn:aws:dynamodb:eu-central-1:111122223333:table/u"
	one := func(change func(*policy.Grant)) policy.Grant {
		g := policy.Grant{Operations: []string{"CreateGrant", "Decrypt", "Encrypt"}}
		change(&g)
		return g
	}
	subset := func(p pairs) policy.Grant { return one(func(g *policy.Grant) { g.EncryptionContextSubset = p }) }
	equals := func(p pairs) policy.Grant { return one(func(g *policy.Grant) { g.EncryptionContextEquals = p }) }
	source := func(arn string) policy.Grant { return one(func(g *policy.Grant) { g.SourceARN = arn }) }
	operations := func(o ...string) policy.Grant { return one(func(g *policy.Grant) { g.Operations = o }) }
	free := one(func(*policy.Grant) {})
	for name, c := range map[string]struct {
		parent, child policy.Grant
		want          bool
	}{
		"the same":                  {free, free, true},
		"fewer operations":          {free, operations("Encrypt"), true},
		"one operation more":        {free, operations("Decrypt", "DescribeKey"), false},
		"without CreateGrant":       {operations("Decrypt", "Encrypt"), operations("Decrypt"), false},
		"no constraint, any child":  {free, subset(pairs{"a": "1"}), true},
		"no constraint, exact":      {free, equals(pairs{"a": "1"}), true},
		"no constraint, source":     {free, source(table), true},
		"subset, none":              {subset(pairs{"a": "1"}), free, false},
		"subset, the same":          {subset(pairs{"a": "1"}), subset(pairs{"a": "1"}), true},
		"subset, more":              {subset(pairs{"a": "1"}), subset(pairs{"a": "1", "b": "2"}), true},
		"subset, less":              {subset(pairs{"a": "1", "b": "2"}), subset(pairs{"a": "1"}), false},
		"subset, another value":     {subset(pairs{"a": "1"}), subset(pairs{"a": "2"}), false},
		"subset, one value of two":  {subset(pairs{"a": "1", "b": "2"}), subset(pairs{"a": "1", "b": "3"}), false},
		"subset, another name":      {subset(pairs{"a": "1"}), subset(pairs{"b": "1"}), false},
		"subset, empty value":       {subset(pairs{"a": ""}), subset(pairs{"b": "1"}), false},
		"subset, exact":             {subset(pairs{"a": "1"}), equals(pairs{"a": "1"}), true},
		"subset, exact with more":   {subset(pairs{"a": "1"}), equals(pairs{"a": "1", "b": "2"}), true},
		"subset, exact, other":      {subset(pairs{"a": "1"}), equals(pairs{"a": "2"}), false},
		"exact, none":               {equals(pairs{"a": "1"}), free, false},
		"exact, the same":           {equals(pairs{"a": "1"}), equals(pairs{"a": "1"}), true},
		"exact, more":               {equals(pairs{"a": "1"}), equals(pairs{"a": "1", "b": "2"}), false},
		"exact, less":               {equals(pairs{"a": "1", "b": "2"}), equals(pairs{"a": "1"}), false},
		"exact, another value":      {equals(pairs{"a": "1"}), equals(pairs{"a": "2"}), false},
		"exact, as a subset":        {equals(pairs{"a": "1"}), subset(pairs{"a": "1"}), false},
		"source, none":              {source(table), free, false},
		"source, the same":          {source(table), source(table), true},
		"source, another":           {source(table), source(other), false},
		"source, another's subset":  {source(table), subset(pairs{"a": "1"}), false},
		"source and subset, source": {one(func(g *policy.Grant) { g.SourceARN, g.EncryptionContextSubset = table, pairs{"a": "1"} }), source(table), false},
	} {
		if got := covers(&c.parent, &grant{Grant: c.child}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestChildGrants asks through the wire what TestCovers asks.
func TestChildGrants(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	child := w.user(here, "child")
	for name, c := range map[string]struct {
		parent, child members // constraints
		allowed       bool
	}{
		"subset, another value":   {members{"EncryptionContextSubset": members{"a": "1"}}, members{"EncryptionContextSubset": members{"a": "2"}}, false},
		"subset, value and more":  {members{"EncryptionContextSubset": members{"a": "1"}}, members{"EncryptionContextSubset": members{"a": "1", "b": "2"}}, true},
		"subset, exact and other": {members{"EncryptionContextSubset": members{"a": "1"}}, members{"EncryptionContextEquals": members{"a": "2"}}, false},
		"exact, the same":         {members{"EncryptionContextEquals": members{"a": "1"}}, members{"EncryptionContextEquals": members{"a": "1"}}, true},
		"exact, another value":    {members{"EncryptionContextEquals": members{"a": "1"}}, members{"EncryptionContextEquals": members{"a": "2"}}, false},
		"exact, more":             {members{"EncryptionContextEquals": members{"a": "1"}}, members{"EncryptionContextEquals": members{"a": "1", "b": "2"}}, false},
		"exact, none":             {members{"EncryptionContextEquals": members{"a": "1"}}, nil, false},
		"source":                  {members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}, nil, false},
	} {
		parent := w.user(here, "parent of "+name)
		in := members{"GranteePrincipal": parent.ARN, "Operations": []string{"Decrypt", "CreateGrant"}}
		if c.parent != nil {
			in["Constraints"] = c.parent
		}
		w.grantOn(arn, in)
		in = members{"KeyId": arn, "GranteePrincipal": child.ARN, "Operations": []string{"Decrypt"}}
		if c.child != nil {
			in["Constraints"] = c.child
		}
		_, err := w.try(parent, "CreateGrant", in)
		if c.allowed && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !c.allowed {
			checkError(t, err, "AccessDeniedException", "kms:CreateGrant")
		}
	}
}

// TestGrantConditions: a key policy tells grants apart by what CreateGrant asks
// for.
func TestGrantConditions(t *testing.T) {
	w := newWorld(t)
	grantee, retirer := w.user(here, "grantee"), w.user(here, "retirer")
	subset := members{"EncryptionContextSubset": members{"a": "1"}}
	equals := members{"EncryptionContextEquals": members{"a": "1"}}
	source := members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}
	with := func(constraints members, more members) members {
		m := maps.Clone(constraints)
		maps.Copy(m, more)
		return m
	}
	constrained := func(c members) members { return members{"Constraints": c} }
	for name, c := range map[string]struct {
		condition members
		in        members
		allowed   bool
	}{
		"subset":                     {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, constrained(subset), true},
		"subset asked, equals given": {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, constrained(equals), false},
		"subset asked, source given": {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, constrained(source), false},
		"subset asked, none given":   {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, nil, false},
		"equals":                     {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextEquals"}}, constrained(equals), true},
		"equals asked, subset given": {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextEquals"}}, constrained(subset), false},
		"source":                     {members{"ForAnyValue:StringEquals": members{"kms:GrantConstraintType": "SourceArn"}}, constrained(source), true},
		"source asked, subset given": {members{"ForAnyValue:StringEquals": members{"kms:GrantConstraintType": "SourceArn"}}, constrained(subset), false},
		"source of both":             {members{"ForAnyValue:StringEquals": members{"kms:GrantConstraintType": "SourceArn"}}, constrained(with(subset, source)), true},
		"subset of both":             {members{"ForAnyValue:StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, constrained(with(subset, source)), true},
		"only source, both given":    {members{"ForAllValues:StringEquals": members{"kms:GrantConstraintType": "SourceArn"}}, constrained(with(subset, source)), false},
		"a constraint, none":         {members{"Null": members{"kms:GrantConstraintType": "false"}}, nil, false},
		"a constraint, empty":        {members{"Null": members{"kms:GrantConstraintType": "false"}}, constrained(members{}), false},
		"a constraint, subset":       {members{"Null": members{"kms:GrantConstraintType": "false"}}, constrained(subset), true},
		"operations":                 {members{"ForAllValues:StringEquals": members{"kms:GrantOperations": []string{"Decrypt", "Encrypt"}}}, nil, true},
		"operations, another":        {members{"ForAllValues:StringEquals": members{"kms:GrantOperations": []string{"Encrypt"}}}, nil, false},
		"operations, one of two":     {members{"ForAllValues:StringEquals": members{"kms:GrantOperations": []string{"Decrypt"}}}, members{"Operations": []string{"Decrypt", "Encrypt"}}, false},
		"grantee":                    {members{"StringEquals": members{"kms:GranteePrincipal": grantee.ARN}}, nil, true},
		"grantee, another":           {members{"StringEquals": members{"kms:GranteePrincipal": retirer.ARN}}, nil, false},
		"retirer":                    {members{"StringEquals": members{"kms:RetiringPrincipal": retirer.ARN}}, members{"RetiringPrincipal": retirer.ARN}, true},
		"retirer, none":              {members{"StringEquals": members{"kms:RetiringPrincipal": retirer.ARN}}, nil, false},
		"retirer, another":           {members{"StringEquals": members{"kms:RetiringPrincipal": retirer.ARN}}, members{"RetiringPrincipal": grantee.ARN}, false},
		"no retirer":                 {members{"Null": members{"kms:RetiringPrincipal": "true"}}, nil, true},
		"no retirer, one given":      {members{"Null": members{"kms:RetiringPrincipal": "true"}}, members{"RetiringPrincipal": retirer.ARN}, false},
		"for a resource of AWS":      {members{"Bool": members{"kms:GrantIsForAWSResource": "true"}}, nil, false},
		"not for a resource of AWS":  {members{"Bool": members{"kms:GrantIsForAWSResource": "false"}}, nil, true},
		"subset asked, empty given":  {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, constrained(members{"EncryptionContextSubset": members{}}), false},
		"equals asked, empty given":  {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextEquals"}}, constrained(members{"EncryptionContextEquals": members{}}), false},
		"source asked, empty given":  {members{"StringEquals": members{"kms:GrantConstraintType": "SourceArn"}}, constrained(members{"SourceArn": ""}), false},
		"a constraint, all empty":    {members{"Null": members{"kms:GrantConstraintType": "false"}}, constrained(members{"EncryptionContextEquals": members{}, "EncryptionContextSubset": members{}}), false},
		"subset asked, empty equals": {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, constrained(with(subset, members{"EncryptionContextEquals": members{}})), true},
	} {
		user := w.user(here, "user of "+name)
		allow := statement("Allow", user.ARN, "kms:CreateGrant")
		allow["Condition"] = c.condition
		in := members{
			"KeyId": w.key(members{"Policy": policyText(rootStatement(), allow)}), "GranteePrincipal": grantee.ARN, "Operations": []string{"Decrypt"},
		}
		maps.Copy(in, c.in)
		_, err := w.try(user, "CreateGrant", in)
		if c.allowed && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !c.allowed {
			checkError(t, err, "AccessDeniedException", "kms:CreateGrant")
		}
	}
}

// TestEndingOneOfTwo: the other grant of the same grantee, and of the same name,
// stays in effect and stays known.
func TestEndingOneOfTwo(t *testing.T) {
	for _, operation := range []string{"RevokeGrant", "RetireGrant"} {
		for _, named := range []bool{false, true} {
			for gone := range 2 {
				t.Run(fmt.Sprint(operation, named, gone), func(t *testing.T) {
					w := newWorld(t)
					arn := w.key(nil)
					user, bystander := w.user(here, "user"), w.user(here, "bystander")
					blob := w.do(root(here), "Encrypt",
						members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
					requests := []members{{"GranteePrincipal": user.ARN, "Operations": []string{"Encrypt"}},
						{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}}}
					var ids []string
					for _, r := range requests {
						if named {
							r["Name"] = "app"
						}
						ids = append(ids, w.grantOn(arn, r))
					}
					w.grantOn(arn, members{"GranteePrincipal": bystander.ARN, "Operations": []string{"Encrypt"}})
					use := func(p policy.Principal) (allowed []bool) {
						_, encrypt := w.try(p, "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})
						_, decrypt := w.try(p, "Decrypt", members{"CiphertextBlob": blob})
						return []bool{encrypt == nil, decrypt == nil}
					}
					if got := use(user); !slices.Equal(got, []bool{true, true}) {
						t.Fatalf("both grants: %v", got)
					}
					w.do(root(here), operation, members{"KeyId": arn, "GrantId": ids[gone]})
					if got := use(user); !slices.Equal(got, []bool{gone == 1, gone == 0}) {
						t.Errorf("one of two: %v", got)
					}
					if got := use(bystander); !slices.Equal(got, []bool{true, false}) {
						t.Errorf("another's grant: %v", got)
					}
					if list := w.listGrants(arn, nil); len(list) != 2 ||
						slices.ContainsFunc(list, func(g members) bool { return g["GrantId"] == ids[gone] }) {
						t.Errorf("left are %v", list)
					}
					w.fails(root(here), "RevokeGrant", members{"KeyId": arn, "GrantId": ids[gone]}, "NotFoundException",
						"")
					// The name finds the grant that is left, and not the one that is gone.
					if again := w.grantOn(arn, requests[1-gone]); named != (again == ids[1-gone]) {
						t.Errorf("the one that is left, asked for again: %s of %v", again, ids)
					}
					if again := w.grantOn(arn, requests[gone]); slices.Contains(ids, again) {
						t.Errorf("the one that is gone, asked for again: %s of %v", again, ids)
					}
					w.restart()
					if got := use(user); !slices.Equal(got, []bool{true, true}) {
						t.Errorf("after a restart: %v", got)
					}
				})
			}
		}
	}
}

// TestGrantLimits are those of constraints.
func TestGrantConstraintLimits(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	pairs := func(n, length int) members {
		m := members{}
		for i := range n {
			m[fmt.Sprint(i)] = "v"
		}
		if length > 0 {
			long := make([]rune, length)
			for i := range long {
				long[i] = 'é'
			}
			m[string(long)] = "v"
		}
		return m
	}
	for name, c := range map[string]struct {
		constraints members
		code        string
	}{
		"eight pairs":           {members{"EncryptionContextEquals": pairs(8, 0)}, ""},
		"nine pairs":            {members{"EncryptionContextEquals": pairs(9, 0)}, "ValidationException"},
		"nine pairs of a set":   {members{"EncryptionContextSubset": pairs(9, 0)}, "ValidationException"},
		"384 characters":        {members{"EncryptionContextEquals": pairs(0, 384)}, ""},
		"385 characters":        {members{"EncryptionContextEquals": pairs(0, 385)}, "ValidationException"},
		"value of 384":          {members{"EncryptionContextEquals": members{"k": strings.Repeat("é", 384)}}, ""},
		"value of 385":          {members{"EncryptionContextEquals": members{"k": strings.Repeat("é", 385)}}, "ValidationException"},
		"385 characters of set": {members{"EncryptionContextSubset": pairs(0, 385)}, "ValidationException"},
		"2048 of a source":      {members{"SourceArn": fmt.Sprintf("%02048d", 1)}, ""},
		"2049 of a source":      {members{"SourceArn": fmt.Sprintf("%02049d", 1)}, "ValidationException"},
	} {
		_, err := w.try(root(here), "CreateGrant",
			members{"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"},
				"Constraints": c.constraints})
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.code != "" {
			checkError(t, err, c.code, "")
		}
	}
}

// TestInvalidGrantUnderGrant: a grantee who may make grants and asks for one that
// cannot be is denied, as anyone else is.
func TestInvalidGrantUnderGrant(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	user := w.user(here, "user")
	id := w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"CreateGrant", "Decrypt"}})
	if len(id) != 64 {
		t.Errorf("the grant has the id %s", id)
	}
	w.fails(user, "CreateGrant", members{"KeyId": arn, "GranteePrincipal": user.ARN, "Operations": []string{"Sign"}},
		"AccessDeniedException", "kms:CreateGrant")
	w.do(user, "CreateGrant", members{"KeyId": arn, "GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}})
}

// TestConstraintsOfMACKeys: a grant on an HMAC key can be for one resource, and
// not for an encryption context, which such a key does not use.
func TestConstraintsOfMACKeys(t *testing.T) {
	w := newWorld(t)
	mac := w.key(hmacKey("HMAC_256"))
	for name, c := range map[string]struct {
		constraints members
		code        string
	}{
		"source": {members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}, ""},
		"equals": {members{"EncryptionContextEquals": members{"a": "b"}}, "ValidationException"},
		"subset": {members{"EncryptionContextSubset": members{"a": "b"}}, "ValidationException"},
	} {
		_, err := w.try(root(here), "CreateGrant", members{"KeyId": mac, "GranteePrincipal": root(here).ARN,
			"Operations": []string{"GenerateMac"}, "Constraints": c.constraints})
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.code != "" {
			checkError(t, err, c.code, "EncryptionContext is supported only when")
		}
	}
}

// TestGrantsOfServices: a service gets a grant for one resource, which somebody
// can retire.
func TestGrantsOfServices(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	source := members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}
	for name, c := range map[string]struct {
		in   members
		code string
	}{
		"retired by a user":    {members{"RetiringPrincipal": root(here).ARN, "Constraints": source}, ""},
		"retired by a service": {members{"RetiringServicePrincipal": dynamo, "Constraints": source}, ""},
		"no retirer":           {members{"Constraints": source}, "ValidationException"},
		"no source":            {members{"RetiringPrincipal": root(here).ARN, "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}, "ValidationException"},
		"no service":           {members{"GranteeServicePrincipal": "nonsense", "RetiringPrincipal": root(here).ARN, "Constraints": source}, "InvalidArnException"},
		"no retiring service":  {members{"RetiringServicePrincipal": "nonsense", "Constraints": source}, "InvalidArnException"},
	} {
		in := members{"KeyId": arn, "GranteeServicePrincipal": dynamo, "Operations": []string{"Decrypt"}}
		maps.Copy(in, c.in)
		_, err := w.try(root(here), "CreateGrant", in)
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.code != "" {
			checkError(t, err, c.code, "")
		}
	}
}

// TestNamesInGrants: what names a service, and what names a grant.
func TestNamesInGrants(t *testing.T) {
	for name, c := range map[string]struct {
		valid      func(string) bool
		good, evil []string
	}{
		"service": {isService, []string{"dynamodb.amazonaws.com", "a.amazonaws.com", "z.amazonaws.com", "0.amazonaws.com", "9.amazonaws.com", "a-z.eu-central-1.amazonaws.com"},
			[]string{"", ".amazonaws.com", "amazonaws.com", "dynamodb", "dynamodb.amazonaws.com.cn", "D.amazonaws.com",
				"a/.amazonaws.com", "a:.amazonaws.com", "a`.amazonaws.com", "a{.amazonaws.com", "a_.amazonaws.com", "é.amazonaws.com"}},
		"grant name": {validGrantName, []string{"", "azAZ09:/_-"}, []string{" ", "a@", "a[", "a`", "a{", "a.", "é", "a;", "a,"}},
	} {
		for _, s := range c.good {
			if !c.valid(s) {
				t.Errorf("%s %q is refused", name, s)
			}
		}
		for _, s := range c.evil {
			if c.valid(s) {
				t.Errorf("%s %q is taken", name, s)
			}
		}
	}
}
