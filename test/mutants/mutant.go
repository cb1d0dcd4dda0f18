package main

import (
	"path"
	"strings"

	"restock/test/overlay"
)

// A promise is a promise of the README that a mutant breaks.
type promise string

const (
	oversell    promise = "oversell"     // it sells what is not there, or the books are wrong
	lostRestock promise = "lost restock" // a shortage does not end in stock
	doubleOrder promise = "double order" // the factory makes an order twice
	failsFirst  promise = "fails-first"  // the local run or a rule accepts what AWS refuses
	secrecy     promise = "secrets"      // a secret is in a log, or a stranger gets in
)

var promises = []promise{oversell, lostRestock, doubleOrder, failsFirst, secrecy, ""}

// A kind says what a mutant changes.
type kind string

const (
	code      kind = "code"
	procedure kind = "procedures and migrations"
	store     kind = "the store, in histories"
	protocol  kind = "the model"
)

var kinds = []kind{code, procedure, store, protocol}

// A mutant is a mistake in a file.
type mutant struct {
	name           string // short, and stable: other pages name it
	promise        promise
	file           string
	correct, wrong string // text that the file has once, and its replacement
	effect         string // what goes wrong for people
	in             string // the package of the test; empty: the package of the file
	test           string // the test that must fail; TestAll/one for a part of a large one
}

// all returns all mutants of the tables, in the order of their packages.
func all() (all []mutant) {
	for _, table := range [][]mutant{business, stored, functions, infrastructure, standIns} {
		all = append(all, table...)
	}
	return all
}

func (m mutant) kind() kind {
	if strings.HasSuffix(m.file, ".sql") {
		return procedure
	}
	return code
}

// pkg returns the package of the test.
func (m mutant) pkg() string {
	if m.in != "" {
		return m.in
	}
	return path.Dir(m.file)
}

// topTest returns the test without the name of a subtest.
func (m mutant) topTest() string {
	top, _, _ := strings.Cut(m.test, "/")
	return top
}

// pattern returns the pattern of the test for the flag -run, which matches each part of a name.
func (m mutant) pattern() string { return "^" + strings.ReplaceAll(m.test, "/", "$/^") + "$" }

func (m mutant) edit() overlay.Edit {
	return overlay.Edit{File: m.file, Correct: m.correct, Wrong: m.wrong}
}
