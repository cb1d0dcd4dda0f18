package main

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/test/model"
)

func TestOnlyOrdersWithForgottenRequestsAreNotReplayed(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	order := func(opened time.Time) (id uuid.UUID) {
		binary.BigEndian.PutUint64(id[:8], uint64(opened.UnixMilli())<<16)
		id[6], id[8] = 7<<4, 2<<6
		return id
	}
	earlier, later := order(now.Add(-time.Second)), order(now.Add(time.Second))
	all := traces{earlier: &model.Trace{}, later: &model.Trace{}}
	if n := all.forget(time.Time{}); n != 0 || len(all) != 2 {
		t.Errorf("the factory remembers all requests, and %d traces are removed", n)
	}
	if n := all.forget(now); n != 1 || !slices.Equal(slices.Collect(maps.Keys(all)), []uuid.UUID{later}) {
		t.Errorf("%d traces are removed, left are %v; want that the earlier order is removed", n, all)
	}
}
