// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// emptyTypes are the operands of attribute_type whose values may be false or
// empty.
var emptyTypes = regexp.MustCompile(`\{"S":"(S|B|BOOL|L|M)"\}`)

// knownDifferences are where the other is wrong or goes its own way. What AWS
// documents decides; each has its reason. They are recognized by the codes of
// both answers and by what was asked, never by this engine's texts: those follow
// AWS, whose wording changes.
var knownDifferences = []struct {
	reason string
	when   func(d *difference) bool
}{
	{"it compares values of every type, where AWS documents numbers, strings and binaries", func(d *difference) bool {
		return d.refusedAlone() && d.oddOperand()
	}},
	{"it lets Select contradict a projection; AWS documents that only SPECIFIC_ATTRIBUTES goes with one, and with " +
		"nothing else", func(d *difference) bool {
		projected := d.in["ProjectionExpression"] != nil || d.in["AttributesToGet"] != nil
		selects, _ := d.in["Select"].(string)
		return d.refusedAlone() && selects != "" && projected != (selects == "SPECIFIC_ATTRIBUTES")
	}},
	{"it answers ALL_PROJECTED_ATTRIBUTES without an index, which AWS documents for indexes only",
		func(d *difference) bool {
			return d.refusedAlone() && d.in["Select"] == "ALL_PROJECTED_ATTRIBUTES" && d.in["IndexName"] == nil
		}},
	{"it wants names of tables of three characters in requests on items too; AWS has wanted one since 2026",
		func(d *difference) bool {
			return d.code == "ResourceNotFoundException" && d.in["TableName"] == "a"
		}},
	{"it takes Segment 0 for none and does not miss TotalSegments", func(d *difference) bool {
		return d.in["Segment"] != nil && d.in["TotalSegments"] == nil
	}},
	{"it reads global indexes consistently, which AWS refuses", func(d *difference) bool {
		return d.refusedAlone() && d.in["ConsistentRead"] == true && d.globalIndex()
	}},
	{"it finds attributes through a global index that the index does not project", func(d *difference) bool {
		return d.refusedAlone() && d.globalIndex() && d.in["IndexName"] != "gAll" && (d.in["FilterExpression"] != nil ||
			d.in["ProjectionExpression"] != nil || d.in["AttributesToGet"] != nil || d.in["ScanFilter"] != nil ||
			d.in["QueryFilter"] != nil || d.in["Select"] == "ALL_ATTRIBUTES")
	}},
	{"its number grammar has no plus sign, which AWS's has", func(d *difference) bool {
		return d.code != d.wantCode &&
			strings.Contains(d.wantMessage, "The parameter cannot be converted to a numeric value: +")
	}},
	{"it takes any ReturnValues for deletes; AWS documents NONE and ALL_OLD", func(d *difference) bool {
		return d.operation == "DeleteItem" && d.refusedAlone() && d.in["ReturnValues"] != nil &&
			d.in["ReturnValues"] != "ALL_OLD" &&
			d.in["ReturnValues"] != "NONE"
	}},
	{"it looks for paths into keys in filters, projections and updates, not in conditions", func(d *difference) bool {
		return d.in["ConditionExpression"] != nil && d.refusedAlone() && d.mentions(keyPath)
	}},
	{"it does not fetch attributes from the table that a local index lacks, which AWS documents",
		func(d *difference) bool {
			index, _ := d.in["IndexName"].(string)
			return index == "lKeys" && d.code == "" && d.wantCode == ""
		}},
	{"it judges the types inside functions of an update before the condition; here the result counts",
		func(d *difference) bool {
			return d.operation == "UpdateItem" && d.code != "ValidationException" &&
				strings.Contains(d.wantMessage, "Type mismatch for Index Key")
		}},
	{"it does not check the values of Expected", func(d *difference) bool {
		return d.in["Expected"] != nil && d.code == "ValidationException" &&
			d.wantCode == "ConditionalCheckFailedException"
	}},
	{"it stores empty binaries as keys of indexes, which AWS refuses", func(d *difference) bool {
		return d.refusedAlone() && strings.HasSuffix(d.operation, "Item") && d.mentions(emptyIndexKey)
	}},
	{"its names may begin with an underscore, which is a syntax error on AWS", func(d *difference) bool {
		return d.refusedAlone() && d.mentions(underscore)
	}},
	{"it has partitions, and items with equal keys of an index, in another order, which AWS does not document",
		func(d *difference) bool {
			return d.in["ExclusiveStartKey"] != nil && d.code == "" && d.wantCode == "" &&
				(d.operation == "Scan" || d.in["IndexName"] != nil)
		}},
	{"its older filters know neither BOOL nor NULL; AWS documents EQ and NE for every type, and CONTAINS for " +
		"elements of lists", func(d *difference) bool {
		return d.code == "" && (strings.HasSuffix(d.wantMessage, "is not valid for BOOL AttributeValue type") ||
			strings.HasSuffix(d.wantMessage, "is not valid for NULL AttributeValue type"))
	}},
	{"its grammar has no NOT NOT", func(d *difference) bool {
		c, _ := d.in["ConditionExpression"].(string)
		f, _ := d.in["FilterExpression"].(string)
		return strings.Contains(c+f, "NOT NOT")
	}},
	{"NOT_CONTAINS holds for an attribute that is not there, for which it fails on AWS", func(d *difference) bool {
		b, _ := json.Marshal(d.in)
		return bytes.Contains(b, []byte(`"NOT_CONTAINS"`))
	}},
	{"its OR of legacy conditions fails at the first that does not hold", func(d *difference) bool {
		return d.in["ConditionalOperator"] == "OR"
	}},
	{"it rounds sums of more than 38 digits, here they are refused like such numbers", func(d *difference) bool {
		return d.operation == "UpdateItem" && d.wantCode == "" && d.refusedAlone() && d.mentions(sum)
	}},
	{"it takes false, empty strings, lists and maps of an item for missing ones", func(d *difference) bool {
		b, _ := json.Marshal(d.in)
		return d.wantCode != "ValidationException" &&
			(bytes.Contains(b, []byte(`{"M":{}}`)) || bytes.Contains(b, []byte(`{"L":[]}`)) ||
				bytes.Contains(b, []byte("attribute_type(")) && emptyTypes.Match(b) ||
				bytes.Contains(b, []byte(`{"BOOL":false}`)) || bytes.Contains(b, []byte(`{"S":""}`)))
	}},
	{"it knows no distinct operands of if_not_exists", func(d *difference) bool {
		return d.refusedAlone() && d.repeatsOperand()
	}},
	{"size() of nothing makes its <> false, here true as with every missing operand", func(d *difference) bool {
		c, _ := d.in["ConditionExpression"].(string)
		f, _ := d.in["FilterExpression"].(string)
		return strings.Contains(c+f, "size(") && strings.Contains(c+f, "<>")
	}},
}

