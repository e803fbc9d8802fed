package wire

import (
	"bytes"
	"encoding/xml"
)

// EncodeXML wraps result, nil or a struct, as the Query protocol has it:
// <OpResponse><OpResult>…</OpResult><ResponseMetadata/></OpResponse>.
func EncodeXML(namespace, operation, requestID string, result any) ([]byte, error) {
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	outer := xml.StartElement{Name: xml.Name{Local: operation + "Response"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}}
	if err := e.EncodeToken(outer); err != nil {
		return nil, err
	}
	if result != nil {
		if err := e.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: operation + "Result"}}); err != nil {
			return nil, err
		}
	}
	metadata := struct{ RequestId string }{requestID}
	if err := e.EncodeElement(metadata, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return nil, err
	}
	if err := e.EncodeToken(outer.End()); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
