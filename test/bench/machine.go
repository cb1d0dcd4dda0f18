package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// A machine describes the machine of a measurement.
type machine struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	MemoryGiB  int    `json:"memoryGiB,omitempty"`
	System     string `json:"system"`
	Go         string `json:"go"`
	Database   string `json:"database,omitempty"`
}

func thisMachine() machine {
	return machine{
		Processor:  fieldOf("/proc/cpuinfo", "model name"),
		Processors: runtime.NumCPU(),
		MemoryGiB:  memoryGiB(),
		System:     runtime.GOOS + "/" + runtime.GOARCH,
		Go:         runtime.Version(),
	}
}

// ask reads the version of the database.
func (m *machine) ask(ctx context.Context, db *sql.DB) error {
	return db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&m.Database)
}

func (m machine) String() string {
	parts := []string{fmt.Sprintf("%d × %s", m.Processors, m.Processor)}
	if m.MemoryGiB > 0 {
		parts = append(parts, fmt.Sprintf("%d GiB", m.MemoryGiB))
	}
	return strings.Join(append(parts, m.System, m.Go, m.Database), ", ")
}

// fieldOf returns a field of a file in /proc.
func fieldOf(file, field string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "processor unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return "processor unknown"
}

func memoryGiB() int {
	var kib int
	if _, err := fmt.Sscanf(fieldOf("/proc/meminfo", "MemTotal"), "%d", &kib); err != nil {
		return 0
	}
	return (kib + 1<<19) >> 20
}
