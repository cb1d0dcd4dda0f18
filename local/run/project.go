package run

import (
	"errors"
	"os"
	"path/filepath"
)

// FindProject returns the folder of the module that the working directory is in.
func FindProject() (dir string, err error) {
	dir, err = os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod here or above: run this in the project's folder")
		}
		dir = parent
	}
}
