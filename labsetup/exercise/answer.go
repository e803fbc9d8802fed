// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"fmt"
	"slices"
	"strings"
)

// maxAnswer bounds the text of an answer.
const maxAnswer = 64 << 10

// parseAnswer reads the lines "name: value, value" of an answer. Blank lines and
// lines that begin with # are skipped. A name may stand once only.
func parseAnswer(text string) (map[string][]string, error) {
	if len(text) > maxAnswer {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrForm, maxAnswer)
	}
	answer := map[string][]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, values, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, fmt.Errorf("%w: line %d is not of the form \"name: value\"", ErrForm, number)
		}
		if _, twice := answer[name]; twice {
			return nil, fmt.Errorf("%w: line %d repeats a name", ErrForm, number)
		}
		answer[name] = []string{}
		for value := range strings.SplitSeq(values, ",") {
			if value = strings.TrimSpace(value); value != "" {
				answer[name] = append(answer[name], value)
			}
		}
		slices.Sort(answer[name])
	}
	return answer, nil
}
