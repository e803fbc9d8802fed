// SPDX-License-Identifier: Apache-2.0

package searching

// MaxFetched is how many entries of an index one request reads, unless the caller has
// another number, where each costs a read of its own item: enough for several calls
// of 100 at the same time, and few in comparison with the 10,000 keys that 1 MB can
// hold.
const MaxFetched = 400

// All returns a Query without Input that reads all results up to limit, zero for no
// limit. size is the number of items of each request; zero: as many as limit at
// first, without a limit as many as DynamoDB gives.
func All(size, limit int) Query {
	if size == 0 && limit > 0 {
		return Query{Size: limit, Grow: true, Budget: -1}
	}
	return Query{Size: size, Budget: -1}
}

// minBudget is the smallest number of items that may be read for a page unless the
// caller has another.
const minBudget = 1000

// Page returns a Query without Input that fills a page of size results and looks at
// no more than budget items, zero for 20 times size and at least 1000. With size
// zero, a page is what one request for each partition finds.
func Page(size, budget int) Query {
	q := Query{Size: size, Grow: true}
	if size > 0 {
		if q.Budget = budget; budget == 0 {
			q.Budget = max(20*size, minBudget)
		}
	}
	return q
}

// Cap bounds the size of the first request, nil for no bound.
func (q *Query) Cap(most *int32) {
	if most != nil && (q.Size == 0 || q.Size > int(*most)) {
		q.Size = int(*most)
	}
}
