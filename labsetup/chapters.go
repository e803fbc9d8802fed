package labsetup

import (
	"context"
	"fmt"
)

// labStep is a step before it ran.
type labStep struct {
	Step
	needed bool // the rest stands on it
	audit  bool // waits for CloudTrail
	// measures: whatever AWS answers is as good, as long as it answers
	measures bool
	do       action
}

// chapter is a group of steps.
type chapter struct {
	title string
	steps []labStep
}

const administratorRole = "administrator"

// does is a step of the administrator on which the rest stands.
func does(id, title, why, cli string, do action) labStep {
	return labStep{Step: Step{ID: id, Title: title, Expected: Done, Principal: administratorRole, Why: why, CLI: cli},
		needed: true, do: do}
}

// doing turns a function without a result into an action.
func doing(fn func(context.Context) error) action {
	return func(ctx context.Context) (string, error) { return Done, fn(ctx) }
}

// sees is a check of what somebody sees.
func sees(id, title, who, mode, expected, why, cli string, do action) labStep {
	return labStep{Step: Step{ID: id, Title: title, Expected: expected, Principal: who, Mode: mode, Why: why, CLI: cli},
		do: do}
}

func getCLI(table string) string {
	return fmt.Sprintf(`aws dynamodb get-item --table-name %s --key '{"id":{"S":"1"}}'`, table)
}

// The direct calls of the lab, on a message, and on the data key of a
// client-side item with the context that is bound to it.
const (
	encryptCLI     = "aws kms encrypt --key-id KEY --plaintext fileb://message --encryption-context lab=" + labTagValue
	decryptCLI     = "aws kms decrypt --ciphertext-blob fileb://message.bin --encryption-context lab=" + labTagValue
	decryptItemCLI = "aws kms decrypt --ciphertext-blob fileb://data-key.bin --encryption-context file://context.json"
)

// chapters is the whole lab in order.
func (l *Lab) chapters() []chapter {
	chapters := []chapter{
		l.keyChapter(), l.tableChapter(), l.userChapter(), l.denialChapter(), l.statementChapter(), l.accessChapter(),
		l.disabledChapter(), l.rotationChapter(), l.multiRegionChapter(),
		l.hierarchyChapter(), l.recoveryChapter(), l.keyOffChapter(),
	}
	if l.cfg.OtherAccount != nil {
		chapters = append(chapters, l.otherAccountChapter())
	}
	chapters = append(chapters, l.auditChapter())
	if !l.cfg.Keep {
		chapters = append(chapters, l.cleanUpChapter())
	}
	return chapters
}
