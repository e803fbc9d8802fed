// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Differences says where a table is not as it is declared: what it has, and what
// is declared. An index that is not declared does not count. The time to live
// is not a part of the description.
func (d *Definition) Differences(t *types.TableDescription) []string {
	var out []string
	report := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if got := keyOf(t.KeySchema); got != d.Key {
		report("the key is %s, declared %s", got, d.Key)
	}
	kinds := map[string]string{}
	for _, a := range t.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	names := d.Key.Names()
	for _, i := range d.Indexes {
		names = append(names, i.Key.Names()...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if got, want := kinds[name], d.Types[name]; got != "" && got != want {
			report("key attribute %q is of type %s, declared %s", name, got, want)
		}
	}
	IndexDifferences(d.Indexes, t, report)
	billing, declared := types.BillingModeProvisioned, types.BillingModeProvisioned
	if b := t.BillingModeSummary; b != nil && b.BillingMode != "" {
		billing = b.BillingMode
	}
	if d.onDemand() {
		declared = types.BillingModePayPerRequest
	}
	if billing != declared {
		report("the billing mode is %s, declared %s", billing, declared)
	} else if p := t.ProvisionedThroughput; !d.onDemand() && p != nil {
		if r, w := aws.ToInt64(p.ReadCapacityUnits), aws.ToInt64(p.WriteCapacityUnits); r != d.Read || w != d.Write {
			report("%d read and %d write units are provisioned, declared %d and %d", r, w, d.Read, d.Write)
		}
	}
	d.compareKey(t.SSEDescription, report)
	if d.DeletionProtection && !aws.ToBool(t.DeletionProtectionEnabled) {
		report("deletion protection is off, declared on")
	}
	return out
}

// compareKey compares the KMS key as far as its name tells: an alias or an id
// says only that there is one.
func (d *Definition) compareKey(sse *types.SSEDescription, report func(string, ...any)) {
	arn := ""
	if sse != nil {
		arn = aws.ToString(sse.KMSMasterKeyArn)
	}
	switch {
	case d.KMSKey == "" && arn != "":
		report("the table is encrypted under %s, declared under a key that AWS owns", arn)
	case d.KMSKey != "" && arn == "":
		report("the table is encrypted under a key that AWS owns, declared under %s", d.KMSKey)
	case strings.HasPrefix(d.KMSKey, "arn:") && strings.Contains(d.KMSKey, ":key/") && arn != d.KMSKey:
		report("the table is encrypted under %s, declared under %s", arn, d.KMSKey)
	}
}

// IndexDifferences reports the declared indexes that a table does not have as
// they are declared.
func IndexDifferences(declared []Index, t *types.TableDescription, report func(string, ...any)) {
	has := map[string]Index{}
	add := func(name *string, local bool, schema []types.KeySchemaElement, p *types.Projection) {
		i := Index{Name: aws.ToString(name), Local: local, Key: keyOf(schema)}
		if p != nil {
			i.Projection, i.Attributes = p.ProjectionType, p.NonKeyAttributes
		}
		has[i.Name] = i
	}
	for _, i := range t.GlobalSecondaryIndexes {
		add(i.IndexName, false, i.KeySchema, i.Projection)
	}
	for _, i := range t.LocalSecondaryIndexes {
		add(i.IndexName, true, i.KeySchema, i.Projection)
	}
	for _, want := range declared {
		got, ok := has[want.Name]
		switch {
		case !ok:
			report("index %s does not exist, declared as %s", want.Name, want)
		case got.Local != want.Local || got.Key != want.Key:
			report("index %s is %s, declared as %s", want.Name, got, want)
		case !got.holds(want):
			report("index %s has projection %s, declared %s", want.Name, got.projects(), want.projects())
		}
	}
}

// holds reports whether the index projects what want does, or more.
func (i Index) holds(want Index) bool {
	switch {
	case i.Projection == types.ProjectionTypeAll || want.Projection == types.ProjectionTypeKeysOnly:
		return true
	case want.Projection == types.ProjectionTypeAll:
		return false
	}
	for _, name := range want.Attributes {
		if !slices.Contains(i.Attributes, name) {
			return false
		}
	}
	return true
}

func (i Index) projects() string {
	if len(i.Attributes) == 0 {
		return string(i.Projection)
	}
	return fmt.Sprintf("%s %s", i.Projection, strings.Join(i.Attributes, ", "))
}

// String describes the index in a text.
func (i Index) String() string {
	kind := "global"
	if i.Local {
		kind = "local"
	}
	return kind + " with " + i.Key.String()
}

// Same reports whether two declarations of an index are equal.
func (i Index) Same(o Index) bool {
	return i.Name == o.Name && i.Local == o.Local && i.Key == o.Key && i.Projection == o.Projection &&
		slices.Equal(i.Attributes, o.Attributes)
}
