// SPDX-License-Identifier: Apache-2.0

// Package interop_test lets the official libraries read what envelope writes
// and the reverse. It runs where interop/run has built their programs and is
// skipped elsewhere.
package interop_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/peer"
)

func TestTheyOpenOurs(t *testing.T) {
	eachPeer(t, theyOpenOurs, func(t *testing.T, c *cloud) {
		c.createBranchKeys(t)
		rapid.Check(t, func(t *rapid.T) {
			config, item := c.resources.draw(t)
			results.draw(kindsOf(config, item))
			c.theyMustOpen(t, c.resources.reader(t, config), c.seal(t, config, item), item)
		})
	})
}

func TestWeOpenTheirs(t *testing.T) {
	eachPeer(t, weOpenTheirs, func(t *testing.T, c *cloud) {
		c.createBranchKeys(t)
		rapid.Check(t, func(t *rapid.T) {
			config, item := c.resources.draw(t)
			results.draw(kindsOf(config, item))
			c.mustOpen(t, c.resources.reader(t, config), c.theySeal(t, config, item), item)
		})
	})
}

// TestBothRefuseTampering changes one thing that the signatures cover, about
// an item that one side or the other sealed.
func TestBothRefuseTampering(t *testing.T) {
	eachPeer(t, tampering, func(t *testing.T, c *cloud) {
		c.createBranchKeys(t)
		rapid.Check(t, func(t *rapid.T) {
			config, item := c.resources.draw(t)
			results.draw(kindsOf(config, item))
			seal, by := c.seal, "here"
			if rapid.Bool().Draw(t, "sealed by them") {
				seal, by = c.theySeal, "by them"
			}
			read, broken, what := tamper(t, config, seal(t, config, item))
			c.bothMustRefuse(t, read, broken, what+", sealed "+by)
		})
	})
}

// tamper draws a change: the configuration to read with, the changed item and
// what was done.
func tamper(t *rapid.T, c *itemconfig.Config, sealed envelope.Item) (*itemconfig.Config, envelope.Item, string) {
	broken := maps.Clone(sealed)
	var signed, binaries, encrypted []string
	for _, name := range slices.Sorted(maps.Keys(sealed)) {
		action, configured := c.AttributeActions[name]
		if action == envelope.DoNothing && configured {
			continue
		}
		// The footer has a tag for each recipient, and a reader checks only its own.
		if name == envelope.FooterAttribute && c.Keyring.Type == "multi" {
			continue
		}
		signed = append(signed, name)
		if v, isBinary := sealed[name].(*types.AttributeValueMemberB); isBinary && len(v.Value) > 0 {
			binaries = append(binaries, name)
		}
		if action == envelope.EncryptAndSign {
			encrypted = append(encrypted, name)
		}
	}
	binary := func(name string) []byte { return sealed[name].(*types.AttributeValueMemberB).Value }
	switch rapid.SampledFrom([]string{"flip", "replace", "drop", "swap", "add", "table"}).Draw(t, "tampering") {
	case "replace":
		name := rapid.SampledFrom(signed).Draw(t, "attribute")
		other := types.AttributeValue(&types.AttributeValueMemberS{Value: "another"})
		if peer.Equal(other, sealed[name]) {
			other = &types.AttributeValueMemberBOOL{Value: true}
		}
		broken[name] = other
		return c, broken, fmt.Sprintf("another value of %q", name)
	case "drop":
		name := rapid.SampledFrom(signed).Draw(t, "attribute")
		delete(broken, name)
		return c, broken, fmt.Sprintf("%q missing", name)
	case "swap":
		if len(encrypted) < 2 || bytes.Equal(binary(encrypted[0]), binary(encrypted[1])) {
			break
		}
		a, b := encrypted[0], encrypted[1]
		broken[a], broken[b] = sealed[b], sealed[a]
		return c, broken, fmt.Sprintf("%q and %q exchanged", a, b)
	case "add":
		broken["added later"] = &types.AttributeValueMemberS{Value: "x"}
		return c, broken, "an attribute added"
	case "table":
		other := *c
		other.Table += "2"
		return &other, broken, "another logical table"
	}
	name := rapid.SampledFrom(binaries).Draw(t, "attribute")
	value := slices.Clone(binary(name))
	value[rapid.IntRange(0, len(value)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	broken[name] = &types.AttributeValueMemberB{Value: value}
	return c, broken, fmt.Sprintf("a flip in %q", name)
}
