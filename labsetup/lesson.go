// SPDX-License-Identifier: Apache-2.0

package labsetup

// Lesson describes a chapter of the lab.
type Lesson struct {
	Title    string // as in Step.Chapter
	Goal     string // what the learner can say or do after it
	Answers  string // the question that an optional chapter answers
	Optional bool   // not part of the core path
}

// Titles of the chapters of the core path, and of those that other code names.
const (
	chapterKey     = "The key"
	chapterTables  = "Two tables, one key"
	chapterDisk    = "On the disk"
	chapterUser    = "The user"
	chapterDenial  = "Who sees what"
	chapterGive    = "Give access and take it back"
	chapterPicture = "The picture"
	chapterOthers  = "The other keys, and both at once"
	chapterCleanUp = "Clean-up"

	chapterHierarchy = "A key hierarchy"
	chapterRecovery  = "Escrow and disaster recovery"
	chapterKeyOff    = "Taking the key off"
)

// CoreTime says in words how long the core path takes.
const CoreTime = "about an hour by hand, four minutes to watch at reading pace"

// lessons lists what there is to say about each chapter.
func lessons() []Lesson {
	return []Lesson{
		{Title: chapterKey, Goal: "say who may use a key, and where that is written"},
		{Title: chapterTables, Goal: "tell apart who encrypts: DynamoDB, or your program"},
		{Title: chapterDisk, Goal: "say what encryption at rest hides, and from whom"},
		{Title: chapterUser, Goal: "give a user a table without the key"},
		{Title: chapterDenial, Goal: "predict an error or ciphertext, and say who refused"},
		{Title: chapterGive, Goal: "give access by the key policy and take it back"},
		{Title: chapterPicture, Goal: "compare both kinds of encryption from memory"},

		{Title: chapterOthers, Optional: true,
			Answers: "What do the AWS owned and the AWS managed key protect, and what do both kinds of encryption " +
				"together?"},
		{Title: "The four statements of the key policy", Optional: true,
			Answers: "What does each statement that the KMS console writes allow?"},
		{Title: "Ways to give access", Optional: true,
			Answers: "Which way of giving access opens what, and what closes it again?"},
		{Title: "The key disabled", Optional: true, Answers: "What stops working when a key is disabled?"},
		{Title: "Rotation", Optional: true, Answers: "Does rotating a key encrypt anything again?"},
		{Title: "A multi-Region key", Optional: true, Answers: "How does another Region open what this one encrypted?"},
		{Title: chapterHierarchy, Optional: true, Answers: "What does a key between KMS and the items save, and cost?"},
		{Title: chapterRecovery, Optional: true, Answers: "What opens the items when the key, or a Region, is lost?"},
		{Title: chapterKeyOff, Optional: true, Answers: "Who can get around the key of a table, and what stops them?"},
		{Title: "Another account", Optional: true, Answers: "How does another account come to use a key?"},
		{Title: "The audit", Optional: true, Answers: "What does CloudTrail record, and what does it leave out?"},
		{Title: chapterCleanUp, Optional: true, Answers: "What is left, and how long can a key's deletion be " +
			"cancelled?"},
	}
}

// lessonOf returns the lesson of a chapter. A chapter that is not listed is
// optional.
func lessonOf(title string) Lesson {
	for _, l := range lessons() {
		if l.Title == title {
			return l
		}
	}
	return Lesson{Title: title, Optional: true}
}

// Lessons returns the descriptions of the chapters that Run does, in order.
func (l *Lab) Lessons() []Lesson {
	var out []Lesson
	for _, c := range l.chapters() {
		out = append(out, lessonOf(c.title))
	}
	return out
}
