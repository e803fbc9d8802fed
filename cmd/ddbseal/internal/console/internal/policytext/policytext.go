// SPDX-License-Identifier: Apache-2.0

// Package policytext checks the text of a policy that was typed into a form.
package policytext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Submitted returns the text of a form's field. Browsers send its line breaks as CR LF.
func Submitted(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// Check reports whether a text is JSON, and otherwise where it is not, by line and
// column, and the line.
func Check(text string) (wrong, line string, ok bool) {
	var v any
	err := json.Unmarshal([]byte(text), &v)
	if err == nil {
		return "", "", true
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return "not JSON: " + err.Error(), "", false
	}
	// Offset is behind the byte that is wrong, or the end of a text that is cut.
	at := min(max(int(syntax.Offset)-1, 0), len(text))
	if strings.HasPrefix(syntax.Error(), "unexpected end") {
		at = len(strings.TrimRight(text, " \t\n"))
	}
	before := []byte(text[:at])
	begin := bytes.LastIndexByte(before, '\n') + 1
	end := len(text)
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		end = at + i
	}
	wrong = fmt.Sprintf("Line %d, column %d: %s", bytes.Count(before, []byte("\n"))+1,
		utf8.RuneCount(before[begin:])+1, syntax.Error())
	return wrong, text[begin:max(end, begin)], false
}
