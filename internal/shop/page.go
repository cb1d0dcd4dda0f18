package shop

import "fmt"

// DefaultPage is the number of entries on a page of a list if the caller sets no limit. MaxPage is
// the largest limit.
const (
	DefaultPage = 50
	MaxPage     = 100
)

// paged reads a page of a list, and reports whether more entries follow. To know that, it asks list
// for one entry more than the limit. Errors: CodeInvalidRequest for a limit out of range.
func paged[T any](limit int, list func(limit int) ([]T, error)) (page []T, more bool, err error) {
	switch {
	case limit == 0:
		limit = DefaultPage
	case limit < 0 || limit > MaxPage:
		return nil, false, refuse(CodeInvalidRequest,
			fmt.Sprintf("the limit is %d, it must be from 1 to %d", limit, MaxPage))
	}
	page, err = list(limit + 1)
	if len(page) > limit {
		return page[:limit], true, err
	}
	return page, false, err
}
