package mysql

import (
	"context"
	"fmt"
)

// Connect opens a connection of the pool, with the login and the TLS handshake, if none is open.
// The next statement uses it. A statement connects by itself, so an error of Connect prevents
// nothing.
func (s *Store) Connect(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	return nil
}
