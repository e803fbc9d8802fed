// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"testing"
)

// TestExercise does one exercise that is solved by a policy and one that is
// answered by a text.
func TestExercise(t *testing.T) {
	b := newSite(t).administrator()
	b.contains(b.get("/exercises", http.StatusOK), "Open one server-side table", "Lose a Region")
	const path = "/exercises/one-client-table"
	b.contains(b.get(path, http.StatusOK), "exercise-one-client-table-reader", "Hint 3")
	b.contains(b.post(path+"/check", http.StatusOK), "Start the exercise first")
	b.contains(b.post(path+"/start", http.StatusOK), "The starting state is there")
	b.contains(b.post(path+"/check", http.StatusOK), "not solved yet", "denied kms:Decrypt",
		"The user cannot open the item.")
	b.contains(b.post(path+"/solution", http.StatusOK), "aws kms put-key-policy", "Carry it out")
	b.contains(b.post(path+"/solve", http.StatusOK), "The solution was carried out")
	page := b.post(path+"/check", http.StatusOK)
	b.contains(page, `<span class="chip plaintext">solved</span>`)
	b.lacks(page, "not solved")
	b.contains(b.get("/exercises", http.StatusOK), ">solved<")
	b.contains(b.post(path+"/remove", http.StatusOK), "was removed")
	b.lacks(b.get(path, http.StatusOK), ">solved<", "Carry it out")

	const text = "/exercises/attribute-class"
	b.contains(b.get(text, http.StatusOK), `name="answer"`, "diagnosis  health data")
	b.post(text+"/start", http.StatusOK)
	b.contains(b.post(text+"/check", http.StatusOK, "answer", "nonsense"), "the answer cannot be read: line 1")
	b.contains(b.post(text+"/check", http.StatusOK, "answer",
		"email: none\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: none"), "Personal data is in clear")
	b.contains(b.post(text+"/check", http.StatusOK, "answer",
		"email: encrypt\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: none"), ">solved<")

	b.get("/exercises/none", http.StatusNotFound)
	b.post("/exercises/none/start", http.StatusNotFound)
	b.post(path+"/burn", http.StatusNotFound)
}

// TestExerciseWithoutRights shows that exercises have the user's power only.
func TestExerciseWithoutRights(t *testing.T) {
	u := newSite(t).user()
	u.get("/exercises/one-client-table", http.StatusOK)
	u.contains(u.post("/exercises/one-client-table/start", http.StatusForbidden), "is not authorized to perform")
}
