package awsapi

import "strconv"

// Page returns one page of a list: at most limit items from the position of token. next is the
// token of the following page, or "" on the last page. ok is false for a token that Page did not
// return.
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