var (
	// keyPath is a document path that begins with the key of an index.
	keyPath = regexp.MustCompile(`#?\b[ghlb](\.|\[)`)
	// underscore begins a name.
	underscore = regexp.MustCompile(`(^|[ (,"])_v`)
	// sum is arithmetic of an update.
	sum = regexp.MustCompile(`"UpdateExpression":"[^"]*( [-+] |ADD )|"Action":"ADD"`)
	// emptyIndexKey is an empty value of the key of an index.
	emptyIndexKey = regexp.MustCompile(`"[ghlb]":\{"[SB]":""\}`)
	// typed are operators for which AWS documents the types of the operands.
	typed = regexp.MustCompile(
		` [<>]=? | BETWEEN |begins_with\(|contains\(|size\(|attribute_type\(|list_append\(|ADD |DELETE | [-+] |` +
			`"(LT|LE|GT|GE|BETWEEN|IN|BEGINS_WITH|CONTAINS|NOT_CONTAINS)"`)
	// odd are operands that one of them does not take.
	odd = regexp.MustCompile(`\{"(N|SS|NS|BS|BOOL|NULL|L|M)":|\{"S":"X"\}|size\(`)
	// operands are the two of if_not_exists.
	operands = regexp.MustCompile(`if_not_exists\(([^,()]+), ([^()]+)\)`)
)

// refusedAlone reports whether the engine found the request invalid and the
// other did not.
func (d *difference) refusedAlone() bool {
	return d.code == "ValidationException" && d.wantCode != d.code
}

// request returns the request as it is sent.
func (d *difference) request() string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d.in); err != nil {
		panic(err)
	}
	return b.String()
}

func (d *difference) mentions(what *regexp.Regexp) bool { return what.MatchString(d.request()) }

// oddOperand reports whether the request has an operator that takes some types
// only, and a value of another type for it.
func (d *difference) oddOperand() bool { return d.mentions(typed) && d.mentions(odd) }

// globalIndex reports whether the request reads a global index.
func (d *difference) globalIndex() bool {
	return slices.Contains([]any{"gAll", "gKeys", "gInclude"}, d.in["IndexName"])
}

// repeatsOperand reports whether an if_not_exists has one path twice.
func (d *difference) repeatsOperand() bool {
	plain := func(path string) string { return strings.ReplaceAll(path, "#", "") }
	for _, m := range operands.FindAllStringSubmatch(d.request(), -1) {
		if plain(m[1]) == plain(m[2]) {
			return true
		}
	}
	return false
}

func (d *difference) known() string {
	for _, k := range knownDifferences {
		if k.when(d) {
			return k.reason
		}
	}
	return ""
}
