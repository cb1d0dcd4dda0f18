package main

var infrastructure []mutant
