package lambda

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"restock/local/process"
)

// Build builds Go programs for this machine into outDir, each as the last element of
// its package's path. packages are paths of packages in the module at moduleDir, as ./lambdas/stock. All are
// built by one call of the go command, which then shares its work among
// them. The error's first line says what failed; the compiler's output follows.
func Build(ctx context.Context, moduleDir, outDir string, packages ...string) error {
	outDir, err := filepath.Abs(outDir)
	if err != nil {
		return fmt.Errorf("building functions: %w", err)
	}
	if err := os.MkdirAll(outDir, 0o755); err != nil {
		return fmt.Errorf("building functions: %w", err)
	}
	var mu sync.Mutex
	var output []string
	collect := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		output = append(output, line)
	}
	// The tag leaves out what only Lambda's former runtime for Go needed, as in what is deployed.
	// A slash at the end of -o makes the go command treat it as a directory.
	args := []string{"build", "-tags=lambda.norpc", "-o", outDir + string(filepath.Separator), "--"}
	err = process.Run(ctx, process.Config{
		Path:   "go",
		Args:   append(args, packages...),
		Env:    os.Environ(), // the go command finds its caches and settings there
		Dir:    moduleDir,
		Stdout: collect,
		Stderr: collect,
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("building %s: %w\n%s", strings.Join(broken(output, packages), ", "), err, strings.Join(output, "\n"))
	}
	return nil
}

// broken are the packages that the compiler complains of, under a line "# path/of/package"; all, where it names none.
func broken(output, packages []string) (names []string) {
	for _, line := range output {
		if name, ok := strings.CutPrefix(line, "# "); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return packages
	}
	return names
}
