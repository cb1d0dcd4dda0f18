// Package page holds the console's page: a document, its styles and its
// script's modules, as they are served. There is no build step, and nothing in
// them loads anything from elsewhere.
package page

import "embed"

// Files are the page's files, by name: index.html is the document.
//
//go:embed index.html console.css icon.svg *.js
var Files embed.FS
