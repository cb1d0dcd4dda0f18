package watch

import (
	"os"
	"slices"
	"testing"
)

// module writes a module of two commands that share a package. One of them embeds a page.
func module(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for path, text := range map[string]string{
		"go.mod": "module example\n\ngo 1.26\n",
		"lambdas/shop/main.go": "package main\n\nimport (\n\t_ \"example/internal/shared\"\n\t_ " +
			"\"example/lambdas/shop/page\"\n)\n\nfunc main() {}\n",
		"lambdas/shop/page/page.go": "package page\n\nimport \"embed\"\n\n//go:embed index.html pictures " +
			"*.css\nvar Files embed.FS\n",
		"lambdas/shop/page/index.html": "",
		"lambdas/shop/page/a.css":      "",
		"lambdas/shop/page/pictures/x": "",
		"lambdas/sweep/main.go": "package main\n\nimport (\n\t_ \"example/internal/deep\"\n\t_ " +
			"\"os\"\n)\n\nfunc main() {}\n",
		"internal/deep/deep.go":     "package deep\n\nimport _ \"example/internal/shared\"\n",
		"internal/shared/shared.go": "package shared\n",
		"internal/alone/alone.go":   "package alone\n",
	} {
		write(t, dir+"/"+path, text)
	}
	return dir
}

func TestAFileBelongsToThePackagesThatAreMadeOfIt(t *testing.T) {
	const shop, sweep = "./lambdas/shop", "./lambdas/sweep"
	s, err := List(t.Context(), module(t), shop, sweep)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		want []string
	}{
		{"lambdas/shop/main.go", []string{shop}},
		{"lambdas/shop/new.go", []string{shop}},
		{"lambdas/shop/main_test.go", nil},
		{"lambdas/shop/.#main.go", nil},
		{"lambdas/shop/main.go~", nil},
		{"lambdas/shop/notes.txt", nil},
		{"lambdas/sweep/main.go", []string{sweep}},
		{"internal/deep/deep.go", []string{sweep}},
		{"internal/deep/add_amd64.s", []string{sweep}},
		{"internal/shared/shared.go", []string{shop, sweep}},
		{"internal/shared", []string{shop, sweep}}, // moved away
		{"internal", []string{shop, sweep}},
		{"internal/alone/alone.go", nil},
		{"internal/sharedx/x.go", nil},
		{"lambdas/shop/page/index.html", []string{shop}},
		{"lambdas/shop/page/pictures/y/z", []string{shop}},
		{"lambdas/shop/page/new.css", []string{shop}},
		{"lambdas/shop/page/index.html.swp", nil},
		{"lambdas/shop/index.html", nil},
		{"go.mod", []string{shop, sweep}},
		{"internal/go.mod", nil},
		{"README.md", nil},
	} {
		if got := s.MadeOf(c.file); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.file, got, c.want)
		}
	}
}

func TestAPackageThatDoesNotCompileIsMadeOfWhatIsKnown(t *testing.T) {
	for name, text := range map[string]string{
		"an import that is not there": "package main\n\nimport _ \"example/internal/nowhere\"\n\nfunc main() {}\n",
		"no Go":                       "packag main\n",
		"nothing":                     "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := module(t)
			write(t, dir+"/lambdas/shop/main.go", text)
			s, err := List(t.Context(), dir, "./lambdas/shop", "./lambdas/sweep")
			if err != nil {
				t.Fatal(err)
			}
			for file, want := range map[string]string{"lambdas/shop/main.go": "./lambdas/shop",
				"internal/shared/shared.go": "./lambdas/sweep"} {
				if got := s.MadeOf(file); !slices.Contains(got, want) {
					t.Errorf("%s: got %q, want %s among them", file, got, want)
				}
			}
		})
	}
}

func TestTheFolderMayBeNamedBySymbolicLinks(t *testing.T) {
	link := t.TempDir() + "/link"
	if err := os.Symlink(module(t), link); err != nil {
		t.Fatal(err)
	}
	s, err := List(t.Context(), link, "./lambdas/shop")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, Config{Root: link})
	write(t, link+"/internal/shared/shared.go", "package shared\n\nvar X int\n")
	awaitFile(t, w, "internal/shared/shared.go")
	if got := s.MadeOf("internal/shared/shared.go"); len(got) != 1 {
		t.Errorf("got %q, want one package", got)
	}
}
