package dynamodb

import (
	"fmt"
	"strings"
)

type keyElement struct{ name, kind *string }

type attributeDefinition struct{ name, kind *string }

type throughputInput struct{ read, write *int64 }

type indexInput struct {
	name       *string
	keys       []keyElement
	keysSet    bool
	projection *string
	projected  bool // Projection is there
	nonKey     []string
	throughput *throughputInput
	limit      *onDemandLimit
}

type createTableInput struct {
	name               *string
	attributes         []attributeDefinition
	attributesSet      bool
	keys               []keyElement
	keysSet            bool
	local, global      []indexInput
	localSet           bool
	globalSet          bool
	billing            *string
	throughput         *throughputInput
	limit              *onDemandLimit
	sse                *sseSpecification
	tags               []tagInput
	deletionProtection *bool
	class              *string
	stream             *streamSpecification
}

type streamSpecification struct {
	enabled *bool
	view    *string
}

func (d *decoder) keySchema(dst *[]keyElement, set *bool) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*set = true
	return d.array(func() error {
		var k keyElement
		err := d.object(func(name string) error {
			switch name {
			case "AttributeName":
				return d.text(&k.name)
			case "KeyType":
				return d.text(&k.kind)
			}
			return d.Skip()
		})
		*dst = append(*dst, k)
		return err
	})
}

func (d *decoder) attributeDefinitions(dst *[]attributeDefinition, set *bool) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*set = true
	return d.array(func() error {
		var a attributeDefinition
		err := d.object(func(name string) error {
			switch name {
			case "AttributeName":
				return d.text(&a.name)
			case "AttributeType":
				return d.text(&a.kind)
			}
			return d.Skip()
		})
		*dst = append(*dst, a)
		return err
	})
}

func (d *decoder) throughput(dst **throughputInput) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	in := new(throughputInput)
	*dst = in
	return d.object(func(name string) error {
		switch name {
		case "ReadCapacityUnits":
			return d.integer(&in.read)
		case "WriteCapacityUnits":
			return d.integer(&in.write)
		}
		return d.Skip()
	})
}

func (d *decoder) onDemand(dst **onDemandLimit) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	in := new(onDemandLimit)
	*dst = in
	return d.object(func(name string) error {
		switch name {
		case "MaxReadRequestUnits":
			return d.integer(&in.Read)
		case "MaxWriteRequestUnits":
			return d.integer(&in.Write)
		}
		return d.Skip()
	})
}

func (d *decoder) index(in *indexInput) error {
	return d.object(func(name string) error {
		switch name {
		case "IndexName":
			return d.text(&in.name)
		case "KeySchema":
			return d.keySchema(&in.keys, &in.keysSet)
		case "Projection":
			if null, err := d.null(); null || err != nil {
				return err
			}
			in.projected = true
			return d.object(func(name string) error {
				switch name {
				case "ProjectionType":
					return d.text(&in.projection)
				case "NonKeyAttributes":
					return d.texts(&in.nonKey)
				}
				return d.Skip()
			})
		case "ProvisionedThroughput":
			return d.throughput(&in.throughput)
		case "OnDemandThroughput":
			return d.onDemand(&in.limit)
		case "WarmThroughput":
			return d.refuse(name)
		}
		return d.Skip()
	})
}

func (d *decoder) indexes(dst *[]indexInput, set *bool) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*set = true
	return d.array(func() error {
		var in indexInput
		err := d.index(&in)
		*dst = append(*dst, in)
		return err
	})
}

func (d *decoder) sse(dst **sseSpecification) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*dst = new(sseSpecification)
	return (*dst).decode(d)
}

func (d *decoder) stream(dst **streamSpecification) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	in := new(streamSpecification)
	*dst = in
	return d.object(func(name string) error {
		switch name {
		case "StreamEnabled":
			return d.boolean(&in.enabled)
		case "StreamViewType":
			return d.text(&in.view)
		}
		return d.Skip()
	})
}

