// Package page has the files of the console's page: a document, its styles and the modules of its
// script. The console serves them as they are, without a build step. They load nothing from other
// origins. Package pagetest checks this.
package page

import "embed"

// Files are the page's files by name. index.html is the document, and console.js the entry point of
// the script.
//
//go:embed index.html console.css icon.svg *.js
var Files embed.FS
