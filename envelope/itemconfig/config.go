// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ddbseal/ddbseal/envelope"
)

// Config is the content of a configuration file. A member that the official
// libraries have too has the same name as there.
type Config struct {
	Table                          string                     `json:"table"` // the logical table name
	PartitionKey                   string                     `json:"partitionKey"`
	SortKey                        string                     `json:"sortKey,omitempty"`
	AttributeActions               map[string]envelope.Action `json:"attributeActions"`
	AllowedUnsignedAttributes      []string                   `json:"allowedUnsignedAttributes,omitempty"`
	AllowedUnsignedAttributePrefix string                     `json:"allowedUnsignedAttributePrefix,omitempty"`
	// official name, 0x6700 or 0x6701
	AlgorithmSuite  string  `json:"algorithmSuite,omitempty"`
	Search          *Search `json:"search,omitempty"`
	PlaintextPolicy string  `json:"plaintextPolicy,omitempty"` // official name
	Keyring         Keyring `json:"keyring"`
	// items of the older DynamoDB Encryption Client
	Legacy *Legacy `json:"legacy,omitempty"`
}

// maxSize bounds a configuration file: one with 10,000 attributes is smaller.
const maxSize = 4 << 20

// ReadFile reads the configuration in a file of at most 4 MB. Paths of key files in
// it are relative to its directory. Errors name the file. They are those of os.Open
// and of [Read].
func ReadFile(path string) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.resolve(filepath.Dir(path))
	return c, nil
}

// Read parses a configuration of at most 4 MB. Paths of key files in it are
// relative to the process's working directory. An unknown member is an error,
// because a misspelt "allowedUnsignedAttributes" must not be ignored. A member
// that does not belong to the type of its keyring or legacy provider is an
// error too. Errors: those of r, and [envelope.ErrConfiguration] if the text is
// not a configuration, as a [*MemberError] if one member is wrong.
func Read(r io.Reader) (*Config, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("%w: longer than %d bytes", envelope.ErrConfiguration, maxSize)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	c := &Config{}
	if err := d.Decode(c); err != nil {
		return nil, explain(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: more than one JSON value", envelope.ErrConfiguration)
	}
	if err := c.belong(); err != nil {
		return nil, err
	}
	return c, nil
}

// Encryptor creates the item encryptor that c describes. Keyrings that need AWS
// get their clients from p. Errors: [envelope.ErrConfiguration], as a
// [*MemberError] if one member is wrong, and the errors of p's functions.
func (c *Config) Encryptor(ctx context.Context, p Providers) (*envelope.ItemEncryptor, error) {
	switch {
	case c.Table == "":
		return nil, in("table", bad("missing: the logical table name"))
	case c.PartitionKey == "":
		return nil, in("partitionKey", bad("missing: the name of the key attribute"))
	case len(c.AttributeActions) == 0:
		return nil, in("attributeActions", bad("missing: an action for each attribute"))
	}
	if err := c.belong(); err != nil {
		return nil, err
	}
	keyring, err := c.Keyring.open(ctx, p)
	if err != nil {
		return nil, in("keyring", err)
	}
	out := envelope.Config{
		LogicalTableName:      c.Table,
		PartitionKey:          c.PartitionKey,
		SortKey:               c.SortKey,
		Actions:               c.AttributeActions,
		AllowedUnsigned:       c.AllowedUnsignedAttributes,
		AllowedUnsignedPrefix: c.AllowedUnsignedAttributePrefix,
		Keyring:               keyring,
	}
	if out.AlgorithmSuite, err = suite(c.AlgorithmSuite); err != nil {
		return nil, in("algorithmSuite", err)
	}
	if c.PlaintextPolicy != "" {
		if out.PlaintextPolicy, err = envelope.ParsePlaintextPolicy(c.PlaintextPolicy); err != nil {
			return nil, in("plaintextPolicy", err)
		}
	}
	if c.Search != nil {
		if out.Search, err = c.Search.open(ctx, p); err != nil {
			return nil, in("search", err)
		}
	}
	if c.Legacy != nil {
		if out.Legacy, err = c.Legacy.open(ctx, c, p); err != nil {
			return nil, in("legacy", err)
		}
	}
	return envelope.NewItemEncryptor(out)
}

func suite(name string) (envelope.AlgorithmSuite, error) {
	if name == "" {
		return envelope.SuiteDigitalSignature, nil
	}
	if n, err := strconv.ParseUint(name, 0, 16); err == nil {
		s := envelope.AlgorithmSuite(n)
		if !s.Valid() {
			return 0, fmt.Errorf("%w: algorithm suite %q is not 0x6700 or 0x6701", envelope.ErrConfiguration, name)
		}
		return s, nil
	}
	return envelope.ParseAlgorithmSuite(name)
}
