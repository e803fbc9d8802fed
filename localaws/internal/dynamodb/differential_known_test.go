package dynamodb

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// emptyTypes are the operands of attribute_type whose values may be false or
// empty.
var emptyTypes = regexp.MustCompile(`\{"S":"(S|B|BOOL|L|M)"\}`)

// knownDifferences are where the other is wrong or goes its own way. What AWS
// documents decides; each has its reason.
var knownDifferences = []struct {
	reason string
	when   func(d *difference) bool
}{
	{"it compares values of every type, where AWS documents numbers, strings and binaries", func(d *difference) bool {
		return d.code == "ValidationException" && d.wantCode != d.code &&
			(strings.Contains(d.message, "Incorrect operand type for operator or function; operator or function: ") ||
				strings.Contains(d.message, "is not valid for") && strings.Contains(d.message, "AttributeValue type"))
	}},
	{"it lets Select contradict a projection; AWS documents that only SPECIFIC_ATTRIBUTES goes with one, and with " +
		"nothing else", func(d *difference) bool {
		return d.wantCode != d.code &&
			(strings.HasPrefix(d.message, "Cannot specify the ") ||
				strings.HasPrefix(d.message, "Must specify the AttributesToGet or ProjectionExpression"))
	}},
	{"it answers ALL_PROJECTED_ATTRIBUTES without an index, which AWS documents for indexes only",
		func(d *difference) bool {
			return d.wantCode == "" && strings.HasPrefix(d.message, "ALL_PROJECTED_ATTRIBUTES can be used only when")
		}},
	{"it takes Segment 0 for none and does not miss TotalSegments", func(d *difference) bool {
		return d.in["Segment"] != nil && d.in["TotalSegments"] == nil
	}},
	{"it reads global indexes consistently, which AWS refuses", func(d *difference) bool {
		return d.wantCode == "" && d.message == "Consistent reads are not supported on global secondary indexes"
	}},
	{"it finds attributes through a global index that the index does not project", func(d *difference) bool {
		return d.wantCode == "" && strings.Contains(d.message, "Global secondary index") &&
			strings.Contains(d.message, "does not project")
	}},
	{"its number grammar has no plus sign, which AWS's has", func(d *difference) bool {
		return d.code != d.wantCode &&
			strings.Contains(d.wantMessage, "The parameter cannot be converted to a numeric value: +")
	}},
	{"it takes any ReturnValues for deletes; AWS documents NONE and ALL_OLD", func(d *difference) bool {
		return d.operation == "DeleteItem" && d.wantCode != d.code && d.message == "Return values set to invalid value"
	}},
	{"it looks for paths into keys in filters, projections and updates, not in conditions", func(d *difference) bool {
		return d.in["ConditionExpression"] != nil && d.wantCode != d.code &&
			strings.HasPrefix(d.message, "Key attributes must be scalars")
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
		return strings.Contains(d.message, "A value specified for a secondary index key is not supported")
	}},
	{"its names may begin with an underscore, which is a syntax error on AWS", func(d *difference) bool {
		return d.wantCode != d.code && strings.Contains(d.message, `Syntax error; token: "_"`)
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
		return d.operation == "UpdateItem" && d.wantCode == "" &&
			d.message == "Number overflow. Attempting to store a number with magnitude larger than supported range"
	}},
	{"it takes false, empty strings, lists and maps of an item for missing ones", func(d *difference) bool {
		b, _ := json.Marshal(d.in)
		return d.wantCode != "ValidationException" &&
			(bytes.Contains(b, []byte(`{"M":{}}`)) || bytes.Contains(b, []byte(`{"L":[]}`)) ||
				bytes.Contains(b, []byte("attribute_type(")) && emptyTypes.Match(b) ||
				bytes.Contains(b, []byte(`{"BOOL":false}`)) || bytes.Contains(b, []byte(`{"S":""}`)))
	}},
	{"it knows no distinct operands of if_not_exists", func(d *difference) bool {
		return strings.Contains(d.message, "The first operand must be distinct from the remaining operands")
	}},
	{"size() of nothing makes its <> false, here true as with every missing operand", func(d *difference) bool {
		c, _ := d.in["ConditionExpression"].(string)
		f, _ := d.in["FilterExpression"].(string)
		return strings.Contains(c+f, "size(") && strings.Contains(c+f, "<>")
	}},
}

func (d *difference) known() string {
	for _, k := range knownDifferences {
		if k.when(d) {
			return k.reason
		}
	}
	return ""
}
