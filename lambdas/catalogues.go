package lambdas

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed catalogues/*.json
var catalogues embed.FS

const (
	// EmptyCatalogue has a factory and no products: the merchant creates the first product.
	EmptyCatalogue = "empty"
	// TestCatalogue has the products that tests sell. A fork keeps it, and adds its own.
	TestCatalogue = "doughnuts"
)

// Catalogues returns the names of the catalogues: the files in the folder catalogues. A catalogue
// has the factories and the products that the database of a new stage gets.
func Catalogues() (names []string) {
	files, _ := catalogues.ReadDir("catalogues") // the folder is embedded
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".json"))
	}
	return names
}

// Catalogue returns the text of a catalogue. Package migrate reads it.
func Catalogue(name string) ([]byte, error) {
	text, err := catalogues.ReadFile(path.Join("catalogues", name+".json"))
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue %s: %w", name, err)
	}
	return text, nil
}
