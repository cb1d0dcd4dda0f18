package awsapi

import "strconv"

// Page cuts the items that a list operation answers with: at most limit of them, from where token says. next is the token
// of the page that follows, or "" on the last one; ok is false for a token that no page gave.
func Page[T any](items []T, limit int, token string) (page []T, next string, ok bool) {
	from := 0
	if token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 || n > len(items) {
			return nil, "", false
		}
		from = n
	}
	to := min(from+limit, len(items))
	if to < len(items) {
		next = strconv.Itoa(to)
	}
	return items[from:to], next, true
}
