// SPDX-License-Identifier: Apache-2.0

// Package inspection shows what an encrypted item says about itself, without a key.
package inspection

import (
	"encoding/json"
	"errors"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

// Item is what an item says about itself. Exactly one of the two is set.
type Item struct {
	message *envelope.Message
	legacy  map[string]string // material description of an item of the older client
}

// Of takes an item apart. Errors: those of [envelope.Inspect] and
// [legacy.Describe].
func Of(item envelope.Item) (Item, error) {
	m, err := envelope.Inspect(item)
	if errors.Is(err, envelope.ErrLegacyItem) {
		pairs, err := legacy.Describe(item)
		return Item{legacy: pairs}, err
	}
	return Item{message: m}, err
}

// MarshalJSON returns the item as one object: its bytes field by field and its
// attributes, or the material description of the older client.
func (i Item) MarshalJSON() ([]byte, error) {
	if i.message == nil {
		return json.Marshal(legacyInspection{legacyFormat, i.legacy})
	}
	return json.Marshal(inspected(i.message))
}

// legacyFormat names the format of the older client.
const legacyFormat = "DynamoDB Encryption Client"

// legacyInspection is what an item of the older client says about itself, in JSON.
type legacyInspection struct {
	Format      string            `json:"format"`
	Description map[string]string `json:"materialDescription"`
}

// inspection is a message in JSON.
type inspection struct {
	Version           int               `json:"version"`
	Suite             string            `json:"algorithmSuite"`
	MessageID         []byte            `json:"messageId"`
	Legend            string            `json:"legend"`
	EncryptionContext map[string]string `json:"encryptionContext"`
	DataKeys          []inspectedKey    `json:"encryptedDataKeys"`
	Header            []inspectedField  `json:"header"`
	Footer            []inspectedField  `json:"footer"`
	Attributes        []inspectedValue  `json:"attributes"`
}

type inspectedKey struct {
	Provider string `json:"provider"`
	Info     []byte `json:"providerInfo"`
	Length   int    `json:"ciphertextLength"`
}

type inspectedField struct {
	Name    string `json:"name"`
	Offset  int    `json:"offset"`
	Length  int    `json:"length"`
	Meaning string `json:"meaning"`
	Value   string `json:"value"`
}

type inspectedValue struct {
	Name   string `json:"name"`
	Action string `json:"action,omitempty"`
	Type   string `json:"type"`
	Length int    `json:"length"`
}

func inspected(m *envelope.Message) inspection {
	out := inspection{Version: m.Version, Suite: m.Suite.String(), MessageID: m.MessageID, Legend: m.Legend,
		EncryptionContext: m.StoredContext}
	for _, k := range m.EncryptedDataKeys {
		out.DataKeys = append(out.DataKeys, inspectedKey{k.ProviderID, k.ProviderInfo, len(k.Ciphertext)})
	}
	for _, f := range m.Header {
		out.Header = append(out.Header, inspectedField{f.Name, f.Offset, f.Length, f.Meaning, f.Value})
	}
	for _, f := range m.Footer {
		out.Footer = append(out.Footer, inspectedField{f.Name, f.Offset, f.Length, f.Meaning, f.Value})
	}
	for _, a := range m.Attributes {
		v := inspectedValue{Name: a.Name, Type: a.Type, Length: a.Length}
		if a.Action != 0 {
			v.Action = a.Action.String()
		}
		out.Attributes = append(out.Attributes, v)
	}
	return out
}
