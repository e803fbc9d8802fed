// SPDX-License-Identifier: Apache-2.0

package labsetup

import "strings"

// Question is a question that a learner answers before a step shows the answer.
type Question struct {
	Step    string   // ID of the step before which it is asked
	Text    string   // the question
	Choices []string // the answers to choose from
	Right   int      // index of the right choice
	Because string   // why it is right, to show after the answer
}

// Sights returns the choices of a Prediction: what a principal will see.
func Sights() []string { return []string{"the record", "ciphertext", "an error"} }

// sight is the choice that a result is.
func sight(expected string) (int, bool) {
	switch expected {
	case SeesPlaintext:
		return 0, true
	case SeesCiphertext:
		return 1, true
	case DeniedDecrypt, KeyDisabled:
		return 2, true
	}
	return 0, false
}

// Prediction returns a question about what a step that reads a table will show.
// It reports false for a step that reads nothing.
func Prediction(s Step) (Question, bool) {
	right, ok := sight(s.Expected)
	if !ok || s.Mode == ModeDirect || s.Mode == "" {
		return Question{}, false
	}
	return Question{Step: s.ID, Text: "The " + strings.TrimPrefix(s.Title, "the ") + ". What will they see?",
		Choices: Sights(), Right: right,
		Because: s.Why}, true
}

// Questions returns the questions about what learners often get wrong. Ask each
// before the step that it names.
func Questions() []Question {
	return []Question{
		{"disk-" + ServerTable, "Who is kept from the record by encryption at rest?", []string{
			"somebody who listens on the network", "somebody who takes the disk", "a user who may read the table"}, 1,
			"Encryption at rest is about the disk. HTTPS keeps out those who listen on the network, whether the disk " +
				"is encrypted or not. A user who may read the table and use its key gets plaintext."},
		{"user-client-raw", "The user may read the client-side table. Will DynamoDB return the encrypted attributes?",
			[]string{"no, the call is denied", "yes, as ciphertext", "yes, in the clear"}, 1,
			"DynamoDB returns what it has. An attribute that was returned is not an attribute that can be read: " +
				"without the key it stays ciphertext."},
		{"key-user", "Where is it written that a user may use this key?", []string{
			"in an IAM policy that is attached to the key", "in the key policy, and in IAM policies that it lets count",
			"in the settings of the table"}, 1,
			"IAM policies are attached to users, groups and roles, never to keys. A key has one key policy, and " +
				"grants. The table only names its key."},
	}
}

// QuestionsFor returns the questions to ask before a step: first those of
// Questions, then its Prediction.
func QuestionsFor(s Step) []Question {
	var out []Question
	for _, q := range Questions() {
		if q.Step == s.ID {
			out = append(out, q)
		}
	}
	if q, ok := Prediction(s); ok {
		out = append(out, q)
	}
	return out
}
