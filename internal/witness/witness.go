// SPDX-License-Identifier: Apache-2.0

// Package witness records what a program's own logger, tracer, meters and
// middleware see of the calls of a DynamoDB client, so that a test can search it
// for what they must not see.
package witness

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// Kind is one of the ways in which a program observes the SDK.
type Kind string

// The kinds of observers.
const (
	Log        Kind = "log"
	Trace      Kind = "trace"
	Metric     Kind = "metric"
	Middleware Kind = "middleware"
)

// Kinds are all kinds.
var Kinds = []Kind{Log, Trace, Metric, Middleware}

// Witness records what observers see. The zero Witness is ready for use, by many
// goroutines.
type Witness struct {
	mu   sync.Mutex
	seen map[Kind]*bytes.Buffer
}

// Install puts an observer of each kind into the options of a client: the SDK's
// log with all bodies, a tracer, a meter, and a middleware in each step.
func (w *Witness) Install(o *dynamodb.Options) {
	o.Logger = w
	o.ClientLogMode = aws.LogRequestWithBody | aws.LogResponseWithBody | aws.LogRetries | aws.LogSigning
	o.TracerProvider, o.MeterProvider = tracers{w}, meters{w}
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], w.add)
}

// Logf takes an entry of the SDK's log.
func (w *Witness) Logf(c logging.Classification, format string, v ...any) {
	w.note(Log, string(c), fmt.Sprintf(format, v...))
}

// note records what an observer got. Values are taken apart by their JSON as well,
// since a printed pointer shows nothing of what it points to.
func (w *Witness) note(k Kind, values ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[Kind]*bytes.Buffer{}
	}
	if w.seen[k] == nil {
		w.seen[k] = &bytes.Buffer{}
	}
	for _, v := range values {
		fmt.Fprintf(w.seen[k], "%+v\n", v)
		if text, err := json.Marshal(v); err == nil {
			w.seen[k].Write(text)
		}
	}
}

// properties records properties of the SDK.
func (w *Witness) properties(k Kind, p smithy.Properties) {
	for name, value := range p.Values() {
		w.note(k, name, value)
	}
}

// Seen returns what the observers of a kind saw.
func (w *Witness) Seen(k Kind) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[k] == nil {
		return ""
	}
	return w.seen[k].String()
}

// Found returns which of the texts the observers of a kind saw, as they are, in
// hex, or in base64 at any offset. The texts have at least 8 bytes.
func (w *Witness) Found(k Kind, texts ...string) (found []string) {
	seen := w.Seen(k)
	for _, text := range texts {
		for _, form := range forms(text) {
			if strings.Contains(seen, form) {
				found = append(found, text)
				break
			}
		}
	}
	return found
}

func forms(text string) []string {
	out := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, offset), text...))
		out = append(out, encoded[4:len(encoded)-4]) // without what neighbours change
	}
	return out
}