func (in *createTableInput) field(d *decoder, name string) error {
	switch name {
	case "TableName":
		return d.text(&in.name)
	case "AttributeDefinitions":
		return d.attributeDefinitions(&in.attributes, &in.attributesSet)
	case "KeySchema":
		return d.keySchema(&in.keys, &in.keysSet)
	case "LocalSecondaryIndexes":
		return d.indexes(&in.local, &in.localSet)
	case "GlobalSecondaryIndexes":
		return d.indexes(&in.global, &in.globalSet)
	case "BillingMode":
		return d.text(&in.billing)
	case "ProvisionedThroughput":
		return d.throughput(&in.throughput)
	case "OnDemandThroughput":
		return d.onDemand(&in.limit)
	case "SSESpecification":
		return d.sse(&in.sse)
	case "Tags":
		return d.tags(&in.tags)
	case "DeletionProtectionEnabled":
		return d.boolean(&in.deletionProtection)
	case "TableClass":
		return d.text(&in.class)
	case "StreamSpecification":
		return d.stream(&in.stream)
	case "ResourcePolicy", "VectorIndexes", "WarmThroughput", "GlobalTableSettingsReplicationMode", "GlobalTableSourceArn":
		return d.refuse(name)
	}
	return d.Skip()
}

func (c *constraints) keySchema(keys []keyElement, set bool, path string) {
	if !c.required(!set, path) {
		return
	}
	if len(keys) == 0 {
		c.add("'[]'", path, "Member must have length greater than or equal to 1")
	} else if len(keys) > 2 {
		c.add("'["+strings.Repeat("KeySchemaElement, ", len(keys)-1)+"KeySchemaElement]'", path, "Member must have length less than or equal to 2")
	}
	for i, k := range keys {
		at := fmt.Sprintf("%s.%d.member.", path, i+1)
		if c.required(k.name == nil, at+"attributeName") {
			c.length(k.name, at+"attributeName", 1, 255)
		}
		if c.required(k.kind == nil, at+"keyType") {
			c.enum(k.kind, at+"keyType", "HASH", "RANGE")
		}
	}
}

func (c *constraints) throughput(t *throughputInput, path string) {
	if t == nil {
		return
	}
	if c.required(t.write == nil, path+".writeCapacityUnits") {
		c.between(t.write, path+".writeCapacityUnits", 1, -1)
	}
	if c.required(t.read == nil, path+".readCapacityUnits") {
		c.between(t.read, path+".readCapacityUnits", 1, -1)
	}
}

func (c *constraints) index(in *indexInput, path string) {
	if c.required(in.name == nil, path+"indexName") {
		c.resourceName(in.name, path+"indexName")
	}
	c.keySchema(in.keys, in.keysSet, path+"keySchema")
	if c.required(!in.projected, path+"projection") {
		c.enum(in.projection, path+"projection.projectionType", "ALL", "INCLUDE", "KEYS_ONLY")
		if in.nonKey != nil && (len(in.nonKey) == 0 || len(in.nonKey) > 20) {
			rule := "Member must have length greater than or equal to 1"
			if len(in.nonKey) > 20 {
				rule = "Member must have length less than or equal to 20"
			}
			c.add("'["+strings.Join(in.nonKey, ", ")+"]'", path+"projection.nonKeyAttributes", rule)
		}
	}
	c.throughput(in.throughput, path+"provisionedThroughput")
}

func (in *createTableInput) check(c *constraints) {
	c.table(in.name, "tableName")
	if c.required(!in.attributesSet, "attributeDefinitions") {
		c.attributes(in.attributes)
	}
	c.keySchema(in.keys, in.keysSet, "keySchema")
	c.enum(in.billing, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	c.enum(in.class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	c.throughput(in.throughput, "provisionedThroughput")
	if in.stream != nil {
		c.required(in.stream.enabled == nil, "streamSpecification.streamEnabled")
	}
	for i := range in.local {
		c.index(&in.local[i], fmt.Sprintf("localSecondaryIndexes.%d.member.", i+1))
	}
	for i := range in.global {
		c.index(&in.global[i], fmt.Sprintf("globalSecondaryIndexes.%d.member.", i+1))
	}
	c.sse(in.sse)
}

func (c *constraints) sse(s *sseSpecification) {
	if s != nil {
		c.enum(s.sseType, "sSESpecification.sSEType", "AES256", "KMS")
		c.length(s.keyID, "sSESpecification.kMSMasterKeyId", 1, 2048)
	}
}

func (c *constraints) attributes(list []attributeDefinition) {
	for i, a := range list {
		at := fmt.Sprintf("attributeDefinitions.%d.member.", i+1)
		if c.required(a.name == nil, at+"attributeName") {
			c.length(a.name, at+"attributeName", 1, 255)
		}
		if c.required(a.kind == nil, at+"attributeType") {
			c.enum(a.kind, at+"attributeType", "B", "N", "S")
		}
	}
}
